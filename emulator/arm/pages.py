"""Pages of the management plane's lists."""

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.errors import ServiceError

MAX_RESULTS = 1000


def max_results(call: Call) -> int:
    given = call.query("maxresults")
    if given is None:
        return MAX_RESULTS
    if not given.isdecimal() or int(given) < 1:
        raise ServiceError("InvalidQueryParameterValue", f"maxresults must be a positive number, not {given}.")
    return min(int(given), MAX_RESULTS)


def after(call: Call) -> str:
    token = call.query("$skiptoken")
    if token is None:
        return ""
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ServiceError("InvalidQueryParameterValue", "The $skipToken is invalid.") from None


def page(call: Call, value: list[Any], last: str | None = None) -> Response:
    """``last`` is the name to go on behind, None at the end."""
    body: dict[str, Any] = {"value": value}
    if last is not None:
        kept = {name: text for name, text in call.request.query_params.items() if name.lower() != "$skiptoken"}
        token = base64.urlsafe_b64encode(last.encode()).decode()
        body["nextLink"] = f"{call.base}{call.path}?{urlencode({**kept, '$skipToken': token})}"
    return answers.json(body)
