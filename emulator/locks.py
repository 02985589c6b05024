"""Locks by name, kept only while somebody holds or awaits them."""

import asyncio
from weakref import WeakValueDictionary


class KeyedLocks:
    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __call__(self, *names: str) -> asyncio.Lock:
        """The lock of a resource that is addressed by these names, in any case."""
        key = "/".join(names).lower()
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
