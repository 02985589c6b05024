"""What follows when runs end: the task is judged, tried again or run elsewhere, and its job goes on or ends."""

from datetime import UTC, datetime
from functools import partial

from emulator.clock import iso
from emulator.domain import tasks
from emulator.domain.jobs import JobRecord
from emulator.domain.tasks import TaskRecord
from emulator.scheduler import assigning, job_life, outcomes, preparing, starting, stopping
from emulator.scheduler.outcomes import Outcome, ended_by_service
from emulator.scheduler.ports import NodeRef, RunEnd, RunKind
from emulator.scheduler.records import RunRecord
from emulator.scheduler.world import World, job_key, pool_key
from emulator.wire.common import FailureInfo

_TIME_IS_UP = "The task exceeded its maximum wall clock time"
_ENDED_BY_CLIENT = "Task was ended by user request"


def run_ended(world: World, run: RunRecord, end: RunEnd) -> None:
    if run.kind is RunKind.PREPARATION:
        _preparation_ended(world, run, end)
    elif run.kind is RunKind.RELEASE:
        stopping.over(world, run)
        job_life.release_ended(world, run, end, _plain_failure(run, end))
    else:
        _task_ended(world, run, end)
    job_life.check(world, run.account, run.job)


def _plain_failure(run: RunRecord, end: RunEnd) -> FailureInfo | None:
    if run.limited:
        return ended_by_service(_TIME_IS_UP)
    return end.failure or (outcomes.exit_failure(end.exit_code) if end.exit_code != 0 else None)


def _preparation_ended(world: World, run: RunRecord, end: RunEnd) -> None:
    if run.fate == "requeue":  # its node goes, and what it had begun counts for nothing
        _preparation_lost(world, run)
    else:
        stopping.over(world, run)
    job = world.job(run.account, run.job)
    if job is None:
        return
    if run.fate == "requeue":  # tasks that came when the node was back already
        _go_on(world, job, run.ref, ready=False)
        return
    failure = ended_by_service(_ENDED_BY_CLIENT) if run.fate == "nothing" else _plain_failure(run, end)
    ready = preparing.ended(world, job, run, end, failure)
    if ready is not None:
        _go_on(world, job, run.ref, ready=ready)


def _go_on(world: World, job: JobRecord, ref: NodeRef, *, ready: bool) -> None:
    """Tasks that waited for the preparation begin, or go elsewhere."""
    live = world.jobs.get(job_key(ref.account, job.job.id))
    nodes = world.pools.get(pool_key(ref.account, ref.pool))
    load = nodes.get(ref) if nodes else None
    held = [world.runs[name] for name in sorted(load.runs) if name in live.runs] if live and load else []
    for run in held:
        if run.is_started or run.fate != "judge" or run.run not in world.runs:
            continue
        record = world.task(run.account, run.job, run.task)
        if record is None:
            continue
        group = [world.runs[name] for name in world.groups.get(run.group, [run.run])]
        if not ready:
            stopping.requeue(world, record, group)
        elif all(_is_prepared(world, job, other.ref) for other in group):
            assigning.start(world, job, record, group)


def _is_prepared(world: World, job: JobRecord, ref: NodeRef) -> bool:
    found = preparing.state_on(world, job, ref)
    return found is not None and bool(found.is_ready)


def _task_ended(world: World, run: RunRecord, end: RunEnd) -> None:
    if run.instance is not None:
        _subtask_ended(world, run, end)
    record = world.task(run.account, run.job, run.task)
    if record is not None and end.usage is not None:
        with world.changing(run.account, run.job, record):
            tasks.has_used(record, end.usage, world.now())
    if run.fate != "judge":
        stopping.over(world, run)
        return
    job = world.live_job(run.account, run.job)
    if job is None or record is None:
        stopping.over(world, run)
        return
    if run.instance and outcomes.exit_failure(end.exit_code) is None and end.failure is None:
        stopping.over(world, run)  # the primary decides; an instance whose processes ended well is only done early
        return
    _judge(world, job, record, run, end)


def _subtask_ended(world: World, run: RunRecord, end: RunEnd) -> None:
    now = world.now()
    assigning.move_subtask(world, run, "completed", now)
    scope, name = assigning.subtask_scope(run), assigning.subtask_name(run)
    found = world.repositories.subtasks.get(scope, name)
    if found is None:
        return
    found.end_time = iso(now)
    found.exit_code, found.container_info = end.exit_code, end.container
    found.failure_info = end.failure if run.fate != "judge" else end.failure or outcomes.exit_failure(end.exit_code)
    found.result = "success" if found.failure_info is None else "failure"
    world.repositories.subtasks.put(scope, name, found)


def _judge(world: World, job: JobRecord, record: TaskRecord, run: RunRecord, end: RunEnd) -> None:
    outcome = _limited(record, end) if run.limited else outcomes.judge(record.task, end)
    others = [world.runs[name] for name in world.groups.get(run.group, ()) if name != run.run]
    if outcome.retries:
        _retry(world, job, record, run, others)
        return
    with world.changing(run.account, run.job, record):
        tasks.complete(record, world.now(), exit_code=end.exit_code, failure=outcome.failure, container=end.container)
        record.satisfies = record.satisfies or outcome.satisfies
    for other in others:
        stopping.stop(world, other, "nothing")
    stopping.over(world, run)
    completed(world, job, run.account, record, outcome)


def _limited(record: TaskRecord, end: RunEnd) -> Outcome:
    """The service stopped it for its time: that is the failure, and there is no second try."""
    found = outcomes.judge(record.task, RunEnd(run=end.run, at=end.at))
    return Outcome(ended_by_service(_TIME_IS_UP), False, found.satisfies, found.job_action)


def _retry(world: World, job: JobRecord, record: TaskRecord, run: RunRecord, others: list[RunRecord]) -> None:
    """Once more, on the same node; a multi-instance task or one whose node takes no more goes by the queue."""
    if run.instance is None and run.ref not in world.draining:
        again = assigning.again(world, run)
        with world.changing(run.account, run.job, record):
            tasks.retry(record, again.run, world.now())
        assigning.start(world, job, record, [again])
        return
    with world.changing(run.account, run.job, record):
        tasks.retry(record, "", world.now())
        tasks.requeue(record, world.now(), counted=False)
    for other in others:
        stopping.stop(world, other, "requeue")
    run.fate = "requeue"
    stopping.over(world, run)


def completed(world: World, job: JobRecord, account: str, record: TaskRecord, outcome: Outcome) -> None:
    """Dependents, the job's wishes and the job's end, after a task is completed."""
    live = world.jobs.get(job_key(account, job.job.id))
    if live is not None and live.waiting is not None:
        live.waiting.forget(record.task.id)
    if outcome.satisfies:
        _satisfy(world, job, account, record)
    if job.job.state not in {"active", "disabling", "disabled"}:
        return
    if _end_for_task(world, job, account, record, outcome):
        return
    job_life.end_if_all_complete(world, account, job)


def _satisfy(world: World, job: JobRecord, account: str, record: TaskRecord) -> None:
    if not record.satisfies:
        record.satisfies = True
        world.repositories.tasks.put(world.scope(account, job.job.id), record.task.id, record)
    live = world.jobs.get(job_key(account, job.job.id))
    if live is None or live.waiting is None:
        return
    for name in live.waiting.satisfied(record.task.id):
        freed = world.task(account, job.job.id, name)
        if freed is not None and freed.task.state == "active" and freed.run is None:
            world.enqueue(account, job.job.id, freed)


def _end_for_task(world: World, job: JobRecord, account: str, record: TaskRecord, outcome: Outcome) -> bool:
    """Whether the job was ended or disabled for what became of the task."""
    manager = job.job.job_manager_task
    if record.is_manager and manager is not None and manager.kill_job_on_completion:
        job_life.end(world, account, job, "complete", job_life.MANAGER_COMPLETE)
        return True
    if job.job.on_task_failure != "performexitoptionsjobaction" or outcome.job_action == "none":
        return False
    if outcome.job_action == "terminate":
        job_life.end(world, account, job, "complete", job_life.TASK_FAILED)
        return True
    if job.job.state == "active":
        job_life.disable(world, account, job, "requeue")
        return True
    return False


def terminate_task(world: World, job: JobRecord, account: str, record: TaskRecord) -> None:
    """A client ends a task, wherever it is."""
    failure = ended_by_service(_ENDED_BY_CLIENT)
    runs = [run for run in stopping.runs_of(world, account, job.job.id, record.task.id) if run.fate == "judge"]
    for run in stopping.runs_of(world, account, job.job.id, record.task.id):
        if run.fate == "requeue":  # it was to wait again once this run is over
            run.fate = "nothing"
            world.save_run(run)
    world.dequeue(account, job.job.id, record)
    with world.changing(account, job.job.id, record):
        tasks.complete(record, world.now(), exit_code=None, failure=failure)
    for run in runs:
        stopping.stop(world, run, "nothing")
    completed(world, job, account, record, blocked(record))
    job_life.check(world, account, job.job.id)


def blocked(record: TaskRecord) -> Outcome:
    """What a task that was ended from outside means for others: its default exit condition holds."""
    return outcomes.judge(record.task, RunEnd(run="", at=datetime.min.replace(tzinfo=UTC)))


def node_lost(world: World, ref: NodeRef) -> None:
    """All its runs have ended without a word: tasks run again elsewhere."""
    nodes = world.pools.get(pool_key(ref.account, ref.pool))
    lost = nodes.remove(ref) if nodes else []
    world.draining.discard(ref)
    for name in lost:
        if (run := world.runs.get(name)) is not None:
            run_lost(world, run)
    if nodes is not None and not len(nodes):
        world.pools.pop(pool_key(ref.account, ref.pool), None)


def run_lost(world: World, run: RunRecord) -> None:
    if run.kind is RunKind.PREPARATION:
        _preparation_lost(world, run)
    elif run.kind is RunKind.RELEASE:
        stopping.over(world, run)
        world.repositories.preparations.delete(world.scope(run.account, run.job), preparing.name_of(run.ref))
    else:
        _task_lost(world, run)
    job_life.check(world, run.account, run.job)


def _preparation_lost(world: World, run: RunRecord) -> None:
    """The tasks that waited for it were on the same node and went with it, so nothing is left to tell."""
    stopping.over(world, run)
    world.repositories.preparations.delete(world.scope(run.account, run.job), preparing.name_of(run.ref))


def _task_lost(world: World, run: RunRecord) -> None:
    record = world.task(run.account, run.job, run.task)
    if run.fate != "judge" or record is None:
        stopping.over(world, run)
        return
    live = world.jobs.get(job_key(run.account, run.job))
    job = world.job(run.account, run.job) if live is not None and live.is_stopping else None
    ended = job_life.ended_with_job(job) if job is not None else None
    with world.changing(run.account, run.job, record):
        if ended is None:
            tasks.requeue(record, world.now(), counted=run.is_started)
        else:
            tasks.complete(record, world.now(), exit_code=None, failure=ended)
    run.fate = "requeue" if ended is None else "nothing"
    for name in [name for name in world.groups.get(run.group, ()) if name != run.run]:
        stopping.stop(world, world.runs[name], run.fate)
    stopping.over(world, run)


def limit_reached(world: World, run: RunRecord) -> None:
    """The run's time is up: stop it, and judge it so when it is over."""
    if run.limit is None or run.limit > iso(world.now()) or run.limited:
        return
    run.limited = True
    world.save_run(run)
    world.stop(run)


def forget_task(world: World, account: str, job: str, record: TaskRecord) -> None:
    """A client deletes a task: it is gone at once, its runs and files when they can be."""
    runs = stopping.runs_of(world, account, job, record.task.id)
    live = world.jobs.get(job_key(account, job))
    if live is not None and live.waiting is not None:
        live.waiting.forget(record.task.id)
    world.dequeue(account, job, record)
    world.count(account, job, record.task.state, record.task.execution_info.result, record.slots, sign=-1)
    world.repositories.tasks.delete(world.scope(account, job), record.task.id)
    world.repositories.subtasks.delete_scope(f"{world.scope(account, job)}/{record.task.id}")
    for run in runs:
        run.deleted = True
        stopping.stop(world, run, "nothing")
    if not runs and record.task.node_info is not None:
        node = record.task.node_info
        ref = NodeRef(account, node.pool_id, node.node_id)
        folder = f"{starting.job_folder(job)}/{record.task.id}"
        world.after.append(partial(world.runners.forget, ref, folder))
