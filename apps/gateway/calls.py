"""How long a caller waits for Azure, and what was asked meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request that left the portal. `path` has no query, so it shows no signature; `status` 0: no answer."""

    method: str
    host: str
    path: str
    status: int
    seconds: float


@dataclass(slots=True)
class CallLog:
    """What was asked of Azure inside a `counted()` block."""

    calls: list[Call] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.calls)

    @property
    def seconds(self) -> float:
        return sum(call.seconds for call in self.calls)


_logs: ContextVar[tuple[CallLog, ...]] = ContextVar("gateway_call_logs", default=())
_deadline: ContextVar[float | None] = ContextVar("gateway_deadline", default=None)
_hands_back: ContextVar[bool] = ContextVar("gateway_hands_back", default=False)


@contextmanager
def counted() -> Iterator[CallLog]:
    """Collect every request of this thread or task. Blocks may nest; each sees the requests inside it."""
    log = CallLog()
    token = _logs.set((*_logs.get(), log))
    try:
        yield log
    finally:
        _logs.reset(token)


def record(call: Call) -> None:
    for log in _logs.get():
        log.calls.append(call)


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Bound everything inside, retries and waiting included. None lifts a bound, for work that nobody waits for."""
    token = _deadline.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining() -> float | None:
    """Seconds of patience left, possibly negative; None without a bound."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


@contextmanager
def throttling_handed_back() -> Iterator[None]:
    """Inside, a call that the service throttles is not tried again: the caller has more of them to hold back."""
    token = _hands_back.set(True)
    try:
        yield
    finally:
        _hands_back.reset(token)


def hands_back_throttling() -> bool:
    return _hands_back.get()
