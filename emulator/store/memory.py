"""The store of ``--memory`` and of unit tests."""

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager

from emulator.store.base import Document


class _Scope:
    """Bodies by key, with the sorted keys made when a page is wanted and kept until a key comes or goes."""

    __slots__ = ("_sorted", "bodies")

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self._sorted: list[str] | None = None

    def put(self, key: str, body: bytes) -> None:
        if key not in self.bodies:
            self._sorted = None
        self.bodies[key] = body

    def remove(self, key: str) -> None:
        del self.bodies[key]
        self._sorted = None

    def ordered(self) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(self.bodies)
        return self._sorted


class MemoryStore:
    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, _Scope]] = {}
        self._undo: list[tuple[str, str, str, bytes | None]] | None = None

    def get(self, kind: str, scope: str, key: str) -> bytes | None:
        found = self._scope(kind, scope)
        return found.bodies.get(key) if found else None

    def put(self, kind: str, scope: str, key: str, body: bytes) -> None:
        self._remember(kind, scope, key)
        self._kinds.setdefault(kind, {}).setdefault(scope, _Scope()).put(key, body)

    def delete(self, kind: str, scope: str, key: str) -> bool:
        found = self._scope(kind, scope)
        if found is None or key not in found.bodies:
            return False
        self._remember(kind, scope, key)
        found.remove(key)
        return True

    def page(self, kind: str, scope: str, after: str, limit: int) -> list[Document]:
        found = self._scope(kind, scope)
        if found is None:
            return []
        keys = found.ordered()
        start = bisect_right(keys, after) if after else 0
        return [Document(scope, key, found.bodies[key]) for key in keys[start : start + limit]]

    def scan(self, kind: str) -> Iterator[Document]:
        scopes = self._kinds.get(kind, {})
        return iter(
            [Document(name, key, scopes[name].bodies[key]) for name in sorted(scopes) for key in scopes[name].ordered()]
        )

    def count(self, kind: str, scope: str) -> int:
        found = self._scope(kind, scope)
        return len(found.bodies) if found else 0

    def delete_scope(self, kind: str, scope: str) -> int:
        names = [name for name in self._kinds.get(kind, {}) if name == scope or name.startswith(f"{scope}/")]
        deleted = 0
        for name in names:
            for key in list(self._kinds[kind][name].bodies):
                deleted += self.delete(kind, name, key)
        return deleted

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._undo = []
        try:
            yield
        except BaseException:
            undo, self._undo = self._undo, None
            for kind, scope, key, body in reversed(undo):
                self._restore(kind, scope, key, body)
            raise
        finally:
            self._undo = None

    def clear(self) -> None:
        self._kinds.clear()

    def close(self) -> None:
        return

    def _scope(self, kind: str, scope: str) -> _Scope | None:
        return self._kinds.get(kind, {}).get(scope)

    def _remember(self, kind: str, scope: str, key: str) -> None:
        if self._undo is not None:
            self._undo.append((kind, scope, key, self.get(kind, scope, key)))

    def _restore(self, kind: str, scope: str, key: str, body: bytes | None) -> None:
        if body is None:
            self.delete(kind, scope, key)
        else:
            self.put(kind, scope, key, body)
