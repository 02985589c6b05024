"""2020-03-01.11.0: a node runs so many tasks and task counts are flat; slots came with 2020-09-01.12.0."""

from typing import Any

from emulator.compat.change import Change, rename


def _request(body: dict[str, Any]) -> None:
    rename(body, "maxTasksPerNode", "taskSlotsPerNode")


def _answer(body: dict[str, Any]) -> None:
    if "taskCounts" in body:
        body.pop("taskSlotCounts", None)
        body.update(body.pop("taskCounts"))
    if "commandLine" in body:
        body.pop("requiredSlots", None)
    body.pop("runningTaskSlotsCount", None)
    rename(body, "taskSlotsPerNode", "maxTasksPerNode")


CHANGE = Change(last="2020-03-01.11.0", request=_request, answer=_answer)
