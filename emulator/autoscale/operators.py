"""What each operator does with each pair of types; everything else is refused."""

import math
import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from emulator.autoscale.values import Interval, Value, Vector, moved


class UnsupportedError(Exception):
    """The operator does not go with these types."""


def divide(left: float, right: float) -> float:
    """As IEEE 754 has it: dividing by zero is infinite or not a number, never an error."""
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _times(left: float, right: float) -> float:
    return left * right


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": _times,
    "/": divide,
}
_COMPARISON: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def binary(word: str, left: Value, right: Value) -> Value:
    """Raises UnsupportedError, OverflowError."""
    if word in _COMPARISON:
        return _compare(word, left, right)
    if isinstance(left, float) and isinstance(right, float):
        return _ARITHMETIC[word](left, right)
    if isinstance(left, tuple) and isinstance(right, float | tuple):
        return _vector(word, left, right)
    if isinstance(left, Interval) or isinstance(right, Interval):
        return _interval(word, left, right)
    if isinstance(left, datetime) and isinstance(right, datetime) and word == "-":
        return Interval((left - right).total_seconds())
    raise UnsupportedError


def unary(word: str, operand: Value) -> Value:
    """Raises UnsupportedError."""
    if isinstance(operand, float):
        return -operand if word == "-" else float(not operand)
    if isinstance(operand, Interval) and word == "-":
        return Interval(-operand.seconds)
    raise UnsupportedError


def _compare(word: str, left: Value, right: Value) -> float:
    if type(left) is not type(right) or not isinstance(left, float | str | datetime | Interval):
        raise UnsupportedError
    return float(_COMPARISON[word](left, right))


def _vector(word: str, left: Vector, right: float | Vector) -> Vector:
    compute = _ARITHMETIC[word]
    if isinstance(right, float):
        return tuple(compute(item, right) for item in left)
    if len(left) != len(right):
        raise UnsupportedError
    return tuple(compute(a, b) for a, b in zip(left, right, strict=True))


def _interval(word: str, left: Value, right: Value) -> Value:
    if isinstance(left, Interval) and isinstance(right, Interval) and word in {"+", "-"}:
        return Interval(_ARITHMETIC[word](left.seconds, right.seconds))
    if isinstance(left, Interval) and isinstance(right, float) and word in {"*", "/"}:
        return Interval(_ARITHMETIC[word](left.seconds, right))
    if isinstance(left, float) and isinstance(right, Interval) and word == "*":
        return Interval(left * right.seconds)
    if isinstance(left, datetime) and isinstance(right, Interval) and word in {"+", "-"}:
        return moved(left, right, 1 if word == "+" else -1)
    if isinstance(left, Interval) and isinstance(right, datetime) and word == "+":
        return moved(right, left)
    raise UnsupportedError
