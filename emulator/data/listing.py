"""Lists that are read from the store page by page, whatever their length."""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.responses import Response

from emulator import compat
from emulator.call import Call
from emulator.data.pages import after, max_results, page
from emulator.odata import Query

R = TypeVar("R")

_CHUNK = 1000


def listed(
    call: Call,
    metadata: str,
    read: Callable[[str, int], list[R]],
    present: Callable[[R], tuple[str, dict[str, Any]]],
    wanted: Query,
) -> Response:
    """A page of what matches.

    ``read`` gives at most so many rows behind a key, ``present`` the key of a row and its wire form.
    """
    limit, start = max_results(call), after(call)
    value: list[Any] = []
    last: str | None = None
    more = True
    while more and last is None:
        rows = read(start, _CHUNK)
        more = len(rows) == _CHUNK
        for row in rows:
            key, body = present(row)
            if wanted.matches(body):
                if len(value) == limit:
                    last = start
                    break
                value.append(compat.older(call.api_version, dict(wanted.select(body))))
            start = key
    return page(call, metadata, value, last)
