"""Which operation a request is: a table of all of them, found by path and method."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import Response

from emulator.errors import Plane, ServiceError

if TYPE_CHECKING:
    from emulator.call import Call

Handler = Callable[["Call"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """``name`` is what faults, the request log and the table of operations call it, such as ``data.create_pool``.

    In ``path`` a segment ``{name}`` takes one segment and a last ``{name*}`` takes the rest. ``query`` holds the
    parameters allowed besides those of every request, in lower case. Without a handler the answer is a named 501.
    ``last`` is the last API version that has the operation, '' while none has dropped it.
    """

    name: str
    plane: Plane
    method: str
    path: str
    handler: Handler | None = None
    query: frozenset[str] = frozenset()
    last: str = ""


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    variable: "_Node | None" = None
    rest: dict[str, Operation] = field(default_factory=dict)
    here: dict[str, Operation] = field(default_factory=dict)


class OperationTable:
    """A tree by path segments; literal segments match in any case and win over variables."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self.operations = tuple(operations)
        for operation in self.operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in _segments(operation.path):
            if segment.endswith("*}"):
                node.rest[operation.method] = operation
                return
            if segment.startswith("{"):
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literal.setdefault(segment.lower(), _Node())
        node.here[operation.method] = operation

    def resolve(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation and its decoded path parameters, or None for an unknown path.

        Raises UnsupportedHttpVerb when the path is known, the method not.
        """
        segments = _segments(path)
        verbs = self._find(self._root, segments, 0)
        if not verbs:
            return None
        operation = verbs.get(method)
        if operation is None:
            raise ServiceError("UnsupportedHttpVerb", headers={"Allow": ", ".join(sorted(verbs))})
        return operation, _parameters(operation.path, segments)

    def _find(self, node: _Node, segments: list[str], depth: int) -> dict[str, Operation]:
        if depth == len(segments):
            return node.here
        found: dict[str, Operation] = {}
        child = node.literal.get(segments[depth].lower())
        if child is not None:
            found = self._find(child, segments, depth + 1)
        if not found and node.variable is not None:
            found = self._find(node.variable, segments, depth + 1)
        return found or node.rest


def _segments(path: str) -> list[str]:
    """A key in brackets behind the first segment, as certificates have it, is a segment of its own."""
    found = [segment for segment in path.split("/") if segment]
    if found and "(" in found[0]:
        name, bracket, key = found[0].partition("(")
        found[:1] = [name, bracket + key]
    return found


def _parameters(template: str, segments: list[str]) -> dict[str, str]:
    found = {}
    for index, name in enumerate(_segments(template)):
        if name.endswith("*}"):
            found[name[1:-2]] = unquote("/".join(segments[index:]))
        elif name.startswith("{"):
            found[name[1:-1]] = unquote(segments[index])
    return found
