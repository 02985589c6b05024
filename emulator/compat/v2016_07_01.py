"""2016-07-01.3.1: tasks run elevated or not; who runs them came with 2017-01-01.4.0."""

from typing import Any

from emulator.compat.change import Change


def _request(body: dict[str, Any]) -> None:
    if "runElevated" in body:
        level = "admin" if body.pop("runElevated") else "nonadmin"
        body["userIdentity"] = {"autoUser": {"scope": "task", "elevationLevel": level}}


def _answer(body: dict[str, Any]) -> None:
    if "userIdentity" in body:
        automatic = body.pop("userIdentity").get("autoUser") or {}
        body["runElevated"] = automatic.get("elevationLevel") == "admin"


CHANGE = Change(last="2016-07-01.3.1", request=_request, answer=_answer)
