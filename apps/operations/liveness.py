"""A worker that proves that it consumes, and starts itself anew when it does not.

Workers on Redis have been seen to stay alive and connected after a lost connection without ever consuming again. So
each worker sends itself a message every few seconds through a queue of its own, and notes what reaches its consumer:

- a file is touched at every sign of life, for `manage.py worker_health` (containers, supervisors);
- when nothing came for WORKER_STUCK_SECONDS although the broker takes messages, the process replaces itself.

A worker whose pool is full consumes nothing on purpose; it is alive as long as its runs are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.signals import task_received
from celery.worker import state as worker_state
from django.conf import settings
from kombu import Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.operations import stopping

logger = logging.getLogger(__name__)

PING_TASK = "operations.ping"
AWAY = (OperationalError, RedisError, OSError)
# How long runs under way may take to give back their leases before the process is replaced.
GRACE_SECONDS = 15.0


def alive_file(name: str) -> Path:
    """Touched by the worker of this node name ("celery@host") at every sign of life."""
    return Path(tempfile.gettempdir()) / f"batchportal-{name.replace('/', '_')}.alive"


def silence(name: str) -> float | None:
    """Seconds since the last sign of life; None when there never was one."""
    try:
        return max(0.0, time.time() - alive_file(name).stat().st_mtime)
    except FileNotFoundError:
        return None


class Liveness(bootsteps.StartStopStep):
    """A thread in the worker's main process, beside its consumer."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._worker = parent
        self._file = alive_file(parent.hostname)
        self._queue = f"ping.{parent.hostname}"
        self._over = threading.Event()
        self._heard = time.monotonic()
        self._thread = threading.Thread(target=self._watch, name="liveness", daemon=True)
        # The consumer reads it together with the queues of the work, by the same call.
        parent.app.amqp.queues.select_add(Queue(self._queue, routing_key=self._queue))

    def start(self, parent: Any) -> None:
        self._touch()
        task_received.connect(self._received, weak=False)
        self._thread.start()

    def stop(self, parent: Any) -> None:
        self._over.set()
        self._file.unlink(missing_ok=True)
        with contextlib.suppress(*AWAY), parent.app.connection_for_write(connect_timeout=2) as connection:
            connection.default_channel.queue_delete(self._queue)

    def _received(self, **_: Any) -> None:
        """Any message that reaches the consumer proves that it consumes."""
        self._heard = time.monotonic()

    def _touch(self) -> None:
        try:
            self._file.touch()
        except OSError as error:
            logger.warning("The sign of life was not written: %s", error)

    def _watch(self) -> None:
        stuck = settings.WORKER_STUCK_SECONDS
        while not self._over.wait(stuck / 10):
            if not self._ping(stuck) or self._is_full():
                # Not the worker's fault; and once that is over it deserves the full time.
                self._heard = time.monotonic()
            silent = time.monotonic() - self._heard
            if silent < stuck / 2:
                self._touch()
            if silent > stuck:
                self._replace()

    def _ping(self, expires: float) -> bool:
        """Send a message to this worker; False when the broker does not take it."""
        try:
            self._worker.app.send_task(PING_TASK, queue=self._queue, expires=expires, retry=False)
        except AWAY as error:
            logger.warning("The broker is away: %s", error)
            return False
        return True

    def _is_full(self) -> bool:
        return len(worker_state.reserved_requests) >= int(self._worker.concurrency or 1)

    def _replace(self) -> None:
        """Start anew with the same process id, so that no supervisor sees an end."""
        logger.critical("This worker consumes nothing although the broker is there: it starts anew.")
        stopping.ask()
        until = time.monotonic() + GRACE_SECONDS
        while worker_state.active_requests and time.monotonic() < until:
            time.sleep(0.2)
        sys.stdout.flush()
        sys.stderr.flush()
        # The pool's processes end when their pipes to this one close.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
