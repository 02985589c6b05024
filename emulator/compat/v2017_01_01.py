"""2017-01-01.4.0: nodes are all dedicated and a pool has one error of its resize; Spot nodes came with 2017-05-01.5.0.

What fails has a scheduling error there; failureInfo and result came with that version too.
"""

from typing import Any

from emulator.compat.change import Change, rename


def _request(body: dict[str, Any]) -> None:
    rename(body, "targetDedicated", "targetDedicatedNodes")


def _answer(body: dict[str, Any]) -> None:
    if "retryCount" in body or "exitCode" in body:
        rename(body, "failureInfo", "schedulingError")
        body.pop("result", None)
    rename(body, "targetDedicatedNodes", "targetDedicated")
    rename(body, "currentDedicatedNodes", "currentDedicated")
    body.pop("targetLowPriorityNodes", None)
    body.pop("currentLowPriorityNodes", None)
    errors = body.pop("resizeErrors", None)
    if errors:
        body["resizeError"] = errors[0]


CHANGE = Change(last="2017-01-01.4.0", request=_request, answer=_answer)
