"""Celery's door: each task takes an id or nothing, and everything it needs stands in the database."""

from __future__ import annotations

import uuid

from celery import shared_task

from apps.operations import execution, reconcile


@shared_task(name="operations.run")
def operation_run_task(operation_id: str) -> None:
    execution.execute(uuid.UUID(operation_id))


@shared_task(name="operations.reconcile")
def operations_reconcile_task() -> None:
    reconcile.reconcile()


@shared_task(name="operations.ping", ignore_result=True)
def operations_ping_task() -> None:
    """That it arrives is all it is for; see `apps.operations.liveness`."""


@shared_task(name="operations.purge")
def operations_purge_task() -> None:
    reconcile.purge()
