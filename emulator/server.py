"""The listener: binds, announces, serves and stops."""

import asyncio
import signal
import socket
import sys
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emulator import app, services
from emulator.faults import Connections
from emulator.settings import Settings

GRACE = 5  # seconds a stop waits for requests that are under way


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status; raises OSError when the address is taken."""
    listener = _bind(settings)
    connections = Connections()
    made = services.build(settings)
    made.fleet.processes.base_url = _url(settings, listener)
    application = app.build(made, connections)
    config = uvicorn.Config(
        application,
        http=_protocol(connections),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=settings.cert,
        ssl_keyfile=settings.key,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=60,
    )
    server = _Server(config, _url(settings, listener))
    # uvicorn raises the signal again once it has stopped; a stop that was asked for is a success.
    signal.signal(signal.SIGTERM, _ignore)
    signal.signal(signal.SIGINT, _ignore)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _ignore(_number: int, _frame: FrameType | None) -> None:
    return


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol: without it, 40 ms per answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.set_inheritable(False)
    return listener


def _url(settings: Settings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{settings.scheme}://{host}:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"ready on {self._url}\n")
            sys.stdout.flush()


def _protocol(connections: Connections) -> type[asyncio.Protocol]:
    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            connections.opened(transport)
            super().connection_made(transport)

    return Protocol
