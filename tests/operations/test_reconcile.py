"""The reconciler finds what nobody works on, and leaves alone what somebody does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from apps.operations import reconcile as reconciling
from apps.operations.models import Operation, Status
from apps.operations.services import operation_cancel
from apps.people.actors import Actor

Begin = Callable[..., Operation]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids that were sent to workers, in place of a broker."""
    ids: list[str] = []
    monkeypatch.setattr("apps.operations.dispatch.current_app.send_task", lambda _name, args, **_: ids.extend(args))
    return ids


def change(operation: Operation, **changes: Any) -> str:
    Operation.objects.filter(pk=operation.pk).update(**changes)
    return str(operation.pk)


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def test_never_told_is_sent(begin: Begin, sent: list[str]) -> None:
    operation = begin()
    assert reconciling.reconcile() == 1
    assert sent == [str(operation.pk)]


def test_told_a_moment_ago_waits_and_told_long_ago_is_sent_again(begin: Begin, sent: list[str]) -> None:
    operation = begin()
    reconciling.reconcile()
    assert reconciling.reconcile() == 0
    change(operation, dispatched_at=ago(60))
    assert reconciling.reconcile() == 1


def test_crashed_is_sent_and_running_is_not(begin: Begin, sent: list[str]) -> None:
    running = begin("one")
    crashed = begin("two")
    told = {"status": Status.RUNNING, "dispatched_at": ago(20)}
    change(running, **told, lease_until=ago(-10))
    change(crashed, **told, lease_until=ago(1))
    reconciling.reconcile()
    assert sent == [str(crashed.pk)]


def test_due_is_sent_and_early_or_paused_is_not(begin: Begin, sent: list[str]) -> None:
    due, early, paused = begin("one"), begin("two"), begin("three")
    change(due, status=Status.RUNNING, not_before=ago(1), dispatched_at=ago(5))
    change(early, status=Status.RUNNING, not_before=ago(-60), dispatched_at=ago(100))
    change(paused, status=Status.PAUSED, dispatched_at=ago(100))
    reconciling.reconcile()
    assert sent == [str(due.pk)]


def test_cancelling_a_paused_one_is_carried_out(begin: Begin, sent: list[str], uploader: Actor) -> None:
    operation = begin()
    change(operation, status=Status.PAUSED, dispatched_at=ago(5))
    operation_cancel(actor=uploader, operation=operation)
    reconciling.reconcile()
    assert sent == [str(operation.pk)]


def test_ended_ones_are_left_alone(begin: Begin, sent: list[str]) -> None:
    for number, status in enumerate([Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.LOST, Status.ERRORED]):
        change(begin(str(number)), status=status, lease_until=ago(5))
    reconciling.reconcile()
    assert sent == []


def test_given_up_after_too_many_crashes(begin: Begin, sent: list[str], settings: Settings) -> None:
    operation = begin()
    attempts = settings.OPERATION_MAX_ATTEMPTS
    change(operation, status=Status.RUNNING, lease_until=ago(5), attempts=attempts, fence=attempts)
    reconciling.reconcile()
    operation.refresh_from_db()
    assert operation.status == Status.LOST
    assert operation.message_values == {"attempts": attempts}
    assert operation.fence > attempts
    assert operation.ended_at is not None
    assert sent == []


def test_broker_away_ends_the_round(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    begin("one")
    begin("two")
    tries: list[int] = []

    def refuse(*_: Any, **__: Any) -> None:
        tries.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr("apps.operations.dispatch.current_app.send_task", refuse)
    assert reconciling.reconcile() == 0
    assert tries == [1]


def test_purge_deletes_only_what_ended_long_ago(begin: Begin, settings: Settings) -> None:
    old, young, running = begin("one"), begin("two"), begin("three")
    long_ago = ago(86_400 * (settings.OPERATION_KEEP_DAYS + 1))
    change(old, status=Status.FAILED, ended_at=long_ago)
    change(young, status=Status.FAILED, ended_at=ago(10))
    change(running, status=Status.RUNNING, created_at=long_ago)
    reconciling.purge()
    assert set(Operation.objects.all()) == {young, running}
