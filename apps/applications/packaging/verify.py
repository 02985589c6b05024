"""Every entry inflated and compared with its CRC-32, by one thread or several."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from .contents import plain_blocks, span_of
from .directory import Directory, Offsets
from .findings import CheckStoppedError, Finding, Findings, ZipRefusedError
from .limits import MIB
from .sources import RangedSource

Progress = Callable[[int, int], None]
_INTERVAL = 0.1
_BATCH_BYTES = 16 * MIB
_BATCH_ENTRIES = 1000


class Pulse:
    """Reports progress and asks whether to stop, at most ten times a second, in the caller's thread."""

    def __init__(self, total: int, progress: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        self.total = total
        self._progress = progress
        self._should_stop = should_stop
        self._due = 0.0

    def beat(self, done: int) -> None:
        """Reports `done` of `total` bytes if it is time to. CheckStoppedError when asked to stop."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _INTERVAL
        if self._should_stop is not None and self._should_stop():
            raise CheckStoppedError
        self.report(done)

    def report(self, done: int) -> None:
        """Reports now."""
        if self._progress is not None:
            self._progress(done, self.total)


class Verification:
    """The pass over all entries; `starts` holds the offset of each entry's data."""

    def __init__(self, source: RangedSource, directory: Directory, starts: Offsets, findings: Findings) -> None:
        self._source = source
        self._directory = directory
        self._starts = starts
        self._findings = findings
        self._lock = threading.Lock()
        self._stopped = False
        self.done = 0

    def run(self, pulse: Pulse, workers: int) -> None:
        """Verifies everything. CheckStoppedError when asked to stop; errors of the source pass through."""
        if workers <= 1:
            for index in self._directory.by_offset():
                if self._findings.full:
                    return
                self._verify(index, lambda: pulse.beat(self.done))
        else:
            self._run_threads(pulse, workers)

    def _run_threads(self, pulse: Pulse, workers: int) -> None:
        with ThreadPoolExecutor(workers, thread_name_prefix="zip-check") as pool:
            try:
                self._feed(pool, pulse, workers)
            finally:
                self._stopped = True

    def _feed(self, pool: ThreadPoolExecutor, pulse: Pulse, workers: int) -> None:
        """Keeps two batches per thread in hand, so that a package of any length queues little."""
        batches = self._batches()
        running: set[Future[None]] = set()
        while True:
            while len(running) < 2 * workers and (batch := next(batches, None)) is not None:
                running.add(pool.submit(self._verify_batch, batch))
            if not running:
                return
            finished, running = wait(running, timeout=_INTERVAL, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
            pulse.beat(self.done)

    def _batches(self) -> Iterator[list[int]]:
        batch: list[int] = []
        weight = 0
        for index in self._directory.by_offset():
            batch.append(index)
            weight += self._directory.compressed[index] + self._directory.sizes[index]
            if weight >= _BATCH_BYTES or len(batch) >= _BATCH_ENTRIES:
                yield batch
                batch, weight = [], 0
        if batch:
            yield batch

    def _verify_batch(self, batch: list[int]) -> None:
        for index in batch:
            if self._findings.full:
                return
            self._verify(index, self._check_stopped)

    def _check_stopped(self) -> None:
        if self._stopped:
            raise CheckStoppedError

    def _verify(self, index: int, between: Callable[[], None]) -> None:
        """One entry; calls `between` after each block."""
        span = span_of(self._directory, index, self._starts[index])
        passed = counted = 0
        try:
            for block in plain_blocks(self._source, span):
                passed += len(block)
                reached = span.compressed * passed // max(span.size, 1)
                self._advance(reached - counted)
                counted = reached
                between()
        except ZipRefusedError as refusal:
            self._report(refusal.finding)
        self._advance(span.compressed - counted)

    def _advance(self, count: int) -> None:
        with self._lock:
            self.done += count

    def _report(self, found: Finding) -> None:
        with self._lock:
            self._findings.keep(found)
