"""Settings of a worker that dies, with all its processes and as suddenly as in a power cut, right after it has recorded
the step of an upload that `DIE_AFTER` names.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.signals import worker_process_init

from batchportal.settings.local import *  # noqa: F403


def die_after(step: str) -> None:
    from apps.operations.run import Run  # noqa: PLC0415  # only once Django is set up

    transaction = Run.transaction

    @contextmanager
    def last(self: Run, **changes: Any) -> Iterator[None]:
        with transaction(self, **changes):
            yield
        if step in changes.get("steps", ()):
            os.killpg(0, signal.SIGKILL)

    Run.transaction = last  # type: ignore[method-assign]


worker_process_init.connect(lambda **_: die_after(os.environ["DIE_AFTER"]), weak=False)
