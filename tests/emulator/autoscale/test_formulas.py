"""Formulas and what they come to."""

import math
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.autoscale import METRICS, SAMPLE_PERIOD, Evaluation, FormulaError, Sample, Targets, evaluate, parse
from emulator.autoscale.errors import Code

NOW = datetime(2016, 10, 13, 19, 18, 47, 805000, tzinfo=UTC)  # a Thursday
CURRENT = Targets(dedicated=2, low_priority=1)


class Measured:
    """``values`` are the newest samples of each metric, the last one at ``NOW``."""

    def __init__(self, **values: Sequence[float]) -> None:
        self._values = values

    def history(self, metric: str) -> list[Sample]:
        values = self._values.get(metric.removeprefix("$"), ())
        return [
            Sample(NOW - timedelta(seconds=SAMPLE_PERIOD * age), value)
            for age, value in zip(range(len(values) - 1, -1, -1), values, strict=True)
        ]


def run(formula: str, **values: Sequence[float]) -> Evaluation:
    return evaluate(formula, Measured(**values), NOW, CURRENT)


def result(expression: str, **values: Sequence[float]) -> str:
    """What ``x = expression`` shows in the results."""
    found = run(f"x = {expression};", **values)
    assert found.error is None, found.error
    return dict(item.split("=", 1) for item in found.results.split(";"))["x"]


def complaint(formula: str, **values: Sequence[float]) -> FormulaError:
    error = run(formula, **values).error
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 3 - 2", "5"),
        ("8 / 4 / 2", "1"),
        ("-3 + 1", "-2"),
        ("--3", "3"),
        ("!0", "1"),
        ("!5 + 1", "1"),
        ("1.5 * 2", "3"),
        (".5", "0.5"),
        ("1 / 0", "inf"),
        ("1 < 2", "1"),
        ("2 <= 1", "0"),
        ("1 == 1 && 2 != 2", "0"),
        ("1 == 2 || 2 == 2", "1"),
        ("0 || 0 || 3", "1"),
        ("1 + 1 == 2", "1"),
        ("1 ? 2 : 3", "2"),
        ("0 ? 2 : 0 ? 3 : 4", "4"),
        ("1 ? 0 ? 5 : 6 : 7", "6"),
        ('"abc" < "abd"', "1"),
        ('"abc" == "abc"', "1"),
        ("TimeInterval_Minute * 15", "00:15:00"),
        ("15 * TimeInterval_Minute", "00:15:00"),
        ("TimeInterval_Day + TimeInterval_Hour", "1.01:00:00"),
        ("TimeInterval_Zero - TimeInterval_Second", "-00:00:01"),
        ("-TimeInterval_Hour / 2", "-00:30:00"),
        ("TimeInterval_100ns", "00:00:00.0000001"),
        ("TimeInterval_Hour > 59 * TimeInterval_Minute", "1"),
        ("TimeInterval_Week == 7 * TimeInterval_Day", "1"),
        ("time()", "2016-10-13T19:18:47.805Z"),
        ('time("")', "2016-10-13T19:18:47.805Z"),
        ('time("2016-01-01T00:00:00Z") + TimeInterval_Day', "2016-01-02T00:00:00.000Z"),
        ('TimeInterval_Day + time("2016-01-01")', "2016-01-02T00:00:00.000Z"),
        ('time("2016-01-02") - TimeInterval_Day', "2016-01-01T00:00:00.000Z"),
        ('time("2016-01-02") - time("2016-01-01")', "1.00:00:00"),
        ('time("2016-01-02") > time("2016-01-01")', "1"),
        ("time().hour", "19"),
        ("time().weekday", "4"),
        ('time("2016-10-16").weekday', "0"),
        ("time().year * 100 + time().month", "201610"),
        ("time().day + time().minute + time().second", "78"),
        ("avg(1, 2, 6)", "3"),
        ("avg($ActiveTasks.GetSample(3), 7)", "3.25"),
        ("$ActiveTasks.GetSample(3)", "[1,2,3]"),
        ("$ActiveTasks.GetSample(2) * 2 + 1", "[5,7]"),
        ("$ActiveTasks.GetSample(2) - $ActiveTasks.GetSample(2)", "[0,0]"),
        ("len($ActiveTasks.GetSample(100))", "3"),
        ("len($ActiveTasks.GetSample())", "3"),
        ("max(1, $ActiveTasks.GetSample(3))", "3"),
        ("min(4, 2, 3)", "2"),
        ("norm(3, 4)", "5"),
        ("sum(1, 2, 3)", "6"),
        ("sum()", "0"),
        ("range(5, 1, 3)", "4"),
        ("std(2, 4)", "1.4142135623730951"),
        ("percentile($ActiveTasks.GetSample(3), 50)", "2"),
        ("percentile($ActiveTasks.GetSample(3), 25)", "1.5"),
        ("val($ActiveTasks.GetSample(3), 0)", "1"),
        ("val($ActiveTasks.GetSample(3), 2)", "3"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("round(2.5)", "3"),
        ("round(1.4, 1.6)", "[1,2]"),
        ("lg(8)", "3"),
        ("log(1000)", "3"),
        ("ln(1)", "0"),
        ("ln(0)", "-inf"),
        ("rand() < 1 && rand() >= 0", "1"),
        ("$ActiveTasks.Count()", "3"),
        ("$ActiveTasks.GetSamplePeriod()", "00:00:30"),
        ("$ActiveTasks.HistoryBeginTime()", "2016-10-13T19:17:47.805Z"),
        ("$ActiveTasks.GetSamplePercent(90 * TimeInterval_Second)", "100"),
        ("$ActiveTasks.GetSamplePercent(TimeInterval_Minute * 3)", "50"),
        ("$ActiveTasks.GetSamplePercent(time() - TimeInterval_Minute, time())", "100"),
        ("$FailedTasks.GetSamplePercent(TimeInterval_Minute * 5)", "0"),
        ("$ActiveTasks.GetSample(TimeInterval_Minute)", "[2,3]"),
        ("$ActiveTasks.GetSample(TimeInterval_Minute * 3, 50)", "[1,2,3]"),
        ("$ActiveTasks.GetSample(30 * TimeInterval_Second, 90 * TimeInterval_Second)", "[1,2]"),
        ("$ActiveTasks.GetSample(90 * TimeInterval_Second, 30 * TimeInterval_Second, 100)", "[1,2]"),
        ("$ActiveTasks.GetSample(time() - TimeInterval_Minute)", "[2,3]"),
        ("$TargetDedicatedNodes + $TargetLowPriorityNodes", "3"),
        ("$TargetDedicated", "2"),
        ("1 || $FailedTasks.GetSample(1)", "1"),
        ("0 ? avg($FailedTasks.GetSample(1)) : 7", "7"),
    ],
)
def test_expressions(expression: str, expected: str) -> None:
    assert result(expression, ActiveTasks=[1, 2, 3]) == expected


def test_the_results_hold_every_variable_the_services_own_first() -> None:
    formula = """
        // as in the documentation
        $curTime = time();
        $workHours = $curTime.hour >= 8 && $curTime.hour < 18;
        $isWeekday = $curTime.weekday >= 1 && $curTime.weekday <= 5;
        $isWorkingWeekdayHour = $workHours && $isWeekday;
        $TargetDedicatedNodes = $isWorkingWeekdayHour ? 20 : 10;
        $NodeDeallocationOption = taskcompletion;
    """
    found = run(formula)
    assert found.results == (
        "$TargetDedicatedNodes=10;$TargetLowPriorityNodes=1;$NodeDeallocationOption=taskcompletion;"
        "$curTime=2016-10-13T19:18:47.805Z;$isWeekday=1;$isWorkingWeekdayHour=0;$workHours=0"
    )
    assert found.targets == Targets(10, 1, "taskcompletion")


def test_the_formula_everybody_starts_with() -> None:
    formula = """
        startingNumberOfVMs = 1;
        maxNumberofVMs = 25;
        pendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
        pendingTaskSamples = pendingTaskSamplePercent < 70
            ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
        $TargetDedicatedNodes = min(maxNumberofVMs, pendingTaskSamples);
        $NodeDeallocationOption = taskcompletion;
    """
    assert run(formula).targets.dedicated == 1
    assert run(formula, PendingTasks=[8, 8, 8]).targets.dedicated == 1
    assert run(formula, PendingTasks=[8, 8, 8, 9, 9, 10]).targets.dedicated == 8
    assert run(formula, PendingTasks=[80] * 10).targets.dedicated == 25


def test_targets_are_whole_and_not_negative() -> None:
    assert run("$TargetDedicatedNodes = 2.9; $TargetLowPriorityNodes = -5").targets == Targets(2, 0)
    assert run("$TargetDedicated = 4").targets == Targets(4, 1)


def test_stop_keeps_what_was_computed_before() -> None:
    found = run("$TargetDedicatedNodes = 5; stop(); $TargetDedicatedNodes = 9; nonsense(")
    assert found.error is not None
    found = run("$TargetDedicatedNodes = 5; stop(); $TargetDedicatedNodes = undefined")
    assert (found.error, found.targets.dedicated) == (None, 5)


@pytest.mark.parametrize(
    ("formula", "code", "detail"),
    [
        ("", Code.SYNTAX, "Line 1, Col 1: The formula has no statement"),
        (" ;; // nothing", Code.SYNTAX, "Line 1, Col 15: The formula has no statement"),
        ("x = ", Code.SYNTAX, "Line 1, Col 5: Unexpected end of the formula"),
        ("x = 1 +", Code.SYNTAX, "Line 1, Col 8: Unexpected end of the formula"),
        ("x = (1", Code.SYNTAX, "Line 1, Col 7: Unexpected end of the formula, expected ')'"),
        ("x = 1 y = 2", Code.SYNTAX, "Line 1, Col 7: Unexpected token 'y', expected ';'"),
        ("x = 1;\ny = #;", Code.SYNTAX, "Line 2, Col 5: Unexpected character '#'"),
        ("x = 1 ? 2", Code.SYNTAX, "Line 1, Col 10: Unexpected end of the formula, expected ':'"),
        ("x = 5kg", Code.SYNTAX, "Line 1, Col 5: Unexpected character '5'"),
        ('x = "open', Code.SYNTAX, "Unexpected character '\"'"),
        ("x = max(1,)", Code.SYNTAX, "Unexpected token ')'"),
        ("x = time().", Code.SYNTAX, "Unexpected end of the formula"),
        ("$something_useless", Code.EVALUATION, "Line 1, Col 1: Undefined variable $something_useless"),
        ("x = 1;\n  y = z;", Code.EVALUATION, "Line 2, Col 7: Undefined variable z"),
        ("x = nosuch(1)", Code.EVALUATION, "Undefined function nosuch"),
        ("x = 1 + time()", Code.EVALUATION, "Line 1, Col 7: double + timestamp is not supported"),
        ("x = TimeInterval_Day * TimeInterval_Day", Code.EVALUATION, "timeinterval * timeinterval is not supported"),
        ('x = "a" + "b"', Code.EVALUATION, "string + string is not supported"),
        ('x = !"a"', Code.EVALUATION, "! string is not supported"),
        ('x = "a" ? 1 : 2', Code.EVALUATION, "A condition must be a double, not a string"),
        ("x = $ActiveTasks + 1", Code.EVALUATION, "data set + double is not supported"),
        ("x = $ActiveTasks.GetSample(1) < 2", Code.EVALUATION, "doubleVec < double is not supported"),
        ("x = $ActiveTasks.GetSample(1) + $ActiveTasks.GetSample(2)", Code.EVALUATION, "doubleVec + doubleVec"),
        ("x = $ActiveTasks.Guess(1)", Code.EVALUATION, "A data set has no method Guess"),
        ("x = $ActiveTasks.GetSample", Code.EVALUATION, "A data set has no member GetSample"),
        ('x = $ActiveTasks.GetSample("a")', Code.EVALUATION, "GetSample(string) is not supported"),
        ("x = time().century", Code.EVALUATION, "A timestamp has no member century"),
        ('x = time("yesterday")', Code.EVALUATION, "'yesterday' is not a time"),
        ("x = avg()", Code.EVALUATION, "avg: there are no values"),
        ("x = val($ActiveTasks.GetSample(2), 2)", Code.EVALUATION, "val: there is no element 2 among 2"),
        ("x = percentile($ActiveTasks.GetSample(2), 101)", Code.EVALUATION, "from 0 to 100"),
        ("x = time() + 1e9 * TimeInterval_Year", Code.EVALUATION, "out of range"),
        ("x = time() + TimeInterval_Day / 0", Code.EVALUATION, "out of range"),
        ("$ActiveTasks = 1", Code.EVALUATION, "$ActiveTasks is read-only"),
        ("TimeInterval_Day = 1", Code.EVALUATION, "TimeInterval_Day is read-only"),
        ('$TargetDedicatedNodes = "1"', Code.EVALUATION, "$TargetDedicatedNodes must be a double, not a string"),
        ("$TargetDedicatedNodes = 1 / 0", Code.EVALUATION, "$TargetDedicatedNodes must be finite"),
        ("$NodeDeallocationOption = 1", Code.EVALUATION, "$NodeDeallocationOption must be one of"),
        (
            "x = 1;\n$TargetDedicatedNodes = avg($RunningTasks.GetSample(TimeInterval_Minute));",
            Code.INSUFFICIENT_DATA,
            "Line 2, Col 43: Insufficient data from data set: $RunningTasks wanted 70%, received 0%",
        ),
        (
            "x = $ActiveTasks.GetSample(TimeInterval_Minute * 3, 60)",
            Code.INSUFFICIENT_DATA,
            "$ActiveTasks wanted 60%, received 50%",
        ),
        ("x = $RunningTasks.GetSample(1)", Code.INSUFFICIENT_DATA, "$RunningTasks wanted 100%, received 0%"),
        ("x = $RunningTasks.HistoryBeginTime()", Code.INSUFFICIENT_DATA, "received 0%"),
    ],
)
def test_errors_say_what_and_where_and_leave_the_pool_as_it_is(formula: str, code: Code, detail: str) -> None:
    found = run(formula, ActiveTasks=[1, 2, 3])
    assert found.error is not None
    assert found.error.code == code
    assert detail in found.error.detail
    assert found.error.message
    assert found.targets == CURRENT
    assert found.results == "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=1;$NodeDeallocationOption=requeue"


def test_limits() -> None:
    parse("x = 1;" * 100)
    assert complaint("x = 1;" * 101).code == Code.SYNTAX
    parse("x = 1;" + "/" * (8192 - 6))
    assert complaint("x = 1;" + "/" * (8193 - 6)).code == Code.TOO_LONG


@pytest.mark.parametrize(
    "formula",
    [
        "x = " + "(" * 4000 + "1",
        "x = " + "-" * 8000 + "1",
        "x = " + "1+" * 4000 + "1",
        "x = " + "1?" * 2000 + "1",
        "x = " + "1 ? 1 : " * 1000 + "1",
        "x = time()" + ".a" * 4000,
        "x = " + "max(" * 1900 + "1",
    ],
)
def test_no_formula_exhausts_the_stack(formula: str) -> None:
    found = run(formula)
    assert found.error is None or found.error.code in {Code.SYNTAX, Code.EVALUATION}


def test_every_metric_can_be_sampled() -> None:
    for metric in METRICS:
        assert result(f"{metric}.Count()") == "0"


FINITE = st.floats(-1e6, 1e6, allow_nan=False)
VECTORS = st.lists(FINITE, min_size=1, max_size=8)


@given(VECTORS)
def test_functions_agree_with_python(values: list[float]) -> None:
    sample = f"$ActiveTasks.GetSample({len(values)})"

    def computed(expression: str) -> float:
        return float(result(expression, ActiveTasks=values))

    assert computed(f"sum({sample})") == pytest.approx(math.fsum(values), abs=1e-6)
    assert computed(f"avg({sample})") == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert computed(f"max({sample})") == max(values)
    assert computed(f"min({sample})") == min(values)
    assert computed(f"percentile({sample}, 100)") == max(values)
    assert computed(f"percentile({sample}, 0)") == min(values)
    if len(values) > 1:
        assert computed(f"std({sample})") == pytest.approx(statistics.stdev(values), abs=1e-3)


# A generated expression is its text, with every operation in parentheses, and its value.
Pair = tuple[str, float]
NUMBERS = st.integers(0, 50).map(lambda number: (str(number), float(number)))


def _negated(inner: Pair) -> Pair:
    return f"-({inner[0]})", -inner[1]


def _joined(left: Pair, word: str, right: Pair) -> Pair:
    computed = {
        "+": left[1] + right[1],
        "-": left[1] - right[1],
        "*": left[1] * right[1],
        "<": float(left[1] < right[1]),
        ">=": float(left[1] >= right[1]),
        "==": float(left[1] == right[1]),
        "&&": float(bool(left[1]) and bool(right[1])),
        "||": float(bool(left[1]) or bool(right[1])),
    }
    return f"({left[0]}) {word} ({right[0]})", computed[word]


def _chosen(condition: Pair, yes: Pair, no: Pair) -> Pair:
    return f"({condition[0]}) ? ({yes[0]}) : ({no[0]})", yes[1] if condition[1] else no[1]


EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: (
        st.builds(_negated, inner)
        | st.builds(_joined, inner, st.sampled_from(["+", "-", "*", "<", ">=", "==", "&&", "||"]), inner)
        | st.builds(_chosen, inner, inner, inner)
    ),
    max_leaves=10,
)


@given(EXPRESSIONS)
def test_any_expression_has_its_value(pair: Pair) -> None:
    assert float(result(pair[0])) == pair[1]


@given(st.lists(NUMBERS, min_size=2, max_size=6), st.lists(st.sampled_from("+-*"), min_size=5, max_size=5))
def test_precedence_is_that_of_arithmetic(numbers: list[Pair], words: list[str]) -> None:
    text = numbers[0][0] + "".join(
        f" {word} {number[0]}" for word, number in zip(words[: len(numbers) - 1], numbers[1:], strict=True)
    )
    assert float(result(text)) == float(eval(text))


WORDS = ["$TargetDedicatedNodes", "$ActiveTasks", ".GetSample", "(", ")", "1", "TimeInterval_Day", "time", "=", ";"]
WORDS += ["+", "-", "*", "/", "?", ":", "!", "&&", "max", "val", ",", "x", ".hour", "rand", '"a"', "0", "std", "inf"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_any_text_evaluates_or_says_why_not(formula: str) -> None:
    found = run(formula, ActiveTasks=[1, 2, 3])
    assert found.results.startswith("$TargetDedicatedNodes=")
    assert found.targets.dedicated >= 0
