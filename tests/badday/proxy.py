"""An HTTP proxy between the portal and blob storage that misbehaves on demand."""

from __future__ import annotations

import http.client
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from tests.support.processes import LEASH
from tests.support.stack import Stack

# What a rule may answer to (method, path): None to pass on, or one of these.
BUSY, RESET, HOLD = "busy", "reset", "hold"
Rule = Callable[[str, str], str | None]

BUSY_BODY = b'<?xml version="1.0"?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>'


class FaultProxy(ThreadingHTTPServer):
    """Forwards to `target` (a port on loopback) except for what `rule` says."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, target: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.target = target
        self.rule: Rule = lambda _method, _path: None
        self.struck: dict[str, int] = {BUSY: 0, RESET: 0, HOLD: 0}
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that break are the point of this."""


class Handler(BaseHTTPRequestHandler):
    server: FaultProxy
    protocol_version = "HTTP/1.1"
    passed: ClassVar[set[str]] = {"connection", "keep-alive", "transfer-encoding", "date", "server"}

    def forward(self) -> None:
        fault = self.server.rule(self.command, self.path)
        if fault is not None:
            self.server.struck[fault] += 1
        if fault == RESET:
            self.rfile.read(min(1000, self.length))
            self.reset()
            return
        body = self.rfile.read(self.length)
        if fault == HOLD:
            self.server.released.wait(60)
        if fault == BUSY:
            self.answer(503, [("x-ms-error-code", "ServerBusy"), ("Content-Type", "application/xml")], BUSY_BODY)
            return
        link = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=60)
        try:
            link.request(self.command, self.path, body, dict(self.headers))
            found = link.getresponse()
            self.answer(found.status, found.getheaders(), found.read())
        finally:
            link.close()

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = forward  # noqa: N815

    @property
    def length(self) -> int:
        return int(self.headers.get("Content-Length") or 0)

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in self.passed and not (name.lower() == "content-length" and self.command != "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """RST instead of FIN."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def between(stack: Stack) -> Iterator[FaultProxy]:
    """Put the proxy at blob storage's address, and blob storage behind it."""
    front = stack.site.ports.azurite
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        behind = probe.getsockname()[1]
    part = stack.part("azurite")
    stack.kill("azurite")
    command = [str(behind) if word == str(front) else word for word in part.command]
    log = stack.log("azurite").open("ab")
    environment = {**stack.environment(), **part.environment}
    azurite = subprocess.Popen([*LEASH, *command], env=environment, stdout=log, stderr=subprocess.STDOUT)
    proxy = FaultProxy(front, behind)
    try:
        wait_for_port(behind)
        yield proxy
    finally:
        proxy.released.set()
        proxy.shutdown()
        proxy.server_close()
        azurite.kill()
        azurite.wait()
        log.close()
        stack.start("azurite")


def wait_for_port(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        threading.Event().wait(0.05)
    raise RuntimeError(f"Nothing listens on {port}.")
