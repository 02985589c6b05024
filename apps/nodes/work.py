"""Going through the nodes of an operation: many at a time, what became of each written down as it goes.

Before a node is asked, its row says so (`changed_at`). A worker that dies leaves such rows pending; the next one looks
at those nodes first, so that nothing is done twice unless it cannot be told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.utils import timezone

from apps.core.exceptions import Conflict
from apps.gateway.errors import (
    GatewayConflict,
    GatewayDenied,
    GatewayError,
    GatewayNotFound,
    GatewayThrottled,
)
from apps.gateway.together import each
from apps.nodes.models import NodeWork, Progress
from apps.operations.models import Operation
from apps.operations.run import Run, with_database
from apps.operations.runners import Outcome
from apps.people.actors import Actor

V = TypeVar("V")

WINDOW = 200  # nodes that are said to be asked at a time
FLUSH_SECONDS = 0.5

# The service's words for a node or pool that cannot take something now, with ours.
CONFLICTS = {
    "NodeBeingCreated": "node-being-created",
    "NodeBeingStarted": "node-being-started",
    "NodeBeingRebooted": "node-being-rebooted",
    "NodeBeingReimaged": "node-being-reimaged",
    "NodeStateUnusable": "node-state-unusable",
    "NodeAlreadyInTargetSchedulingState": "node-already-there",
    "PoolBeingResized": "node-pool-resizing",
    "PoolBeingDeleted": "node-pool-deleting",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a node's row."""

    progress: Progress
    code: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    request_id: str = ""


DONE = Verdict(Progress.DONE)


@dataclass(frozen=True, slots=True)
class Answered(Generic[V]):
    """A node's row with the answer (None where there was an error) and what is to be written."""

    row: NodeWork
    answer: V | None
    verdict: Verdict


Judge = Callable[[NodeWork, GatewayError], Verdict]
Record = Callable[[list[Answered[V]]], None]


def refused(error: GatewayError, progress: Progress = Progress.FAILED) -> Verdict:
    """An error in words that fit nodes."""
    code, values = error.code, {name: str(value) for name, value in error.values.items()}
    if isinstance(error, GatewayNotFound):
        code = "node-pool-gone" if error.service_code == "PoolNotFound" else "node-gone"
    elif isinstance(error, GatewayConflict):
        code = CONFLICTS.get(error.service_code, code)
    return Verdict(progress, code, values, error.request_id[:64])


def through(
    run: Run,
    rows: Sequence[NodeWork],
    ask: Callable[[NodeWork], V],
    judge: Judge,
    record: Record[V] | None = None,
) -> None:
    """Ask of every row's node and write what `judge` makes of the errors; `record` runs in the same transaction.

    A node that gets no answer stays pending, and the last such error is raised at the end, so that the operation is put
    off and goes on from there; when the service throttles for long, nothing more is asked before. Raises
    `GatewayDenied` at once: what is refused for one node is refused for all.
    """
    unanswered: GatewayError | None = None
    done = finished(run.operation)
    batch: list[Answered[V]] = []
    flushed = time.monotonic()
    said: set[int] = set()
    asked = _announced(run, rows, said)
    for row, answer in each(asked, ask, workers=settings.NODE_WORKERS):
        if isinstance(answer, GatewayDenied):
            _flush(run, batch, record)
            raise answer
        if isinstance(answer, GatewayThrottled):
            unanswered = answer
            asked.close()
            continue
        said.discard(row.pk)
        if isinstance(answer, GatewayError) and answer.retryable:
            unanswered = answer
        elif isinstance(answer, GatewayError):
            batch.append(Answered(row, None, judge(row, answer)))
        else:
            batch.append(Answered(row, answer, DONE))
        if time.monotonic() - flushed >= FLUSH_SECONDS:
            done += _flush(run, batch, record)
            batch, flushed = [], time.monotonic()
            run.progress(done)
    done += _flush(run, batch, record)
    _say_asked(run, said, None)  # those that were throttled took no effect, so there is nothing to look up about them
    run.progress(done)
    if unanswered is not None:
        raise unanswered


def _announced(run: Run, rows: Sequence[NodeWork], said: set[int]) -> Generator[NodeWork]:
    """The rows, each window of them written down as asked before the first of it is. Runs in the caller's thread."""
    for window in _windows(rows, WINDOW):
        keys = {row.pk for row in window}
        said |= keys
        _say_asked(run, keys, timezone.now())
        yield from window


def finished(operation: Operation) -> int:
    return operation.nodes.filter(progress__in=[Progress.DONE, Progress.FAILED]).count()


def write(run: Run, answered: list[Answered[Any]], record: Record[Any] | None = None) -> None:
    """Write what became of these nodes."""
    _flush(run, answered, record)


def _windows(rows: Sequence[NodeWork], size: int) -> Iterator[list[NodeWork]]:
    left = iter(rows)
    while window := list(islice(left, size)):
        yield window


def _say_asked(run: Run, keys: Collection[int], at: datetime | None) -> None:
    if not keys:
        return

    def write_now() -> None:
        with run.transaction():
            NodeWork.objects.filter(pk__in=keys).update(changed_at=at)

    with_database(write_now)


def _flush(run: Run, batch: list[Answered[V]], record: Record[V] | None) -> int:
    """Write a batch; how many of it are finished."""
    if not batch:
        return 0
    now = timezone.now()
    plain = [one.row.pk for one in batch if one.verdict == DONE]
    others = [one for one in batch if one.verdict != DONE]
    for one in others:
        row, verdict = one.row, one.verdict
        row.progress, row.code, row.values, row.request_id = (
            verdict.progress,
            verdict.code,
            verdict.values,
            verdict.request_id,
        )
        # What waits has not been asked anything that took effect.
        row.changed_at = None if verdict.progress == Progress.WAITING else now

    def write_now() -> None:
        with run.transaction():
            NodeWork.objects.filter(pk__in=plain).update(
                progress=Progress.DONE, code="", values={}, request_id="", changed_at=now
            )
            NodeWork.objects.bulk_update(
                [one.row for one in others], ["progress", "code", "values", "request_id", "changed_at"], batch_size=100
            )
            if record is not None:
                record(batch)

    with_database(write_now)
    return sum(1 for one in batch if one.verdict.progress in {Progress.DONE, Progress.FAILED})


# --- Ends and retries -----------------------------------------------------------------------------------------------
def ended(operation: Operation, code: str, **values: Any) -> Outcome:
    """The end of the work: good where every node is done. Raises `Conflict` (`nodes-some-failed`) otherwise."""
    failed = operation.nodes.filter(progress=Progress.FAILED).count()
    done = operation.nodes.filter(progress=Progress.DONE).count()
    if failed:
        raise Conflict("nodes-some-failed", done=done, failed=failed)
    return Outcome(code, {"done": done, **values})


def has_unfinished(operation: Operation) -> bool:
    return operation.nodes.exclude(progress=Progress.DONE).exists()


def keep_unfinished(ended: Operation, again: Operation, _actor: Actor) -> None:
    """A retry is about the nodes that failed or were not reached."""
    left = ended.nodes.exclude(progress=Progress.DONE).values_list("pool_id", "node_id")
    rows = [NodeWork(operation=again, pool_id=pool, node_id=node) for pool, node in left]
    NodeWork.objects.bulk_create(rows, batch_size=500)
    again.total = len(rows)
    again.subject_url = ended.subject_url.replace(str(ended.pk), str(again.pk))
    if "wait_until" in again.parameters:
        until = timezone.now() + timedelta(seconds=settings.NODE_USER_WAIT_SECONDS)
        again.parameters = {**again.parameters, "wait_until": until.isoformat()}
    again.save(update_fields=["total", "subject_url", "parameters"])
