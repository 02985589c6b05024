"""The one interface between what the service does and where it keeps it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Document(NamedTuple):
    """``kind`` names the resource type, ``scope`` its parents, ``key`` the thing itself within them."""

    scope: str
    key: str
    body: bytes


class Store(Protocol):
    """Documents by kind, scope and key (never empty), listed in the order of their keys (by code point).

    Calls are synchronous and made from one thread. A call that has returned outside a transaction is durable: the
    process may be killed at once. Inside ``transaction`` all calls take effect together or, when the block raises, not
    at all. A transaction within another becomes durable with the outer one, but is undone alone when its block raises.
    """

    def get(self, kind: str, scope: str, key: str) -> bytes | None: ...

    def put(self, kind: str, scope: str, key: str, body: bytes) -> None: ...

    def delete(self, kind: str, scope: str, key: str) -> bool:
        """Whether there was something to delete."""
        ...

    def page(self, kind: str, scope: str, after: str, limit: int) -> list[Document]:
        """At most ``limit`` documents whose key is greater than ``after`` ('' for the first page)."""
        ...

    def scan(self, kind: str) -> Iterator[Document]:
        """All documents of a kind, ordered by scope and key, as they were when the scan began."""
        ...

    def count(self, kind: str, scope: str) -> int: ...

    def delete_scope(self, kind: str, scope: str, limit: int | None = None) -> int:
        """Delete a whole scope and the scopes below it (those that begin with it and a slash); how many.

        With a ``limit`` at most so many documents, whichever: fewer than that means that none is left.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...
