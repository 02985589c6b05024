"""``$select``: named properties only, absent instead of null."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.odata.lexer import FilterError
from emulator.odata.select import parse_select, project

KNOWN = {"id", "state", "executionInfo", "displayName"}
TASK = {"id": "t", "state": "active", "executionInfo": {"exitCode": 0, "retryCount": 1}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id", {"id": "t"}),
        ("state, id", {"id": "t", "state": "active"}),
        ("id,displayName", {"id": "t"}),
        ("executionInfo", {"executionInfo": {"exitCode": 0, "retryCount": 1}}),
        ("executionInfo/exitCode", {"executionInfo": {"exitCode": 0}}),
        ("executionInfo/exitCode,executionInfo/retryCount", {"executionInfo": {"exitCode": 0, "retryCount": 1}}),
        ("executionInfo/exitCode,executionInfo", {"executionInfo": {"exitCode": 0, "retryCount": 1}}),
        ("executionInfo,executionInfo/exitCode", {"executionInfo": {"exitCode": 0, "retryCount": 1}}),
        ("id/further", {"id": "t"}),
        ("*", TASK),
    ],
)
def test_selection(text: str, expected: dict[str, Any]) -> None:
    assert project(TASK, parse_select(text, KNOWN)) == expected


@pytest.mark.parametrize("text", ["colour", "ID", "id,,state", "id,", "id state"])
def test_unknown_names_are_refused(text: str) -> None:
    with pytest.raises(FilterError, match="cannot be selected"):
        parse_select(text, KNOWN)


@given(st.lists(st.sampled_from(sorted(KNOWN)), min_size=1))
def test_what_is_selected_is_all_there_is(names: list[str]) -> None:
    found = project(TASK, parse_select(",".join(names), KNOWN))
    assert set(found) == set(names) & set(TASK)
    assert all(found[name] == TASK[name] for name in found)
