"""A scheduler over a store in memory, with nodes that do nothing until a test says what they did."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from emulator.agenda import Agenda
from emulator.clock import Clock
from emulator.domain.accounts import BatchAccount
from emulator.domain.jobs import JobRecord
from emulator.domain.tasks import TaskRecord
from emulator.errors import ServiceError
from emulator.ids import IdSource
from emulator.repositories import Repositories
from emulator.scheduler import requests
from emulator.scheduler.engine import Scheduler
from emulator.scheduler.ports import Drain, NodeRef, NodeSlots, Phase, PoolTraits, RunEnd, TaskStart
from emulator.store import MemoryStore, Store
from emulator.wire.base import read
from emulator.wire.common import FailureInfo
from emulator.wire.jobs import JobChange, NewJob
from emulator.wire.schedules import NewSchedule
from emulator.wire.tasks import NewTask

ACCOUNT = "local"
POOL = "pool"
START = 1_700_000_000.0


class Nodes:
    """What the scheduler asked of the nodes: ``live`` runs by their name, and everything that ever happened."""

    def __init__(self) -> None:
        self.live: dict[str, TaskStart] = {}
        self.started: list[TaskStart] = []
        self.stopping: set[str] = set()
        self.proceeded: list[str] = []
        self.drained_nodes: list[NodeRef] = []
        self.forgotten: list[tuple[NodeRef, str]] = []
        self.pools: dict[str, PoolTraits] = {}
        self.auto_pools: dict[str, Mapping[str, object]] = {}
        self.refusal: ServiceError | None = None

    def start(self, start: TaskStart) -> None:
        assert start.run not in self.live
        self.live[start.run] = start
        self.started.append(start)

    def stop(self, node: NodeRef, run: str) -> None:
        self.stopping.add(run)

    def proceed(self, node: NodeRef, run: str) -> None:
        self.proceeded.append(run)

    def drained(self, ref: NodeRef) -> None:
        self.drained_nodes.append(ref)

    def forget(self, node: NodeRef, folder: str) -> None:
        self.forgotten.append((node, folder))

    def traits(self, account: str, pool: str) -> PoolTraits | None:
        return self.pools.get(pool.lower())

    def create_auto_pool(self, account: str, pool: str, specification: Mapping[str, object]) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.auto_pools[pool] = specification
        self.pools[pool.lower()] = PoolTraits()

    def delete_auto_pool(self, account: str, pool: str) -> None:
        del self.auto_pools[pool]
        del self.pools[pool.lower()]


class Cluster:
    def __init__(self, store: Store | None = None) -> None:
        self.store = store or MemoryStore()
        self.clock = Clock(source=lambda: START)
        self.nodes = Nodes()
        self.nodes.pools[POOL] = PoolTraits()
        self.ids = IdSource(seed=1)
        self.repositories = Repositories(self.store)
        self.repositories.accounts.put("", ACCOUNT, _account(self.clock.now()))
        self.scheduler = self._scheduler()

    def _scheduler(self) -> Scheduler:
        scheduler = Scheduler(self.store, self.repositories, self.clock, self.ids, Agenda(self.clock))
        scheduler.connect(self.nodes, self.nodes)
        return scheduler

    def restart(self, online: Mapping[str, int], *, keep: bool = True) -> None:
        """The service is killed and comes back. ``online`` nodes still have their runs if ``keep``."""
        self.scheduler = self._scheduler()
        self.scheduler.restore()
        if not keep:
            self.nodes.live.clear()
        for name, slots in online.items():
            here = frozenset(run for run, start in self.nodes.live.items() if start.node == ref(name))
            self.scheduler.node_online(NodeSlots(ref(name), slots, runs=here))
        self.scheduler.restored()

    # Clients

    def add_job(self, job: str = "job", **properties: Any) -> JobRecord:
        wanted = read({"id": job, "poolInfo": {"poolId": POOL}, **properties}, NewJob)
        return requests.add_job(self.scheduler, ACCOUNT, wanted)

    def job(self, job: str = "job") -> JobRecord:
        found = self.repositories.jobs.get(ACCOUNT, job)
        if found is None:
            raise ServiceError("JobNotFound")
        return found

    def change_job(self, job: str = "job", **properties: Any) -> None:
        wanted = read(properties, JobChange)
        requests.change_job(self.scheduler, ACCOUNT, self.job(job), wanted, replace=False)

    def add_task(self, task: str, job: str = "job", **properties: Any) -> TaskRecord:
        wanted = read({"id": task, "commandLine": "run", **properties}, NewTask)
        return requests.add_task(self.scheduler, ACCOUNT, self.job(job), wanted)

    def task(self, task: str, job: str = "job") -> TaskRecord:
        found = self.scheduler.world.task(ACCOUNT, job, task)
        assert found is not None
        return found

    def state(self, task: str, job: str = "job") -> str:
        return self.task(task, job).task.state

    def end_job(self, job: str = "job", how: Any = "complete", *, force: bool = False) -> None:
        requests.end_job(self.scheduler, ACCOUNT, self.job(job), how, "UserTerminate", force=force)

    def add_schedule(self, name: str, **properties: Any) -> None:
        wanted = {"id": name, "jobSpecification": {"poolInfo": {"poolId": POOL}}, **properties}
        requests.add_schedule(self.scheduler, ACCOUNT, read(wanted, NewSchedule))

    # Nodes

    def online(self, name: str, slots: int = 1, *, dedicated: bool = True, boot: str = "", disk: str = "") -> None:
        address = f"10.0.0.{name[-1]}"
        self.scheduler.node_online(NodeSlots(ref(name), slots, dedicated, address, boot=boot, disk=disk))

    def drain(self, name: str, option: Drain) -> None:
        self.scheduler.node_draining(ref(name), option)

    def lose(self, name: str) -> None:
        for run in [run for run, start in self.nodes.live.items() if start.node == ref(name)]:
            del self.nodes.live[run]
            self.nodes.stopping.discard(run)
        self.scheduler.node_lost(ref(name))

    def live(self, task: str, job: str = "job") -> TaskStart:
        """The run of a task that is under way on a node."""
        (found,) = [
            start
            for run, start in self.nodes.live.items()
            if (start.job, start.task) == (job, task) and run not in self.nodes.stopping
        ]
        return found

    def running(self) -> list[str]:
        """Tasks with a run on a node, in the order they started."""
        return [start.task for run, start in self.nodes.live.items() if run not in self.nodes.stopping]

    def end(self, task: str, code: int | None = 0, job: str = "job", **what: Any) -> None:
        self.end_run(self.live(task, job).run, code, **what)

    def end_run(
        self, run: str, code: int | None = 0, failure: FailureInfo | None = None, phase: Phase = Phase.COMMAND
    ) -> None:
        self.nodes.live.pop(run)
        self.nodes.stopping.discard(run)
        self.scheduler.run_ended(RunEnd(run, self.clock.now(), code, failure, phase))

    def obey(self) -> None:
        """Runs that were told to stop end."""
        while self.nodes.stopping:
            self.end_run(min(self.nodes.stopping), None)

    def settle(self) -> None:
        """Let the scheduler do all that it has put off."""
        while self.scheduler.has_more:
            self.scheduler.work()

    def advance(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        self.scheduler.tick()


def ref(name: str) -> NodeRef:
    return NodeRef(ACCOUNT, POOL, name)


def _account(now: datetime) -> BatchAccount:
    return BatchAccount(
        subscription="s",
        resource_group="g",
        name=ACCOUNT,
        location="here",
        primary_key="",
        secondary_key="",
        etag="",
        ready_at=now,
    )
