"""The store of ``--memory`` and of unit tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

from sortedcontainers import SortedDict

from emulator.store.base import Document

_Scope = SortedDict[str, bytes]  # bodies by key
_Change = tuple[str, str, str, bytes | None]  # kind, scope, key and what was there


class MemoryStore:
    def __init__(self) -> None:
        self._kinds: dict[str, SortedDict[str, _Scope]] = {}
        self._undo: list[_Change] | None = None

    def get(self, kind: str, scope: str, key: str) -> bytes | None:
        found = self._scope(kind, scope)
        return found.get(key) if found is not None else None

    def put(self, kind: str, scope: str, key: str, body: bytes) -> None:
        self._set(kind, scope, key, body)

    def delete(self, kind: str, scope: str, key: str) -> bool:
        return self._set(kind, scope, key, None) is not None

    def page(self, kind: str, scope: str, after: str, limit: int) -> list[Document]:
        found = self._scope(kind, scope)
        if found is None:
            return []
        keys = found.irange(minimum=after or None, inclusive=(False, False))
        return [Document(scope, key, found[key]) for key in islice(keys, limit)]

    def scan(self, kind: str) -> Iterator[Document]:
        scopes: Mapping[str, _Scope] = self._kinds.get(kind, {})
        return iter([Document(name, key, body) for name, scope in scopes.items() for key, body in scope.items()])

    def count(self, kind: str, scope: str) -> int:
        found = self._scope(kind, scope)
        return len(found) if found is not None else 0

    def delete_scope(self, kind: str, scope: str, limit: int | None = None) -> int:
        scopes = self._kinds.get(kind)
        if scopes is None:
            return 0
        below = scopes.irange(f"{scope}/", f"{scope}0", inclusive=(True, False))  # '0' follows '/'
        names = [name for name in (scope, *below) if name in scopes]
        found = [(name, key) for name, key in islice(((name, key) for name in names for key in scopes[name]), limit)]
        for name, key in found:
            self._set(kind, name, key, None)
        return len(found)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        is_outermost = self._undo is None
        undo = self._undo = [] if self._undo is None else self._undo
        mark = len(undo)
        try:
            yield
        except BaseException:
            self._undo = None
            while len(undo) > mark:
                self._set(*undo.pop())
            self._undo = undo
            raise
        finally:
            if is_outermost:
                self._undo = None

    def clear(self) -> None:
        self._kinds.clear()

    def close(self) -> None:
        return

    def _scope(self, kind: str, scope: str) -> _Scope | None:
        scopes = self._kinds.get(kind)
        return scopes.get(scope) if scopes is not None else None

    def _set(self, kind: str, scope: str, key: str, body: bytes | None) -> bytes | None:
        """Put, or without a body delete. Returns what was there and remembers it while a transaction is open."""
        scopes = self._kinds.get(kind)
        if scopes is None:
            scopes = self._kinds[kind] = SortedDict()
        found = scopes.get(scope)
        was = found.get(key) if found is not None else None
        if self._undo is not None:
            self._undo.append((kind, scope, key, was))
        if body is not None:
            if found is None:
                found = scopes[scope] = SortedDict()
            found[key] = body
        elif found is not None and was is not None:
            del found[key]
            if not found:
                del scopes[scope]
        return was
