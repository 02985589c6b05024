"""What is to happen later, by the service's own clock: nothing here sleeps while that clock is paused."""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial

from emulator.clock import Clock

log = logging.getLogger("emulator")

Action = Callable[[], None]

_SLICE = 0.01  # seconds of work before requests get their turn
_PATIENCE = 60.0  # longest sleep, so that a wall clock which was set is noticed


class Entry:
    """Something that will happen; ``cancel`` makes it nothing."""

    __slots__ = ("action", "at")

    def __init__(self, at: datetime, action: Action) -> None:
        self.at = at
        self.action: Action | None = action

    def cancel(self) -> None:
        self.action = None


class Agenda:
    """Runs actions when they are due, in order of time, then of their being added. One thread, no overlap.

    ``together`` is entered around the actions of one slice, after which requests get their turn.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.together: Callable[[], AbstractContextManager[None]] = nullcontext
        self._entries: list[tuple[datetime, int, Entry]] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        clock.listeners.append(self._changed.set)

    def at(self, when: datetime, action: Action) -> Entry:
        entry = Entry(when, action)
        heapq.heappush(self._entries, (when, next(self._numbers), entry))
        if self._entries[0][2] is entry:
            self._changed.set()
        return entry

    def after(self, seconds: float, action: Action) -> Entry:
        return self.at(self._clock.now() + timedelta(seconds=seconds), action)

    def run_next(self) -> bool:
        """Do what is due first. False when nothing is due."""
        while self._entries and self._entries[0][2].action is None:
            heapq.heappop(self._entries)
        if not self._is_due():
            return False
        action = heapq.heappop(self._entries)[2].action
        if action is not None:
            _do(action)
        return True

    def run_slice(self) -> bool:
        """Do what is due, but not for long. False when nothing is left that is due."""
        if not self._is_due():
            return False
        until = time.monotonic() + _SLICE
        with self.together():
            while self.run_next() and time.monotonic() < until:
                pass
        return self._is_due()

    def _is_due(self) -> bool:
        return bool(self._entries) and self._entries[0][0] <= self._clock.now()

    def clear(self) -> None:
        self._entries.clear()

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            self._changed.clear()
            await self.catch_up()
            await self._wait()

    async def catch_up(self) -> None:
        """Do all that is due by now, giving requests their turns."""
        more = self.run_slice()
        while more:
            await asyncio.sleep(0)
            more = self.run_slice()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), self._pause())
        except TimeoutError:
            return

    def _pause(self) -> float | None:
        """Seconds until something is due, None while only a change of clock or agenda can bring that."""
        if not self._entries or self._clock.paused_at is not None:
            return None
        return min(max(0.0, (self._entries[0][0] - self._clock.now()).total_seconds()), _PATIENCE)


class Branch:
    """The entries of one part of the service, which can be dropped together."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._generation = 0

    def at(self, when: datetime, action: Action) -> Entry:
        return self._agenda.at(when, partial(self._do, self._generation, action))

    def after(self, seconds: float, action: Action) -> Entry:
        return self._agenda.after(seconds, partial(self._do, self._generation, action))

    def clear(self) -> None:
        """What is entered until now does not happen any more."""
        self._generation += 1

    def _do(self, generation: int, action: Action) -> None:
        if generation == self._generation:
            action()


def _do(action: Action) -> None:
    try:
        action()
    except Exception:
        log.exception("something that was due failed")
