"""Words of a filter."""

import re
from dataclasses import dataclass
from enum import StrEnum


class FilterError(Exception):
    """The filter is malformed or asks for what the list does not support. The text says what and where."""


class TokenKind(StrEnum):
    NAME = "name"
    STRING = "string"
    TIME = "time"
    NUMBER = "number"
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` of a string or a time is what stands between the quotes. ``at`` counts characters from 0."""

    kind: TokenKind
    text: str
    at: int


_QUOTED = r"'((?:[^']|'')*)'"
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | [Dd]ate[Tt]ime{_QUOTED.replace("((", "(?P<time>(", 1)}
    | {_QUOTED.replace("((", "(?P<string>(", 1)}
    | (?P<number>[+-]?\d+(?:\.\d+)?)(?![\w.])
    | (?P<name>[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*)
    | (?P<mark>[(),])
    """,
    re.VERBOSE,
)


def tokens(text: str) -> list[Token]:
    """The words of a filter, an END last. Raises FilterError."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            problem = "a string without its closing quote" if text[at] == "'" else f"unexpected {text[at]!r}"
            raise FilterError(f"{problem} at position {at}")
        if match.lastgroup != "space":
            found.append(_token(match))
        at = match.end()
    return [*found, Token(TokenKind.END, "", at)]


def _token(match: re.Match[str]) -> Token:
    group = match.lastgroup or ""
    text, at = match[group], match.start()
    if group in {"string", "time"}:
        text = text.replace("''", "'")
    return Token(TokenKind(text if group == "mark" else group), text, at)
