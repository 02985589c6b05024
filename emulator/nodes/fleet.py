"""Pools and nodes as the rest of the service sees them. Implements ``Runners`` and ``Pools`` of the scheduler."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from emulator.agenda import Agenda, Branch
from emulator.clock import Clock
from emulator.domain import pools as rules
from emulator.domain.nodes import NodeRecord
from emulator.domain.pools import PoolRecord
from emulator.errors import ServiceError
from emulator.ids import IdSource
from emulator.nodes.autoscaling import AutoScaling, task_metrics
from emulator.nodes.estate import Estate, NodeGoneError, PoolKey
from emulator.nodes.life import Life
from emulator.nodes.sizing import Sizing
from emulator.repositories import Repositories
from emulator.runners.base import Runner
from emulator.runners.process import ProcessRunner
from emulator.runners.simulated import SimulatedRunner
from emulator.scheduler.ports import NodeEvents, NodeRef, PoolTraits, RunEnd, TaskStart
from emulator.settings import Settings
from emulator.store import Store
from emulator.wire.base import read
from emulator.wire.common import FailureInfo
from emulator.wire.pools import NodeRemoval, PoolResize, PoolSpecification

if TYPE_CHECKING:
    from emulator.blobs import BlobStore


class Fleet:
    def __init__(
        self,
        *,
        store: Store,
        repositories: Repositories,
        clock: Clock,
        ids: IdSource,
        agenda: Agenda,
        settings: Settings,
        blobs: "BlobStore",
        events: NodeEvents,
    ) -> None:
        self.agenda = Branch(agenda)
        self.estate = Estate(store, repositories)
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._events = events
        self._simulated = SimulatedRunner(self.agenda, clock, settings)
        self.processes = ProcessRunner(
            agenda=self.agenda, clock=clock, settings=settings, blobs=blobs, repositories=repositories
        )
        self.life = Life(
            estate=self.estate,
            agenda=self.agenda,
            clock=clock,
            settings=settings,
            events=events,
            runner_of=self._runner,
        )
        self._simulated.reports = self.processes.reports = self.life
        self.sizing = Sizing(
            estate=self.estate,
            life=self.life,
            agenda=self.agenda,
            clock=clock,
            ids=ids,
            settings=settings,
            events=events,
        )
        self.scaling = AutoScaling(
            estate=self.estate,
            sizing=self.sizing,
            agenda=self.agenda,
            clock=clock,
            metrics=partial(task_metrics, repositories),
        )

    def _runner(self, pool: PoolRecord) -> Runner:
        return self._simulated if pool.simulated else self.processes

    # Pools

    def pool(self, account: str, pool: str) -> PoolRecord:
        """Raises PoolNotFound."""
        found = self.estate.pool(account, pool)
        if found is None:
            raise ServiceError("PoolNotFound")
        return found

    def create_pool(self, account: str, pool_id: str, wanted: PoolSpecification, *, auto: bool = False) -> PoolRecord:
        """Raises PoolExists, PoolBeingDeleted, PoolQuotaReached and what its properties break."""
        existing = self.estate.pool(account, pool_id)
        if existing is not None:
            raise ServiceError("PoolBeingDeleted" if existing.is_deleting else "PoolExists")
        rules.check_specification(wanted)
        if len(self.estate.pools_of(account)) >= self._settings.pool_quota:
            raise ServiceError("PoolQuotaReached")
        if wanted.auto_scale_formula is not None:
            self.scaling.check(wanted.auto_scale_formula)
        now = self._clock.now()
        record = rules.new_pool(wanted, pool_id, now, self._ids.etag(now))
        record.auto = auto
        record.simulated = rules.is_simulated(record, by_default=self._settings.nodes == "simulated")
        rules.start_resizing(record, now)
        self.estate.save_pool(account, record)
        key = account, pool_id
        self._events.pool_changed(*key)
        self.sizing.begin(key)
        self.scaling.watch(key)
        return record

    def resize(self, account: str, record: PoolRecord, wanted: PoolResize) -> None:
        now = self._clock.now()
        rules.begin_resize(record, wanted, now, self._ids.etag(now))
        self._save(account, record)

    def remove_nodes(self, account: str, record: PoolRecord, wanted: NodeRemoval) -> None:
        """Raises NodeNotFound, and as resizing does."""
        rules.check_steady(record)
        refs = [self.node(NodeRef(account, record.pool.id, name))[0] for name in dict.fromkeys(wanted.node_list)]
        now = self._clock.now()
        rules.begin_removal(record, wanted, now, self._ids.etag(now))
        chosen = {ref.node for ref in refs}
        staying = [row for row in self.estate.rows((account, record.pool.id)) if row.id not in chosen]
        record.pool.target_dedicated_nodes = sum(row.is_dedicated for row in staying)
        record.pool.target_low_priority_nodes = sum(not row.is_dedicated for row in staying)
        self._save(account, record)

    def stop_resize(self, account: str, record: PoolRecord) -> None:
        now = self._clock.now()
        rules.stop_resizing(record, now, self._ids.etag(now))
        self.estate.save_pool(account, record)
        self.sizing.stop((account, record.pool.id))

    def delete_pool(self, account: str, record: PoolRecord) -> None:
        now = self._clock.now()
        rules.begin_deleting(record, now, self._ids.etag(now))
        self._save(account, record)
        self._events.pool_changed(account, record.pool.id)

    def _save(self, account: str, record: PoolRecord) -> None:
        """Keep a pool whose resize begins."""
        self.estate.save_pool(account, record)
        self.sizing.begin((account, record.pool.id))

    # Nodes

    def node(self, ref: NodeRef) -> tuple[NodeRef, NodeRecord]:
        """The node and its reference as it is spelled. Raises NodeNotFound."""
        found = self.estate.node(ref)
        if found is None:
            raise ServiceError("NodeNotFound")
        return NodeRef(ref.account, ref.pool, found.id), found

    # Runners

    def start(self, start: TaskStart) -> None:
        runner = self._runner_at(start.node)
        try:
            self.life.run(start)
        except NodeGoneError:
            runner = None
        if runner is None:
            failure = FailureInfo(category="servererror", code="NodeUnavailable", message="The node is gone.")
            self._events.run_ended(RunEnd(run=start.run, at=self._clock.now(), failure=failure))
            return
        runner.start(start)

    def _runner_at(self, ref: NodeRef) -> Runner | None:
        facts = self.estate.facts(ref[:2])
        if facts is None:
            return None
        return self._simulated if facts.is_simulated else self.processes

    def stop(self, node: NodeRef, run: str) -> None:
        if (runner := self._runner_at(node)) is not None:
            runner.stop(node, run)

    def proceed(self, node: NodeRef, run: str) -> None:
        if (runner := self._runner_at(node)) is not None:
            runner.proceed(node, run)

    def drained(self, ref: NodeRef) -> None:
        self.life.drained(ref)

    def forget(self, node: NodeRef, folder: str) -> None:
        if (runner := self._runner_at(node)) is not None:
            runner.forget(node, folder)

    # Pools of the scheduler

    def traits(self, account: str, pool: str) -> PoolTraits | None:
        facts = self.estate.facts((account, pool))
        return facts.traits if facts is not None else None

    def create_auto_pool(self, account: str, pool: str, specification: Mapping[str, object]) -> None:
        self.create_pool(account, pool, read(dict(specification), PoolSpecification), auto=True)

    def delete_auto_pool(self, account: str, pool: str) -> None:
        found = self.estate.pool(account, pool)
        if found is not None and not found.is_deleting:
            self.delete_pool(account, found)

    # Beginnings and ends

    def restore(self) -> None:
        """After a start: end what a killed service left running and let every pool and node go on."""
        self.estate.recount()
        self.processes.recover(ref for ref in self._process_nodes())
        for key, pool in list(self.estate.pools()):
            for row in self.estate.rows(key):
                self.life.restore(NodeRef(*key, row.id))
            self.sizing.begin(key)
            self.agenda.after(0, partial(self.sizing.counted, key))
            if pool.pool.enable_auto_scale:
                self.scaling.watch(key)

    def _process_nodes(self) -> list[NodeRef]:
        return [
            NodeRef(*key, row.id)
            for key, pool in self.estate.pools()
            if not pool.simulated
            for row in self.estate.rows(key)
        ]

    async def reset(self) -> None:
        """The store was emptied."""
        self.clear()
        await self.processes.forget_all()

    async def halt(self) -> None:
        """All that runs on nodes ends and is forgotten; their files stay."""
        self.clear()
        await self.processes.stop_all()

    def clear(self) -> None:
        self.agenda.clear()
        self.estate.clear()
        self.life.clear()
        self.sizing.clear()
        self.scaling.clear()
        self._simulated.clear()

    async def close(self) -> None:
        """End all that runs on nodes: the service stops."""
        await self.processes.close()

    def forget_account(self, account: str) -> None:
        """The account is deleted with all its pools."""
        for record in self.estate.pools_of(account):
            key: PoolKey = account, record.pool.id
            for row in self.estate.rows(key):
                ref = NodeRef(*key, row.id)
                self._runner(record).halt(ref, partial(self._runner(record).remove, ref))
            self.estate.remove_pool(key)
