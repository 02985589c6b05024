"""Reading operations, scoped to what the actor may see."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from apps.accounts.selectors import account_list
from apps.core.exceptions import NotVisible
from apps.operations.models import ACTIVE, TERMINAL, Kind, Operation, OperationEvent, Status
from apps.operations.runners import is_registered, permission_of, runner_for
from apps.people.actors import Actor
from apps.people.roles import Permission

RETRYABLE = frozenset({Status.FAILED, Status.ERRORED, Status.CANCELLED, Status.LOST})
# How long an ended operation stays in the bell.
RECENT = timedelta(hours=24)
BELL_SIZE = 8


@dataclass(frozen=True, slots=True)
class OperationFilter:
    """What a list of operations is narrowed to; empty fields do not narrow. `statuses` may also say "active"."""

    search: str = ""
    status: str = ""
    kind: str = ""
    account: str = ""
    mine: bool = False


def operation_list(*, actor: Actor, narrowed: OperationFilter | None = None) -> QuerySet[Operation]:
    """Operations of the accounts the actor may see, newest first."""
    visible = Operation.objects.filter(account__in=account_list(actor=actor)).select_related("account")
    return _narrow(visible, actor, narrowed) if narrowed else visible


def _narrow(rows: QuerySet[Operation], actor: Actor, by: OperationFilter) -> QuerySet[Operation]:
    if by.search:
        rows = rows.filter(Q(subject__icontains=by.search) | Q(actor_name__icontains=by.search) | _id_query(by.search))
    if by.status == "active":
        rows = rows.filter(status__in=ACTIVE)
    elif by.status in Status.values:
        rows = rows.filter(status=by.status)
    if by.kind in Kind.values:
        rows = rows.filter(kind=by.kind)
    if by.account:
        rows = rows.filter(account__slug=by.account)
    if by.mine:
        rows = rows.filter(pk__in=operation_mine(actor=actor))
    return rows


def _id_query(text: str) -> Q:
    try:
        return Q(pk=uuid.UUID(text.strip())) | Q(reference=text.strip())
    except ValueError:
        return Q(reference=text.strip())


def operation_get(*, actor: Actor, operation_id: uuid.UUID) -> Operation:
    """One operation. Raises `NotVisible` for an unknown one and for one on an account the actor has no role on."""
    rows = operation_list(actor=actor).select_related("account", "user", "token__user", "token__team", "retry_of")
    operation = rows.filter(pk=operation_id).first()
    if operation is None:
        raise NotVisible
    return operation


def operation_mine(*, actor: Actor) -> QuerySet[Operation]:
    """Operations that this person started (by page or by a token of theirs), or that this team's token started."""
    if actor.token is not None and actor.token.user is None:
        return Operation.objects.filter(token=actor.token)
    owner = actor.user or (actor.token.user if actor.token else None)
    return Operation.objects.filter(user=owner) if owner else Operation.objects.none()


def is_starter(actor: Actor, operation: Operation) -> bool:
    owner = actor.user or (actor.token.user if actor.token else None)
    if owner is not None and operation.user_id == owner.pk:
        return True
    return actor.token is not None and operation.token_id == actor.token.pk


def may_control(actor: Actor, operation: Operation) -> bool:
    """Cancelling and repeating are for whoever started it and for administrators of its account.

    Having started it is not enough for a token that may only read, nor for somebody who lost the role since.
    """
    may_start = actor.may(permission_of(operation.kind), operation.account)
    return may_start and (is_starter(actor, operation) or actor.may(Permission.MANAGE_ACCOUNT, operation.account))


def operation_can_retry(operation: Operation) -> bool:
    """Whether a retry makes sense: it ended without success, and its kind can still be repeated."""
    if operation.status not in RETRYABLE or not is_registered(operation.kind):
        return False
    can_retry = runner_for(operation.kind).can_retry
    return can_retry is None or can_retry(operation)


def operation_events(*, actor: Actor, operation: Operation) -> list[OperationEvent]:
    """The log of an operation that `operation_get` gave."""
    actor.require(Permission.VIEW_ACCOUNT, operation.account)
    return list(operation.events.all())


def bell(*, actor: Actor) -> dict[str, Any]:
    """What the bell shows: the actor's running and recently ended operations, and how many ends are unseen."""
    mine = operation_mine(actor=actor).select_related("account")
    active = list(mine.filter(status__in=ACTIVE)[:BELL_SIZE])
    ended = list(
        mine.filter(status__in=TERMINAL, ended_at__gt=timezone.now() - RECENT).order_by("-ended_at")[:BELL_SIZE]
    )
    return {"active": active, "ended": ended, "unseen": sum(1 for one in ended if one.seen_at is None)}


def bell_version(*, actor: Actor) -> str:
    """Changes whenever the bell would: one cheap query for polls that find nothing new."""
    mine = operation_mine(actor=actor)
    found = mine.aggregate(changed=Max("changed_at"), seen=Max("seen_at"))
    return f"{found['changed']}|{found['seen']}"


def list_version(rows: QuerySet[Operation]) -> str:
    """Changes whenever a list of these would."""
    found = rows.aggregate(changed=Max("changed_at"), count=Count("pk"))
    return f"{found['changed']}|{found['count']}"


def operation_version(operation: Operation) -> str:
    return f"{operation.pk}|{operation.changed_at.isoformat()}"
