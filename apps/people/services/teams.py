"""Teams: people who own applications together. Portal administrators keep them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, Invalid
from apps.people.actors import Actor
from apps.people.models import Team, User
from apps.people.roles import Permission


def team_create(*, actor: Actor, name: str, description: str = "") -> Team:
    """Raises `Invalid` with field `name` where another team has it."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        _require_free(name)
        team = Team.objects.create(name=name, slug=_free_slug(name), description=description)
        audit_record(actor=actor, action="team-create", resource=team.name)
    return team


def team_update(*, actor: Actor, team: Team, name: str, description: str) -> Team:
    """Rename or describe a team; its slug, and so its address, stays. Raises `Invalid` with field `name`."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        _require_free(name, besides=team)
        before, team.name, team.description = team.name, name, description
        team.save(update_fields=["name", "description"])
        audit_record(actor=actor, action="team-update", resource=team.name, name_before=before)
    return team


def team_members_add(*, actor: Actor, team: Team, users: Iterable[User]) -> None:
    actor.require(Permission.MANAGE_PORTAL)
    users = list(users)
    with transaction.atomic():
        team.members.add(*users)
        audit_record(
            actor=actor, action="team-members-add", resource=team.name, people=sorted(user.username for user in users)
        )


def team_member_remove(*, actor: Actor, team: Team, user: User) -> None:
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        team.members.remove(user)
        audit_record(actor=actor, action="team-member-remove", resource=team.name, people=[user.username])


def team_delete(*, actor: Actor, team: Team) -> None:
    """Delete a team with its roles and tokens. Raises `Conflict` naming the applications that it still owns."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=team.pk)
        owned = list(team.applications.select_related("account").order_by("application_id"))
        if owned:
            names = ", ".join(f"{owner.application_id} ({owner.account})" for owner in owned)
            raise Conflict("team-owns-applications", team=team.name, applications=names)
        revoked = team.tokens.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        audit_record(
            actor=actor,
            action="team-delete",
            resource=team.name,
            tokens_revoked=revoked,
            roles=[f"{grant.role}: {grant.account}" for grant in team.grants.select_related("account")],
        )
        team.delete()


def _require_free(name: str, besides: Team | None = None) -> None:
    others = Team.objects.exclude(pk=besides.pk) if besides else Team.objects.all()
    if others.filter(name__iexact=name).exists():
        raise Invalid("team-name-taken", field="name", name=name)


def _free_slug(name: str) -> str:
    base = slugify(name)[:56] or "team"
    taken = set(Team.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | {"new"}
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)
