"""Preparation tasks: run once for a job on each node before the job's first task there."""

from emulator.clock import iso
from emulator.domain.jobs import PREPARATION, JobRecord, PreparationRecord
from emulator.scheduler import starting
from emulator.scheduler.placement import PoolNodes
from emulator.scheduler.ports import NodeRef, NodeSlots, Phase, RunEnd, RunKind
from emulator.scheduler.records import RunRecord
from emulator.scheduler.world import World, job_key, pool_key
from emulator.wire import times
from emulator.wire.common import FailureInfo
from emulator.wire.jobs import PreparationAndRelease, PreparationExecution


def name_of(ref: NodeRef) -> str:
    return f"{ref.pool}/{ref.node}"


def state_on(world: World, job: JobRecord, ref: NodeRef) -> PreparationRecord | None:
    return world.repositories.preparations.get(world.scope(ref.account, job.job.id), name_of(ref))


def refused_nodes(world: World, job: JobRecord, nodes: PoolNodes) -> frozenset[NodeRef]:
    """Nodes where the preparation failed: no task of the job goes there."""
    if job.job.job_preparation_task is None:
        return frozenset()
    return nodes.refused_for(job.job.id)


def prepare(world: World, job: JobRecord, ref: NodeRef) -> bool:
    """Whether tasks of the job may run on the node now. If not, its preparation is running or is started."""
    if job.job.job_preparation_task is None:
        return True
    found = state_on(world, job, ref)
    if found is not None and found.is_ready is not None:
        return found.is_ready
    if found is None or found.run is None:
        _start(world, job, ref, PreparationExecution(start_time=iso(world.now()), state="running", retry_count=0))
    return False


def _start(world: World, job: JobRecord, ref: NodeRef, execution: PreparationExecution) -> None:
    task = job.job.job_preparation_task
    if task is None:
        return
    run = RunRecord(
        run=world.ids.guid(),
        kind=RunKind.PREPARATION,
        account=ref.account,
        job=job.job.id,
        task=task.id or PREPARATION,
        pool=ref.pool,
        node=ref.node,
        slots=0,
        group="",
        is_started=True,
    )
    execution.task_root_directory = starting.folder(run)
    status = PreparationAndRelease(pool_id=ref.pool, node_id=ref.node, job_preparation_task_execution_info=execution)
    nodes = world.pools[pool_key(ref.account, ref.pool)]
    load = nodes.get(ref)
    boot, disk = (load.node.boot, load.node.disk) if load else ("", "")
    _save(world, run, PreparationRecord(status, run=run.run, boot=boot, disk=disk))
    nodes.adopt(ref, run.run, 0)
    world.jobs[job_key(ref.account, job.job.id)].add_run(run)
    limit = task.constraints.max_wall_clock_time if task.constraints else None
    if limit is not None and not times.is_unlimited(limit) and (when := times.later(world.now(), limit)) is not None:
        run.limit = iso(when)
        world.set_deadline(when, "run", run.account, run.run)
    world.save_run(run)
    world.start(starting.preparation_start(run, job))


def _save(world: World, run: RunRecord, record: PreparationRecord) -> None:
    world.repositories.preparations.put(world.scope(run.account, run.job), name_of(run.ref), record)


def ended(world: World, job: JobRecord, run: RunRecord, end: RunEnd, failure: FailureInfo | None) -> bool | None:
    """The preparation ended. Whether tasks may run on the node, None when it is tried again."""
    task = job.job.job_preparation_task
    record = state_on(world, job, run.ref)
    if task is None or record is None or record.status.job_preparation_task_execution_info is None:
        return None
    info = record.status.job_preparation_task_execution_info
    if failure is not None and not run.limited and _may_retry(job, info, end):
        info.retry_count += 1
        info.last_retry_time = iso(world.now())
        _start(world, job, run.ref, info)
        return None
    info.state = "completed"
    info.end_time = iso(world.now())
    info.exit_code, info.container_info, info.failure_info = end.exit_code, end.container, failure
    info.result = "success" if failure is None else "failure"
    record.is_ready = failure is None or not task.wait_for_success
    record.run = None
    _save(world, run, record)
    if not record.is_ready and (nodes := world.pools.get(pool_key(run.account, run.pool))) is not None:
        nodes.refuse(job.job.id, run.ref)
    return record.is_ready


def _may_retry(job: JobRecord, info: PreparationExecution, end: RunEnd) -> bool:
    task = job.job.job_preparation_task
    if task is None or end.phase is not Phase.COMMAND or end.exit_code in {0, None}:
        return False
    most = (task.constraints.max_task_retry_count if task.constraints else None) or 0
    return most == -1 or info.retry_count < most


def node_came(world: World, node: NodeSlots) -> None:
    """Where a job stands on a node that takes tasks: what was prepared is gone with the disk, and after a reboot it
    is prepared again if the job wants that. Where the preparation failed it stays so until there is a new disk.
    """
    nodes = world.pools[pool_key(node.ref.account, node.ref.pool)]
    for key in list(world.jobs_by_pool.get(pool_key(node.ref.account, node.ref.pool), ())):
        job = world.live_job(*key)
        if job is None or job.job.job_preparation_task is None:
            continue
        record = state_on(world, job, node.ref)
        if record is None or record.run is not None:
            continue
        if record.disk != node.disk:
            world.repositories.preparations.delete(world.scope(node.ref.account, job.job.id), name_of(node.ref))
            nodes.pardon(job.job.id, node.ref)
        elif record.is_ready is False:
            nodes.refuse(job.job.id, node.ref)
        elif record.boot != node.boot and _runs_after_reboots(job):
            record.is_ready = None
            world.repositories.preparations.put(world.scope(node.ref.account, job.job.id), name_of(node.ref), record)


def _runs_after_reboots(job: JobRecord) -> bool:
    task = job.job.job_preparation_task
    return task is not None and bool(task.rerun_on_node_reboot_after_success)
