"""The store under ``--data``: one SQLite file in WAL mode, owned by one process at a time."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.store.base import Document

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE document (
    kind TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, scope, key)
)
"""


class StoreInUseError(Exception):
    """Another process holds the data folder."""


class SqliteStore:
    def __init__(self, folder: Path) -> None:
        """Open or create the store. Raises StoreInUseError, or ValueError for a file of a newer version."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise StoreInUseError(f"another emulator is using the data folder {folder}") from None
        self._database = sqlite3.connect(folder / "emulator.sqlite3", isolation_level=None)
        # NORMAL syncs at checkpoints only. A killed process loses nothing: what it wrote is with the kernel.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=8000", "cache_size=-16000"):
            self._database.execute(f"PRAGMA {pragma}")
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def _migrate(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise ValueError(f"the data folder was written by a newer emulator (schema {version})")
        if version == SCHEMA_VERSION:
            return
        with self.transaction():
            if version == 1:  # bodies were in the tree of the keys
                self._database.execute("ALTER TABLE document RENAME TO earlier")
            self._database.execute(_SCHEMA)
            if version == 1:
                self._database.execute("INSERT INTO document SELECT kind, scope, key, body FROM earlier")
                self._database.execute("DROP TABLE earlier")
            self._database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def get(self, kind: str, scope: str, key: str) -> bytes | None:
        row = self._database.execute(
            "SELECT body FROM document WHERE kind=? AND scope=? AND key=?", (kind, scope, key)
        ).fetchone()
        return row[0] if row else None

    def put(self, kind: str, scope: str, key: str, body: bytes) -> None:
        self._database.execute(
            "INSERT INTO document VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body=excluded.body",
            (kind, scope, key, body),
        )

    def delete(self, kind: str, scope: str, key: str) -> bool:
        cursor = self._database.execute("DELETE FROM document WHERE kind=? AND scope=? AND key=?", (kind, scope, key))
        return cursor.rowcount > 0

    def page(self, kind: str, scope: str, after: str, limit: int) -> list[Document]:
        rows = self._database.execute(
            "SELECT scope, key, body FROM document WHERE kind=? AND scope=? AND key>? ORDER BY key LIMIT ?",
            (kind, scope, after, limit),
        )
        return [Document(*row) for row in rows]

    def scan(self, kind: str) -> Iterator[Document]:
        rows = self._database.execute(
            "SELECT scope, key, body FROM document WHERE kind=? ORDER BY scope, key", (kind,)
        ).fetchall()
        return (Document(*row) for row in rows)

    def count(self, kind: str, scope: str) -> int:
        (count,) = self._database.execute(
            "SELECT count(*) FROM document WHERE kind=? AND scope=?", (kind, scope)
        ).fetchone()
        return int(count)

    def delete_scope(self, kind: str, scope: str, limit: int | None = None) -> int:
        with self.transaction():
            deleted = self._delete_some(kind, "scope=?", (scope,), limit)
            # '0' follows '/' in the order of code points: the range is every scope below this one.
            rest = None if limit is None else limit - deleted
            return deleted + self._delete_some(kind, "scope>=? AND scope<?", (f"{scope}/", f"{scope}0"), rest)

    def _delete_some(self, kind: str, scopes: str, names: tuple[str, ...], limit: int | None) -> int:
        """One condition on the scope at a time: SQLite would read the whole kind for two that are joined by OR."""
        found = f"SELECT kind, scope, key FROM document WHERE kind=? AND {scopes} LIMIT ?"  # noqa: S608
        cursor = self._database.execute(
            f"DELETE FROM document WHERE (kind, scope, key) IN ({found})",  # noqa: S608
            (kind, *names, -1 if limit is None else limit),
        )
        return cursor.rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        is_inner = self._database.in_transaction
        self._database.execute("SAVEPOINT inner_one" if is_inner else "BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK TO inner_one" if is_inner else "ROLLBACK")
            if is_inner:
                self._database.execute("RELEASE inner_one")
            raise
        self._database.execute("RELEASE inner_one" if is_inner else "COMMIT")

    def clear(self) -> None:
        self._database.execute("DELETE FROM document")

    def close(self) -> None:
        self._database.close()
        self._lock.close()
