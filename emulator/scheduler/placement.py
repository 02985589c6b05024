"""Which node of a pool takes a task: nodes by how many slots they have free."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from emulator.scheduler.ports import NodeRef, NodeSlots

Fill = Literal["spread", "pack"]


@dataclass(slots=True)
class Load:
    """A node and what is taken of it. ``runs`` maps each run on it to its slots."""

    node: NodeSlots
    runs: dict[str, int] = field(default_factory=dict)
    accepts: bool = True

    @property
    def used(self) -> int:
        return sum(self.runs.values())

    @property
    def free(self) -> int:
        return self.node.slots - self.used


class Hold(NamedTuple):
    """A node kept for jobs of this priority at least, while any of the runs is still being stopped."""

    priority: int
    runs: frozenset[str]


class PoolNodes:
    """The nodes of one pool. Finding a node does not get slower with their number."""

    def __init__(self) -> None:
        self._loads: dict[NodeRef, Load] = {}
        # Not plain dicts: finding the first key of one takes longer with every key that was removed before it.
        self._by_free: dict[int, OrderedDict[NodeRef, None]] = {}
        self._by_name: dict[str, NodeRef] = {}
        self._refused: dict[str, frozenset[NodeRef]] = {}
        self._held: dict[NodeRef, Hold] = {}

    def __len__(self) -> int:
        return len(self._loads)

    def __iter__(self) -> Iterator[Load]:
        return iter(self._loads.values())

    def get(self, ref: NodeRef) -> Load | None:
        return self._loads.get(ref)

    def named(self, node: str) -> Load | None:
        ref = self._by_name.get(node.lower())
        return self._loads[ref] if ref else None

    def refuse(self, job: str, ref: NodeRef) -> None:
        """No tasks of the job on this node."""
        self._refused[job] = self.refused_for(job) | {ref}

    def pardon(self, job: str, ref: NodeRef) -> None:
        self._refused[job] = self.refused_for(job) - {ref}

    def refused_for(self, job: str) -> frozenset[NodeRef]:
        return self._refused.get(job, frozenset())

    def hold(self, ref: NodeRef, hold: Hold) -> None:
        """Keep the node from less important jobs until ``let_go``."""
        known = self._held.get(ref)
        if known is None or known.priority <= hold.priority:
            self._held[ref] = hold

    def let_go(self, ref: NodeRef) -> None:
        self._held.pop(ref, None)

    def held_above(self, priority: int) -> dict[NodeRef, Hold]:
        """Nodes kept for jobs of a higher priority than this."""
        return {ref: hold for ref, hold in self._held.items() if hold.priority > priority}

    def add(self, node: NodeSlots) -> None:
        """A new node, or one announced again, which keeps its runs."""
        known = self._loads.get(node.ref)
        if known is None:
            known = self._loads[node.ref] = Load(node)
            self._by_name[node.ref.node.lower()] = node.ref
        else:
            self._unlist(known)
            known.node, known.accepts = node, True
        self._list(known)

    def remove(self, ref: NodeRef) -> list[str]:
        """Forget a node. Returns the runs that were on it."""
        load = self._loads.pop(ref, None)
        if load is None:
            return []
        self._by_name.pop(ref.node.lower(), None)
        self._held.pop(ref, None)
        self._unlist(load)
        return list(load.runs)

    def close(self, ref: NodeRef) -> None:
        """The node takes no more tasks."""
        if load := self._loads.get(ref):
            self._unlist(load)
            load.accepts = False

    def take(self, ref: NodeRef, run: str, slots: int) -> None:
        """Raises ValueError when the node has not as many slots free."""
        load = self._loads[ref]
        if slots > load.free:
            raise ValueError(f"{ref.node} has {load.free} of {load.node.slots} slots free, not {slots}")
        self._unlist(load)
        load.runs[run] = slots
        self._list(load)

    def adopt(self, ref: NodeRef, run: str, slots: int) -> None:
        """A run that is on the node already, whatever the node's slots are by now."""
        load = self._loads[ref]
        self._unlist(load)
        load.runs[run] = slots
        self._list(load)

    def release(self, ref: NodeRef, run: str) -> None:
        if load := self._loads.get(ref):
            self._unlist(load)
            load.runs.pop(run, None)
            self._list(load)

    def choose(self, slots: int, fill: Fill, refused: frozenset[NodeRef] = frozenset()) -> NodeRef | None:
        """The node for a task: the emptiest that has the slots when spreading, the fullest when packing."""
        fitting = sorted((free for free in self._by_free if free >= slots), reverse=fill == "spread")
        for free in fitting:
            for ref in self._by_free[free]:
                if ref not in refused:
                    return ref
        return None

    def idle(self, *, dedicated_only: bool = False, refused: frozenset[NodeRef] = frozenset()) -> Iterator[NodeRef]:
        """Nodes that nothing runs on and that take tasks, in the order they came."""
        for load in self._loads.values():
            allowed = load.node.is_dedicated or not dedicated_only
            if load.accepts and not load.runs and allowed and load.node.ref not in refused:
                yield load.node.ref

    def has_free(self, slots: int = 1) -> bool:
        return any(free >= slots for free in self._by_free)

    def _list(self, load: Load) -> None:
        if load.accepts and load.free > 0:
            self._by_free.setdefault(load.free, OrderedDict())[load.node.ref] = None

    def _unlist(self, load: Load) -> None:
        nodes = self._by_free.get(load.free)
        if nodes is not None:
            nodes.pop(load.node.ref, None)
            if not nodes:
                del self._by_free[load.free]
