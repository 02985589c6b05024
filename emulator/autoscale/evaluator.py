"""Computes a formula."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from emulator.autoscale import functions, operators
from emulator.autoscale.errors import Code, FormulaError
from emulator.autoscale.functions import ArgumentError, StopSignal
from emulator.autoscale.lexer import Position
from emulator.autoscale.operators import UnsupportedError
from emulator.autoscale.parser import parse
from emulator.autoscale.samples import ALIASES, METRICS, DataSet, Samples, ShortageError
from emulator.autoscale.syntax import (
    Call,
    Chain,
    Choice,
    Expression,
    Member,
    Name,
    Number,
    Statement,
    Text,
    Unary,
)
from emulator.autoscale.values import CONSTANTS, Metric, Value, shown, type_name

DEALLOCATION_OPTIONS = frozenset({"requeue", "terminate", "taskcompletion", "retaineddata"})

_DEDICATED = "$TargetDedicatedNodes"
_LOW_PRIORITY = "$TargetLowPriorityNodes"
_DEALLOCATION = "$NodeDeallocationOption"
_WRITABLE = (_DEDICATED, _LOW_PRIORITY, _DEALLOCATION)

_TIME_PARTS: dict[str, Callable[[datetime], int]] = {
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "weekday": lambda moment: moment.isoweekday() % 7,  # 0 is Sunday
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
}


@dataclass(frozen=True, slots=True)
class Targets:
    """What a formula decides on; the pool's own values are what it starts from."""

    dedicated: int = 0
    low_priority: int = 0
    deallocation: str = "requeue"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``targets`` are those given to ``evaluate`` when there is an error."""

    targets: Targets
    results: str
    error: FormulaError | None = None


def evaluate(formula: str, samples: Samples, now: datetime, current: Targets) -> Evaluation:
    """Compute a formula at a moment. What is wrong with it is part of the result, as in the service's answer."""
    run = _Run(samples, now, current)
    try:
        for statement in parse(formula):
            run.do(statement)
    except StopSignal:
        pass
    except FormulaError as error:
        return Evaluation(current, _Run(samples, now, current).results(), error)
    return Evaluation(run.targets(), run.results())


class _Run:
    def __init__(self, samples: Samples, now: datetime, current: Targets) -> None:
        self._samples = samples
        self._now = now
        self._variables: dict[str, Value] = {
            _DEDICATED: float(current.dedicated),
            _LOW_PRIORITY: float(current.low_priority),
            _DEALLOCATION: current.deallocation,
        }

    def do(self, statement: Statement) -> None:
        value = self._value(statement.expression)
        if statement.variable is None:
            return
        name = ALIASES.get(statement.variable, statement.variable)
        if name in METRICS or name in CONSTANTS:
            raise _wrong(statement.at, f"{name} is read-only")
        self._variables[name] = _checked(name, value, statement.at)

    def targets(self) -> Targets:
        found = self._variables
        return Targets(_number(found[_DEDICATED]), _number(found[_LOW_PRIORITY]), str(found[_DEALLOCATION]))

    def results(self) -> str:
        """The service's variables first, then the formula's own by name."""
        own = sorted(name for name in self._variables if name not in _WRITABLE)
        return ";".join(f"{name}={shown(self._variables[name])}" for name in (*_WRITABLE, *own))

    def _value(self, part: Expression) -> Value:
        match part:
            case Number() | Text():
                return part.value
            case Name():
                return self._named(part)
            case Chain():
                return self._chain(part)
            case Unary():
                return self._unary(part)
            case Choice():
                return self._value(part.when_true if self._truth(part.condition, part.at) else part.when_false)
            case Call():
                return self._call(part)
            case Member():
                return self._member(part)

    def _named(self, part: Name) -> Value:
        name = ALIASES.get(part.name, part.name)
        if name in self._variables:
            return self._variables[name]
        if name in METRICS:
            return Metric(name)
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in DEALLOCATION_OPTIONS:
            return name
        raise _wrong(part.at, f"Undefined variable {name}")

    def _chain(self, part: Chain) -> Value:
        if part.rest[0][0] in {"&&", "||"}:
            return self._logic(part)
        value = self._value(part.first)
        for word, operand, at in part.rest:
            right = self._value(operand)
            try:
                value = operators.binary(word, value, right)
            except UnsupportedError:
                raise _wrong(at, f"{type_name(value)} {word} {type_name(right)} is not supported") from None
            except OverflowError:
                raise _wrong(at, "The result is out of range") from None
        return value

    def _logic(self, part: Chain) -> Value:
        """As much as decides: what follows may ask for samples that are not there."""
        word, _, at = part.rest[0]
        decided = word == "||"
        for operand in (part.first, *(operand for _, operand, _ in part.rest)):
            if self._truth(operand, at) is decided:
                return float(decided)
        return float(not decided)

    def _truth(self, part: Expression, at: Position) -> bool:
        value = self._value(part)
        if not isinstance(value, float):
            raise _wrong(at, f"A condition must be a double, not a {type_name(value)}")
        return bool(value)

    def _unary(self, part: Unary) -> Value:
        value = self._value(part.operand)
        for word in reversed(part.operators):
            try:
                value = operators.unary(word, value)
            except UnsupportedError:
                raise _wrong(part.at, f"{word} {type_name(value)} is not supported") from None
        return value

    def _call(self, part: Call) -> Value:
        arguments = [self._value(argument) for argument in part.arguments]
        try:
            return functions.call(part.function, arguments, self._now)
        except KeyError:
            raise _wrong(part.at, f"Undefined function {part.function}") from None
        except UnsupportedError:
            raise _wrong(part.at, f"{part.function}({_types(arguments)}) is not supported") from None
        except (ArgumentError, OverflowError) as error:
            raise _wrong(part.at, f"{part.function}: {error}") from None

    def _member(self, part: Member) -> Value:
        target = self._value(part.target)
        if isinstance(target, datetime) and part.arguments is None and part.name in _TIME_PARTS:
            return float(_TIME_PARTS[part.name](target.astimezone(UTC)))
        if isinstance(target, Metric) and part.arguments is not None:
            return self._sampled(target, part, [self._value(argument) for argument in part.arguments])
        raise _wrong(part.at, f"A {type_name(target)} has no member {part.name}")

    def _sampled(self, metric: Metric, part: Member, arguments: list[Value]) -> Value:
        data = DataSet(metric, self._samples.history(metric.name), self._now)
        try:
            return data.call(part.name, arguments)
        except KeyError:
            raise _wrong(part.at, f"A data set has no method {part.name}") from None
        except UnsupportedError:
            raise _wrong(part.at, f"{part.name}({_types(arguments)}) is not supported") from None
        except OverflowError:
            raise _wrong(part.at, f"{part.name}: the time is out of range") from None
        except ShortageError as error:
            raise FormulaError(Code.INSUFFICIENT_DATA, str(error), part.at.line, part.at.column) from None


def _checked(name: str, value: Value, at: Position) -> Value:
    if name == _DEALLOCATION and value not in DEALLOCATION_OPTIONS:
        raise _wrong(at, f"{name} must be one of {', '.join(sorted(DEALLOCATION_OPTIONS))}")
    if name in {_DEDICATED, _LOW_PRIORITY}:
        if not isinstance(value, float):
            raise _wrong(at, f"{name} must be a double, not a {type_name(value)}")
        if not math.isfinite(value):
            raise _wrong(at, f"{name} must be finite")
        return float(max(0, int(value)))
    return value


def _number(value: Value) -> int:
    return int(value) if isinstance(value, float) else 0


def _types(arguments: list[Value]) -> str:
    return ", ".join(type_name(argument) for argument in arguments)


def _wrong(at: Position, detail: str) -> FormulaError:
    return FormulaError(Code.EVALUATION, detail, at.line, at.column)
