"""How a running operation learns that its worker is told to stop.

Celery's main process receives the signal, its pool processes run the operations. One byte of memory that both share
(it is mapped before the pool forks) carries the word.
"""

from __future__ import annotations

import mmap
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from celery.signals import worker_init, worker_process_init, worker_shutting_down

_shared = mmap.mmap(-1, 1)
_pool_process = False


def asked() -> bool:
    """Whether this worker is about to stop."""
    return _shared[0] != 0


def ask(**_: Any) -> None:
    """Have every run of this worker give back its lease after the step under way."""
    _shared[0] = 1


def _begin(**_: Any) -> None:
    _shared[0] = 0


def _in_pool(**_: Any) -> None:
    global _pool_process  # noqa: PLW0603
    _pool_process = True


@contextmanager
def spared() -> Iterator[None]:
    """For a run in a pool process: a supervisor that signals the whole process group reaches the pool too.

    The first SIGTERM then only passes on the word, so that the step under way ends and its lease is given back; the
    main process closes the pool by itself. A second one ends the process as usual.
    """
    if not _pool_process:
        yield
        return
    before = signal.getsignal(signal.SIGTERM)

    def told(_number: int, _frame: FrameType | None) -> None:
        ask()
        signal.signal(signal.SIGTERM, before)

    # Here and not when the process starts: the pool sets its own handlers after its initialisation.
    signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


worker_init.connect(_begin, weak=False)
worker_shutting_down.connect(ask, weak=False)
worker_process_init.connect(_in_pool, weak=False)
