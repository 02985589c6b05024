"""The last requests, so that tests can count what a client called. Holds no header, no body and no secret."""

from collections import deque
from typing import Any

import msgspec

from emulator.call import Call
from emulator.clock import iso

CAPACITY = 10_000


class Entry(msgspec.Struct):
    number: int
    time: str
    plane: str
    operation: str | None
    method: str
    path: str
    query: dict[str, str]
    account: str | None
    status: int
    duration_ms: float
    request_id: str
    client_request_id: str | None


class RequestLog:
    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._number = 0

    def add(self, call: Call, status: int, duration: float) -> None:
        """``duration`` in seconds; status 0 is a connection that was cut."""
        self._number += 1
        known = call.operation.query if call.operation else frozenset()
        query = {key: value for key, value in call.request.query_params.items() if key.lower() in known}
        self._entries.append(
            Entry(
                number=self._number,
                time=iso(call.now),
                plane=call.plane.value,
                operation=call.operation.name if call.operation else None,
                method=call.request.method,
                path=call.path,
                query=query,
                account=call.account.name if call.account else call.parameters.get("accountName"),
                status=status,
                duration_ms=round(duration * 1000, 3),
                request_id=call.request_id,
                client_request_id=call.header("client-request-id") or call.header("x-ms-client-request-id") or None,
            )
        )

    def clear(self) -> None:
        self._entries.clear()

    def since(self, number: int, operation: str | None = None) -> dict[str, Any]:
        """Entries numbered above ``number``, and the number to ask with next time."""
        found = [entry for entry in self._entries if entry.number > number and operation in (None, entry.operation)]
        return {"next": self._number, "requests": found}
