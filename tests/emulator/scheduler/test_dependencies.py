"""Who waits for whom, compared with looking at everything again each time."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from emulator.scheduler import dependencies
from emulator.scheduler.dependencies import Waiting
from emulator.wire.tasks import Dependencies, TaskIdRange

NAMES = [*(str(number) for number in range(8)), "a", "B", "07"]
DEPENDENCIES = st.builds(
    lambda ids, ranges: Dependencies(
        task_ids=ids, task_id_ranges=[TaskIdRange(start=first, end=first + length) for first, length in ranges]
    ),
    st.lists(st.sampled_from(NAMES), max_size=3),
    st.lists(st.tuples(st.integers(-1, 7), st.integers(0, 4)), max_size=2),
)
EVENTS = st.lists(
    st.tuples(st.just("satisfied"), st.sampled_from(NAMES), st.none())
    | st.tuples(st.just("wait"), st.sampled_from(["w", "x", "y", "z"]), DEPENDENCIES)
    | st.tuples(st.just("forget"), st.sampled_from(["w", "x", "y", "z"]), st.none()),
    max_size=30,
)


def _may_go(needed: Dependencies, satisfied: set[str]) -> bool:
    numbers = {str(n) for span in needed.task_id_ranges or () for n in range(span.start, span.end + 1)}
    return {name.lower() for name in needed.task_ids or ()} | numbers <= satisfied


@given(EVENTS, st.sampled_from([0, 2, 32]))
def test_a_task_goes_on_exactly_when_all_it_needs_is_there(
    events: list[tuple[str, str, Dependencies | None]], few: int
) -> None:
    with patch.object(dependencies, "_FEW", few):
        _go_through(events)


def _go_through(events: list[tuple[str, str, Dependencies | None]]) -> None:
    waiting, satisfied, waits = Waiting(), set[str](), dict[str, Dependencies]()
    for what, name, needed in events:
        if what == "satisfied":
            satisfied.add(name.lower())
            freed = waiting.satisfied(name)
            assert len(freed) == len(set(freed))
            expected = {waiter for waiter, needs in waits.items() if _may_go(needs, satisfied)}
            assert set(freed) == expected
            for waiter in freed:
                del waits[waiter]
        elif what == "forget":
            waiting.forget(name)
            waits.pop(name, None)
        elif needed is not None:
            waits.pop(name, None)
            must_wait = not _may_go(needed, satisfied)
            assert waiting.wait(name, needed) is must_wait
            if must_wait:
                waits[name] = needed
        assert len(waiting) == len(waits)
        assert all(waiting.is_waiting(waiter) for waiter in waits)


def test_a_range_over_all_numbers_costs_no_more_than_what_is_there() -> None:
    waiting = Waiting()
    waiting.satisfied("5")
    everything = Dependencies(task_id_ranges=[TaskIdRange(start=0, end=2_000_000_000)])
    assert waiting.wait("w", everything)
    assert waiting.satisfied("6") == []
