"""What a worker does with an operation: claims, steps, ends, and all the ways it is interrupted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from apps.core.exceptions import Conflict
from apps.gateway.errors import GatewayThrottled, GatewayUnavailable
from apps.operations.execution import execute
from apps.operations.leases import Fenced, claim, wake, write_fenced
from apps.operations.models import Operation, OperationEvent, Status
from apps.operations.run import Cancelled, Run
from apps.operations.runners import Later, Outcome
from apps.operations.services import operation_cancel
from apps.people.actors import Actor

Begin = Callable[..., Operation]
Set = Callable[..., None]


def after(operation: Operation) -> Operation:
    operation.refresh_from_db()
    return operation


def codes(operation: Operation) -> list[str]:
    return list(operation.events.values_list("code", flat=True))


def due(operation: Operation) -> None:
    """As when the time it waits for has come."""
    Operation.objects.filter(pk=operation.pk).update(not_before=timezone.now() - timedelta(seconds=1))


def test_succeeds_with_its_outcome(begin: Begin, work: Set) -> None:
    def run(run: Run) -> Outcome:
        run.phase("checking", total=10, unit="bytes")
        run.progress(10)
        run.checkpoint(first=1)
        run.event("operation-database-away")
        return Outcome("operation-over", {"subject": "keys"})

    work(run)
    operation = begin()
    execute(operation.pk)
    after(operation)
    assert operation.status == Status.SUCCEEDED
    assert (operation.done, operation.total, operation.unit, operation.phase) == (10, 10, "bytes", "checking")
    assert (operation.message_code, operation.message_values) == ("operation-over", {"subject": "keys"})
    assert operation.state == {"first": 1}
    assert operation.lease_until is None
    assert operation.started_at is not None
    assert operation.ended_at is not None
    assert codes(operation) == ["operation-queued", "operation-database-away", "operation-over"]


def test_delivered_twice_runs_once(begin: Begin, work: Set) -> None:
    ran: list[int] = []

    def run(run: Run) -> Outcome:
        ran.append(1)
        execute(run.operation.pk)
        return Outcome("operation-cancelled")

    work(run)
    operation = begin()
    execute(operation.pk)
    execute(operation.pk)
    assert ran == [1]


def test_expected_failure_keeps_code_and_values(begin: Begin, work: Set) -> None:
    def run(_run: Run) -> Outcome:
        raise Conflict("operation-over", subject="keys", reference="abc")

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.FAILED
    assert operation.message_code == "operation-over"
    assert operation.reference == "abc"


def test_bug_is_neutral_with_a_reference_in_the_log(begin: Begin, work: Set, caplog: pytest.LogCaptureFixture) -> None:
    def run(_run: Run) -> Outcome:
        raise KeyError("secret detail")

    work(run)
    operation = begin()
    with caplog.at_level(logging.ERROR):
        execute(operation.pk)
    assert after(operation).status == Status.ERRORED
    assert operation.message_code == "operation-errored"
    assert "secret" not in str(operation.message_values)
    assert operation.reference in caplog.text
    assert "secret detail" in caplog.text


def test_service_away_is_tried_again_with_growing_pauses(begin: Begin, work: Set, settings: Settings) -> None:
    tries: list[int] = []

    def run(run: Run) -> Outcome:
        tries.append(1)
        if len(tries) < 4:
            raise GatewayUnavailable
        return Outcome("operation-cancelled")

    work(run)
    operation = begin()
    pauses = []
    for _ in range(3):
        execute(operation.pk)
        assert after(operation).status == Status.RUNNING
        assert operation.lease_until is None
        assert operation.not_before is not None
        pauses.append(round((operation.not_before - timezone.now()).total_seconds()))
        execute(operation.pk)  # not due yet
        due(operation)
    execute(operation.pk)
    assert after(operation).status == Status.SUCCEEDED
    assert len(tries) == 4
    assert pauses == [1, 2, 4]
    assert codes(operation).count("operation-tries-again") == 3
    assert "_retry" not in operation.state


def test_a_wish_of_the_service_is_respected(begin: Begin, work: Set) -> None:
    def run(_run: Run) -> Outcome:
        raise GatewayThrottled(retry_after=77)

    work(run)
    operation = begin()
    execute(operation.pk)
    waits_until = after(operation).not_before
    assert waits_until is not None
    assert 70 < (waits_until - timezone.now()).total_seconds() <= 77


def test_patience_ends(begin: Begin, work: Set, settings: Settings) -> None:
    def run(_run: Run) -> Outcome:
        raise GatewayUnavailable

    work(run)
    operation = begin()
    execute(operation.pk)
    long_ago = (timezone.now() - timedelta(seconds=settings.OPERATION_RETRY_SECONDS + 1)).isoformat()
    Operation.objects.filter(pk=operation.pk).update(state={"_retry": {"since": long_ago, "count": 9}}, not_before=None)
    execute(operation.pk)
    assert after(operation).status == Status.FAILED
    assert operation.message_code == "gateway-unavailable"


def test_progress_ends_the_patience_so_far(begin: Begin, work: Set) -> None:
    def run(run: Run) -> Outcome:
        if "further" in run.state:
            raise GatewayUnavailable
        run.checkpoint(further=True)
        raise GatewayUnavailable

    work(run)
    operation = begin()
    Operation.objects.filter(pk=operation.pk).update(state={"_retry": {"since": "2020-01-01T00:00:00Z", "count": 9}})
    execute(operation.pk)
    assert after(operation).status == Status.RUNNING
    assert operation.state["_retry"]["count"] == 1


def test_database_away_is_tried_again(begin: Begin, work: Set) -> None:
    def run(_run: Run) -> Outcome:
        raise OperationalError("database is locked")

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.RUNNING
    assert "operation-tries-again" in codes(operation)


def test_later_lets_the_worker_go_and_waking_calls_again(begin: Begin, work: Set) -> None:
    ran: list[int] = []

    def run(_run: Run) -> Later:
        ran.append(1)
        return Later(paused=True)

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.PAUSED
    assert operation.attempts == 0
    assert wake(operation.pk)
    assert after(operation).status == Status.RUNNING
    execute(operation.pk)
    assert ran == [1, 1]


def test_woken_while_it_runs_runs_again(begin: Begin, work: Set) -> None:
    def run(run: Run) -> Later:
        assert not wake(run.operation.pk), "somebody holds it, so no message is worth sending"
        return Later(paused=True)

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.RUNNING
    assert operation.not_before is not None
    assert operation.not_before <= timezone.now()


def test_cancel_before_the_first_step(begin: Begin, work: Set, uploader: Actor) -> None:
    cleaned: list[Status] = []
    work(lambda run: run.check() or Outcome("operation-over"), cleanup=lambda _run, status: cleaned.append(status))
    operation = begin()
    operation_cancel(actor=uploader, operation=operation)
    execute(operation.pk)
    assert after(operation).status == Status.CANCELLED
    assert cleaned == [Status.CANCELLED]


def test_cancel_in_the_middle_cleans_up(begin: Begin, work: Set, uploader: Actor) -> None:
    def run(run: Run) -> Outcome:
        operation_cancel(actor=uploader, operation=run.operation)
        run.check()  # the last heartbeat knew nothing of it
        run.check_now()
        return Outcome("operation-over")

    work(run, cleanup=lambda run, _status: run.checkpoint(cleaned=True))
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.CANCELLED
    assert operation.state == {"cleaned": True}


def test_beyond_the_point_of_no_return_cancelling_is_not_heeded(begin: Begin, work: Set, uploader: Actor) -> None:
    def run(run: Run) -> Outcome:
        operation_cancel(actor=uploader, operation=run.operation)
        run._renew()
        with pytest.raises(Cancelled):
            run.check()
        run.ignore_cancelling()
        run.check()
        return Outcome("operation-cancelled")

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.SUCCEEDED


def test_crash_in_the_cleanup_resumes_the_cleanup(begin: Begin, work: Set) -> None:
    """The failure that was decided stays the end, and the work itself is not done again."""
    ran: list[str] = []

    def run(_run: Run) -> Outcome:
        ran.append("run")
        raise Conflict("operation-over", subject="keys")

    def cleanup(run: Run, _status: Status) -> None:
        ran.append("cleanup")
        if ran.count("cleanup") == 1:
            raise Fenced

    work(run, cleanup=cleanup)
    operation = begin()
    execute(operation.pk)
    assert after(operation).is_active
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    execute(operation.pk)
    assert after(operation).status == Status.FAILED
    assert operation.message_code == "operation-over"
    assert ran == ["run", "cleanup", "cleanup"]


def test_cleanup_that_fails_does_not_hide_why(begin: Begin, work: Set) -> None:
    def run(_run: Run) -> Outcome:
        raise Conflict("operation-over", subject="keys")

    def cleanup(_run: Run, _status: Status) -> None:
        raise ZeroDivisionError

    work(run, cleanup=cleanup)
    operation = begin()
    execute(operation.pk)
    assert after(operation).message_code == "operation-over"
    assert "operation-cleanup-failed" in codes(operation)


def test_a_late_worker_changes_nothing(begin: Begin, work: Set) -> None:
    """It was asleep while its lease ran out, and another one claimed the operation."""

    def run(run: Run) -> Outcome:
        Operation.objects.filter(pk=run.operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert claim(run.operation.pk) is not None
        late: list[Callable[[], None]] = [
            lambda: run.checkpoint(late=True),
            lambda: run.event("operation-over"),
            lambda: run.phase("late"),
            lambda: run.progress(5),
            lambda: write_fenced(run.operation, subject="late"),
        ]
        for write in late:
            with pytest.raises(Fenced):
                write()
        return Outcome("operation-over", {"subject": "late"})

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.RUNNING
    assert operation.state == {}
    assert operation.phase == ""
    assert codes(operation) == ["operation-queued"]


def test_a_failed_transaction_leaves_the_state_as_it_was(begin: Begin, work: Set) -> None:
    def run(run: Run) -> Outcome:
        with pytest.raises(ZeroDivisionError), run.transaction(step="one"):  # noqa: PT012  # one is in the other
            OperationEvent.objects.create(operation=run.operation, code="operation-over")
            raise ZeroDivisionError
        assert run.state == {}
        run.checkpoint(step="two")
        return Outcome("operation-cancelled")

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).state == {"step": "two"}
    assert "operation-over" not in codes(operation)


def test_progress_is_written_at_most_once_a_second(begin: Begin, work: Set, django_assert_max_num_queries: Any) -> None:
    def run(run: Run) -> Outcome:
        run.phase("checking", total=10_000)
        with django_assert_max_num_queries(2):
            for done in range(5000):
                run.progress(done)
        return Outcome("operation-cancelled")

    work(run)
    operation = begin()
    execute(operation.pk)
    assert after(operation).status == Status.SUCCEEDED


def test_unknown_kind_is_a_bug(begin: Begin, work: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = begin()
    Operation.objects.filter(pk=operation.pk).update(kind="unheard-of")
    execute(operation.pk)
    assert after(operation).status == Status.ERRORED
