"""2017-01-01.4.0: a failed task has a scheduling error; failureInfo and result came with 2017-05-01.5.0."""

from typing import Any

from emulator.compat.change import Change, rename


def _answer(body: dict[str, Any]) -> None:
    if "retryCount" in body or "exitCode" in body:
        rename(body, "failureInfo", "schedulingError")
        body.pop("result", None)


CHANGE = Change(last="2017-01-01.4.0", answer=_answer)
