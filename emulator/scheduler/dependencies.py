"""Tasks of one job that wait for others."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from emulator.wire.tasks import Dependencies

_FEW = 32  # ids of a range that are waited for one by one; who waits for more looks at every task that is done


@dataclass(slots=True)
class _Wait:
    ids: set[str]
    missing: int  # of all ranges
    ranges: list[range] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return not self.ids and self.missing <= 0


class Waiting:
    """Who waits for whom. Ids are compared in lower case; a range means the ids that are its numbers in decimal.

    A task may depend on tasks that do not exist yet: it waits for them to come and to be satisfied. What is satisfied
    once stays so.
    """

    def __init__(self) -> None:
        self._satisfied: set[str] = set()
        self._numbers: set[int] = set()
        self._waits: dict[str, _Wait] = {}
        self._by_id: dict[str, dict[str, None]] = {}
        self._by_range: dict[str, list[range]] = {}

    def satisfied(self, task: str) -> list[str]:
        """The task no longer blocks anybody. Returns who can go on by that, in the order they came."""
        task = task.lower()
        if task in self._satisfied:
            return []
        self._satisfied.add(task)
        freed = [waiter for waiter in self._by_id.pop(task, ()) if self._drop(waiter, task)]
        number = _number(task)
        if number is not None:
            self._numbers.add(number)
            freed += [waiter for waiter, ranges in list(self._by_range.items()) if self._count(waiter, ranges, number)]
        return freed

    def wait(self, task: str, dependencies: Dependencies | None) -> bool:
        """Whether the task has to wait. If so, it is remembered until it can go on."""
        task = task.lower()
        self.forget(task)
        if dependencies is None:
            return False
        ids = {found.lower() for found in dependencies.task_ids or ()}
        spans = [range(found.start, found.end + 1) for found in dependencies.task_id_ranges or ()]
        ranges = [span for span in spans if len(span) > _FEW or span.start < 0]
        ids |= {str(number) for span in spans if span not in ranges for number in span}
        ids -= self._satisfied
        wait = _Wait(ids, sum(self._missing(span) for span in ranges), ranges)
        if wait.is_over:
            return False
        self._waits[task] = wait
        for found in ids:
            self._by_id.setdefault(found, {})[task] = None
        if ranges:
            self._by_range[task] = ranges
        return True

    def forget(self, task: str) -> None:
        """The task is gone or ended otherwise: it waits no more."""
        task = task.lower()
        wait = self._waits.pop(task, None)
        self._by_range.pop(task, None)
        for found in wait.ids if wait else ():
            self._by_id.get(found, {}).pop(task, None)

    def is_waiting(self, task: str) -> bool:
        return task.lower() in self._waits

    def __len__(self) -> int:
        return len(self._waits)

    def _missing(self, span: range) -> int:
        smaller: Iterable[int] = span if len(span) < len(self._numbers) else self._numbers
        there = sum(number in self._numbers and number in span for number in smaller)
        return len(span) - there

    def _drop(self, waiter: str, task: str) -> bool:
        wait = self._waits.get(waiter)
        if wait is None:
            return False
        wait.ids.discard(task)
        return self._is_free(waiter, wait)

    def _count(self, waiter: str, ranges: list[range], number: int) -> bool:
        hits = sum(number in span for span in ranges)
        wait = self._waits.get(waiter)
        if not hits or wait is None:
            return False
        wait.missing -= hits
        return self._is_free(waiter, wait)

    def _is_free(self, waiter: str, wait: _Wait) -> bool:
        if not wait.is_over:
            return False
        del self._waits[waiter]
        self._by_range.pop(waiter, None)
        return True


def _number(task: str) -> int | None:
    """The number that a task's id is in decimal, without leading zeros."""
    if task.isascii() and task.isdecimal() and (task == "0" or task[0] != "0"):
        return int(task)
    return None
