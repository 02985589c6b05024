"""A worker that is alive, connected and consumes nothing any more notices it and starts anew."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.stack import Stack
from tests.uploads.conftest import token_for
from tests.uploads.portal import Portal, make_zip, sha256, until


class HalfOpen:
    """A way to Redis on which, when `dead`, blocking reads never come back although their connection stands."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.dead = threading.Event()
        self._held: list[socket.socket] = []
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                redis = socket.create_connection(("127.0.0.1", self._target))
                self._held += [client, redis]
                threading.Thread(target=self._pump, args=(client, redis, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(redis, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, requests: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if requests and self.dead.is_set() and b"BRPOP" in data:
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        # Closing alone does not wake a thread that waits in accept.
        self._server.shutdown(socket.SHUT_RDWR)
        self._serving.join()
        for link in [self._server, *self._held]:
            link.close()


def test_stuck_worker_starts_anew(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = make_stack({"WORKER_STUCK_SECONDS": "6"})
    stack.batch.link_storage("localstorage")
    way = HalfOpen(stack.site.ports.redis)
    through = stack.site.broker_url.replace(f":{stack.site.ports.redis}/", f":{way.port}/")
    stack.restart("worker", {"REDIS_URL": through})
    pid = stack.pid("worker")
    way.dead.set()
    until(lambda: "starts anew" in stack.log("worker").read_text(), 60, "the worker to notice")
    way.dead.clear()
    portal = Portal(stack, token_for(stack, "uploader"))
    path = make_zip(tmp_path / "a.zip", 1000)
    operation = portal.upload(path, "revived", "1", action="new-application")
    assert portal.ended(operation)["status"] == "succeeded"
    assert portal.content_sha256("revived", "1") == sha256(path)
    assert stack.pid("worker") == pid
    assert stack.is_running("worker")
    portal.http.close()
    way.close()


def test_health_follows_the_worker(stack: Stack) -> None:
    """Sick only once no message has come for long: this portal's worker is well now."""
    command = [sys.executable, "manage.py", "worker_health", "--node", stack.site.worker_node]

    def health() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=stack.environment(), check=False, capture_output=True, text=True)

    until(lambda: health().returncode == 0, 20)
    assert "consumed a message" in health().stdout
    command[-1] = "celery@elsewhere"
    assert health().returncode == 1
    assert "No worker" in health().stderr
