"""Words of a formula."""

import re
from dataclasses import dataclass
from enum import StrEnum

from emulator.autoscale.errors import Code, FormulaError


class TokenKind(StrEnum):
    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True, slots=True)
class Position:
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str
    at: Position


_TOKEN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    | (?P<name>\$?[A-Za-z_]\w*)
    | "(?P<string>[^"\n]*)"
    | (?P<mark>&&|\|\||[<>=!]=|[-+*/<>=!?:;,.()])
    """,
    re.VERBOSE,
)


def tokens(text: str) -> list[Token]:
    """The words of a formula, an END last. Raises FormulaError."""
    found: list[Token] = []
    at, line, line_start = 0, 1, 0
    while at < len(text):
        here = Position(line, at - line_start + 1)
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaError(Code.SYNTAX, f"Unexpected character {text[at]!r}", here.line, here.column)
        group = match.lastgroup or ""
        if group != "space":
            found.append(Token(TokenKind(group), match[group], here))
        elif "\n" in match[0]:
            line += match[0].count("\n")
            line_start = match.start() + match[0].rindex("\n") + 1
        at = match.end()
    return [*found, Token(TokenKind.END, "", Position(line, at - line_start + 1))]
