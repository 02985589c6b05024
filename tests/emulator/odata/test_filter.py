"""The filter grammar: what it accepts, what it means, what it refuses."""

import contextlib
import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.clock import iso
from emulator.odata import fields, parse
from emulator.odata.lexer import FilterError
from emulator.odata.parser import MAX_DEPTH

TASK = {
    "id": "Task-7",
    "state": "completed",
    "creationTime": "2024-05-01T12:00:00.0000000Z",
    "lastModified": "2024-05-02T00:00:00.1234560Z",
    "executionInfo": {"exitCode": 3, "result": "failure"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state eq 'completed'", True),
        ("state eq 'COMPLETED'", True),
        ("state ne 'completed'", False),
        ("state eq 'active' or state eq 'completed'", True),
        ("startswith(id, 'task-')", True),
        ("startswith(id,'other')", False),
        ("id ge 'task-7' and id lt 'task-8'", True),
        ("executionInfo/exitCode eq 3", True),
        ("executionInfo/exitCode ge 4", False),
        ("executionInfo/exitCode gt -1", True),
        ("executionInfo/result eq 'failure'", True),
        ("executionInfo/startTime lt DateTime'2030-01-01T00:00:00Z'", False),
        ("executionInfo/startTime ne DateTime'2030-01-01T00:00:00Z'", True),
        ("creationTime eq DateTime'2024-05-01T12:00:00Z'", True),
        ("creationTime eq datetime'2024-05-01T14:00:00+02:00'", True),
        ("creationTime gt DateTime'2024-05-01T12:00:00.0000001Z'", False),
        ("lastModifiedTime ge DateTime'2024-05-02'", True),
        ("state eq 'active' and state eq 'completed' or id eq 'task-7'", True),
        ("state eq 'active' and (state eq 'completed' or id eq 'task-7')", False),
        ("((state eq 'completed'))", True),
        ("  state   eq\t'completed' ", True),
    ],
)
def test_meaning(text: str, expected: bool) -> None:
    assert parse(text, fields.TASK)(TASK) is expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a property is expected at position 0"),
        ("state", "an operator is expected"),
        ("state eq", "is not a choice for 'state'"),
        ("state eq completed", "'completed' at position 9 is not a choice"),
        ("State eq 'completed'", "'State' cannot be filtered by"),
        ("displayName eq 'x'", "'displayName' cannot be filtered by"),
        ("state gt 'active'", "'gt' is not supported for the property 'state'"),
        ("startswith(state, 'a')", "'startswith' is not supported for the property 'state'"),
        ("endswith(id, 'a')", "the function 'endswith' is not supported"),
        ("state EQ 'active'", "'EQ' at position 6 is not an operator"),
        ("state eq 'active' AND id eq 'x'", "the end, 'and' or 'or' is expected at position 18"),
        ("not state eq 'active'", "is not an operator"),
        ("state eq 'active", "a string without its closing quote at position 9"),
        ("(state eq 'active'", "a closing parenthesis is expected"),
        ("state eq 'active')", "the end, 'and' or 'or' is expected at position 17"),
        ("state eq 'active' or", "a property is expected"),
        ("executionInfo/exitCode eq '3'", "'3' at position 26 is not a number"),
        ("executionInfo/exitCode eq 3x", "unexpected '3'"),
        ("creationTime gt 5", "'5' at position 16 is not a time"),
        ("creationTime gt DateTime'yesterday'", "is not a time"),
        ("creationTime gt DateTime'0001-01-01T00:00:00+14:00'", "is not a time"),
        ("id eq 'a' # or", "unexpected '#'"),
        ("startswith(id 'a')", "a comma is expected"),
    ],
)
def test_refusals(text: str, complaint: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text, fields.TASK)
    assert complaint in str(caught.value)


def test_quotes_are_doubled_inside_strings() -> None:
    predicate = parse("startswith(name, 'it''s')", fields.FILE)
    assert predicate({"name": "It's me"})
    assert not predicate({"name": "its me"})


def test_booleans() -> None:
    predicate = parse("enableAutoScale eq true", fields.POOL)
    assert predicate({"enableAutoScale": True})
    assert not predicate({"enableAutoScale": False})
    assert not predicate({})


def test_deep_nesting_is_refused_instead_of_exhausting_the_stack() -> None:
    def nested(depth: int) -> str:
        return "(" * depth + "state eq 'active'" + ")" * depth

    assert parse(nested(MAX_DEPTH), fields.TASK)({"state": "active"})
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(FilterError, match="nested deeper"):
            parse(nested(depth), fields.TASK)


# A generated filter is a pair: its text and what it must mean.
Pair = tuple[str, Callable[[dict[str, Any]], bool]]
ORDER = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}
IDS = st.text("abAB'-1", max_size=3)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
RESOURCES = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "state": st.sampled_from(["active", "running", "completed"]),
        "creationTime": TIMES.map(iso),
        "executionInfo": st.fixed_dictionaries({}, optional={"exitCode": st.integers(-3, 3)}),
    },
)


def _compared(path: list[str], word: str, literal: str, wanted: Any, fold: Callable[[Any], Any]) -> Pair:
    def means(resource: dict[str, Any]) -> bool:
        found: Any = resource
        for name in path:
            found = None if found is None else found.get(name)
        return word == "ne" if found is None else bool(ORDER[word](fold(found), fold(wanted)))

    return f"{'/'.join(path)} {word} {literal}", means


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


COMPARISONS = st.one_of(
    st.builds(
        lambda word, text: _compared(["id"], word, _quoted(text), text, str.lower), st.sampled_from([*ORDER]), IDS
    ),
    st.builds(
        lambda word, text: _compared(["state"], word, _quoted(text), text, str.lower),
        st.sampled_from(["eq", "ne"]),
        st.sampled_from(["active", "Running", "COMPLETED", "other"]),
    ),
    st.builds(
        lambda word, number: _compared(["executionInfo", "exitCode"], word, str(number), number, int),
        st.sampled_from([*ORDER]),
        st.integers(-3, 3),
    ),
    st.builds(
        lambda word, time: _compared(["creationTime"], word, f"DateTime'{time.isoformat()}'", iso(time), str),
        st.sampled_from([*ORDER]),
        TIMES,
    ),
    IDS.map(
        lambda text: (
            f"startswith(id, {_quoted(text)})",
            lambda resource: "id" in resource and resource["id"].lower().startswith(text.lower()),
        )
    ),
)


def _both(left: Pair, right: Pair) -> Pair:
    return f"({left[0]}) and ({right[0]})", lambda resource: left[1](resource) and right[1](resource)


def _either(left: Pair, right: Pair) -> Pair:
    return f"({left[0]}) or ({right[0]})", lambda resource: left[1](resource) or right[1](resource)


FILTERS = st.recursive(
    COMPARISONS, lambda inner: st.builds(_both, inner, inner) | st.builds(_either, inner, inner), max_leaves=8
)


@given(FILTERS, st.lists(RESOURCES, min_size=1, max_size=5))
def test_any_filter_selects_exactly_what_it_says(pair: Pair, resources: list[dict[str, Any]]) -> None:
    text, means = pair
    predicate = parse(text, fields.TASK)
    for resource in resources:
        assert predicate(resource) == means(resource)


@given(st.lists(COMPARISONS, min_size=3, max_size=3), RESOURCES)
def test_and_binds_closer_than_or(terms: list[Pair], resource: dict[str, Any]) -> None:
    (a, means_a), (b, means_b), (c, means_c) = terms
    expected = means_a(resource) or (means_b(resource) and means_c(resource))
    assert parse(f"{a} or {b} and {c}", fields.TASK)(resource) == expected


@given(st.text(max_size=60) | st.text("sta'( )eqorand,DTime/10-", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FilterError):
        assert parse(text, fields.TASK)(TASK) in {True, False}
