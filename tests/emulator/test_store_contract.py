"""Both stores keep the same promises."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.store import MemoryStore, SqliteStore, Store
from emulator.store.sqlite import StoreInUseError

Step = tuple[str, str, str]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path)
    yield made
    made.close()


def test_a_document_is_found_by_kind_scope_and_key(store: Store) -> None:
    store.put("pool", "a", "one", b"1")
    assert store.get("pool", "a", "one") == b"1"
    assert store.get("pool", "b", "one") is None
    assert store.get("job", "a", "one") is None
    assert store.get("pool", "a", "two") is None


def test_putting_again_replaces(store: Store) -> None:
    store.put("pool", "a", "one", b"1")
    store.put("pool", "a", "one", b"2")
    assert store.get("pool", "a", "one") == b"2"
    assert store.count("pool", "a") == 1


def test_deleting_says_whether_something_was_there(store: Store) -> None:
    store.put("pool", "a", "one", b"1")
    assert store.delete("pool", "a", "one")
    assert not store.delete("pool", "a", "one")
    assert store.get("pool", "a", "one") is None


def test_pages_go_by_key_and_go_on_behind_the_last(store: Store) -> None:
    for key in ("b", "a", "d", "C", "é"):
        store.put("pool", "s", key, key.encode())
    store.put("pool", "other", "a", b"x")
    first = store.page("pool", "s", "", 2)
    assert [found.key for found in first] == ["C", "a"]
    second = store.page("pool", "s", first[-1].key, 2)
    assert [found.key for found in second] == ["b", "d"]
    assert [found.key for found in store.page("pool", "s", "d", 10)] == ["é"]
    assert store.page("pool", "s", "é", 10) == []


def test_a_page_shows_what_came_after_the_first_one(store: Store) -> None:
    for key in ("a", "c"):
        store.put("pool", "s", key, b"")
    assert [found.key for found in store.page("pool", "s", "", 1)] == ["a"]
    store.put("pool", "s", "b", b"")
    store.delete("pool", "s", "c")
    assert [found.key for found in store.page("pool", "s", "a", 9)] == ["b"]


def test_a_scan_goes_over_all_scopes_and_stands_still_while_things_change(store: Store) -> None:
    for scope in ("b", "a"):
        store.put("pool", scope, "x", scope.encode())
    scan = store.scan("pool")
    store.put("pool", "c", "x", b"c")
    store.delete("pool", "b", "x")
    assert [(found.scope, found.body) for found in scan] == [("a", b"a"), ("b", b"b")]


def test_deleting_a_scope_takes_those_below_but_no_neighbour(store: Store) -> None:
    for scope in ("app", "app/one", "app/one/two", "app2", "app-x", "ap"):
        store.put("package", scope, "v", b"")
    assert store.delete_scope("package", "app") == 3
    assert [found.scope for found in store.scan("package")] == ["ap", "app-x", "app2"]


def test_a_scope_is_deleted_bit_by_bit(store: Store) -> None:
    for scope in ("app", "app/one", "app2"):
        for key in ("a", "b"):
            store.put("package", scope, key, b"")
    store.put("other", "app", "a", b"")
    assert [store.delete_scope("package", "app", 3) for _ in range(3)] == [3, 1, 0]
    assert [found.scope for found in store.scan("package")] == ["app2", "app2"]
    assert store.count("other", "app") == 1


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    store.put("pool", "s", "kept", b"old")
    store.put("pool", "s", "deleted", b"old")

    def fail_half_way() -> None:
        with store.transaction():
            store.put("pool", "s", "kept", b"new")
            store.put("pool", "s", "added", b"new")
            store.delete("pool", "s", "deleted")
            store.delete_scope("pool", "s")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert {found.key: found.body for found in store.page("pool", "s", "", 9)} == {"kept": b"old", "deleted": b"old"}


def test_a_transaction_keeps_what_it_did(store: Store) -> None:
    with store.transaction():
        store.put("pool", "s", "a", b"1")
        store.put("pool", "s", "b", b"2")
    assert store.count("pool", "s") == 2


def test_an_inner_transaction_is_undone_alone(store: Store) -> None:
    with store.transaction():
        store.put("pool", "s", "before", b"1")
        with pytest.raises(RuntimeError):
            _put_and_fail(store)
        assert store.get("pool", "s", "inner") is None
        assert store.get("pool", "s", "before") == b"1"
        store.put("pool", "s", "after", b"1")
    assert [found.key for found in store.page("pool", "s", "", 9)] == ["after", "before"]


def _put_and_fail(store: Store) -> None:
    with store.transaction():
        store.put("pool", "s", "before", b"2")
        store.put("pool", "s", "inner", b"1")
        raise RuntimeError


def test_an_outer_transaction_undoes_those_within(store: Store) -> None:
    store.put("pool", "s", "a", b"old")

    def fail_at_the_end() -> None:
        with store.transaction():
            with store.transaction():
                store.put("pool", "s", "a", b"new")
                store.put("pool", "s", "b", b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_at_the_end()
    assert [found.body for found in store.page("pool", "s", "", 9)] == [b"old"]
    store.put("pool", "s", "a", b"later")
    assert store.get("pool", "s", "a") == b"later"


def test_clear_empties_all_kinds(store: Store) -> None:
    store.put("pool", "s", "a", b"1")
    store.put("job", "s", "a", b"1")
    store.clear()
    assert list(store.scan("pool")) == list(store.scan("job")) == []


STEPS = st.tuples(
    st.sampled_from(["put", "put", "delete", "scope", "begin", "commit", "fail"]),
    st.sampled_from(["a", "a/b", "b"]),
    st.text(min_size=1, max_size=2),
)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_both_stores_agree_after_any_steps(tmp_path_factory: pytest.TempPathFactory, steps: list[Step]) -> None:
    memory, sqlite = MemoryStore(), SqliteStore(tmp_path_factory.mktemp("store"))
    try:
        assert _apply_all(memory, steps) == _apply_all(sqlite, steps)
        assert list(memory.scan("k")) == list(sqlite.scan("k"))
        for scope in ("a", "a/b", "b"):
            assert memory.count("k", scope) == sqlite.count("k", scope)
            assert memory.page("k", scope, "", 3) == sqlite.page("k", scope, "", 3)
            assert memory.page("k", scope, "m", 3) == sqlite.page("k", scope, "m", 3)
    finally:
        sqlite.close()


class _Failed(Exception):
    pass


def _apply_all(store: Store, steps: list[Step]) -> list[object]:
    """Answers of all steps. Transactions are open between ``begin`` and the ``commit`` or ``fail`` that ends them."""
    answers: list[object] = []
    left = iter(enumerate(steps))

    def go_on() -> None:
        for number, step in left:
            if step[0] == "begin":
                with suppress(_Failed), store.transaction():
                    go_on()
            elif step[0] == "commit":
                return
            elif step[0] == "fail":
                raise _Failed
            else:
                answers.append(_apply(store, step, number))

    for _ in steps:  # a commit or a failure outside of a transaction ends nothing
        with suppress(_Failed):
            go_on()
    return answers


def _apply(store: Store, step: Step, number: int) -> object:
    action, scope, key = step
    if action == "put":
        store.put("k", scope, key, str(number).encode())
        return None
    return store.delete("k", scope, key) if action == "delete" else store.delete_scope("k", scope)


def test_sqlite_is_there_after_opening_again(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path)
    first.put("pool", "s", "a", b"1")
    first.close()
    second = SqliteStore(tmp_path)
    assert second.get("pool", "s", "a") == b"1"
    second.close()


def test_sqlite_takes_over_a_file_of_the_first_version(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "emulator.sqlite3")
    database.execute(
        "CREATE TABLE document (kind TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,"
        " PRIMARY KEY (kind, scope, key)) WITHOUT ROWID"
    )
    database.execute("INSERT INTO document VALUES ('pool', 's', 'a', x'31')")
    database.execute("PRAGMA user_version=1")
    database.commit()
    database.close()
    for _ in range(2):
        store = SqliteStore(tmp_path)
        assert list(store.scan("pool")) == [("s", "a", b"1")]
        store.close()


def test_sqlite_leaves_a_file_of_a_later_version_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path).close()
    database = sqlite3.connect(tmp_path / "emulator.sqlite3")
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(ValueError, match="newer"):
        SqliteStore(tmp_path)


def test_sqlite_refuses_a_second_owner(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreInUseError, match=str(tmp_path)):
        SqliteStore(tmp_path)
    store.close()
    SqliteStore(tmp_path).close()
