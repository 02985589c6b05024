"""Finds operations that nobody works on although somebody should, and sends them to a worker again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.operations.dispatch import dispatch
from apps.operations.execution import lose
from apps.operations.models import ACTIVE, TERMINAL, Operation, Status

logger = logging.getLogger(__name__)

# How many are sent per round: the next round follows in seconds, and the broker needs no flood after an outage.
ROUND = 200
# A message waits for a free worker, or is lost with the broker: after this long it is sent again.
PATIENCE = timedelta(seconds=30)


def reconcile() -> int:
    """Send what waits to a worker, end what crashed too often; returns the number of messages sent."""
    sent = 0
    for operation in forgotten()[:ROUND]:
        if operation.attempts >= settings.OPERATION_MAX_ATTEMPTS and operation.lease_until is not None:
            if lose(operation):
                logger.error(
                    "Operation %s (%s) given up after %s attempts", operation, operation.pk, operation.attempts
                )
            continue
        if not dispatch(operation.pk):
            break
        sent += 1
    return sent


def forgotten() -> QuerySet[Operation]:
    """Active rows that are due and that nobody holds: never claimed, released and due, or their lease ran out."""
    now = timezone.now()
    never_claimed = Q(status=Status.QUEUED, lease_until=None, not_before=None)
    due = Q(lease_until=None, not_before__lte=now)
    cancelling = Q(lease_until=None, cancel_requested_at__isnull=False)
    crashed = Q(lease_until__lt=now)
    waiting = never_claimed | due | cancelling | crashed
    told = F("dispatched_at")
    untold = Q(dispatched_at=None) | Q(not_before__gt=told) | Q(lease_until__gt=told) | Q(cancel_requested_at__gt=told)
    late = Q(dispatched_at__lt=now - PATIENCE)
    return Operation.objects.filter(waiting, untold | late, status__in=ACTIVE).order_by("created_at")


def purge() -> int:
    """Delete operations that ended more than `OPERATION_KEEP_DAYS` ago, with their events."""
    before = timezone.now() - timedelta(days=settings.OPERATION_KEEP_DAYS)
    deleted, _ = Operation.objects.filter(status__in=TERMINAL, ended_at__lt=before).delete()
    return deleted
