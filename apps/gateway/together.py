"""Several questions at once: each answer is a round trip to another data centre."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from queue import SimpleQueue
from typing import TypeGuard, TypeVar

from apps.gateway.calls import throttling_handed_back
from apps.gateway.errors import GatewayError, GatewayThrottled, GatewayUnavailable

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


class _Pace:
    """How many workers may ask at a time.

    When the service throttles one of them, all pause for as long as it says, and half as many go on; each round of
    answers without that lets one more in.
    """

    def __init__(self, most: int) -> None:
        self._most = self._allowed = float(most)
        self._asking = 0
        self._closed_until = 0.0
        self._given_up: GatewayError | None = None
        self._over = False
        self._change = threading.Condition()

    def begin(self) -> GatewayError | None:
        """Wait for one's turn. An error instead means that nothing is to be asked any more."""
        with self._change:
            while not self._over and self._given_up is None:
                left = self._closed_until - time.monotonic()
                if left <= 0 and self._asking < int(self._allowed):
                    break
                self._change.wait(left if left > 0 else None)
            self._asking += 1
            return self._given_up or (GatewayUnavailable() if self._over else None)

    def end(self) -> None:
        with self._change:
            self._asking -= 1
            self._allowed = min(self._most, self._allowed + 1 / self._allowed)
            self._change.notify_all()

    def throttled(self, seconds: float) -> None:
        """Call it before `end`."""
        with self._change:
            now = time.monotonic()
            if now >= self._closed_until:  # those that were under way at that time say the same
                self._allowed = max(1.0, self._allowed / 2)
            self._closed_until = max(self._closed_until, now + seconds)

    def give_up(self, error: GatewayError) -> None:
        with self._change:
            self._given_up = error
            self._change.notify_all()

    def stop(self) -> None:
        with self._change:
            self._over = True
            self._change.notify_all()

    @property
    def is_over(self) -> bool:
        return self._over


def each(
    items: Iterable[K], ask: Callable[[K], V], *, workers: int = 16, tries: int = 6, longest_pause: float = 60.0
) -> Iterator[tuple[K, V | GatewayError]]:
    """Ask of every item, at most `workers` at a time; each item with its answer or error as soon as it is there.

    When the service throttles one question, all of them pause for as long as it says (seconds; with its silence 1, 2,
    4 …), half as many workers go on, and that question is asked again, up to `tries` times. When it asks for more than
    `longest_pause`, nothing more is asked: that error is the answer to all that is left. Leaving the loop early cancels
    what has not begun. The same rule about the database holds.
    """
    if tries < 1:
        raise ValueError("`tries` must be at least 1.")
    pace = _Pace(workers)

    def one(item: K) -> V | GatewayError:
        answer = _try(pace, item, ask)
        for attempt in range(1, tries):
            if not _is_throttled(answer) or pace.is_over:
                break
            pause = answer.retry_after or min(2.0 ** (attempt - 1), longest_pause)
            if pause > longest_pause:
                pace.give_up(answer)
                break
            pace.throttled(pause)
            answer = _try(pace, item, ask)
        return answer

    yield from _in_threads(items, one, workers, pace.stop)


def _try(pace: _Pace, item: K, ask: Callable[[K], V]) -> V | GatewayError:
    refused = pace.begin()
    try:
        if refused is not None:
            return refused
        with throttling_handed_back():
            return ask(item)
    except GatewayError as error:
        return error
    finally:
        pace.end()


def _is_throttled(answer: object) -> TypeGuard[GatewayError]:
    return isinstance(answer, GatewayThrottled) or (
        isinstance(answer, GatewayError) and answer.retryable and bool(answer.retry_after)
    )


def _in_threads(
    items: Iterable[K], work: Callable[[K], V], workers: int, stop: Callable[[], None]
) -> Iterator[tuple[K, V]]:
    done: SimpleQueue[Future[V]] = SimpleQueue()
    waiting: dict[Future[V], K] = {}

    def next_done() -> tuple[K, V]:
        future = done.get()
        return waiting.pop(future), future.result()

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="gateway") as pool:
        try:
            for item in items:
                future = pool.submit(copy_context().run, work, item)
                waiting[future] = item
                future.add_done_callback(done.put)
                # Twice the workers, so that nobody waits and a long list does not lie in memory.
                if len(waiting) >= 2 * workers:
                    yield next_done()
            while waiting:
                yield next_done()
        finally:
            stop()
            for future in waiting:
                future.cancel()


def pages_together(
    items: Iterable[K], pages: Callable[[K], Iterator[V]], *, workers: int = 4
) -> Iterator[tuple[K, V | GatewayError | None]]:
    """Read the pages of every item, of `workers` items at a time; None follows an item's last page, an error ends it.

    While the caller works on a page the next one of that item is under way, and no more than that lies in memory.
    Leaving the loop early asks for no more. The same rule about the database holds.
    """
    left = iter(items)
    done: SimpleQueue[Future[V | GatewayError | None]] = SimpleQueue()
    reading: dict[Future[V | GatewayError | None], tuple[K, Iterator[V]]] = {}

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="gateway") as pool:

        def ask(item: K, source: Iterator[V]) -> None:
            future = pool.submit(copy_context().run, _next_page, source)
            reading[future] = item, source
            future.add_done_callback(done.put)

        for item in islice(left, workers):
            ask(item, pages(item))
        while reading:
            future = done.get()
            item, source = reading.pop(future)
            page = future.result()
            if page is not None and not isinstance(page, GatewayError):
                ask(item, source)
            else:
                for other in islice(left, 1):
                    ask(other, pages(other))
            yield item, page


def _next_page(source: Iterator[V]) -> V | GatewayError | None:
    try:
        return next(source, None)
    except GatewayError as error:
        return error
