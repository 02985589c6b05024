"""2024-07-01.20.0: tasks may ask for a token of the account, which the service no longer gives out."""

from typing import Any

from emulator.compat.change import Change


def _request(body: dict[str, Any]) -> None:
    body.pop("authenticationTokenSettings", None)


CHANGE = Change(last="2024-07-01.20.0", request=_request)
