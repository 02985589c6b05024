"""What the parts of the scheduler share: the store, the live state made from it, and what is to be done after it."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal

from emulator.clock import Clock
from emulator.domain.jobs import JobRecord, TaskCounts
from emulator.domain.tasks import TaskRecord
from emulator.domain.usage import JobUsage, Usage
from emulator.ids import IdSource
from emulator.repositories import Repositories
from emulator.scheduler.dependencies import Waiting
from emulator.scheduler.placement import PoolNodes
from emulator.scheduler.ports import NodeRef, Pools, PoolTraits, Runners, TaskStart
from emulator.scheduler.records import QueueEntry, RunRecord
from emulator.store import Store

JobKey = tuple[str, str]  # account and job, in lower case
PoolKey = tuple[str, str]  # account and pool, in lower case
Deadline = tuple[datetime, str, str, str]  # when, what, account and the thing's name

QUEUE_WINDOW = 256  # tasks of a job that are looked at for a place; the next ones follow as these are placed


class NoNodes:
    """A service without pools."""

    def start(self, start: TaskStart) -> None:
        raise LookupError(f"there is no node {start.node}")

    def stop(self, node: NodeRef, run: str) -> None:
        return

    def proceed(self, node: NodeRef, run: str) -> None:
        return

    def drained(self, ref: NodeRef) -> None:
        return

    def forget(self, node: NodeRef, folder: str) -> None:
        return

    def traits(self, account: str, pool: str) -> PoolTraits | None:
        return None

    def create_auto_pool(self, account: str, pool: str, specification: Mapping[str, object]) -> None:
        return

    def delete_auto_pool(self, account: str, pool: str) -> None:
        return


@dataclass(slots=True)
class LiveJob:
    """A job that is not completed, with what scheduling asks of it again and again."""

    key: JobKey
    pool: PoolKey | None = None
    priority: int = 0
    created: str = ""
    is_schedulable: bool = False
    is_stopping: bool = False  # and goes on once its runs are over
    is_preemptible: bool = False
    most_parallel: int = -1
    served: int = 0  # when a task of it was placed last, in placings
    waiting: Waiting | None = None
    window: deque[QueueEntry] = field(default_factory=deque)
    read_to: str = ""
    runs: set[str] = field(default_factory=set)  # of tasks and of preparation
    runs_of_task: dict[str, set[str]] = field(default_factory=dict)  # the same by their task's id in lower case
    releases: set[str] = field(default_factory=set)
    tasks_running: int = 0
    record: JobRecord | None = None  # as it was saved last
    chore: Literal["", "release", "erase"] = ""  # of its end, that is under way

    @property
    def has_room(self) -> bool:
        return self.most_parallel == -1 or self.tasks_running < self.most_parallel

    def add_run(self, run: RunRecord) -> None:
        self.runs.add(run.run)
        self.runs_of_task.setdefault(run.task.lower(), set()).add(run.run)

    def drop_run(self, run: RunRecord) -> None:
        self.runs.discard(run.run)
        same = self.runs_of_task.get(run.task.lower(), set())
        same.discard(run.run)
        if not same:
            self.runs_of_task.pop(run.task.lower(), None)

    def reread(self) -> None:
        """The queue has changed in front of what was read of it."""
        self.window.clear()
        self.read_to = ""


def pool_key(account: str, pool: str) -> PoolKey:
    return account.lower(), pool.lower()


def job_key(account: str, job: str) -> JobKey:
    return account.lower(), job.lower()


class World:
    def __init__(self, store: Store, repositories: Repositories, clock: Clock, ids: IdSource) -> None:
        self.store = store
        self.repositories = repositories
        self.clock = clock
        self.ids = ids
        self.runners: Runners = NoNodes()
        self.pools_port: Pools = NoNodes()
        self.pools: dict[PoolKey, PoolNodes] = {}
        self.jobs: dict[JobKey, LiveJob] = {}
        self.jobs_by_pool: dict[PoolKey, dict[JobKey, None]] = {}
        self.runs: dict[str, RunRecord] = {}
        self.groups: dict[str, list[str]] = {}
        self.abandoned: dict[str, RunRecord] = {}  # of jobs that were ended by force
        self.in_doubt: dict[NodeRef, dict[str, RunRecord]] = {}
        self.draining: set[NodeRef] = set()
        self.dirty: dict[PoolKey, None] = {}
        self.after: deque[Callable[[], None]] = deque()
        self.chores: deque[Iterator[None]] = deque()
        self.deadlines: list[Deadline] = []
        self._counts: dict[JobKey, TaskCounts] = {}
        self._uncounted: dict[JobKey, None] = {}
        self.placings = 0

    def now(self) -> datetime:
        return self.clock.now()

    def etag(self) -> str:
        return self.ids.etag(self.now())

    @contextmanager
    def unit(self) -> Iterator[None]:
        """A transaction. Counts that change in it are written once, at its end."""
        self._write_counts()
        try:
            with self.store.transaction():
                yield
                self._write_counts()
        except BaseException:
            self._counts.clear()
            self._uncounted.clear()
            raise

    # Jobs

    def live_job(self, account: str, job: str) -> JobRecord | None:
        """A job that is not completed, without reading it. What is changed in it must be saved."""
        live = self.jobs.get(job_key(account, job))
        return live.record if live is not None else None

    def job(self, account: str, job: str) -> JobRecord | None:
        return self.repositories.jobs.get(account, job)

    def save_job(self, account: str, record: JobRecord) -> None:
        """Keep the job and what is live of it in step."""
        self.repositories.jobs.put(account, record.job.id, record)
        self.enliven(account, record)

    def enliven(self, account: str, record: JobRecord) -> LiveJob:
        key = job_key(account, record.job.id)
        live = self.jobs.get(key) or self.jobs.setdefault(key, LiveJob(key))
        live.record = record
        self._move_to_pool(live, pool_key(account, record.pool) if record.pool else None)
        live.priority = record.job.priority or 0
        live.created = record.job.creation_time
        live.is_schedulable = record.is_schedulable
        live.is_stopping = record.job.state == "disabling" or record.ending is not None
        live.is_preemptible = bool(record.job.allow_task_preemption)
        live.most_parallel = record.job.max_parallel_tasks or -1
        if record.job.uses_task_dependencies and live.waiting is None:
            live.waiting = Waiting()
        self.mark_dirty(live.pool)
        if record.job.state == "completed":
            self.forget_job(key)
        return live

    def forget_job(self, key: JobKey) -> None:
        live = self.jobs.pop(key, None)
        if live is not None:
            self._move_to_pool(live, None)

    def _move_to_pool(self, live: LiveJob, pool: PoolKey | None) -> None:
        if live.pool is not None:
            jobs = self.jobs_by_pool.get(live.pool, {})
            jobs.pop(live.key, None)
            if not jobs:
                self.jobs_by_pool.pop(live.pool, None)
        live.pool = pool
        if pool is not None:
            self.jobs_by_pool.setdefault(pool, {})[live.key] = None

    # Tasks

    def scope(self, account: str, job: str) -> str:
        return f"{account}/{job}"

    def task(self, account: str, job: str, task: str) -> TaskRecord | None:
        return self.repositories.tasks.get(self.scope(account, job), task)

    def counts(self, account: str, job: str) -> TaskCounts:
        """To be read. ``count`` changes them."""
        found = self._counts.get(job_key(account, job))
        return found or self.repositories.task_counts.get(account, job) or TaskCounts()

    def count(self, account: str, job: str, state: str, result: str | None, slots: int, *, sign: int = 1) -> None:
        """Count a task in, or with ``sign`` -1 out. Only within a unit."""
        key = job_key(account, job)
        counts = self._counts[key] = self.counts(account, job)
        counts.add(state, result, slots, sign)
        self._uncounted[key] = None

    def _write_counts(self) -> None:
        for key in self._uncounted:
            self.repositories.task_counts.put(*key, self._counts[key])
            if key not in self.jobs:
                del self._counts[key]
        self._uncounted.clear()

    def forget_counts(self, account: str, job: str) -> None:
        self._counts.pop(job_key(account, job), None)
        self._uncounted.pop(job_key(account, job), None)
        self.repositories.task_counts.delete(account, job)

    @contextmanager
    def changing(self, account: str, job: str, record: TaskRecord) -> Iterator[None]:
        """Save a task after the block, and count it where it is by then and what it has used in between."""
        was = record.task.state, record.task.execution_info.result
        used, retries = copy(record.used), record.task.execution_info.retry_count
        yield
        self.repositories.tasks.put(self.scope(account, job), record.task.id, record)
        new = record.task.state, record.task.execution_info.result
        if new != was:
            self.count(account, job, *was, record.slots, sign=-1)
            self.count(account, job, *new, record.slots)
        self._count_usage(account, job, _added(record, used, retries, moved=new != was))

    def _count_usage(self, account: str, job: str, usage: JobUsage | None) -> None:
        if usage is None:
            return
        key = job_key(account, job)
        counts = self._counts[key] = self.counts(account, job)
        counts.usage.add(usage, self.now())
        self._uncounted[key] = None

    def enqueue(self, account: str, job: str, record: TaskRecord) -> None:
        place = queue_place(record)
        self.repositories.task_queue.put(self.scope(account, job), place, QueueEntry(place, record.task.id))
        live = self.jobs.get(job_key(account, job))
        if live is not None:
            if place <= live.read_to:
                live.reread()
            self.mark_dirty(live.pool)

    def dequeue(self, account: str, job: str, record: TaskRecord) -> None:
        self.repositories.task_queue.delete(self.scope(account, job), queue_place(record))

    # Runs

    def save_run(self, run: RunRecord) -> None:
        self.runs[run.run] = run
        self.repositories.runs.put(run.account, run.run, run)

    def drop_run(self, run: RunRecord) -> None:
        """The run is over: its slots are free."""
        self.runs.pop(run.run, None)
        self.abandoned.pop(run.run, None)
        self.repositories.runs.delete(run.account, run.run)
        if (nodes := self.pools.get(pool_key(run.account, run.pool))) is not None:
            nodes.release(run.ref, run.run)
            self.mark_dirty(pool_key(run.account, run.pool))
            self.tell_drained(run.ref)

    def tell_drained(self, ref: NodeRef) -> None:
        if ref in self.draining and self._is_empty(ref):
            self.after.append(partial(self._drained, ref))

    def _drained(self, ref: NodeRef) -> None:
        """Unless it takes tasks again by now."""
        if ref in self.draining and self._is_empty(ref):
            self.draining.discard(ref)
            self.runners.drained(ref)

    def _is_empty(self, ref: NodeRef) -> bool:
        nodes = self.pools.get(pool_key(ref.account, ref.pool))
        load = nodes.get(ref) if nodes else None
        return load is None or not load.runs

    def start(self, start: TaskStart) -> None:
        self.after.append(partial(self._start, start))

    def _start(self, start: TaskStart) -> None:
        """Unless the run is over by now, its node lost or its job gone."""
        if start.run in self.runs:
            self.runners.start(start)

    def stop(self, run: RunRecord) -> None:
        self.after.append(lambda: self.runners.stop(run.ref, run.run))

    # What is to come

    def mark_dirty(self, pool: PoolKey | None) -> None:
        """Something may be placed on the pool's nodes by now."""
        if pool is not None:
            self.dirty[pool] = None

    def begin(self, chore: Iterator[None]) -> None:
        """Do the first step of something long; the others follow, each a unit, in between all else."""
        if next(chore, self) is not self:
            self.chores.append(chore)

    def set_deadline(self, when: datetime, what: str, account: str, name: str) -> None:
        heapq.heappush(self.deadlines, (when, what, account, name))


def _added(record: TaskRecord, used: Usage | None, retries: int, *, moved: bool) -> JobUsage | None:
    """What a change of a task adds to what its job has used, None for nothing."""
    info, now, before = record.task.execution_info, record.used or Usage(), used or Usage()
    ended = info.result if moved and record.task.state == "completed" else None
    if record.used == used and info.retry_count <= retries and ended is None:
        return None
    more = Usage(
        user=now.user - before.user,
        kernel=now.kernel - before.kernel,
        wall=now.wall - before.wall,
        reads=now.reads - before.reads,
        writes=now.writes - before.writes,
        read_bytes=now.read_bytes - before.read_bytes,
        written_bytes=now.written_bytes - before.written_bytes,
    )
    return JobUsage(more, max(0, info.retry_count - retries), int(ended == "success"), int(ended == "failure"))


def queue_place(record: TaskRecord) -> str:
    """Tasks start in the order they came, a job manager before all."""
    return f"{0 if record.is_manager else 1}{record.sequence:019d}"
