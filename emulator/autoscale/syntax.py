"""The parts of a parsed formula."""

from dataclasses import dataclass

from emulator.autoscale.lexer import Position


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    at: Position


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Expression", ...]
    at: Position


@dataclass(frozen=True, slots=True)
class Member:
    """A property of a timestamp (``arguments`` None) or a method of a metric."""

    target: "Expression"
    name: str
    arguments: tuple["Expression", ...] | None
    at: Position


@dataclass(frozen=True, slots=True)
class Unary:
    """Signs as they stand, the innermost last."""

    operators: tuple[str, ...]
    operand: "Expression"
    at: Position


@dataclass(frozen=True, slots=True)
class Chain:
    """``first`` and what follows it with operators of one precedence. Flat, so that a long sum is not deep."""

    first: "Expression"
    rest: tuple[tuple[str, "Expression", Position], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """``condition ? when_true : when_false``."""

    condition: "Expression"
    when_true: "Expression"
    when_false: "Expression"
    at: Position


Expression = Number | Text | Name | Call | Member | Unary | Chain | Choice


@dataclass(frozen=True, slots=True)
class Statement:
    """``variable`` is None for an expression on its own, such as ``stop()``."""

    variable: str | None
    expression: Expression
    at: Position


Formula = tuple[Statement, ...]
