"""What a worker does with an operation's id: claim it, run it, and write down how it ended."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from apps.core.exceptions import PortalError
from apps.operations import stopping
from apps.operations.dispatch import dispatch
from apps.operations.leases import Fenced, claim, release, write_fenced
from apps.operations.models import ACTIVE, Operation, OperationEvent, Status
from apps.operations.run import RETRY, Cancelled, Run, Stopping, with_database
from apps.operations.runners import Cleanup, Later, Outcome, Runner, runner_for

logger = logging.getLogger(__name__)

# Key of `state`: an end that is decided, whose cleanup is not through yet.
ENDING = "_ending"
LONGEST_PAUSE = 30.0


def execute(operation_id: uuid.UUID) -> None:
    """Run the operation as far as it goes now. Harmless for one that is held by another worker, waits or is over."""
    operation = with_database(lambda: claim(operation_id))
    if operation is None:
        return
    try:
        with stopping.spared(), Run(operation) as run:
            _drive(run)
    except Fenced as error:
        logger.info("Left to its new owner: %s", error)
    except (OperationalError, InterfaceError):
        # The lease runs out by itself and the reconciler calls again, when the database may answer.
        logger.exception("Operation %s put off: the database does not answer", operation_id)


def _drive(run: Run) -> None:
    try:
        found = runner_for(run.operation.kind)
    except LookupError:
        _errored(run, None)
        return
    if ENDING in run.state:
        _end(run, found, **run.state[ENDING])
        return
    try:
        ended = found.run(run)
    except Fenced:
        raise
    except Cancelled:
        _end(run, found, status=Status.CANCELLED, code="operation-cancelled")
    except Stopping:
        _put_back(run)
    except (OperationalError, InterfaceError) as error:
        _database_away(run, error)
    except PortalError as error:
        _refused(run, found, error)
    except Exception as error:  # noqa: BLE001  # a bug of ours, and a person waits for word
        _errored(run, found, error)
    else:
        _settle(run, ended)


def _settle(run: Run, ended: Outcome | Later) -> None:
    if isinstance(ended, Later):
        _wait(run, ended.seconds, Status.PAUSED if ended.paused else Status.RUNNING, attempts=0)
    else:
        _finish(run, Status.SUCCEEDED, code=ended.code, values=ended.values)


def _wait(run: Run, seconds: float | None, status: Status, **changes: Any) -> None:
    due = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    operation = run.operation
    woken = with_database(lambda: release(operation, status=status, not_before=due, **changes))
    if woken:
        dispatch(operation.pk)
    elif seconds is not None and seconds <= LONGEST_PAUSE:
        dispatch(operation.pk, countdown=seconds)


def _put_back(run: Run) -> None:
    operation = run.operation
    with_database(lambda: release(operation, status=Status.RUNNING, not_before=timezone.now(), attempts=0))
    dispatch(operation.pk)


def _refused(run: Run, found: Runner, error: PortalError) -> None:
    """Tried again when the service may only be busy or away; failed otherwise."""
    if _may_pass(error) and _try_again(run, error.code, error.values, getattr(error, "retry_after", None)):
        return
    values = _plain(error.values)
    _end(run, found, status=Status.FAILED, code=error.code, values=values, reference=error.reference)


def _may_pass(error: PortalError) -> bool:
    return bool(getattr(error, "retryable", False))


def _database_away(run: Run, error: Exception) -> None:
    logger.warning("Operation %s: the database did not answer: %s", run.operation.pk, error)
    if not _try_again(run, "operation-database-away", {}, None):
        _errored(run, None, error)


def _try_again(run: Run, code: str, values: dict[str, Any], wish: float | None) -> bool:
    """Put the run off with a growing pause; False when it was put off for `OPERATION_RETRY_SECONDS` already."""
    retry = run.state.get(RETRY) or {"since": timezone.now().isoformat(), "count": 0}
    since = datetime.fromisoformat(retry["since"])
    if timezone.now() - since > timedelta(seconds=settings.OPERATION_RETRY_SECONDS):
        return False
    pause = max(wish or 0.0, min(LONGEST_PAUSE, 2.0 ** retry["count"]))
    run.event(
        "operation-tries-again", OperationEvent.Level.WARNING, seconds=round(pause), cause=code, causes=_plain(values)
    )
    state = {**run.state, RETRY: {**retry, "count": retry["count"] + 1}}
    _wait(run, pause, Status.RUNNING, state=state, attempts=0)
    return True


def _end(
    run: Run, found: Runner, *, status: str, code: str, values: dict[str, Any] | None = None, reference: str = ""
) -> None:
    """Clean up and finish. The decision is recorded first, so that a crash in the cleanup resumes the cleanup."""
    ending = {"status": str(status), "code": code, "values": values or {}, "reference": reference}
    if found.cleanup is not None:
        if ENDING not in run.state:
            # Pauses so far count: a service that was away for long gets one try to tidy up, not as long again.
            run.checkpoint(**{ENDING: ending, RETRY: run.state.get(RETRY)})
        if not _cleaned(run, found.cleanup, Status(status)):
            return
    _finish(run, Status(status), code=code, values=values or {}, reference=reference)


def _cleaned(run: Run, cleanup: Cleanup, status: Status) -> bool:
    """Tidy up; False when that was put off. Where it fails for good, the end it belongs to matters more."""
    try:
        cleanup(run, status)
    except Fenced:
        raise
    except PortalError as error:
        if _may_pass(error) and _try_again(run, error.code, error.values, getattr(error, "retry_after", None)):
            return False
        logger.warning("Cleanup of operation %s: %s", run.operation.pk, error)
        causes = {"cause": error.code, "causes": _plain(error.values)}
        run.event("operation-cleanup-failed", OperationEvent.Level.WARNING, **causes)
    except Exception:
        logger.exception("Cleanup of operation %s", run.operation.pk)
        run.event("operation-cleanup-failed", OperationEvent.Level.WARNING, cause="operation-errored", causes={})
    return True


def _errored(run: Run, found: Runner | None, error: Exception | None = None) -> None:
    reference = uuid.uuid4().hex[:12]
    named = (run.operation.pk, run.operation.kind, reference)
    logger.error("Operation %s (%s) errored, reference %s", *named, exc_info=error)
    if found is None:
        _finish(run, Status.ERRORED, code="operation-errored", values={}, reference=reference)
    else:
        _end(run, found, status=Status.ERRORED, code="operation-errored", reference=reference)


LEVELS = {
    Status.SUCCEEDED: OperationEvent.Level.INFO,
    Status.CANCELLED: OperationEvent.Level.WARNING,
    Status.FAILED: OperationEvent.Level.ERROR,
    Status.ERRORED: OperationEvent.Level.ERROR,
}


def _finish(run: Run, status: Status, *, code: str, values: dict[str, Any], reference: str = "") -> None:
    state = {name: value for name, value in run.state.items() if name not in {RETRY, ENDING}}

    def write() -> None:
        with transaction.atomic():
            write_fenced(
                run.operation,
                status=status,
                message_code=code,
                message_values=values,
                reference=reference,
                state=state,
                lease_until=None,
                not_before=None,
                rate=0,
                ended_at=timezone.now(),
            )
            OperationEvent.objects.create(operation=run.operation, level=LEVELS[status], code=code, values=values)

    with_database(write)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values that fit into JSON, dictionaries included; anything lazy becomes its text."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _plain(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def lose(operation: Operation) -> bool:
    """End an operation that crashed its worker too often; False when somebody holds it again."""
    now = timezone.now()
    values = {"attempts": operation.attempts}
    with transaction.atomic():
        stale = Operation.objects.filter(pk=operation.pk, fence=operation.fence, lease_until__lt=now)
        ended = stale.filter(status__in=ACTIVE).update(
            status=Status.LOST,
            # Raising the fence shuts out a worker that is merely slow.
            fence=operation.fence + 1,
            message_code="operation-lost",
            message_values=values,
            lease_until=None,
            not_before=None,
            rate=0,
            ended_at=now,
            changed_at=now,
        )
        if ended:
            OperationEvent.objects.create(
                operation=operation, level=OperationEvent.Level.ERROR, code="operation-lost", values=values
            )
    return bool(ended)
