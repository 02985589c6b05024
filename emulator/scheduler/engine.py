"""The scheduler as others see it: events of nodes come in, commands to nodes go out, time passes."""

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from emulator.agenda import Agenda, Entry
from emulator.clock import Clock
from emulator.ids import IdSource
from emulator.repositories import Repositories
from emulator.scheduler import assigning, ending, job_life, preparing, recurrence, restoring, stopping
from emulator.scheduler.outcomes import ended_by_service
from emulator.scheduler.placement import PoolNodes
from emulator.scheduler.ports import Drain, NodeRef, NodeSlots, Pools, RunEnd, RunKind, Runners
from emulator.scheduler.world import World, pool_key
from emulator.store import Store

TURN = 100  # tasks placed and nodes told before others have their turn

_NODE_TAKEN = "The task was ended because its node was taken away"


class Scheduler:
    """Implements ``NodeEvents``. Deterministic: the same calls at the same times give the same runs.

    Each call takes effect in one transaction of the store; what it makes nodes do follows after that, for calls made
    ``together`` after the last of them. The agenda calls back for deadlines, and when there is more to do than one turn
    allows.
    """

    def __init__(self, store: Store, repositories: Repositories, clock: Clock, ids: IdSource, agenda: Agenda) -> None:
        self._parts = store, repositories, clock, ids
        self._agenda = agenda
        self._alarm: Entry | None = None
        self.world = World(*self._parts)
        self._is_held = False  # what follows from calls is left to somebody further up
        self._more: Entry | None = None

    def connect(self, runners: Runners, pools: Pools) -> None:
        self.world.runners, self.world.pools_port = runners, pools

    @contextmanager
    def together(self) -> Iterator[None]:
        """Calls that are kept in one transaction. What follows from them is done when all are made."""
        if self._is_held:
            yield
            return
        with self.world.unit():
            self._is_held = True
            try:
                yield
            finally:
                self._is_held = False
        self.work()

    @contextmanager
    def _event(self) -> Iterator[World]:
        """What a node tells: one of many ``together``, or a unit."""
        if self._is_held:
            yield self.world
            return
        with self.unit() as world:
            yield world

    @contextmanager
    def unit(self) -> Iterator[World]:
        """Changes that belong together, or are undone together. What follows from them is done afterwards."""
        with self.world.unit():
            yield self.world
        self.work()

    def work(self) -> None:
        """Do what earlier calls left to do. Within a call that does so already it is left to that one."""
        if self._is_held:
            return
        self._is_held = True
        problem: Exception | None = None
        try:
            with self.world.store.transaction():
                try:
                    self._drain()
                except Exception as error:  # noqa: BLE001 - what was done until then is kept: nodes know of it already
                    problem = error
        finally:
            self._is_held = False
        if problem is not None:
            raise problem
        if self.has_more and (self._more is None or self._more.action is None):
            self._more = self._agenda.after(0, self._go_on)
        self._set_alarm()

    @property
    def has_more(self) -> bool:
        """Whether something is left for the next turn."""
        return bool(self.world.after or self.world.dirty or self.world.chores)

    def _go_on(self) -> None:
        self._more = None
        self.work()

    def _set_alarm(self) -> None:
        due = self.next_deadline()
        if due is None or (self._alarm is not None and self._alarm.action is not None and self._alarm.at <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._agenda.at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.tick()

    def _drain(self) -> None:
        left = TURN
        while left > 0 and self.has_more:
            while left > 0 and self.world.after:
                self.world.after.popleft()()
                left -= 1
            if left > 0 and self.world.chores:
                with self.world.unit():
                    self.world.begin(self.world.chores.popleft())
                left -= TURN // 2
            for pool in list(self.world.dirty):
                if left > 0 and not self.world.after:
                    with self.world.unit():
                        left -= assigning.fill_pool(self.world, pool, left)

    # Time

    def next_deadline(self) -> datetime | None:
        return self.world.deadlines[0][0] if self.world.deadlines else None

    def tick(self) -> None:
        """Do what is due by now."""
        now = self.world.now()
        while self.world.deadlines and self.world.deadlines[0][0] <= now:
            _, what, account, name = heapq.heappop(self.world.deadlines)
            with self.unit() as world:
                if what == "run" and (run := world.runs.get(name)) is not None:
                    ending.limit_reached(world, run)
                elif what == "job":
                    job_life.limit_reached(world, account, name, now)
                elif what == "schedule":
                    recurrence.look(world, account, name, now)
        self.work()

    # NodeEvents

    def node_online(self, node: NodeSlots) -> None:
        with self._event() as world:
            key = pool_key(node.ref.account, node.ref.pool)
            nodes = world.pools.setdefault(key, PoolNodes())
            nodes.add(node)
            world.draining.discard(node.ref)
            restoring.adopt(world, node)
            preparing.node_came(world, node)
            world.mark_dirty(key)

    def node_draining(self, ref: NodeRef, option: Drain) -> None:
        with self._event() as world:
            nodes = world.pools.get(pool_key(ref.account, ref.pool))
            load = nodes.get(ref) if nodes else None
            world.draining.add(ref)
            if nodes is not None and load is not None:
                nodes.close(ref)
                if option in {Drain.REQUEUE, Drain.TERMINATE}:
                    self._clear(world, list(load.runs), option)
            world.tell_drained(ref)

    def _clear(self, world: World, names: list[str], option: Drain) -> None:
        for name in names:
            run = world.runs.get(name)
            if run is None or run.fate != "judge":
                continue
            if run.kind in {RunKind.PREPARATION, RunKind.RELEASE}:
                stopping.stop(world, run, "requeue" if run.kind is RunKind.PREPARATION else "nothing")
                continue
            record = world.task(run.account, run.job, run.task)
            job = world.job(run.account, run.job)
            group = [world.runs[other] for other in world.groups.get(run.group, [run.run])]
            if record is None or job is None:
                continue
            if option is Drain.REQUEUE:
                stopping.requeue(world, record, group)
            else:
                stopping.complete(world, record, group, ended_by_service(_NODE_TAKEN))
                ending.completed(world, job, run.account, record, ending.blocked(record))

    def node_lost(self, ref: NodeRef) -> None:
        with self._event() as world:
            ending.node_lost(world, ref)

    def run_started(self, run: str, at: datetime) -> None:
        """The service counts a task as running from when it goes to its node, so there is nothing to note."""

    def run_coordinated(self, run: str) -> None:
        with self._event() as world:
            found = world.runs.get(run)
            if found is None:
                return
            found.is_coordinated = True
            world.save_run(found)
            group = [world.runs[name] for name in world.groups.get(found.group, ())]
            if group and all(instance.is_coordinated for instance in group):
                first = group[0]
                world.after.append(lambda: world.runners.proceed(first.ref, first.run))

    def run_ended(self, end: RunEnd) -> None:
        """Runs that are not known (any more) are ignored."""
        run = self.world.runs.get(end.run)
        if run is not None:
            with self._event() as world:
                ending.run_ended(world, run, end)

    def pool_changed(self, account: str, pool: str) -> None:
        self.world.mark_dirty(pool_key(account, pool))
        self.work()

    # Beginnings and ends

    def restore(self) -> None:
        """Read what is under way from the store. ``restored`` must follow when the nodes are announced."""
        restoring.restore(self.world)

    def restored(self) -> None:
        with self.unit() as world:
            restoring.settle(world)

    def reset(self) -> None:
        """The store was emptied: forget everything, tell nobody."""
        runners, pools = self.world.runners, self.world.pools_port
        self.world = World(*self._parts)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._more is not None:
            self._more.cancel()
            self._more = None
        self.connect(runners, pools)

    def forget_account(self, account: str) -> None:
        """Everything of an account is gone with it. Call it within the transaction that deletes the account."""
        restoring.forget_account(self.world, account)
