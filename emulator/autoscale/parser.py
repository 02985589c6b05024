"""Formulas to statements.

formula    = [ statement ] { ";" [ statement ] }
statement  = [ name "=" ] choice
choice     = binary [ "?" choice ":" choice ]
binary     = || over && over == != over < <= > >= over + - over * /
unary      = { "-" | "!" } postfix
postfix    = primary { "." name [ "(" arguments ")" ] }
primary    = number | "string" | name [ "(" arguments ")" ] | "(" choice ")"
"""

from emulator.autoscale.errors import Code, FormulaError
from emulator.autoscale.lexer import Position, Token, TokenKind, tokens
from emulator.autoscale.syntax import (
    Call,
    Chain,
    Choice,
    Expression,
    Formula,
    Member,
    Name,
    Number,
    Statement,
    Text,
    Unary,
)

MAX_LENGTH = 8192  # characters
MAX_STATEMENTS = 100
MAX_DEPTH = 50  # of parentheses, arguments and choices

# From the loosest to the closest.
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"==", "!="}),
    frozenset({"<", "<=", ">", ">="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/"}),
)


def parse(text: str) -> Formula:
    """Raises FormulaError."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(Code.TOO_LONG, f"The formula has {len(text)} characters, more than {MAX_LENGTH}")
    return _Parser(tokens(text)).formula()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0

    def formula(self) -> Formula:
        statements: list[Statement] = []
        while self._peek().kind is not TokenKind.END:
            if self._takes(";"):
                continue
            statements.append(self._statement())
            if len(statements) > MAX_STATEMENTS:
                raise _syntax(statements[-1].at, f"The formula has more than {MAX_STATEMENTS} statements")
            if self._peek().kind is not TokenKind.END:
                self._expect(";")
        if not statements:
            raise _syntax(self._peek().at, "The formula has no statement")
        return tuple(statements)

    def _statement(self) -> Statement:
        first, second = self._peek(), self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        if first.kind is TokenKind.NAME and second.kind is TokenKind.MARK and second.text == "=":
            self._next += 2
            return Statement(first.text, self._choice(), first.at)
        return Statement(None, self._choice(), first.at)

    def _choice(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _syntax(self._peek().at, f"Expressions are nested deeper than {MAX_DEPTH}")
        condition = self._binary(0)
        at = self._peek().at
        if self._takes("?"):
            when_true = self._choice()
            self._expect(":")
            condition = Choice(condition, when_true, self._choice(), at)
        self._depth -= 1
        return condition

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        first = self._binary(level + 1)
        rest: list[tuple[str, Expression, Position]] = []
        while self._peek().kind is TokenKind.MARK and self._peek().text in _LEVELS[level]:
            operator = self._take()
            rest.append((operator.text, self._binary(level + 1), operator.at))
        return Chain(first, tuple(rest)) if rest else first

    def _unary(self) -> Expression:
        at = self._peek().at
        signs: list[str] = []
        while self._peek().kind is TokenKind.MARK and self._peek().text in {"-", "!"}:
            signs.append(self._take().text)
        operand = self._postfix()
        return Unary(tuple(signs), operand, at) if signs else operand

    def _postfix(self) -> Expression:
        found = self._primary()
        links = 0
        while self._takes("."):
            name = self._take()
            links += 1
            if name.kind is not TokenKind.NAME or links > MAX_DEPTH:
                raise _unexpected(name)
            found = Member(found, name.text, self._arguments() if self._takes("(") else None, name.at)
        return found

    def _primary(self) -> Expression:
        token = self._take()
        if token.kind is TokenKind.NUMBER:
            return Number(float(token.text))
        if token.kind is TokenKind.STRING:
            return Text(token.text)
        if token.kind is TokenKind.NAME:
            return Call(token.text, self._arguments(), token.at) if self._takes("(") else Name(token.text, token.at)
        if token.kind is TokenKind.MARK and token.text == "(":
            inside = self._choice()
            self._expect(")")
            return inside
        raise _unexpected(token)

    def _arguments(self) -> tuple[Expression, ...]:
        if self._takes(")"):
            return ()
        found = [self._choice()]
        while self._takes(","):
            found.append(self._choice())
        self._expect(")")
        return tuple(found)

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _takes(self, mark: str) -> bool:
        if self._peek().kind is not TokenKind.MARK or self._peek().text != mark:
            return False
        self._take()
        return True

    def _expect(self, mark: str) -> None:
        token = self._take()
        if token.kind is not TokenKind.MARK or token.text != mark:
            raise _unexpected(token, f", expected '{mark}'")


def _unexpected(token: Token, instead: str = "") -> FormulaError:
    shown = "end of the formula" if token.kind is TokenKind.END else f"token '{token.text}'"
    return _syntax(token.at, f"Unexpected {shown}{instead}")


def _syntax(at: Position, detail: str) -> FormulaError:
    return FormulaError(Code.SYNTAX, detail, at.line, at.column)
