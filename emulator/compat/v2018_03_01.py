"""2018-03-01.6.1: task counts say whether they were checked against the tasks; 2018-08-01.7.0 dropped that."""

from typing import Any

from emulator.compat.change import Change


def _answer(body: dict[str, Any]) -> None:
    if "succeeded" in body and "failed" in body:
        body["validationStatus"] = "validated"


CHANGE = Change(last="2018-03-01.6.1", answer=_answer)
