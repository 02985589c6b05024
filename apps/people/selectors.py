"""What may be seen of people, teams, roles and tokens."""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower

from apps.accounts.models import BatchAccount
from apps.core.exceptions import NotVisible
from apps.people.actors import Actor
from apps.people.models import ApiToken, Grant, Team, User
from apps.people.roles import Permission, Role
from apps.people.sign_in import is_locked

PERSON_ORDERS: dict[str, list[Any]] = {
    "name": [Lower("last_name"), Lower("first_name"), Lower("username")],
    "-name": [Lower("last_name").desc(), Lower("first_name").desc(), Lower("username").desc()],
    "username": [Lower("username")],
    "-username": [Lower("username").desc()],
    "last-sign-in": ["last_login", "pk"],
    "-last-sign-in": ["-last_login", "-pk"],
}


def person_list(*, actor: Actor, search: str = "", state: str = "", order: str = "username") -> QuerySet[User]:
    """All people, for portal administrators. `state`: active, inactive or administrator."""
    actor.require(Permission.MANAGE_PORTAL)
    people = User.objects.prefetch_related("teams").order_by(*PERSON_ORDERS.get(order, PERSON_ORDERS["username"]))
    for word in search.split():
        people = people.filter(
            Q(username__icontains=word)
            | Q(email__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
        )
    wanted = {
        "active": Q(is_active=True),
        "inactive": Q(is_active=False),
        "administrator": Q(is_superuser=True, is_active=True),
    }.get(state)
    return people.filter(wanted) if wanted else people


def person_get(*, actor: Actor, pk: int) -> User:
    actor.require(Permission.MANAGE_PORTAL)
    user = User.objects.filter(pk=pk).first()
    if user is None:
        raise NotVisible
    return user


def person_safety(*, actor: Actor, user: User) -> tuple[bool, bool]:
    """Whether a person's sign-in is locked, and whether they use a second factor."""
    actor.require(Permission.MANAGE_PORTAL)
    return is_locked(user), is_mfa_enabled(user)


def person_choices(*, actor: Actor, account: BatchAccount) -> QuerySet[User]:
    """Active people whom an administrator of the account may give a role: those without one of their own."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    return User.objects.filter(is_active=True).exclude(grants__account=account).order_by(Lower("username"))


def team_choices(*, actor: Actor, account: BatchAccount) -> QuerySet[Team]:
    """Teams whom an administrator of the account may give a role: those without one."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    return Team.objects.exclude(grants__account=account)


def team_list(*, actor: Actor, search: str = "") -> QuerySet[Team]:
    """All teams with `member_count` and `application_count`, for portal administrators."""
    actor.require(Permission.MANAGE_PORTAL)
    teams = Team.objects.annotate(
        member_count=Count("members", distinct=True), application_count=Count("applications", distinct=True)
    ).order_by(Lower("name"))
    for word in search.split():
        teams = teams.filter(Q(name__icontains=word) | Q(description__icontains=word))
    return teams


def team_get(*, actor: Actor, slug: str) -> Team:
    actor.require(Permission.MANAGE_PORTAL)
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise NotVisible
    return team


def member_candidates(*, actor: Actor, team: Team) -> QuerySet[User]:
    """Active people who are not members yet."""
    actor.require(Permission.MANAGE_PORTAL)
    return User.objects.filter(is_active=True).exclude(teams=team).order_by(Lower("username"))


def grant_list(*, actor: Actor, account: BatchAccount) -> QuerySet[Grant]:
    """Every role on an account, teams first; teams carry `member_count`."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    return (
        Grant.objects.filter(account=account)
        .select_related("user", "team", "account")
        .annotate(member_count=Count("team__members", filter=Q(team__members__is_active=True)))
        .order_by(Lower("team__name"), Lower("user__username"))
    )


def grant_get(*, actor: Actor, account: BatchAccount, pk: int) -> Grant:
    grant = grant_list(actor=actor, account=account).filter(pk=pk).first()
    if grant is None:
        raise NotVisible
    return grant


def own_grants(*, actor: Actor) -> list[tuple[BatchAccount, Role]]:
    """The accounts the actor has a role on, with the highest one."""
    accounts = BatchAccount.objects.filter(pk__in=list(actor.roles))
    return [(account, actor.roles[account.pk]) for account in accounts]


def grants_of(*, actor: Actor, holder: User | Team) -> QuerySet[Grant]:
    """The roles given to a person or team, for portal administrators."""
    actor.require(Permission.MANAGE_PORTAL)
    given_to = Q(team=holder) if isinstance(holder, Team) else Q(user=holder)
    return Grant.objects.filter(given_to).select_related("account")


def administrators_without(grant: Grant) -> set[int]:
    """Primary keys of the active people who administer the grant's account by other grants."""
    others = Grant.objects.filter(account=grant.account_id, role=Role.ADMINISTRATOR).exclude(pk=grant.pk)
    by_name = others.filter(user__is_active=True).values_list("user_id", flat=True)
    by_team = others.filter(team__members__is_active=True).values_list("team__members", flat=True)
    return {pk for pk in {*by_name, *by_team} if pk}


def administrator_loss(*, actor: Actor, grant: Grant) -> str:
    """The message code of what is lost when this grant no longer makes an administrator; empty where nothing is."""
    actor.require(Permission.MANAGE_ACCOUNT, grant.account)
    if grant.role != Role.ADMINISTRATOR:
        return ""
    left = administrators_without(grant)
    if not left:
        return "role-last-administrator"
    if actor.user and not actor.is_portal_administrator and actor.user.pk not in left:
        return "role-own-administrator"
    return ""


def accounts_left_alone(*, actor: Actor, holder: User | Team) -> list[BatchAccount]:
    """The accounts that only portal administrators could manage once this person or team is gone."""
    found = []
    for grant in grants_of(actor=actor, holder=holder).filter(role=Role.ADMINISTRATOR):
        gone = {holder.pk} if isinstance(holder, User) else set()
        if not administrators_without(grant) - gone:
            found.append(grant.account)
    return found


def token_list(*, actor: Actor) -> QuerySet[ApiToken]:
    """The actor's own tokens and those of their teams that were not revoked, newest first."""
    if actor.user is None or actor.token:
        return ApiToken.objects.none()
    mine = Q(user=actor.user) | Q(team__in=list(actor.teams))
    tokens = ApiToken.objects.filter(mine, revoked_at__isnull=True)
    return tokens.select_related("team", "created_by").order_by("-created_at", "-pk")


def tokens_of(*, actor: Actor, holder: User | Team) -> QuerySet[ApiToken]:
    """Tokens of a person or team that were not revoked, for portal administrators."""
    actor.require(Permission.MANAGE_PORTAL)
    owned_by = Q(team=holder) if isinstance(holder, Team) else Q(user=holder)
    return (
        ApiToken.objects.filter(owned_by, revoked_at__isnull=True).select_related("created_by").order_by("-created_at")
    )


def token_get(*, actor: Actor, pk: int) -> ApiToken:
    """A token that the actor may revoke."""
    tokens = ApiToken.objects.all() if actor.is_portal_administrator else token_list(actor=actor)
    token = tokens.filter(pk=pk).first()
    if token is None:
        raise NotVisible
    return token
