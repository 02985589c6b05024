"""Beginning, cancelling and repeating long-running work, and taking note of how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, NotPermitted
from apps.operations.dispatch import dispatch_on_commit
from apps.operations.leases import wake
from apps.operations.models import ACTIVE, TERMINAL, Kind, Operation, OperationEvent
from apps.operations.runners import permission_of, runner_for
from apps.operations.selectors import may_control, operation_can_retry, operation_mine
from apps.people.actors import Actor
from apps.people.roles import Permission


def operation_create(
    *,
    actor: Actor,
    account: BatchAccount,
    kind: Kind,
    subject: str,
    subject_key: str,
    subject_url: str = "",
    parameters: dict[str, Any] | None = None,
    total: int = 0,
    unit: str = "",
    received: int | None = None,
    retry_of: Operation | None = None,
) -> Operation:
    """Write down new work and send it to a worker on commit. The caller has checked what the work itself needs.

    Raises `Conflict` (`operation-conflict`) while other work on the same `subject_key` is under way.
    """
    actor.require(Permission.VIEW_ACCOUNT, account)
    try:
        with transaction.atomic():
            operation = Operation.objects.create(
                account=account,
                kind=kind,
                subject=subject,
                subject_key=subject_key,
                subject_url=subject_url,
                parameters=parameters or {},
                total=total,
                unit=unit,
                received=received,
                retry_of=retry_of,
                user=actor.user or (actor.token.user if actor.token else None),
                token=actor.token,
                actor_name=actor.name,
            )
            OperationEvent.objects.create(operation=operation, code="operation-queued", values={"actor": actor.name})
            dispatch_on_commit(operation.pk)
    except IntegrityError as error:
        raise _conflict(account, subject_key, subject) from error
    return operation


def _conflict(account: BatchAccount, subject_key: str, subject: str) -> Conflict:
    other = Operation.objects.filter(account=account, subject_key=subject_key, status__in=ACTIVE).first()
    return Conflict(
        "operation-conflict",
        subject=subject,
        kind=str(other.get_kind_display()) if other else "",
        actor=other.actor_name if other else "",
        operation=str(other.pk) if other else "",
    )


def require_cancellable(*, actor: Actor, operation: Operation) -> None:
    """Raise `NotPermitted`, or `Conflict` (`operation-over`) where it has ended, as `operation_cancel` would."""
    _require_control(actor, operation)
    if not operation.is_active:
        raise Conflict("operation-over", subject=operation.subject)


def operation_cancel(*, actor: Actor, operation: Operation) -> Operation:
    """Ask for the end. A worker cleans up and ends it; what is done already and cannot be undone stays done.

    Raises `NotPermitted`, and `Conflict` (`operation-over`) where it has ended.
    """
    _require_control(actor, operation)
    now = timezone.now()
    with transaction.atomic():
        asked = Operation.objects.filter(pk=operation.pk, status__in=ACTIVE, cancel_requested_at=None)
        if asked.update(cancel_requested_at=now, changed_at=now):
            OperationEvent.objects.create(
                operation=operation, code="operation-cancel-asked", level="warning", values={"actor": actor.name}
            )
            audit_record(
                actor=actor,
                action="operation-cancel",
                account=operation.account,
                resource=operation.subject,
                operation=operation,
            )
        elif not Operation.objects.filter(pk=operation.pk, status__in=ACTIVE).exists():
            raise Conflict("operation-over", subject=operation.subject)
        if wake(operation.pk):
            dispatch_on_commit(operation.pk)
    operation.refresh_from_db()
    return operation


def operation_retry(*, actor: Actor, operation: Operation) -> Operation:
    """Do the same work again, as a new operation that names the old one.

    Raises `NotPermitted`, and `Conflict` where it has not ended, succeeded, cannot be repeated
    (`operation-not-repeatable`), or other work on the same subject is under way.
    """
    _require_control(actor, operation)
    if not operation_can_retry(operation):
        raise Conflict("operation-not-repeatable", subject=operation.subject)
    found = runner_for(operation.kind)
    with transaction.atomic():
        again = operation_create(
            actor=actor,
            account=operation.account,
            kind=Kind(operation.kind),
            subject=operation.subject,
            subject_key=operation.subject_key,
            subject_url=operation.subject_url,
            parameters=operation.parameters,
            total=operation.total,
            unit=operation.unit,
            retry_of=operation,
        )
        if found.prepare_retry is not None:
            found.prepare_retry(operation, again, actor)
        audit_record(
            actor=actor,
            action="operation-retry",
            account=operation.account,
            resource=operation.subject,
            operation=again,
        )
    return again


def _require_control(actor: Actor, operation: Operation) -> None:
    actor.require(permission_of(operation.kind), operation.account)
    if not may_control(actor, operation):
        raise NotPermitted("operation-not-yours", actor=operation.actor_name)


def operations_seen(*, actor: Actor, operations: Iterable[Operation] | None = None) -> int:
    """Note that the actor has seen how their operations ended (those given, or all); returns how many were new."""
    unseen = operation_mine(actor=actor).filter(status__in=TERMINAL, seen_at=None)
    if operations is not None:
        unseen = unseen.filter(pk__in=[operation.pk for operation in operations])
    return unseen.update(seen_at=timezone.now())
