"""Typed resources over the store's documents."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from emulator.store.base import Store

T = TypeVar("T", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode


class Collection(Generic[T]):
    """The resources of one kind. Names are folded to lower case: the service keeps case but does not compare it."""

    def __init__(self, store: Store, kind: str, shape: type[T]) -> None:
        self.kind = kind
        self._store = store
        self._decode = msgspec.json.Decoder(shape).decode

    def get(self, scope: str, name: str) -> T | None:
        body = self._store.get(self.kind, scope.lower(), name.lower())
        return None if body is None else self._decode(body)

    def put(self, scope: str, name: str, resource: T) -> None:
        self._store.put(self.kind, scope.lower(), name.lower(), _encode(resource))

    def delete(self, scope: str, name: str) -> bool:
        return self._store.delete(self.kind, scope.lower(), name.lower())

    def page(self, scope: str, after: str = "", limit: int = 1000) -> list[T]:
        return [self._decode(found.body) for found in self._store.page(self.kind, scope.lower(), after.lower(), limit)]

    def all(self, scope: str) -> list[T]:
        return self.page(scope, limit=1 << 31)

    def scan(self) -> Iterator[T]:
        return (self._decode(found.body) for found in self._store.scan(self.kind))

    def count(self, scope: str) -> int:
        return self._store.count(self.kind, scope.lower())

    def delete_scope(self, scope: str, limit: int | None = None) -> int:
        return self._store.delete_scope(self.kind, scope.lower(), limit)
