"""Pages of the data plane's lists."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.errors import ServiceError

MAX_RESULTS = 1000

T = TypeVar("T")


def max_results(call: Call) -> int:
    """``maxresults``: 1 to 1000, 1000 when absent."""
    given = call.query("maxresults")
    if given is None:
        return MAX_RESULTS
    values = {"QueryParameterName": "maxresults", "QueryParameterValue": given}
    if not given.isdecimal():
        raise ServiceError("InvalidQueryParameterValue", values=values)
    if not 1 <= int(given) <= MAX_RESULTS:
        limits = {"MinimumAllowed": "1", "MaximumAllowed": str(MAX_RESULTS)}
        raise ServiceError("OutOfRangeQueryParameterValue", values=values | limits)
    return int(given)


def after(call: Call) -> str:
    """The key that the page asked for begins behind, '' for the first page."""
    token = call.query("$skiptoken")
    if token is None:
        return ""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ServiceError("InvalidQueryParameterValue", values={"QueryParameterName": "$skiptoken"}) from None


def page(call: Call, metadata: str, value: list[Any], last: str | None) -> Response:
    """A page of ``value``; ``last`` is the key to go on behind, None at the end."""
    body: dict[str, Any] = {"odata.metadata": f"{call.base}/$metadata#{metadata}", "value": value}
    if last is not None:
        body["odata.nextLink"] = _next_link(call, last)
    return answers.json(body, media_type=answers.DATA_JSON)


def sliced(items: list[T], call: Call, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """The page of a short list held in memory, ordered by ``key``, and the key to go on behind."""
    limit, start = max_results(call), after(call)
    rest = [item for item in sorted(items, key=key) if key(item) > start]
    return rest[:limit], key(rest[limit - 1]) if len(rest) > limit else None


def _next_link(call: Call, last: str) -> str:
    kept: Mapping[str, str] = {
        name: value for name, value in call.request.query_params.items() if name.lower() != "$skiptoken"
    }
    token = base64.urlsafe_b64encode(last.encode()).decode()
    return f"{call.base}{call.path}?{urlencode({**kept, '$skiptoken': token})}"
