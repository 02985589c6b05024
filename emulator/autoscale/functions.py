"""The predefined functions. Where a list is taken, doubles and doubleVecs may be mixed: avg(v, 7)."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from emulator.autoscale.operators import UnsupportedError
from emulator.autoscale.values import Value, Vector
from emulator.wire import times


class ArgumentError(Exception):
    """The arguments fit in type, not in value."""


class StopSignal(Exception):
    """stop() was called."""


def call(name: str, arguments: Sequence[Value], now: datetime) -> Value:
    """Raises KeyError for an unknown function, UnsupportedError, ArgumentError, StopSignal."""
    if name in _OF_LIST:
        return _OF_LIST[name](flat(arguments))
    if name in _EACH:
        return _each(_EACH[name], arguments)
    return _OTHER[name](arguments, now)


def flat(arguments: Sequence[Value]) -> Vector:
    """A doubleVecList as one doubleVec."""
    found: list[float] = []
    for argument in arguments:
        if isinstance(argument, float):
            found.append(argument)
        elif isinstance(argument, tuple):
            found.extend(argument)
        else:
            raise UnsupportedError
    return tuple(found)


def _some(values: Vector) -> Vector:
    if not values:
        raise ArgumentError("there are no values")
    return values


def _deviation(values: Vector) -> float:
    """Of a sample, so over one less than there are values."""
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    return math.hypot(*(value - mean for value in values)) / math.sqrt(len(values) - 1)


def _logarithm(compute: Callable[[float], float]) -> Callable[[float], float]:
    def safe(value: float) -> float:
        if value > 0:
            return compute(value)
        return -math.inf if value == 0 else math.nan

    return safe


def _whole(compute: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(compute(value)) if math.isfinite(value) else value


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)


def _percentile(arguments: Sequence[Value], _now: datetime) -> float:
    """Linear between the two nearest values."""
    match arguments:
        case [tuple() as values, float() as percent]:
            if not 0 <= percent <= 100:
                raise ArgumentError("the percentile must be from 0 to 100")
            ordered = sorted(_some(values))
            place = (len(ordered) - 1) * percent / 100
            below = math.floor(place)
            above = min(below + 1, len(ordered) - 1)
            return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
    raise UnsupportedError


def _time(arguments: Sequence[Value], now: datetime) -> datetime:
    match arguments:
        case [] | [""]:
            return now
        case [str() as text]:
            try:
                return times.moment(text)
            except (ValueError, OverflowError):
                raise ArgumentError(f"'{text}' is not a time") from None
    raise UnsupportedError


def _val(arguments: Sequence[Value], _now: datetime) -> float:
    match arguments:
        case [tuple() as values, float() as index]:
            if not index.is_integer() or not 0 <= index < len(values):
                raise ArgumentError(f"there is no element {index:g} among {len(values)}")
            return float(values[int(index)])
    raise UnsupportedError


def _random(arguments: Sequence[Value], _now: datetime) -> float:
    if arguments:
        raise UnsupportedError
    return random.random()  # noqa: S311 - formulas ask for any number, not for an unguessable one


def _stop(arguments: Sequence[Value], _now: datetime) -> float:
    if arguments:
        raise UnsupportedError
    raise StopSignal


def _each(compute: Callable[[float], float], arguments: Sequence[Value]) -> Value:
    if len(arguments) == 1 and isinstance(arguments[0], float):
        return compute(arguments[0])
    return tuple(compute(value) for value in flat(arguments))


_OF_LIST: Mapping[str, Callable[[Vector], float]] = {
    "avg": lambda values: sum(_some(values)) / len(values),
    "len": lambda values: float(len(values)),
    "max": lambda values: max(_some(values)),
    "min": lambda values: min(_some(values)),
    "norm": lambda values: math.hypot(*values),
    "range": lambda values: max(_some(values)) - min(values),
    "std": _deviation,
    "sum": lambda values: float(sum(values)),
}
_EACH: Mapping[str, Callable[[float], float]] = {
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "round": _whole(_nearest),
    "lg": _logarithm(math.log2),
    "ln": _logarithm(math.log),
    "log": _logarithm(math.log10),
}
_OTHER: Mapping[str, Callable[[Sequence[Value], datetime], Value]] = {
    "percentile": _percentile,
    "rand": _random,
    "stop": _stop,
    "time": _time,
    "val": _val,
}
