"""Properties of nodes and pools over any order of events: the life of a fleet without processes, clock in hand."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from emulator.agenda import Agenda
from emulator.blobs import BlobStore
from emulator.clock import Clock
from emulator.domain import nodes as rules
from emulator.domain.accounts import BatchAccount
from emulator.errors import ServiceError
from emulator.ids import IdSource
from emulator.nodes.estate import NodeGoneError, current
from emulator.nodes.fleet import Fleet
from emulator.nodes.sizing import Shortage
from emulator.repositories import Repositories
from emulator.scheduler.ports import Drain, NodeRef, NodeSlots, RunEnd, RunKind, TaskStart
from emulator.settings import Settings
from emulator.store import MemoryStore
from emulator.wire.base import read
from emulator.wire.common import Command
from emulator.wire.pools import NewPool, NodeRemoval, PoolResize

KEY = ("local", "p")


@dataclass
class Listener:
    """A scheduler that does what the protocol asks for, and notes what it is told."""

    online: dict[NodeRef, NodeSlots] = field(default_factory=dict)
    runs: dict[str, NodeRef] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    waiting: dict[NodeRef, Drain] = field(default_factory=dict)
    fleet: Any = None

    def node_online(self, node: NodeSlots) -> None:
        self.waiting.pop(node.ref, None)
        self.online[node.ref] = node

    def node_draining(self, ref: NodeRef, option: Drain) -> None:
        self.online.pop(ref, None)
        self.waiting[ref] = option
        if option in {Drain.REQUEUE, Drain.TERMINATE}:
            for run in [run for run, where in self.runs.items() if where == ref]:
                self.fleet.stop(ref, run)
        self._drained(ref)

    def node_lost(self, ref: NodeRef) -> None:
        self.online.pop(ref, None)
        self.waiting.pop(ref, None)
        self.runs = {run: where for run, where in self.runs.items() if where != ref}

    def run_started(self, run: str, at: datetime) -> None:
        return

    def run_coordinated(self, run: str) -> None:
        return

    def run_ended(self, end: RunEnd) -> None:
        assert end.run in self.runs, "a run that was not known has ended"
        self.ended[end.run] += 1
        ref = self.runs.pop(end.run)
        self._drained(ref)

    def pool_changed(self, account: str, pool: str) -> None:
        return

    def restored(self) -> None:
        return

    def _drained(self, ref: NodeRef) -> None:
        if ref in self.waiting and ref not in self.runs.values():
            del self.waiting[ref]
            self.fleet.drained(ref)


class World:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.repositories = Repositories(self.store)
        self.time = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
        self.clock = Clock(source=lambda: self.time)
        self.agenda = Agenda(self.clock)
        self.listener = Listener()
        self.repositories.accounts.put("", "local", _account(self.clock))
        self.fleet = Fleet(
            store=self.store,
            repositories=self.repositories,
            clock=self.clock,
            ids=IdSource(1),
            agenda=self.agenda,
            settings=Settings(nodes="simulated", resize_time=10, boot_time=5, simulated_task_time=3),
            blobs=BlobStore(()),
            events=self.listener,
        )
        self.listener.fleet = self.fleet

    def pass_time(self, seconds: float) -> None:
        """Step by step, so that each thing happens at its time."""
        for _ in range(max(1, int(seconds))):
            self.clock.advance(timedelta(seconds=1))
            while self.agenda.run_next():
                pass

    def create(self, dedicated: int, spot: int) -> None:
        body = {
            "id": "p",
            "vmSize": "standard_d2s_v3",
            "virtualMachineConfiguration": {
                "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
                "nodeAgentSKUId": "batch.node.ubuntu 24.04",
            },
            "targetDedicatedNodes": dedicated,
            "targetLowPriorityNodes": spot,
            "startTask": {"commandLine": "/bin/true"},
        }
        self.fleet.create_pool("local", "p", read(body, NewPool))

    def refs(self) -> list[NodeRef]:
        return [NodeRef(*KEY, row.id) for row in self.fleet.estate.rows(KEY)]


def _account(clock: Clock) -> BatchAccount:
    return BatchAccount(
        subscription="s",
        resource_group="g",
        name="local",
        location="here",
        primary_key="",
        secondary_key="",
        etag="",
        ready_at=clock.now(),
    )


_OPTIONS = st.sampled_from(["requeue", "terminate", "taskcompletion"])
_NUMBERS = st.integers(0, 4)
_PLACES = st.integers(0, 8)


class FleetLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.create(2, 1)
        self.runs = 0
        self.states: dict[NodeRef, str] = {}

    def _node(self, place: int) -> NodeRef | None:
        refs = self.world.refs()
        return refs[place % len(refs)] if refs else None

    def _try(self, action: Any, *arguments: Any) -> None:
        """Refusals are part of the contract; anything else is a bug."""
        try:
            action(*arguments)
        except (ServiceError, NodeGoneError):
            return

    def pool(self) -> Any:
        return self.world.fleet.estate.pool(*KEY)

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @precondition(lambda self: self.pool() is not None)
    @rule(dedicated=_NUMBERS, spot=_NUMBERS, option=_OPTIONS)
    def resize(self, dedicated: int, spot: int, option: Any) -> None:
        wanted = PoolResize(
            target_dedicated_nodes=dedicated, target_low_priority_nodes=spot, node_deallocation_option=option
        )
        self._try(self.world.fleet.resize, "local", self.pool(), wanted)

    @precondition(lambda self: self.pool() is not None)
    @rule()
    def stop_resize(self) -> None:
        self._try(self.world.fleet.stop_resize, "local", self.pool())

    @precondition(lambda self: self.pool() is not None)
    @rule(place=_PLACES, option=_OPTIONS)
    def remove(self, place: int, option: Any) -> None:
        if (ref := self._node(place)) is not None:
            wanted = NodeRemoval(node_list=[ref.node], node_deallocation_option=option)
            self._try(self.world.fleet.remove_nodes, "local", self.pool(), wanted)

    @rule(place=_PLACES, action=st.sampled_from(["reboot", "reimage", "deallocate"]), option=_OPTIONS)
    def act(self, place: int, action: Any, option: Any) -> None:
        if (ref := self._node(place)) is not None:
            self._try(self.world.fleet.life.act, ref, action, option)

    @rule(place=_PLACES)
    def start(self, place: int) -> None:
        if (ref := self._node(place)) is not None:
            self._try(self.world.fleet.life.start, ref)

    @rule(place=_PLACES, option=_OPTIONS, enable=st.booleans())
    def scheduling(self, place: int, option: Any, enable: bool) -> None:
        if (ref := self._node(place)) is None:
            return
        life = self.world.fleet.life
        self._try(life.enable_scheduling, ref) if enable else self._try(life.disable_scheduling, ref, option)

    @rule(place=_PLACES, event=st.sampled_from(["preempted", "unusable", "unknown", "recovered"]))
    def disturb(self, place: int, event: Any) -> None:
        if (ref := self._node(place)) is None:
            return
        life = self.world.fleet.life
        self._try(life.recover, ref) if event == "recovered" else self._try(life.disturb, ref, event)

    @rule(nodes=_NUMBERS, stall=st.booleans())
    def shortage(self, nodes: int, stall: bool) -> None:
        self.world.fleet.sizing.shortages.append(Shortage(nodes=nodes, stall=stall, count=1))

    @rule(place=_PLACES)
    def run_task(self, place: int) -> None:
        online = sorted(self.world.listener.online)
        if not online:
            return
        ref = online[place % len(online)]
        self.runs += 1
        name = f"run-{self.runs}"
        self.world.listener.runs[name] = ref
        self.world.fleet.start(
            TaskStart(
                run=name,
                kind=RunKind.TASK,
                node=ref,
                job="j",
                task=name,
                folder=f"workitems/j/job-1/{name}",
                slots=1,
                command=Command(command_line="/bin/sh -c 'sleep 4'"),
            )
        )

    @precondition(lambda self: self.pool() is not None)
    @rule()
    def delete_pool(self) -> None:
        self._try(self.world.fleet.delete_pool, "local", self.pool())
        self.world.pass_time(40)
        assert self.pool() is None or self.world.listener.runs

    @precondition(lambda self: self.pool() is None)
    @rule(dedicated=_NUMBERS, spot=_NUMBERS)
    def create_again(self, dedicated: int, spot: int) -> None:
        self.world.create(dedicated, spot)

    @invariant()
    def counts_are_those_of_the_store(self) -> None:
        rows = self.world.fleet.estate.rows(KEY)
        counted = Counter((row.is_dedicated, row.state) for row in rows)
        assert counted == self.world.fleet.estate.counts(KEY)

    @invariant()
    def only_nodes_at_work_are_online(self) -> None:
        for ref in self.world.listener.online:
            node = self.world.fleet.estate.node(ref)
            assert node is not None
            assert node.is_online, node

    @invariant()
    def figures_of_nodes_are_those_of_the_runs(self) -> None:
        running = Counter(self.world.listener.runs.values())
        for ref in self.world.refs():
            node = self.world.fleet.estate.node(ref)
            assert node is not None
            assert node.running_tasks_count == running[ref]
            assert (node.state == "running") == (running[ref] > 0) or node.state not in {"running", "idle", "offline"}

    @invariant()
    def no_run_ends_twice(self) -> None:
        assert not [run for run, times in self.world.listener.ended.items() if times > 1]

    @invariant()
    def a_steady_pool_has_settled(self) -> None:
        pool = self.pool()
        if pool is None:
            return
        assert pool.is_steady == (pool.resize is None)
        assert pool.pool.resize_errors is None or pool.is_steady

    def teardown(self) -> None:
        """Left alone, everything comes to rest, and the pool has what it says."""
        self.world.pass_time(16 * 60)
        pool = self.pool()
        if pool is None:
            return
        counts = self.world.fleet.estate.counts(KEY)
        assert pool.is_steady
        assert not {state for _, state in counts} & {"creating", "starting", "rebooting", "leavingpool", "deallocating"}
        assert current(counts) == (pool.pool.current_dedicated_nodes, pool.pool.current_low_priority_nodes)
        if pool.pool.resize_errors is None:
            assert sum(number for (kind, _), number in counts.items() if kind) == pool.pool.target_dedicated_nodes


TestFleetLife = FleetLife.TestCase
TestFleetLife.settings = hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_every_state_can_be_left_and_names_its_conflict() -> None:
    for state, following in rules.TRANSITIONS.items():
        assert following or state == "leavingpool"
        assert following <= set(rules.TRANSITIONS)
