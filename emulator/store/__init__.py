"""Where the state lives: one interface, kept in memory or in SQLite."""

from emulator.store.base import Store
from emulator.store.collection import Collection
from emulator.store.memory import MemoryStore
from emulator.store.sqlite import SqliteStore

__all__ = ["Collection", "MemoryStore", "SqliteStore", "Store"]
