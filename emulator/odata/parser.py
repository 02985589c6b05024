"""Filters to predicates.

    filter     = conjunction { "or" conjunction }
    conjunction = term { "and" term }
    term       = "(" filter ")" | "startswith" "(" name "," string ")" | name operator literal
    operator   = "eq" | "ne" | "ge" | "gt" | "le" | "lt"
    literal    = string | DateTime string | number | "true" | "false"

Names, operators and the words between are case-sensitive, values are not.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from emulator.clock import iso
from emulator.odata.fields import ALIASES, Field, FieldKind, Fields
from emulator.odata.lexer import FilterError, Token, TokenKind, tokens
from emulator.wire import times

Predicate = Callable[[Mapping[str, Any]], bool]

MAX_DEPTH = 64

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}


def parse(text: str, fields: Fields) -> Predicate:
    """The filter as a test of resources in their wire form. Raises FilterError."""
    parser = _Parser(tokens(text), fields)
    predicate = parser.disjunction(0)
    parser.expect(TokenKind.END, "the end, 'and' or 'or'")
    return predicate


class _Parser:
    def __init__(self, found: list[Token], fields: Fields) -> None:
        self._tokens = found
        self._next = 0
        self._fields = fields

    def disjunction(self, depth: int) -> Predicate:
        terms = [self._conjunction(depth)]
        while self._takes("or"):
            terms.append(self._conjunction(depth))
        return terms[0] if len(terms) == 1 else _any_of(terms)

    def _conjunction(self, depth: int) -> Predicate:
        terms = [self._term(depth)]
        while self._takes("and"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else _all_of(terms)

    def _term(self, depth: int) -> Predicate:
        if depth > MAX_DEPTH:
            raise FilterError(f"parentheses nested deeper than {MAX_DEPTH}")
        if self._peek().kind is TokenKind.OPEN:
            self._take()
            inside = self.disjunction(depth + 1)
            self.expect(TokenKind.CLOSE, "a closing parenthesis")
            return inside
        name = self.expect(TokenKind.NAME, "a property")
        if self._peek().kind is TokenKind.OPEN:
            return self._function(name)
        return self._comparison(name)

    def _function(self, function: Token) -> Predicate:
        if function.text != "startswith":
            raise FilterError(f"the function {function.text!r} is not supported")
        self._take()
        name = self.expect(TokenKind.NAME, "a property")
        field = self._field(name, "startswith")
        self.expect(TokenKind.COMMA, "a comma")
        prefix = self._literal(field, name.text)
        self.expect(TokenKind.CLOSE, "a closing parenthesis")
        return _starts(_path(name.text), str(prefix))

    def _comparison(self, name: Token) -> Predicate:
        word = self.expect(TokenKind.NAME, "an operator")
        if word.text not in _COMPARISONS:
            raise FilterError(f"{word.text!r} at position {word.at} is not an operator")
        field = self._field(name, word.text)
        wanted = self._literal(field, name.text)
        return _compares(_path(name.text), field.kind, word.text, wanted)

    def _field(self, name: Token, operation: str) -> Field:
        field = self._fields.get(name.text)
        if field is None:
            raise FilterError(f"the property {name.text!r} cannot be filtered by")
        if operation not in field.operators:
            raise FilterError(f"{operation!r} is not supported for the property {name.text!r}")
        return field

    def _literal(self, field: Field, name: str) -> object:
        token = self._take()
        try:
            return _value(token, field.kind)
        except (ValueError, OverflowError):
            raise FilterError(
                f"{token.text or token.kind.value!r} at position {token.at} is not a {field.kind} for {name!r}"
            ) from None

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _takes(self, word: str) -> bool:
        if self._peek().kind is not TokenKind.NAME or self._peek().text != word:
            return False
        self._take()
        return True

    def expect(self, kind: TokenKind, what: str) -> Token:
        token = self._take()
        if token.kind is not kind:
            raise FilterError(f"{what} is expected at position {token.at}")
        return token


def _value(token: Token, kind: FieldKind) -> object:
    """Raises ValueError when the literal is not of that kind."""
    if kind in {FieldKind.TEXT, FieldKind.CHOICE} and token.kind is TokenKind.STRING:
        return token.text.lower()
    if kind is FieldKind.TIME and token.kind in {TokenKind.TIME, TokenKind.STRING}:
        return iso(times.moment(token.text))
    if kind is FieldKind.NUMBER and token.kind is TokenKind.NUMBER:
        return float(token.text) if "." in token.text else int(token.text)
    if kind is FieldKind.BOOLEAN and token.kind is TokenKind.NAME and token.text in {"true", "false"}:
        return token.text == "true"
    raise ValueError(token.text)


def _path(name: str) -> tuple[str, ...]:
    return tuple(ALIASES.get(name, name).split("/"))


def _look(resource: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = resource
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _any_of(terms: list[Predicate]) -> Predicate:
    return lambda resource: any(term(resource) for term in terms)


def _all_of(terms: list[Predicate]) -> Predicate:
    return lambda resource: all(term(resource) for term in terms)


def _starts(path: tuple[str, ...], prefix: str) -> Predicate:
    def test(resource: Mapping[str, Any]) -> bool:
        found = _look(resource, path)
        return isinstance(found, str) and found.lower().startswith(prefix)

    return test


def _compares(path: tuple[str, ...], kind: FieldKind, word: str, wanted: object) -> Predicate:
    compare = _COMPARISONS[word]

    def test(resource: Mapping[str, Any]) -> bool:
        found = _look(resource, path)
        if found is None:  # what is absent is unequal to everything and in no order with it
            return word == "ne"
        return compare(_comparable(found, kind), wanted)

    return test


def _comparable(value: Any, kind: FieldKind) -> Any:
    if kind is FieldKind.TIME and isinstance(value, datetime):
        return iso(value)
    if kind in {FieldKind.TEXT, FieldKind.CHOICE}:
        return str(value).lower()
    return value
