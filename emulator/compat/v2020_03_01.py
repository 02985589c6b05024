"""2020-03-01.11.0: task counts are flat; slots came with 2020-09-01.12.0."""

from typing import Any

from emulator.compat.change import Change


def _answer(body: dict[str, Any]) -> None:
    if "taskCounts" in body:
        body.pop("taskSlotCounts", None)
        body.update(body.pop("taskCounts"))
    if "commandLine" in body:
        body.pop("requiredSlots", None)


CHANGE = Change(last="2020-03-01.11.0", answer=_answer)
