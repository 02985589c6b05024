"""Several questions at once: each answer is a round trip to another data centre."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from apps.gateway.errors import GatewayError, GatewayThrottled

K = TypeVar("K")
V = TypeVar("V")


def ask_together(questions: Mapping[K, Callable[[], V]]) -> tuple[dict[K, V], dict[K, GatewayError]]:
    """Answers and errors by key. Patience and counting of the caller hold in the threads too.

    The questions must not touch the database: a thread would open a connection of its own.
    """
    answers: dict[K, V] = {}
    errors: dict[K, GatewayError] = {}
    if not questions:
        return answers, errors
    with ThreadPoolExecutor(max_workers=len(questions), thread_name_prefix="gateway") as pool:
        asked = {key: pool.submit(copy_context().run, ask) for key, ask in questions.items()}
        for key, future in asked.items():
            try:
                answers[key] = future.result()
            except GatewayError as error:
                errors[key] = error
    return answers, errors


class _Gate:
    """Lets every worker pause when the service asks one of them to slow down."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    def close(self, seconds: float) -> None:
        with self._lock:
            self._until = max(self._until, time.monotonic() + seconds)

    def wait(self, over: threading.Event) -> None:
        while (left := self._until - time.monotonic()) > 0 and not over.is_set():
            over.wait(left)


def each(
    items: Iterable[K], ask: Callable[[K], V], *, workers: int = 16, tries: int = 6, longest_pause: float = 60.0
) -> Iterator[tuple[K, V | GatewayError]]:
    """Ask of every item, at most `workers` at a time; each item with its answer or error as soon as it is there.

    When the service throttles one question, all of them pause for as long as it says (seconds; with its silence 1, 2,
    4 …), and that question is asked again, up to `tries` times; what asks for more than `longest_pause` is given up as
    `GatewayThrottled`. Leaving the loop early cancels what has not begun. The same rule about the database holds.
    """
    gate, over = _Gate(), threading.Event()

    def one(item: K) -> V | GatewayError:
        for attempt in range(tries):
            gate.wait(over)
            try:
                return ask(item)
            except GatewayThrottled as error:
                pause = error.retry_after or min(2.0**attempt, longest_pause)
                if attempt + 1 == tries or pause > longest_pause or over.is_set():
                    return error
                gate.close(pause)
            except GatewayError as error:
                return error
        raise ValueError("`tries` must be at least 1.")

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="gateway") as pool:
        waiting: dict[Future[V | GatewayError], K] = {}
        try:
            for item in items:
                waiting[pool.submit(copy_context().run, one, item)] = item
                # Twice the workers, so that nobody waits and a long list does not lie in memory.
                while len(waiting) >= 2 * workers:
                    yield from _done(waiting)
            while waiting:
                yield from _done(waiting)
        finally:
            over.set()
            for future in waiting:
                future.cancel()


def _done(waiting: dict[Future[V | GatewayError], K]) -> Iterator[tuple[K, V | GatewayError]]:
    finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in finished:
        item = waiting.pop(future)
        yield item, future.result()
