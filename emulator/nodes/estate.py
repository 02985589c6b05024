"""Pools and nodes in the store, counted as they change."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from emulator.domain.nodes import NodeRecord, NodeRow
from emulator.domain.pools import PoolRecord
from emulator.domain.usage import Usage
from emulator.repositories import Repositories
from emulator.scheduler.ports import NodeRef, PoolTraits
from emulator.store import Store

PoolKey = tuple[str, str]  # account and pool as they are spelled
Counts = Counter[tuple[bool, str]]  # nodes by whether they are dedicated and by state


class NodeGoneError(Exception):
    """The node is not there (any more)."""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What is asked of a pool with every task."""

    traits: PoolTraits
    is_simulated: bool


class Estate:
    """The one place that writes pools and nodes.

    Counts by state and the facts of pools are in memory, so that asking for them is free.
    """

    def __init__(self, store: Store, repositories: Repositories) -> None:
        self._store = store
        self._pools = repositories.pools
        self._nodes = repositories.nodes
        self._rows = repositories.node_rows
        self._users = repositories.node_users
        self._usage = repositories.pool_usage
        self._accounts = repositories.accounts
        self._counts: dict[PoolKey, Counts] = {}
        self._facts: dict[PoolKey, PoolFacts] = {}

    # Pools

    def pool(self, account: str, pool: str) -> PoolRecord | None:
        return self._pools.get(account, pool)

    def facts(self, key: PoolKey) -> PoolFacts | None:
        folded = _folded(key)
        if folded not in self._facts:
            record = self.pool(*key)
            if record is None:
                return None
            self._facts[folded] = PoolFacts(_traits(record), record.simulated)
        return self._facts[folded]

    def save_pool(self, account: str, record: PoolRecord) -> None:
        self._pools.put(account, record.pool.id, record)
        self._facts.pop(_folded((account, record.pool.id)), None)

    @contextmanager
    def changing_pool(self, key: PoolKey) -> Iterator[PoolRecord]:
        """Save the pool after the block. Raises NodeGoneError when there is none."""
        record = self.pool(*key)
        if record is None:
            raise NodeGoneError(key)
        yield record
        self.save_pool(key[0], record)

    def pools(self) -> Iterator[tuple[PoolKey, PoolRecord]]:
        for account in self._accounts.all(""):
            for record in self._pools.all(account.name):
                yield (account.name, record.pool.id), record

    def pools_of(self, account: str) -> list[PoolRecord]:
        return self._pools.all(account)

    def remove_pool(self, key: PoolKey) -> None:
        scope = "/".join(key)
        with self._store.transaction():
            self._pools.delete(*key)
            self._usage.delete(*key)
            self._nodes.delete_scope(scope)
            self._users.delete_scope(scope)
        self._counts.pop(_folded(key), None)
        self._facts.pop(_folded(key), None)

    def usage(self, key: PoolKey) -> Usage:
        """What tasks have used on the pool's nodes."""
        return self._usage.get(*key) or Usage()

    def add_usage(self, key: PoolKey, usage: Usage, now: datetime) -> None:
        total = self.usage(key)
        total.add(usage, now)
        self._usage.put(*key, total)

    # Nodes

    def node(self, ref: NodeRef) -> NodeRecord | None:
        return self._nodes.get(f"{ref.account}/{ref.pool}", ref.node)

    def rows(self, key: PoolKey) -> list[NodeRow]:
        return self._rows.all("/".join(key))

    def has_nodes(self, key: PoolKey) -> bool:
        return bool(self.counts(key).total())

    def page(self, key: PoolKey, after: str, limit: int) -> list[NodeRecord]:
        return self._nodes.page("/".join(key), after, limit)

    @contextmanager
    def changing(self, ref: NodeRef) -> Iterator[NodeRecord]:
        """Save the node after the block. Raises NodeGoneError when there is none."""
        node = self.node(ref)
        if node is None:
            raise NodeGoneError(ref)
        was = node.state
        yield node
        self._nodes.put(f"{ref.account}/{ref.pool}", node.id, node)
        self._count(ref[:2], node.is_dedicated, was, node.state)

    @contextmanager
    def changing_many(
        self, refs: Iterable[NodeRef], state: str | None = None
    ) -> Iterator[list[tuple[NodeRef, NodeRecord]]]:
        """Those of the nodes that are there (and in that state), saved together after the block."""
        found = [(ref, node) for ref in refs if (node := self.node(ref)) is not None and state in {None, node.state}]
        before = [node.state for _, node in found]
        yield found
        with self._store.transaction():
            for ref, node in found:
                self._nodes.put(f"{ref.account}/{ref.pool}", node.id, node)
        for (ref, node), was in zip(found, before, strict=True):
            self._count(ref[:2], node.is_dedicated, was, node.state)

    def add(self, key: PoolKey, nodes: Iterable[NodeRecord]) -> None:
        scope = "/".join(key)
        added = list(nodes)
        with self._store.transaction():
            for node in added:
                self._nodes.put(scope, node.id, node)
        self._of(key).update((node.is_dedicated, node.state) for node in added)

    def remove(self, refs: Iterable[NodeRef]) -> None:
        """Those of the nodes that are there."""
        found = [(ref, node) for ref in refs if (node := self.node(ref)) is not None]
        with self._store.transaction():
            for ref, _ in found:
                self._nodes.delete(f"{ref.account}/{ref.pool}", ref.node)
                self._users.delete_scope("/".join(ref))
        for ref, node in found:
            self._of(ref[:2])[node.is_dedicated, node.state] -= 1

    def forget_users(self, ref: NodeRef) -> None:
        self._users.delete_scope("/".join(ref))

    # Counts

    def counts(self, key: PoolKey) -> Counts:
        return +self._of(key)

    def recount(self) -> None:
        """Count what the store holds, after a start."""
        self.clear()
        for key, _ in self.pools():
            self._of(key).update((row.is_dedicated, row.state) for row in self.rows(key))

    def clear(self) -> None:
        """The store was emptied."""
        self._counts.clear()
        self._facts.clear()

    def _of(self, key: PoolKey) -> Counts:
        return self._counts.setdefault(_folded(key), Counter())

    def _count(self, key: PoolKey, is_dedicated: bool, was: str, state: str) -> None:
        if was != state:
            counts = self._of(key)
            counts[is_dedicated, was] -= 1
            counts[is_dedicated, state] += 1


def _traits(record: PoolRecord) -> PoolTraits:
    policy = record.pool.task_scheduling_policy
    return PoolTraits(
        fill=policy.node_fill_type if policy else "spread",
        job_order=(policy.job_default_order if policy else None) or "none",
        slots_per_node=record.pool.task_slots_per_node or 1,
        inter_node_communication=bool(record.pool.enable_inter_node_communication),
        is_schedulable=not record.is_deleting,
    )


def _folded(key: PoolKey) -> PoolKey:
    return key[0].lower(), key[1].lower()


def current(counts: Counts) -> tuple[int, int]:
    """Nodes that a pool has, dedicated and low-priority: those being created are not there yet."""
    dedicated = sum(number for (kind, state), number in counts.items() if kind and state != "creating")
    low_priority = sum(number for (kind, state), number in counts.items() if not kind and state != "creating")
    return dedicated, low_priority
