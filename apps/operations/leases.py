"""Who works on an operation: a lease that ends by itself, and a fence that shuts out whoever held it before.

Every change goes through a conditional update, so two workers with the same message, a message delivered twice, or a
worker that was asleep while its lease ran out do no harm.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.operations.models import ACTIVE, Operation, Status


class Fenced(Exception):  # a signal, not a mistake
    """Another worker owns the operation now, or it has ended: this run must stop and write nothing more."""


def lease_span() -> timedelta:
    return timedelta(seconds=settings.OPERATION_LEASE_SECONDS)


def claim(operation_id: uuid.UUID) -> Operation | None:
    """Take the operation for this process; None when it is held by another, not due yet, or over."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Q(not_before=None) | Q(not_before__lte=now) | Q(cancel_requested_at__isnull=False)
    with transaction.atomic():
        # not_before is cleared here: whoever sets it from now on wakes the run after this one.
        claimed = Operation.objects.filter(free, due, pk=operation_id, status__in=ACTIVE).update(
            status=Status.RUNNING,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=now + lease_span(),
            heartbeat_at=now,
            started_at=Coalesce(F("started_at"), now),
            not_before=None,
            changed_at=now,
        )
        if not claimed:
            return None
        return Operation.objects.select_related("account", "user", "token").get(pk=operation_id)


def write_fenced(operation: Operation, **changes: Any) -> None:
    """Change the row as long as this run owns it. Raises `Fenced` otherwise."""
    mine = Operation.objects.filter(pk=operation.pk, fence=operation.fence, status=Status.RUNNING)
    if not mine.update(**changes, changed_at=timezone.now()):
        raise Fenced(f"operation {operation.pk}, fence {operation.fence}")


def renew(operation: Operation) -> bool:
    """Hold the operation for another span; returns whether its cancellation was asked for. Raises `Fenced`."""
    now = timezone.now()
    write_fenced(operation, lease_until=now + lease_span(), heartbeat_at=now)
    asked = Operation.objects.filter(pk=operation.pk).values_list("cancel_requested_at", flat=True).first()
    return asked is not None


def release(operation: Operation, *, status: Status, not_before: Any, **changes: Any) -> bool:
    """Let go of the operation until `not_before` (None: until it is woken).

    Returns whether it was woken while this run held it, in which case it is due at once. Raises `Fenced`.
    """
    with transaction.atomic():
        held = Operation.objects.select_for_update().filter(pk=operation.pk, fence=operation.fence).first()
        woken = held is not None and (held.not_before is not None or held.cancel_requested_at is not None)
        write_fenced(
            operation,
            status=Status.RUNNING if woken else status,
            lease_until=None,
            not_before=timezone.now() if woken else not_before,
            **changes,
        )
    return woken


def wake(operation_id: uuid.UUID) -> bool:
    """Make a waiting operation due now, or due again right after the run that holds it.

    Returns whether a message to a worker is worth sending, that is whether nobody holds it.
    """
    now = timezone.now()
    rows = Operation.objects.filter(pk=operation_id, status__in=ACTIVE)
    if not rows.update(not_before=now):
        return False
    rows.filter(status=Status.PAUSED).update(status=Status.RUNNING, changed_at=now)
    return rows.filter(Q(lease_until=None) | Q(lease_until__lt=now)).exists()
