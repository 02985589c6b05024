"""Who may touch which application.

An uploader touches the applications that one of their teams owns; an administrator of the account touches all. An
application without an owning team (made by other tools, or before the portal) is the administrators' until they
assign it.
"""

from __future__ import annotations

from collections.abc import Iterable

from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner
from apps.applications.names import name_key
from apps.core.exceptions import Conflict, Invalid, NotPermitted
from apps.people.actors import Actor
from apps.people.models import Team
from apps.people.roles import Permission


def owner_of(*, account: BatchAccount, application_id: str) -> ApplicationOwner | None:
    """The row that says which team owns the application, or None."""
    owners = ApplicationOwner.objects.select_related("team")
    return owners.filter(account=account, application_key=name_key(application_id)).first()


def may_touch(*, actor: Actor, account: BatchAccount, team_id: int | None) -> bool:
    """Whether the actor may change an application that this team owns (None: no team)."""
    if actor.may(Permission.MANAGE_APPLICATIONS, account):
        return True
    return team_id in actor.teams and actor.may(Permission.UPLOAD_PACKAGES, account)


def require_owner(*, actor: Actor, account: BatchAccount, application_id: str) -> ApplicationOwner | None:
    """Return the owner's row (None for an application without one) when the actor may change the application.

    Raises `NotVisible` (404) to a stranger to the account and `NotPermitted` (403) to everybody else who may not.
    """
    actor.require(Permission.UPLOAD_PACKAGES, account)
    owner = owner_of(account=account, application_id=application_id)
    if not may_touch(actor=actor, account=account, team_id=owner.team_id if owner else None):
        code = "application-owned-by-other" if owner else "application-without-owner"
        raise NotPermitted(code, application=application_id, team=str(owner.team) if owner else "")
    return owner


def teams_for_new(*, actor: Actor, account: BatchAccount) -> list[Team]:
    """The teams that an actor may create an application for: administrators for any, others for their own."""
    if actor.may(Permission.MANAGE_APPLICATIONS, account):
        return list(Team.objects.all())
    return sorted(actor.teams.values(), key=lambda team: team.name.lower())


def team_named(slug: str) -> Team | None:
    """The team with this slug, None for an empty one. Raises `Invalid` at the team where there is none."""
    team = Team.objects.filter(slug=slug).first() if slug else None
    if slug and team is None:
        raise Invalid("team-unknown", field="team", team=slug)
    return team


def choose_team(*, actor: Actor, account: BatchAccount, team: Team | None) -> Team | None:
    """The team that will own a new application: the one named, or the only one the actor has.

    None only for an administrator, whose application then belongs to administrators. Raises `Invalid` with
    `field="team"` where the actor has no team, several without a choice, or names one they do not belong to.
    """
    actor.require(Permission.UPLOAD_PACKAGES, account)
    administrator = actor.may(Permission.MANAGE_APPLICATIONS, account)
    if team is not None:
        if not administrator and team.pk not in actor.teams:
            raise Invalid("team-not-yours", field="team", team=str(team))
        return team
    if len(actor.teams) == 1:
        return next(iter(actor.teams.values()))
    if administrator:
        return None
    raise Invalid("team-choose" if actor.teams else "team-none", field="team")


def team_for_new(*, actor: Actor, account: BatchAccount, application_id: str, team: Team | None) -> Team | None:
    """The team that will own a new application of this name; what `choose_team` raises.

    A row without an application is left when another tool deleted the application: its team keeps the name, and
    nobody else may take it. Raises `NotPermitted` at the ID to everybody else.
    """
    known = owner_of(account=account, application_id=application_id)
    if known is None:
        return choose_team(actor=actor, account=account, team=team)
    if not may_touch(actor=actor, account=account, team_id=known.team_id):
        raise NotPermitted(
            "application-owned-by-other", field="application_id", application=application_id, team=str(known.team)
        )
    return known.team


def owners_of(*, account: BatchAccount, application_ids: Iterable[str] | None = None) -> dict[str, ApplicationOwner]:
    """Owner rows by application key, in one query."""
    owners = ApplicationOwner.objects.select_related("team").filter(account=account)
    if application_ids is not None:
        owners = owners.filter(application_key__in=[name_key(one) for one in application_ids])
    return {owner.application_key: owner for owner in owners}


def owner_claim(*, account: BatchAccount, application_id: str, team: Team | None) -> ApplicationOwner | None:
    """Write down the owner of an application that was just made. Repeating it changes nothing.

    Raises `Conflict` when another team came first.
    """
    if team is None:
        return owner_of(account=account, application_id=application_id)
    owner, _created = ApplicationOwner.objects.select_related("team").get_or_create(
        account=account,
        application_key=name_key(application_id),
        defaults={"application_id": application_id, "team": team},
    )
    if owner.team_id != team.pk:
        raise Conflict("application-owned-meanwhile", application=application_id, team=str(owner.team))
    return owner
