"""One run of an operation by one worker: the only way a runner reads and writes its row."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from apps.operations import stopping
from apps.operations.leases import Fenced, renew, write_fenced
from apps.operations.models import Operation, OperationEvent
from apps.people.actors import Actor, system_actor

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

# Pauses between attempts to write while the database is locked or restarting; SQLite waits 20 s by itself each time.
DATABASE_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
PROGRESS_SECONDS = 1.0
# Key of `state`: since when, and how often, the run was put off because the service was away.
RETRY = "_retry"


class Cancelled(Exception):
    """A person asked for the end; the runner's cleanup follows."""


class Stopping(Exception):
    """The worker is told to stop: the run is put back, and another worker takes it up."""


def with_database(work: Callable[[], Result]) -> Result:
    """Do database work, again when the database is locked or its connection broke. `work` is one transaction."""
    for pause in DATABASE_PAUSES:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            logger.warning("The database did not take a write, again in %s s: %s", pause, error)
            connection.close()
            time.sleep(pause)
    return work()


class Run:
    """A claimed operation. A thread renews the lease as long as the run is entered as a context manager.

    `state` is what earlier runs recorded. All methods may raise `Fenced`; a runner lets it pass.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.actor = operation_actor(operation)
        self.state: dict[str, Any] = dict(operation.state)
        self._cancel = operation.cancel_requested_at is not None
        self._heeds_cancel = True
        self._fenced = False
        self._over = threading.Event()
        self._renewed = time.monotonic()
        self._meter = Meter(operation)
        self._beat = threading.Thread(target=self._keep_lease, name=f"lease-{operation.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._beat.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._beat.join(timeout=30)

    def check(self) -> None:
        """Call it between steps and in every loop: raises `Cancelled`, `Stopping` or `Fenced` when it is time."""
        if self._fenced or time.monotonic() - self._renewed > settings.OPERATION_LEASE_SECONDS:
            raise Fenced(f"operation {self.operation.pk} lost its lease")
        if self._cancel and self._heeds_cancel:
            raise Cancelled
        if stopping.asked():
            raise Stopping

    def check_now(self) -> None:
        """`check` with what the database says now: before a step that cannot be undone. Heartbeats lag behind it."""
        self._renew()
        self.check()

    def ignore_cancelling(self) -> None:
        """From here on there is no way back: a cancellation asked for now, or before, is not heeded."""
        self._heeds_cancel = False

    def should_stop(self) -> bool:
        """The same question for code that asks instead of being interrupted."""
        try:
            self.check()
        except (Cancelled, Stopping, Fenced):
            return True
        return False

    def checkpoint(self, **changes: Any) -> None:
        """Record what has been done, durably, before the next step relies on it."""

        def write() -> None:
            with self.transaction(**changes):
                pass

        with_database(write)

    @contextmanager
    def transaction(self, **changes: Any) -> Iterator[None]:
        """A transaction that only goes through while this run owns the operation; `changes` go into the state."""
        before = self.state
        try:
            with transaction.atomic():
                # The row is touched first: it stays locked until the end, so no other worker claims it in between.
                write_fenced(self.operation, heartbeat_at=timezone.now())
                self._merge(changes)
                yield
        except BaseException:
            self.state = before
            raise

    def _merge(self, changes: dict[str, Any]) -> None:
        merged = {**self.state, **changes}
        if merged == self.state:
            return
        if RETRY not in changes:
            merged.pop(RETRY, None)
        # A run that got further is no crash loop.
        write_fenced(self.operation, state=merged, attempts=0)
        self.state = merged

    def event(self, code: str, level: str = OperationEvent.Level.INFO, **values: Any) -> None:
        """A line for the person's log. `values` never hold secrets."""

        def write() -> None:
            with self.transaction():
                OperationEvent.objects.create(operation=self.operation, level=level, code=code, values=values)

        with_database(write)

    def phase(self, phase: str, *, total: int | None = None, unit: str | None = None) -> None:
        """Say what the run is doing now; progress of the new phase starts at `done=0` when a total is given."""
        changes: dict[str, Any] = {"phase": phase}
        if total is not None:
            changes |= {"done": 0, "total": total, "rate": 0}
            self._meter.restart()
        if unit is not None:
            changes["unit"] = unit
        if any(getattr(self.operation, name) != value for name, value in changes.items()):
            with_database(lambda: write_fenced(self.operation, **changes))
            for name, value in changes.items():
                setattr(self.operation, name, value)

    def stand_still(self) -> None:
        """Nothing moves now: no speed and no time left are shown until something does."""
        if self.operation.rate or self.operation.received_rate or self._meter.rate:
            with_database(lambda: write_fenced(self.operation, rate=0, received_rate=0))

    def progress(self, done: int, total: int | None = None, phase: str = "") -> None:
        """Say how far the run is; at most one write a second, so call it as often as you like. Calls `check`."""
        self.check()
        if not self._meter.due(done, last=done >= (total or self.operation.total)):
            return
        if RETRY in self.state and self._meter.advanced:
            self.checkpoint(**{RETRY: None})
        changes: dict[str, Any] = {"done": done, "rate": self._meter.rate}
        if total is not None:
            changes["total"] = total
        if phase:
            changes["phase"] = phase
        try:
            write_fenced(self.operation, **changes)
        except OperationalError as error:
            logger.warning("Progress was not written: %s", error)  # the next one will be

    def _keep_lease(self) -> None:
        """Renew the lease every third of its span, in a thread, because a step may wait for the service that long."""
        pause = settings.OPERATION_LEASE_SECONDS / 3
        try:
            while not self._over.wait(min(pause, 2.0)):
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        started = time.monotonic()
        try:
            self._cancel = renew(self.operation) or self._cancel
        except Fenced:
            self._fenced = True
            self._over.set()
        except (OperationalError, InterfaceError) as error:
            # The lease may run out; `check` then ends the run before anybody else begins one.
            logger.warning("The lease of operation %s was not renewed: %s", self.operation.pk, error)
            connection.close()
        else:
            self._renewed = started


class Meter:
    """When progress is worth a write, and how fast it goes (units per second, smoothed over some ten seconds)."""

    def __init__(self, operation: Operation) -> None:
        self.rate = operation.rate
        self.restart()

    def restart(self) -> None:
        self._at = 0.0
        self._done: int | None = None
        self.advanced = False

    def due(self, done: int, *, last: bool) -> bool:
        now = time.monotonic()
        if self._done is None:
            self._at, self._done = now, done
            return True
        span = now - self._at
        if span < PROGRESS_SECONDS and (not last or done == self._done):
            return False
        # Two writes close to each other say nothing of the speed.
        span = max(span, PROGRESS_SECONDS)
        self.advanced = self.advanced or done > self._done
        speed = max(0.0, (done - self._done) / span)
        self.rate = int(speed if not self.rate else 0.75 * self.rate + 0.25 * speed)
        self._at, self._done = now, done
        return True


def operation_actor(operation: Operation) -> Actor:
    """Who the work is done for. It was admitted when it was started; an owner deleted since leaves it to the system."""
    if operation.user or operation.token:
        return Actor(user=operation.user, token=operation.token)
    return system_actor()
