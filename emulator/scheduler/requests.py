"""What clients ask for: jobs, tasks and schedules added, changed and ended. All raise ServiceError."""

from collections.abc import Sequence
from typing import Literal

from emulator.domain import jobs, schedules, tasks
from emulator.domain.jobs import Ending, JobRecord
from emulator.domain.schedules import ScheduleRecord
from emulator.domain.tasks import TaskRecord
from emulator.errors import ServiceError
from emulator.scheduler import ending, job_life, recurrence, stopping
from emulator.scheduler.engine import Scheduler
from emulator.scheduler.world import World
from emulator.wire.jobs import JobChange, NewJob
from emulator.wire.schedules import NewSchedule, ScheduleChange
from emulator.wire.tasks import NewTask, TaskChange

MAX_ACTIVE = 300  # jobs and schedules of an account that are not completed

DisableOption = Literal["requeue", "terminate", "wait"]


def add_job(scheduler: Scheduler, account: str, wanted: NewJob) -> JobRecord:
    world = scheduler.world
    _check_new_id(world, account, wanted.id, "JobExists", "JobScheduleWithSameIdExists")
    jobs.check_new(wanted)
    record = jobs.new_job(wanted, wanted.id, world.now(), world.etag())
    with scheduler.unit():
        job_life.begin(world, account, record)
    return record


def _check_new_id(world: World, account: str, name: str, *codes: str) -> None:
    """``codes`` are those of the same kind of thing and of the other, which share their ids."""
    job, schedule = (world.repositories.jobs.get(account, name), world.repositories.schedules.get(account, name))
    own, other = codes
    if own == "JobExists" and job is not None:
        raise ServiceError("JobBeingDeleted" if job.job.state == "deleting" else own)
    if own == "JobScheduleExists" and schedule is not None:
        raise ServiceError("JobScheduleBeingDeleted" if schedule.schedule.state == "deleting" else own)
    if job is not None or schedule is not None:
        raise ServiceError(other)
    active = sum(key[0] == account.lower() for key in world.jobs)
    active += sum(found.schedule.state != "completed" for found in world.repositories.schedules.all(account))
    if active >= MAX_ACTIVE:
        raise ServiceError("ActiveJobAndScheduleQuotaReached", values={"MaxLimit": str(MAX_ACTIVE)})


def change_job(scheduler: Scheduler, account: str, record: JobRecord, wanted: JobChange, *, replace: bool) -> None:
    with scheduler.unit() as world:
        jobs.change(record, wanted, world.now(), world.etag(), replace=replace)
        job_life.changed(world, account, record)


def disable_job(scheduler: Scheduler, account: str, record: JobRecord, option: DisableOption) -> None:
    with scheduler.unit() as world:
        job_life.disable(world, account, record, option)


def enable_job(scheduler: Scheduler, account: str, record: JobRecord) -> None:
    with scheduler.unit() as world:
        jobs.enable(record, world.now(), world.etag())
        world.save_job(account, record)
        job_life.end_if_all_complete(world, account, record)


def end_job(
    scheduler: Scheduler, account: str, record: JobRecord, how: Ending, reason: str | None, *, force: bool
) -> None:
    with scheduler.unit() as world:
        job_life.end(world, account, record, how, reason)
        if force:
            job_life.force(world, account, record.job.id)


def add_task(scheduler: Scheduler, account: str, job: JobRecord, wanted: NewTask) -> TaskRecord:
    (result,) = add_tasks(scheduler, account, job, [wanted])
    if isinstance(result, ServiceError):
        raise result
    return result


def add_tasks(
    scheduler: Scheduler, account: str, job: JobRecord, wanted: Sequence[NewTask]
) -> list[TaskRecord | ServiceError]:
    """Add what can be added; in the place of what cannot stands the error. All that was added is kept together."""
    jobs.check_takes_tasks(job.job)
    results: list[TaskRecord | ServiceError] = []
    with scheduler.unit() as world:
        for task in wanted:
            try:
                results.append(_add(world, account, job, task))
            except ServiceError as error:
                results.append(error)
        if any(isinstance(result, TaskRecord) for result in results):
            world.save_job(account, job)
    return results


def _add(world: World, account: str, job: JobRecord, wanted: NewTask) -> TaskRecord:
    tasks.check_new(wanted, job.job)
    if world.task(account, job.job.id, wanted.id) is not None:
        raise ServiceError("TaskExists")
    record = tasks.new_task(wanted, wanted.id, job.job, sequence=job.next_task, now=world.now(), etag=world.etag())
    job.next_task += 1
    world.repositories.tasks.put(world.scope(account, job.job.id), wanted.id, record)
    world.count(account, job.job.id, "active", None, record.slots)
    stopping.wait_for_runs(world, account, job.job.id, record)
    return record


def change_task(scheduler: Scheduler, account: str, job: JobRecord, record: TaskRecord, wanted: TaskChange) -> None:
    with scheduler.unit() as world, world.changing(account, job.job.id, record):
        tasks.change(record, wanted, job.job, world.now(), world.etag())


def terminate_task(scheduler: Scheduler, account: str, job: JobRecord, record: TaskRecord) -> None:
    if record.task.state == "completed":
        raise ServiceError("TaskCompleted")
    with scheduler.unit() as world:
        ending.terminate_task(world, job, account, record)


def reactivate_task(scheduler: Scheduler, account: str, job: JobRecord, record: TaskRecord) -> None:
    """A run of the task that is still being stopped must be over before the next one starts."""
    jobs.check_not_ended(job.job)
    with scheduler.unit() as world:
        with world.changing(account, job.job.id, record):
            tasks.reactivate(record, world.now(), world.etag())
        stopping.wait_for_runs(world, account, job.job.id, record)


def delete_task(scheduler: Scheduler, account: str, job: JobRecord, record: TaskRecord) -> None:
    with scheduler.unit() as world:
        ending.forget_task(world, account, job.job.id, record)
        latest = world.job(account, job.job.id)
        if latest is not None:
            job_life.end_if_all_complete(world, account, latest)
        job_life.check(world, account, job.job.id)


def add_schedule(scheduler: Scheduler, account: str, wanted: NewSchedule) -> ScheduleRecord:
    world = scheduler.world
    _check_new_id(world, account, wanted.id, "JobScheduleExists", "JobWithSameIdExists")
    jobs.check_new(wanted.job_specification)
    record = schedules.new_schedule(wanted, world.now(), world.etag())
    with scheduler.unit():
        recurrence.keep(world, account, record)
    scheduler.tick()
    return record


def change_schedule(
    scheduler: Scheduler, account: str, record: ScheduleRecord, wanted: ScheduleChange, *, replace: bool
) -> None:
    if wanted.job_specification is not None:
        jobs.check_new(wanted.job_specification)
    with scheduler.unit() as world:
        schedules.change(record, wanted, world.now(), world.etag(), replace=replace)
        recurrence.keep(world, account, record)
    scheduler.tick()


def disable_schedule(scheduler: Scheduler, account: str, record: ScheduleRecord) -> None:
    with scheduler.unit() as world:
        schedules.disable(record, world.now(), world.etag())
        recurrence.keep(world, account, record)


def enable_schedule(scheduler: Scheduler, account: str, record: ScheduleRecord) -> None:
    with scheduler.unit() as world:
        schedules.enable(record, world.now(), world.etag())
        recurrence.keep(world, account, record)
    scheduler.tick()


def end_schedule(scheduler: Scheduler, account: str, record: ScheduleRecord, how: Ending, *, force: bool) -> None:
    with scheduler.unit() as world:
        recurrence.end(world, account, record, how)
        if force:
            recurrence.force(world, account, record.schedule.id)
    scheduler.tick()
