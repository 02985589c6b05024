"""Telling a worker about an operation. A message only saves time: the reconciler finds every row that waits."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from celery import current_app
from django.db import DatabaseError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.operations.models import Operation

logger = logging.getLogger(__name__)

RUN_TASK = "operations.run"


def dispatch_on_commit(operation_id: uuid.UUID) -> None:
    """Send the operation to a worker once the transaction around this call is through."""
    transaction.on_commit(lambda: dispatch(operation_id))


def dispatch(operation_id: uuid.UUID, *, countdown: float = 0) -> bool:
    """Send the operation's id to a worker after `countdown` seconds; False when the broker is away."""
    try:
        current_app.send_task(RUN_TASK, args=[str(operation_id)], countdown=countdown or None)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("Operation %s waits for the reconciler, the broker is away: %s", operation_id, error)
        return False
    try:
        sent = Operation.objects.filter(pk=operation_id)
        sent.update(dispatched_at=timezone.now() + timedelta(seconds=countdown))
    except DatabaseError as error:
        # Then the reconciler sends it once more, which does no harm.
        logger.warning("Sending operation %s was not noted: %s", operation_id, error)
    return True
