"""Jobs from their beginning to their end."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Literal

from emulator.clock import iso
from emulator.domain import jobs
from emulator.domain.jobs import RELEASE, Ending, JobRecord, PreparationRecord
from emulator.domain.stamps import move
from emulator.domain.tasks import new_task
from emulator.domain.usage import JobUsage
from emulator.errors import ServiceError
from emulator.scheduler import preparing, starting, stopping
from emulator.scheduler.outcomes import ended_by_service
from emulator.scheduler.ports import RunEnd, RunKind
from emulator.scheduler.records import RunRecord
from emulator.scheduler.world import LiveJob, World, job_key, pool_key
from emulator.wire import times
from emulator.wire.common import FailureInfo
from emulator.wire.jobs import JobManagerTask, ReleaseExecution, SchedulingError
from emulator.wire.tasks import TaskSpecification

ALL_COMPLETE = "AllTasksComplete"
MANAGER_COMPLETE = "JMComplete"
TASK_FAILED = "TaskFailed"
TIME_LIMIT = "MaxWallClockTimeExpiry"
SCHEDULE_ENDED = "TerminateJobSchedule"

_ENDED_WITH_JOB = "The task was ended because its job was"
_RELEASE_LIMIT = "PT15M"
_STEP = 100  # runs ended or begun in one go
_ERASED = 400  # documents of a deleted job that go in one go


def begin(world: World, account: str, record: JobRecord) -> None:
    """A job was created: keep it, make its pool and its first task."""
    job = record.job
    automatic = job.pool_info.auto_pool_specification
    if automatic is not None and record.auto_pool is None:
        prefix = automatic.auto_pool_id_prefix
        record.auto_pool = f"{prefix}_{world.ids.guid()}" if prefix else world.ids.guid()
    world.save_job(account, record)
    set_limit(world, account, record)
    if job.job_manager_task is not None:
        _add_manager(world, account, record, job.job_manager_task)
    elif automatic is None:
        end_if_all_complete(world, account, record)
    if record.auto_pool is not None:
        world.after.append(partial(make_auto_pool, world, account, job.id))


def set_limit(world: World, account: str, record: JobRecord) -> None:
    limit = record.job.constraints.max_wall_clock_time if record.job.constraints else None
    if limit is None or times.is_unlimited(limit):
        return
    when = times.later(times.moment(record.job.execution_info.start_time), limit)
    if when is not None:
        world.set_deadline(when, "job", account, record.job.id)


def _add_manager(world: World, account: str, record: JobRecord, manager: JobManagerTask) -> None:
    shared = set(TaskSpecification.__struct_fields__) & set(JobManagerTask.__struct_fields__)
    wanted = TaskSpecification(**{name: getattr(manager, name) for name in shared})
    now = world.now()
    task = new_task(wanted, manager.id, record.job, sequence=record.next_task, now=now, etag=world.etag())
    task.is_manager = True
    record.next_task += 1
    world.save_job(account, record)
    world.repositories.tasks.put(world.scope(account, record.job.id), manager.id, task)
    world.count(account, record.job.id, "active", None, task.slots)
    world.enqueue(account, record.job.id, task)


def make_auto_pool(world: World, account: str, job_id: str) -> None:
    """Create the pool of a job, unless it is there from before. Not within a transaction: pools have their own."""
    record = world.job(account, job_id)
    specification = record.job.pool_info.auto_pool_specification if record else None
    if record is None or specification is None or record.auto_pool is None or record.job.state == "completed":
        return
    try:
        if world.pools_port.traits(account, record.auto_pool) is None:
            world.pools_port.create_auto_pool(account, record.auto_pool, specification.pool or {})
    except ServiceError as error:
        record.job.execution_info.scheduling_error = SchedulingError(
            category="usererror", code=error.code, message=error.message
        )
        record.job.execution_info.terminate_reason = error.code
        with world.store.transaction():
            jobs.complete(record, world.now())
            world.save_job(account, record)
        return
    record.job.execution_info.pool_id = record.auto_pool
    with world.store.transaction():
        world.save_job(account, record)


def changed(world: World, account: str, record: JobRecord) -> None:
    """The job was changed by a client."""
    world.save_job(account, record)
    set_limit(world, account, record)
    end_if_all_complete(world, account, record)


def disable(world: World, account: str, record: JobRecord, option: Literal["requeue", "terminate", "wait"]) -> None:
    jobs.disable(record, option, world.now(), world.etag())
    world.save_job(account, record)
    if option != "wait":
        world.begin(_take_off_nodes(world, account, record.job.id, option))
    check(world, account, record.job.id)


def _take_off_nodes(world: World, account: str, job: str, option: Literal["requeue", "terminate"]) -> Iterator[None]:
    """The running tasks of a job that is being disabled, unless it is enabled meanwhile."""
    for number, group in enumerate(_running(world, account, job), start=1):
        task = world.task(account, job, group[0].task)
        if task is not None and option == "requeue":
            stopping.requeue(world, task, group)
        elif task is not None:
            stopping.complete(world, task, group, ended_by_service(f"{_ENDED_WITH_JOB} disabled"))
        if number % _STEP == 0:
            yield
            record = world.job(account, job)
            if record is None or record.disable != option:
                return


def end(world: World, account: str, record: JobRecord, ending: Ending, reason: str | None) -> None:
    """Terminate or delete: running tasks are completed, waiting ones stay as they are, release tasks run."""
    jobs.end(record, ending, reason, world.now(), world.etag())
    world.save_job(account, record)
    world.begin(_end_runs(world, account, record))
    check(world, account, record.job.id)


def _end_runs(world: World, account: str, record: JobRecord) -> Iterator[None]:
    """The running tasks of a job that ends, and its preparation tasks."""
    job = record.job.id
    failure = ended_with_job(record)
    for number, group in enumerate(_running(world, account, job), start=1):
        task = world.task(account, job, group[0].task)
        if task is not None and failure is not None:
            stopping.complete(world, task, group, failure)
        if number % _STEP == 0:
            yield
    live = world.jobs.get(job_key(account, job))
    for number, name in enumerate(sorted(live.runs) if live else (), start=1):
        run = world.runs.get(name)
        if run is not None and run.kind is RunKind.PREPARATION and run.fate == "judge":
            stopping.stop(world, run, "nothing")
        if number % _STEP == 0:
            yield


def ended_with_job(record: JobRecord) -> FailureInfo | None:
    """The failure of a task that runs while its job is ended, or disabled in a way that ends its tasks."""
    if record.ending is not None:
        return ended_by_service(f"{_ENDED_WITH_JOB} {'terminated' if record.ending == 'complete' else 'deleted'}")
    return ended_by_service(f"{_ENDED_WITH_JOB} disabled") if record.disable == "terminate" else None


def _running(world: World, account: str, job: str) -> Iterator[list[RunRecord]]:
    """The runs of tasks that are to be judged when their turn comes, those of a multi-instance task together."""
    for name in sorted(world.jobs[job_key(account, job)].runs):
        run = world.runs.get(name)
        if run is not None and run.group and run.fate == "judge":
            group = [world.runs[other] for other in world.groups.get(run.group, [name])]
            yield [found for found in group if found.fate == "judge"]


def end_if_all_complete(world: World, account: str, record: JobRecord) -> bool:
    """Whether the job ends because it has no task left to do."""
    if record.job.state != "active" or record.job.on_all_tasks_complete != "terminatejob":
        return False
    if world.counts(account, record.job.id).unfinished:
        return False
    end(world, account, record, "complete", ALL_COMPLETE)
    return True


def check(world: World, account: str, job_id: str) -> None:
    """Go on with a job that waited for its runs to be over."""
    live = world.jobs.get(job_key(account, job_id))
    record = world.job(account, job_id) if live is not None and live.is_stopping and not live.chore else None
    if record is None or live is None:
        return
    if record.job.state == "disabling" and not live.runs:
        record.disable = None
        move(record.job, "disabled", world.now())
        world.save_job(account, record)
    elif record.ending is not None and not live.runs and not live.releases:
        if record.releasing:
            _finish(world, account, record)
        else:
            world.begin(_release(world, account, record))


def force(world: World, account: str, job_id: str) -> None:
    """End without waiting for nodes: what still runs there is stopped, and keeps its slots until it is over."""
    record = world.job(account, job_id)
    live = world.jobs.get(job_key(account, job_id))
    if record is None or live is None or record.ending is None or live.chore == "erase":
        return
    for _ in _end_runs(world, account, record):
        pass
    for run in [world.runs[name] for name in sorted(live.runs | live.releases)]:
        _abandon(world, live, run)
    _finish(world, account, record)


def _abandon(world: World, live: LiveJob, run: RunRecord) -> None:
    run.abandoned = True
    if run.run in live.releases:
        stopping.stop(world, run, "nothing")
    run.fate = "nothing"
    live.releases.discard(run.run)
    live.drop_run(run)
    world.abandoned[run.run] = run
    world.save_run(run)


def _release(world: World, account: str, record: JobRecord) -> Iterator[None]:
    """Start the release task on every node that was prepared, and go on with the job if there is none."""
    record.releasing = True
    world.save_job(account, record)
    live = world.jobs[job_key(account, record.job.id)]
    live.chore = "release"
    after = "" if record.job.job_release_task is not None else None
    while after is not None:
        found = world.repositories.preparations.page(world.scope(account, record.job.id), after, _STEP)
        for prepared in found:
            _release_node(world, record, prepared, live)
        after = f"{found[-1].status.pool_id}/{found[-1].status.node_id}" if len(found) == _STEP else None
        if after is not None:
            yield
            if world.jobs.get(live.key) is not live or live.chore != "release":
                return
    live.chore = ""
    check(world, account, record.job.id)


def _release_node(world: World, record: JobRecord, prepared: PreparationRecord, live: LiveJob) -> None:
    task = record.job.job_release_task
    pool = world.pools.get(pool_key(live.key[0], prepared.status.pool_id))
    load = pool.named(prepared.status.node_id) if pool else None
    if task is None or load is None:
        return
    run = RunRecord(
        run=world.ids.guid(),
        kind=RunKind.RELEASE,
        account=load.node.ref.account,
        job=record.job.id,
        task=task.id or RELEASE,
        pool=load.node.ref.pool,
        node=load.node.ref.node,
        slots=0,
        group="",
        is_started=True,
    )
    _start_release(world, record, run, prepared, task.max_wall_clock_time or _RELEASE_LIMIT)
    live.releases.add(run.run)


def _start_release(world: World, job: JobRecord, run: RunRecord, prepared: PreparationRecord, limit: str) -> None:
    prepared.status.job_release_task_execution_info = ReleaseExecution(
        start_time=iso(world.now()), state="running", task_root_directory=starting.folder(run)
    )
    world.repositories.preparations.put(world.scope(run.account, run.job), preparing.name_of(run.ref), prepared)
    world.pools[pool_key(run.account, run.pool)].adopt(run.ref, run.run, 0)
    if (when := times.later(world.now(), limit)) is not None:
        run.limit = iso(when)
        world.set_deadline(when, "run", run.account, run.run)
    world.save_run(run)
    world.start(starting.release_start(run, job))


def release_ended(world: World, run: RunRecord, ended: RunEnd, failure: FailureInfo | None) -> None:
    prepared = world.repositories.preparations.get(world.scope(run.account, run.job), preparing.name_of(run.ref))
    info = prepared.status.job_release_task_execution_info if prepared else None
    if prepared is None or info is None:
        return
    info.state = "completed"
    info.end_time = iso(world.now())
    info.exit_code, info.container_info, info.failure_info = ended.exit_code, ended.container, failure
    info.result = "success" if failure is None else "failure"
    world.repositories.preparations.put(world.scope(run.account, run.job), preparing.name_of(run.ref), prepared)


def _finish(world: World, account: str, record: JobRecord) -> None:
    _drop_auto_pool(world, account, record)
    if record.ending == "delete":
        record.releasing = True  # or done with, so that a restart goes on from here
        world.save_job(account, record)
        world.begin(_erase(world, account, record))
        return
    jobs.complete(record, world.now())
    world.save_job(account, record)
    if record.schedule is not None:
        job_of_schedule_ended(world, account, record.schedule, record.job.id)


def _drop_auto_pool(world: World, account: str, record: JobRecord) -> None:
    specification = record.job.pool_info.auto_pool_specification
    if specification is None or record.auto_pool is None or specification.keep_alive:
        return
    if specification.pool_lifetime_option == "job" or record.schedule is None:
        world.after.append(partial(world.pools_port.delete_auto_pool, account, record.auto_pool))


def _erase(world: World, account: str, record: JobRecord) -> Iterator[None]:
    """Nothing is left of a job, on its nodes neither. It is there, being deleted, until its last task is gone."""
    job = record.job.id
    live = world.jobs[job_key(account, job)]
    live.chore = "erase"
    scope, stored = world.scope(account, job), world.repositories
    for kind in (stored.tasks, stored.task_queue, stored.subtasks, stored.preparations):
        while kind.delete_scope(scope, _ERASED) == _ERASED:
            yield
            if world.jobs.get(live.key) is not live:
                return
    if record.schedule is not None:
        _keep_usage(world, account, record.schedule, world.counts(account, job).usage)
    world.forget_counts(account, job)
    stored.jobs.delete(account, job)
    world.forget_job(live.key)
    for load in world.pools.get(pool_key(account, record.pool or ""), ()):
        world.after.append(partial(world.runners.forget, load.node.ref, starting.job_folder(job)))
    if record.schedule is not None:
        job_of_schedule_ended(world, account, record.schedule, job)


def _keep_usage(world: World, account: str, schedule: str, usage: JobUsage) -> None:
    """What a deleted job has used stays with its schedule."""
    record = world.repositories.schedules.get(account, schedule)
    if record is not None:
        record.past.add(usage, world.now())
        world.repositories.schedules.put(account, schedule, record)


# Schedules, as far as the end of a job moves them on


def job_of_schedule_ended(world: World, account: str, schedule: str, job: str) -> None:
    record = world.repositories.schedules.get(account, schedule)
    if record is None:
        return
    if record.live == job:
        record.live = None
        world.repositories.schedules.put(account, schedule, record)
    world.set_deadline(world.now(), "schedule", account, schedule)


def limit_reached(world: World, account: str, job_id: str, now: datetime) -> None:
    """The longest time of a job may be over, unless it was changed since."""
    record = world.job(account, job_id)
    if record is None or record.job.state in {"completed", "terminating", "deleting"}:
        return
    limit = record.job.constraints.max_wall_clock_time if record.job.constraints else None
    if limit is None or times.is_unlimited(limit):
        return
    when = times.later(times.moment(record.job.execution_info.start_time), limit)
    if when is not None and now >= when:
        end(world, account, record, "complete", TIME_LIMIT)
