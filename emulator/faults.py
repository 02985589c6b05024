"""Bad days on demand: delays, error statuses and broken connections, repeatable by their seed."""

import fnmatch
import random
import socket
from asyncio import BaseTransport, sleep
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from emulator.errors import ServiceError

_CODES = {401: "InvalidAuthenticationToken", 403: "AuthenticationFailed", 404: "ResourceNotFound", 500: "InternalError"}


class ConnectionCutError(Exception):
    """The pipeline must drop the connection without an answer."""


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``operation`` is a pattern over operation names such as ``data.*``; ``latency`` and ``retry_after`` are seconds.

    ``count`` is how many times it may still strike (None: for ever). With neither ``status`` nor ``reset`` it only
    delays.
    """

    operation: str = "*"
    probability: float = 1.0
    count: int | None = None
    latency: float = 0.0
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None
    reset: bool = False
    seed: int | None = None
    id: str = ""
    struck: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError("probability must be between 0 and 1")
        if self.latency < 0 or (self.count is not None and self.count < 1):
            raise ValueError("latency must not be negative and count must be at least 1")
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError("status must be between 400 and 599")


@dataclass(slots=True)
class _Armed:
    fault: Fault
    random: random.Random


@dataclass(slots=True)
class Faults:
    _armed: dict[str, _Armed] = field(default_factory=dict)
    _number: int = 0

    def add(self, fault: Fault) -> Fault:
        self._number += 1
        fault.id = str(self._number)
        self._armed[fault.id] = _Armed(fault, random.Random(fault.seed))  # noqa: S311
        return fault

    def remove(self, identifier: str) -> bool:
        return self._armed.pop(identifier, None) is not None

    def clear(self) -> None:
        self._armed.clear()

    def all(self) -> list[Fault]:
        return [armed.fault for armed in self._armed.values()]

    async def strike(self, operation: str) -> None:
        """Delay, raise ServiceError or ConnectionCutError, or do nothing, as the first matching fault says."""
        fault = self._drawn(operation)
        if fault is None:
            return
        if fault.latency:
            await sleep(fault.latency)
        if fault.reset:
            raise ConnectionCutError
        if fault.status is not None:
            raise _error(fault)

    def _drawn(self, operation: str) -> Fault | None:
        for armed in self._armed.values():
            fault = armed.fault
            if fault.count == 0 or not fnmatch.fnmatchcase(operation, fault.operation):
                continue
            if armed.random.random() < fault.probability:
                fault.struck += 1
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None


def _error(fault: Fault) -> ServiceError:
    code = fault.code or _CODES.get(fault.status or 0, "ServerBusy")
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return ServiceError(code, fault.message, status=fault.status, headers=headers)


class Connections:
    """The open transports by the client's address, so that one can be cut from within a request."""

    def __init__(self) -> None:
        self._transports: WeakValueDictionary[tuple[str, int], Any] = WeakValueDictionary()

    def opened(self, transport: BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._transports[peer[0], peer[1]] = transport

    def reset(self, client: tuple[str, int]) -> None:
        """Close with a TCP reset: lingering for zero seconds makes the kernel send RST instead of FIN."""
        transport = self._transports.get(client)
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        transport.abort()
