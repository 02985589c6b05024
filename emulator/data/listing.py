"""Lists that are read from the store page by page, whatever their length."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.responses import Response

from emulator import compat
from emulator.call import Call
from emulator.data.pages import after, max_results, page
from emulator.odata import Query

R = TypeVar("R")

_CHUNK = 250


async def listed(
    call: Call,
    metadata: str,
    read: Callable[[str, int], list[R]],
    present: Callable[[R], tuple[str, dict[str, Any] | None]],
    wanted: Query,
) -> Response:
    """A page of what matches. While rows are passed over that do not, others have their turn.

    ``read`` gives at most so many rows behind a key, ``present`` the key of a row and its wire form, or None for one
    that it knows does not match.
    """
    limit, start = max_results(call), after(call)
    value: list[Any] = []
    last: str | None = None
    more = True
    while more and last is None:
        chunk = _CHUNK if wanted.predicate is not None else limit - len(value) + 1
        rows = read(start, chunk)
        more = len(rows) == chunk
        for row in rows:
            key, body = present(row)
            if body is not None and wanted.matches(body):
                if len(value) == limit:
                    last = start
                    break
                value.append(compat.older(call.api_version, dict(wanted.select(body))))
            start = key
        if more and last is None:
            await asyncio.sleep(0)
    return page(call, metadata, value, last)
