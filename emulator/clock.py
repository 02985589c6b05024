"""Time for the whole service. Nothing else in the package reads a clock.

There are two times. ``now`` is the service's own, virtual time: it stamps resources and drives their state, and may
be paused or moved forward. ``wall`` is compared with clocks of others (signature dates, token and SAS expiry, which
clients and the blob store judge by their own clocks), so it stays real except for a skew set on purpose.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec


class ClockState(msgspec.Struct):
    """What is kept over a restart, so that virtual time does not fall back behind the resources it has stamped."""

    offset: float = 0.0
    skew: float = 0.0
    paused_at: float | None = None


@dataclass(slots=True)
class Clock:
    source: Callable[[], float] = time.time
    offset: float = 0.0
    skew: float = 0.0
    paused_at: float | None = None
    listeners: list[Callable[[], None]] = field(default_factory=list)  # called after every change of the time

    def now(self) -> datetime:
        instant = self.source() if self.paused_at is None else self.paused_at
        return datetime.fromtimestamp(instant + self.offset, UTC)

    def wall(self) -> datetime:
        return datetime.fromtimestamp(self.source() + self.skew, UTC)

    def pause(self) -> None:
        if self.paused_at is None:
            self.paused_at = self.source()
            self._tell()

    def resume(self) -> None:
        """Go on from where the clock stands, so that virtual time never jumps over the pause."""
        if self.paused_at is not None:
            self.offset -= self.source() - self.paused_at
            self.paused_at = None
            self._tell()

    def advance(self, step: timedelta) -> None:
        """Move virtual time forward. Raises ValueError for a step backwards."""
        if step < timedelta(0):
            raise ValueError("time only moves forward")
        self.offset += step.total_seconds()
        self._tell()

    def state(self) -> ClockState:
        return ClockState(self.offset, self.skew, self.paused_at)

    def restore(self, state: ClockState) -> None:
        self.offset, self.skew, self.paused_at = state.offset, state.skew, state.paused_at
        self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()


def iso(moment: datetime) -> str:
    """UTC with seven digits, as the service writes times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "0Z"


def http_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
