"""Puts waiting tasks on nodes with free slots: jobs by priority, tasks of a job in the order they came."""

from collections import deque
from datetime import datetime
from itertools import groupby, islice

import msgspec

from emulator.clock import iso
from emulator.domain import tasks
from emulator.domain.jobs import JobRecord
from emulator.domain.stamps import move
from emulator.domain.tasks import TaskRecord
from emulator.scheduler import preempting, preparing, starting
from emulator.scheduler.placement import PoolNodes
from emulator.scheduler.ports import NodeRef, PoolTraits, RunKind
from emulator.scheduler.records import QueueEntry, RunRecord
from emulator.scheduler.world import QUEUE_WINDOW, LiveJob, PoolKey, World, job_key, pool_key
from emulator.wire import times
from emulator.wire.common import NodeInfo
from emulator.wire.tasks import Subtask

_AFFINITY = "TVM:"


def fill_pool(world: World, pool: PoolKey, most: int) -> int:
    """Place at most ``most`` tasks on a pool; how many were. The pool stays dirty when more may follow."""
    world.dirty.pop(pool, None)
    nodes = world.pools.get(pool)
    traits = world.pools_port.traits(*pool)
    if not nodes or traits is None or not traits.is_schedulable:
        return 0
    placed = 0
    for jobs in _by_priority(world, pool):
        if placed >= most or not nodes.has_free():
            break
        _let_go(world, nodes, jobs[0].priority)
        placed += _fill_group(world, jobs, nodes, traits, most - placed)
    if placed >= most:
        world.mark_dirty(pool)
    else:
        preempting.make_room(world, pool, nodes, traits)
    return placed


def _by_priority(world: World, pool: PoolKey) -> list[list[LiveJob]]:
    """Jobs that have their turn together, the most important first, in each group the oldest first."""
    jobs = (world.jobs[key] for key in world.jobs_by_pool.get(pool, ()))
    found = sorted((job for job in jobs if job.is_schedulable), key=lambda job: (-job.priority, job.created, job.key))
    return [list(group) for _, group in groupby(found, key=lambda job: job.priority)]


def _let_go(world: World, nodes: PoolNodes, priority: int) -> None:
    """Nodes held for more important jobs are free for these too once all that was stopped for them is over."""
    for ref, hold in nodes.held_above(priority).items():
        if not any(run in world.runs for run in hold.runs):
            nodes.let_go(ref)


def _fill_group(world: World, jobs: list[LiveJob], nodes: PoolNodes, traits: PoolTraits, most: int) -> int:
    """Jobs of the same priority: one after the other if the pool says so, else one task of each in turn."""
    if len(jobs) > 1 and traits.job_order == "none":
        return _fill_in_turn(world, jobs, nodes, traits, most)
    placed = 0
    for live in jobs:
        placed += _fill_from(world, live, nodes, traits, most - placed)
        if placed >= most or not nodes.has_free():
            break
    return placed


def _fill_in_turn(world: World, jobs: list[LiveJob], nodes: PoolNodes, traits: PoolTraits, most: int) -> int:
    """The one that has waited longest goes first, so that each has its share however slowly slots come free."""
    placed = 0
    waiting = deque(sorted(jobs, key=lambda job: (job.served, job.created, job.key)))
    while waiting and placed < most and nodes.has_free():
        live = waiting.popleft()
        if _fill_from(world, live, nodes, traits, 1):
            placed += 1
            waiting.append(live)
    return placed


def _fill_from(world: World, live: LiveJob, nodes: PoolNodes, traits: PoolTraits, most: int) -> int:
    """Tasks that find no place are passed over, as far as the window reaches, so smaller ones behind them may go."""
    placed = 0
    passed: list[QueueEntry] = []
    job: JobRecord | None = None
    while placed < most and live.has_room and nodes.has_free():
        entry = _next(world, live, len(passed))
        if entry is None:
            break
        job = job or live.record
        record = world.task(*live.key, entry.task)
        if job is None or record is None or record.task.state != "active" or record.run is not None:
            world.repositories.task_queue.delete(world.scope(*live.key), entry.place)
            continue
        chosen = _nodes_for(world, job, record, nodes, traits)
        if not chosen:
            passed.append(entry)
            continue
        _assign(world, job, record, chosen)
        placed += 1
    live.window.extendleft(reversed(passed))
    return placed


def _next(world: World, live: LiveJob, passed: int) -> QueueEntry | None:
    if not live.window and passed < QUEUE_WINDOW:
        found = world.repositories.task_queue.page(world.scope(*live.key), live.read_to, QUEUE_WINDOW - passed)
        live.window.extend(found)
        if found:
            live.read_to = found[-1].place
    return live.window.popleft() if live.window else None


def _nodes_for(world: World, job: JobRecord, record: TaskRecord, nodes: PoolNodes, traits: PoolTraits) -> list[NodeRef]:
    """The nodes the task goes to: one, or one for each instance. Empty when there is no place now."""
    refused = preparing.refused_nodes(world, job, nodes) | nodes.held_above(job.job.priority or 0).keys()
    if record.instances:
        return _for_instances(record.instances, nodes, traits, refused)
    manager = job.job.job_manager_task if record.is_manager else None
    if manager is not None and (manager.run_exclusive or not manager.allow_low_priority_node):
        return _for_manager(
            record, nodes, refused, dedicated=not manager.allow_low_priority_node, alone=bool(manager.run_exclusive)
        )
    wanted = record.task.affinity_info.affinity_id.removeprefix(_AFFINITY) if record.task.affinity_info else ""
    if wanted and job.pool:
        near = nodes.named(wanted)
        if near is not None and near.accepts and near.free >= record.slots and near.node.ref not in refused:
            return [near.node.ref]
    found = nodes.choose(record.slots, traits.fill, refused)
    return [found] if found else []


def _for_instances(count: int, nodes: PoolNodes, traits: PoolTraits, refused: frozenset[NodeRef]) -> list[NodeRef]:
    if not traits.inter_node_communication or traits.slots_per_node != 1:
        return []
    found: list[NodeRef] = []
    for ref in nodes.idle(refused=refused):
        found.append(ref)
        if len(found) == count:
            return found
    return []


def _for_manager(
    record: TaskRecord, nodes: PoolNodes, refused: frozenset[NodeRef], *, dedicated: bool, alone: bool
) -> list[NodeRef]:
    if alone:
        return list(islice(nodes.idle(dedicated_only=dedicated, refused=refused), 1))
    for load in nodes:
        if load.node.is_dedicated and load.accepts and load.free >= record.slots and load.node.ref not in refused:
            return [load.node.ref]
    return []


def _assign(world: World, job: JobRecord, record: TaskRecord, chosen: list[NodeRef]) -> None:
    account = chosen[0].account
    live = world.jobs[job_key(account, job.job.id)]
    runs = _new_runs(world, job, record, chosen)
    for run in runs:
        world.pools[pool_key(account, run.pool)].take(run.ref, run.run, run.slots)
        world.runs[run.run] = run
        live.add_run(run)
    if record.instances:
        world.groups[runs[0].group] = [run.run for run in runs]
    live.tasks_running += 1
    world.placings += 1
    live.served = world.placings
    world.dequeue(account, job.job.id, record)
    ready = [preparing.prepare(world, job, run.ref) for run in runs]
    tasks.place(record, runs[0].run, _node_info(runs[0]))
    for run in runs:
        if record.instances:
            _save_subtask(world, run, world.now())
    if all(ready):
        start(world, job, record, runs)
        return
    with world.changing(account, job.job.id, record):
        move(record.task, "preparing", world.now())
    for run in runs:
        world.save_run(run)


def _new_runs(world: World, job: JobRecord, record: TaskRecord, chosen: list[NodeRef]) -> list[RunRecord]:
    runs: list[RunRecord] = []
    for number, ref in enumerate(chosen):
        name = world.ids.guid()
        runs.append(
            RunRecord(
                run=name,
                kind=RunKind.SUBTASK if record.instances else RunKind.TASK,
                account=ref.account,
                job=job.job.id,
                task=record.task.id,
                pool=ref.pool,
                node=ref.node,
                slots=_slots_on(world, job, record, ref),
                group=runs[0].run if runs else name,
                instance=number if record.instances else None,
            )
        )
    return runs


def _slots_on(world: World, job: JobRecord, record: TaskRecord, ref: NodeRef) -> int:
    """A job manager that runs alone takes the whole node."""
    manager = job.job.job_manager_task if record.is_manager else None
    load = world.pools[pool_key(ref.account, ref.pool)].get(ref)
    return load.node.slots if manager is not None and manager.run_exclusive and load is not None else record.slots


def start(world: World, job: JobRecord, record: TaskRecord, runs: list[RunRecord]) -> None:
    """All nodes are prepared: the runs begin. The task is running already or becomes so now."""
    now = world.now()
    limit = record.task.constraints.max_wall_clock_time if record.task.constraints else None
    with world.changing(runs[0].account, runs[0].job, record):
        tasks.begin(record, now)
    for run in runs:
        run.is_started = True
        if limit is not None and not times.is_unlimited(limit) and (when := times.later(now, limit)) is not None:
            run.limit = iso(when)
            world.set_deadline(when, "run", run.account, run.run)
        world.save_run(run)
        if run.instance is not None:
            move_subtask(world, run, "running", now)
        world.start(starting.task_start(world, run, job, record))


def again(world: World, run: RunRecord) -> RunRecord:
    """A new run in the place of one that ended, on the same node with the same slots."""
    nodes = world.pools[pool_key(run.account, run.pool)]
    nodes.release(run.ref, run.run)
    world.runs.pop(run.run)
    world.repositories.runs.delete(run.account, run.run)
    name = world.ids.guid()
    new = msgspec.structs.replace(run, run=name, group=name, limit=None)
    nodes.adopt(run.ref, name, run.slots)
    live = world.jobs[job_key(run.account, run.job)]
    live.drop_run(run)
    live.add_run(new)
    return new


def _node_info(run: RunRecord) -> NodeInfo:
    return NodeInfo(
        affinity_id=f"{_AFFINITY}{run.node}",
        pool_id=run.pool,
        node_id=run.node,
        task_root_directory=starting.folder(run),
    )


def _save_subtask(world: World, run: RunRecord, now: datetime) -> None:
    subtask = Subtask(
        id=run.instance or 0, state="preparing", state_transition_time=iso(now), node_info=_node_info(run)
    )
    world.repositories.subtasks.put(subtask_scope(run), subtask_name(run), subtask)


def subtask_scope(run: RunRecord) -> str:
    return f"{run.account}/{run.job}/{run.task}"


def subtask_name(run: RunRecord) -> str:
    return f"{run.instance or 0:08d}"


def move_subtask(world: World, run: RunRecord, state: str, now: datetime) -> None:
    found = world.repositories.subtasks.get(subtask_scope(run), subtask_name(run))
    if found is None or found.state == state:
        return
    found.previous_state, found.previous_state_transition_time = found.state, found.state_transition_time
    found.state = "running" if state == "running" else "completed"
    found.state_transition_time = iso(now)
    if state == "running":
        found.start_time = iso(now)
    world.repositories.subtasks.put(subtask_scope(run), subtask_name(run), found)
