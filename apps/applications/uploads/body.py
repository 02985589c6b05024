"""A request's body as it comes off the socket, never whole in memory."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any

from apps.applications.uploads.errors import ProtocolError

logger = logging.getLogger(__name__)

# How long a client may send nothing before its request is ended; it goes on later from the offset it is told.
STALL_SECONDS = 15.0
# How much of a refused request is still read: a client that is sending learns the reason only after its last byte.
# A chunk of the upload page fits; whoever sends much more sees a broken connection.
DRAIN_BYTES = 80 * 1024 * 1024
DRAIN_SECONDS = 10.0


class Body:
    """Reads `wsgi.input` to the announced length, or to the end of a chunked body.

    A client that goes away, or falls silent, ends the body early; `broken` then says so.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self._input = environ["wsgi.input"]
        self.length = _announced(environ)
        self._left = self.length
        self.broken = False

    def read(self, size: int) -> bytes:
        wanted = size if self._left is None else min(size, self._left)
        if not wanted or self.broken:
            return b""
        try:
            data: bytes = self._input.read(wanted)
        except OSError as error:
            # A reset, a timeout, or a chunked body that was cut off.
            logger.info("A client stopped sending: %s", str(error) or type(error).__name__)
            self.broken = True
            return b""
        if self._left is not None:
            self._left -= len(data)
            self.broken = len(data) < wanted
        return data


def _announced(environ: dict[str, Any]) -> int | None:
    """Bytes of the body; None for a chunked one. Raises `ProtocolError` where it is neither."""
    text = environ.get("CONTENT_LENGTH") or ""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and environ.get("wsgi.input_terminated"):
        return None
    if not text.isdigit():
        raise ProtocolError("upload-length-missing")
    return int(text)


@contextlib.contextmanager
def bounded_silence(environ: dict[str, Any]) -> Iterator[None]:
    """Within this, reading the body gives up after `STALL_SECONDS` without a byte, so that no thread hangs for ever."""
    socket = environ.get("gunicorn.socket")
    if socket is None:
        yield
        return
    socket.settimeout(STALL_SECONDS)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            socket.settimeout(None)


def drain(environ: dict[str, Any]) -> None:
    """Read on after a refusal, within bounds, so that the answer reaches a client that does not read while it sends."""
    if "gunicorn.socket" not in environ:
        return
    left, until = DRAIN_BYTES, time.monotonic() + DRAIN_SECONDS
    with bounded_silence(environ), contextlib.suppress(OSError):
        while left > 0 and time.monotonic() < until and (data := environ["wsgi.input"].read(1024 * 1024)):
            left -= len(data)
