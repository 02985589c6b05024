"""Makes room for more important jobs: running tasks of jobs that allow it go back to waiting.

``allowTaskPreemption`` of a job lets jobs of higher priority take tasks off their nodes; these are run again later
(https://learn.microsoft.com/rest/api/batchservice/job/add). The nodes made free are held for the job they were made
free for, so that nothing less important slips in while the last of their tasks is being stopped.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from emulator.domain.jobs import JobRecord
from emulator.domain.tasks import TaskRecord
from emulator.scheduler import preparing, stopping
from emulator.scheduler.placement import Hold, Load, PoolNodes
from emulator.scheduler.ports import PoolTraits
from emulator.scheduler.records import RunRecord
from emulator.scheduler.world import QUEUE_WINDOW, LiveJob, PoolKey, World, job_key

NOTHING = -1001  # below every priority


@dataclass(frozen=True, slots=True)
class _Need:
    """Nodes that a task wants, and how many slots of each; all of them for ``whole`` ones."""

    nodes: int
    slots: int
    whole: bool = False
    dedicated: bool = False


class _Room:
    """A node, by what it has free once its runs that are being stopped are over and what was promised is taken."""

    def __init__(self, world: World, load: Load) -> None:
        self._world = world
        self.load = load
        self.promised = 0

    @property
    def coming(self) -> int:
        stopping_slots = sum(run.slots for run in self._runs() if run.fate != "judge")
        return self.load.free + stopping_slots - self.promised

    def _runs(self) -> list[RunRecord]:
        return [run for name in self.load.runs if (run := self._world.runs.get(name)) is not None]

    def victims(self, need: _Need, below: int) -> list[RunRecord] | None:
        """The runs to stop so that the need is met: the least important and of these the latest. None: it cannot be."""
        staying = [run for run in self._runs() if run.fate == "judge" and run.slots]
        giving = [run for run in reversed(staying) if self._gives(run, below)]
        if need.whole:
            return giving if len(giving) == len(staying) and not self.promised else None
        coming, chosen = self.coming, []
        for run in sorted(giving, key=lambda run: self._job(run).priority):
            if coming >= need.slots:
                break
            chosen.append(run)
            coming += run.slots
        return chosen if coming >= need.slots else None

    def _gives(self, run: RunRecord, below: int) -> bool:
        job = self._job(run)
        return job.is_preemptible and job.priority < below

    def _job(self, run: RunRecord) -> LiveJob:
        return self._world.jobs[job_key(run.account, run.job)]


def make_room(world: World, pool: PoolKey, nodes: PoolNodes, traits: PoolTraits) -> None:
    """Stop what has to give way to waiting tasks of more important jobs. These are placed when it has stopped."""
    jobs = sorted((world.jobs[key] for key in world.jobs_by_pool.get(pool, ())), key=lambda job: -job.priority)
    giving = [job for job in jobs if job.is_preemptible and job.runs]
    wanting = [job for job in jobs if giving and job.priority > giving[-1].priority and _wants(world, job)]
    if not wanting:
        return
    rooms = _rooms(world, nodes, giving)
    for live in wanting:
        _make_room_for(world, live, nodes, rooms, traits)


def _wants(world: World, live: LiveJob) -> bool:
    return (
        live.is_schedulable
        and live.has_room
        and bool(world.repositories.task_queue.page(world.scope(*live.key), limit=1))
    )


def _rooms(world: World, nodes: PoolNodes, giving: list[LiveJob]) -> list[_Room]:
    """Nodes that have or may get something free; in a large pool most others are not looked at again."""
    refs = {world.runs[name].ref for job in giving for name in job.runs}
    refs |= {run.ref for run in world.runs.values() if run.fate != "judge"}
    return [_Room(world, load) for load in nodes if load.accepts and (load.free > 0 or load.node.ref in refs)]


def _make_room_for(world: World, live: LiveJob, nodes: PoolNodes, rooms: list[_Room], traits: PoolTraits) -> None:
    job = world.job(*live.key)
    if job is None:
        return
    refused = preparing.refused_nodes(world, job, nodes) | nodes.held_above(live.priority).keys()
    allowed = [room for room in rooms if room.load.node.ref not in refused]
    promised = 0
    for record in _waiting(world, live):
        if live.most_parallel != -1 and live.tasks_running + promised >= live.most_parallel:
            return
        need = _need(job, record, nodes, traits)
        if need is not None and not _promise(world, live, need, nodes, allowed):
            return
        promised += need is not None


def _waiting(world: World, live: LiveJob) -> Iterator[TaskRecord]:
    """The first of its tasks that wait for a node."""
    scope = world.scope(*live.key)
    for entry in world.repositories.task_queue.page(scope, limit=QUEUE_WINDOW):
        record = world.task(*live.key, entry.task)
        if record is not None and record.task.state == "active" and record.run is None:
            yield record


def _need(job: JobRecord, record: TaskRecord, nodes: PoolNodes, traits: PoolTraits) -> _Need | None:
    """None for a task that this pool can never run."""
    if record.instances:
        fits = traits.inter_node_communication and traits.slots_per_node == 1 and record.instances <= len(nodes)
        return _Need(record.instances, 1, whole=True) if fits else None
    manager = job.job.job_manager_task if record.is_manager else None
    if manager is not None:
        return _Need(1, record.slots, bool(manager.run_exclusive), not manager.allow_low_priority_node)
    return _Need(1, record.slots) if record.slots <= traits.slots_per_node else None


def _promise(world: World, live: LiveJob, need: _Need, nodes: PoolNodes, rooms: list[_Room]) -> bool:
    """Find nodes for a task, those first that nothing has to be stopped on. Whether there are enough."""
    chosen = _choose(need, rooms, live.priority)
    if len(chosen) < need.nodes:
        return False
    stopped = [run for _, victims in chosen for run in victims]
    hold = Hold(live.priority, frozenset(run.run for run in stopped))
    for room, _ in chosen:
        room.promised += room.load.node.slots if need.whole else need.slots
        if stopped:
            nodes.hold(room.load.node.ref, hold)
    for run in stopped:
        _preempt(world, run)
    return True


def _choose(need: _Need, rooms: list[_Room], priority: int) -> list[tuple[_Room, list[RunRecord]]]:
    chosen: dict[int, tuple[_Room, list[RunRecord]]] = {}
    for below in (NOTHING, priority):
        for place, room in enumerate(rooms):
            if len(chosen) == need.nodes:
                break
            if place in chosen or (need.dedicated and not room.load.node.is_dedicated):
                continue
            if (victims := room.victims(need, below)) is not None:
                chosen[place] = room, victims
    return list(chosen.values())


def _preempt(world: World, run: RunRecord) -> None:
    """Of a multi-instance task all instances have to go."""
    record = world.task(run.account, run.job, run.task)
    group = [world.runs[name] for name in world.groups.get(run.group, [run.run]) if name in world.runs]
    if record is not None and run.fate == "judge":
        stopping.requeue(world, record, group)
