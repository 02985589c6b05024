"""How a running operation learns that its worker is told to stop.

Celery's main process receives the signal, its pool processes run the operations. One byte of memory that both share
(it is mapped before the pool forks) carries the word.
"""

from __future__ import annotations

import mmap
import os
import signal
from types import FrameType
from typing import Any

from celery.signals import worker_process_init, worker_shutting_down

_shared = mmap.mmap(-1, 1)
_here = False


def asked() -> bool:
    """Whether this worker is about to stop."""
    return _here or _shared[0] != 0


def ask() -> None:
    _shared[0] = 1


@worker_shutting_down.connect(weak=False)
def _main_process_stops(**_: Any) -> None:
    ask()


@worker_process_init.connect(weak=False)
def _watch_in_pool_process(**_: Any) -> None:
    signal.signal(signal.SIGTERM, _pool_process_told)


def _pool_process_told(_number: int, _frame: FrameType | None) -> None:
    """A supervisor that signals the whole process group reaches the pool too: the first signal lets the step finish,
    the second one ends the process as usual."""
    global _here  # noqa: PLW0603
    _here = True
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not _working:
        signal.raise_signal(signal.SIGTERM)


_working = 0


class working:  # noqa: N801
    """Marks that an operation is being run in this process."""

    def __enter__(self) -> None:
        global _working  # noqa: PLW0603
        _working += 1

    def __exit__(self, *_: object) -> None:
        global _working  # noqa: PLW0603
        _working -= 1
        if _here and not _working:
            os.kill(os.getpid(), signal.SIGTERM)
