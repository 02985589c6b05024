"""Roles on a Batch account, given to people and teams by its administrators."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict
from apps.people.actors import Actor
from apps.people.models import Grant, Team, User
from apps.people.roles import Permission, Role
from apps.people.selectors import administrator_loss


def grant_create(*, actor: Actor, account: BatchAccount, holder: User | Team, role: Role) -> Grant:
    """Give a role. Raises `Conflict` where the person or team already has one, to be changed instead."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    given_to = {"team": holder} if isinstance(holder, Team) else {"user": holder}
    with transaction.atomic():
        if Grant.objects.filter(account=account, **given_to).exists():
            raise Conflict("role-given-already", holder=str(holder))
        grant = Grant.objects.create(account=account, role=role, **given_to)
        audit_record(actor=actor, action="role-give", account=account, resource=holder_label(grant), role=role.value)
    return grant


def grant_change(*, actor: Actor, account: BatchAccount, grant: Grant, role: Role, confirmed: bool = False) -> Grant:
    """Change a role.

    Unless `confirmed`, raises `Conflict` "role-last-administrator" where nobody but portal administrators could manage
    the account afterwards, and "role-own-administrator" where the actor could not.
    """
    actor.require(Permission.MANAGE_ACCOUNT, account)
    with transaction.atomic():
        grant = Grant.objects.select_for_update().get(pk=grant.pk, account=account)
        if role is not Role.ADMINISTRATOR and not confirmed:
            _require_administrators(actor, grant)
        before, grant.role = grant.role, role
        grant.save(update_fields=["role"])
        audit_record(
            actor=actor,
            action="role-change",
            account=account,
            resource=holder_label(grant),
            role=role.value,
            role_before=before,
        )
    return grant


def grant_remove(*, actor: Actor, account: BatchAccount, grant: Grant, confirmed: bool = False) -> None:
    """Take a role away; what `confirmed` is for stands at `grant_change`."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    with transaction.atomic():
        grant = Grant.objects.select_for_update().get(pk=grant.pk, account=account)
        if not confirmed:
            _require_administrators(actor, grant)
        audit_record(
            actor=actor, action="role-remove", account=account, resource=holder_label(grant), role_before=grant.role
        )
        grant.delete()


def holder_label(grant: Grant) -> str:
    """Who holds a role, for the audit: a user name, or "team Name"."""
    return grant.user.username if grant.user else f"team {grant.team}"


def _require_administrators(actor: Actor, grant: Grant) -> None:
    if loss := administrator_loss(actor=actor, grant=grant):
        raise Conflict(loss, account=str(grant.account))
