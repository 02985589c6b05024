"""Job schedules: creates their jobs when they are due and ends the schedules that are over."""

from datetime import datetime

import msgspec

from emulator.domain import schedules
from emulator.domain.jobs import new_job
from emulator.domain.schedules import Ending, ScheduleRecord
from emulator.scheduler import job_life
from emulator.scheduler.world import World
from emulator.wire.jobs import JobSpecification
from emulator.wire.schedules import RecentJob

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(JobSpecification).decode


def keep(world: World, account: str, record: ScheduleRecord) -> None:
    """Save a schedule and wake up for it when it is due."""
    world.repositories.schedules.put(account, record.schedule.id, record)
    if (when := schedules.due(record)) is not None:
        world.set_deadline(when, "schedule", account, record.schedule.id)


def look(world: World, account: str, name: str, now: datetime) -> None:
    """Do what is due for a schedule now."""
    record = world.repositories.schedules.get(account, name)
    if record is None:
        return
    if record.ending is not None:
        _end_when_quiet(world, account, record)
    elif record.schedule.state in {"active", "disabled"} and record.live is None and schedules.is_over(record, now):
        schedules.complete(record, now)
        world.repositories.schedules.put(account, name, record)
        _drop_pool(world, account, record)
    elif schedules.wants_job(record, now):
        _create_job(world, account, record, now)
    elif (when := schedules.due(record)) is not None and when > now:
        world.set_deadline(when, "schedule", account, name)


def _create_job(world: World, account: str, record: ScheduleRecord, now: datetime) -> None:
    """A run whose start window has passed while another job was under way or the service stood still is left out."""
    if schedules.missed_window(record, now):
        schedules.advance(record, now)
        keep(world, account, record)
        return
    record.jobs += 1
    job_id = f"{record.schedule.id}:job-{record.jobs}"
    wanted = _decode(_encode(record.schedule.job_specification))
    job = new_job(wanted, job_id, now, world.etag())
    job.schedule = record.schedule.id
    automatic = wanted.pool_info.auto_pool_specification
    if automatic is not None and automatic.pool_lifetime_option == "jobschedule":
        job.auto_pool = record.auto_pool
    record.live = job_id
    record.schedule.execution_info.recent_job = RecentJob(id=job_id)
    schedules.advance(record, now)
    world.repositories.schedules.put(account, record.schedule.id, record)
    job_life.begin(world, account, job)
    if automatic is not None and automatic.pool_lifetime_option == "jobschedule":
        record.auto_pool = job.auto_pool
        keep(world, account, record)


def end(world: World, account: str, record: ScheduleRecord, ending: Ending) -> None:
    """Terminate or delete a schedule with the job under way; deleting takes all its jobs."""
    schedules.end(record, ending, world.now(), world.etag())
    world.repositories.schedules.put(account, record.schedule.id, record)
    for job_id in _jobs(world, account, record, ending):
        job = world.job(account, job_id)
        if job is None or job.job.state == "deleting":
            continue
        if ending == "delete":
            job_life.end(world, account, job, "delete", None)
        elif job.job.state not in {"completed", "terminating"}:
            job_life.end(world, account, job, "complete", job_life.SCHEDULE_ENDED)
    latest = world.repositories.schedules.get(account, record.schedule.id)
    if latest is not None:
        _end_when_quiet(world, account, latest)


def force(world: World, account: str, name: str) -> None:
    """End the jobs of a schedule without waiting for nodes."""
    record = world.repositories.schedules.get(account, name)
    if record is None or record.ending is None:
        return
    for job_id in _jobs(world, account, record, record.ending):
        job_life.force(world, account, job_id)
    look(world, account, name, world.now())


def jobs_of(world: World, account: str, schedule: str) -> list[str]:
    """Ids of all jobs a schedule has created that are still there."""
    prefix = f"{schedule.lower()}:"
    found: list[str] = []
    for record in world.repositories.jobs.page(account, after=prefix, limit=1 << 31):
        if not record.job.id.lower().startswith(prefix):
            break
        found.append(record.job.id)
    return found


def _jobs(world: World, account: str, record: ScheduleRecord, ending: Ending) -> list[str]:
    if ending == "delete":
        return jobs_of(world, account, record.schedule.id)
    return [record.live] if record.live is not None else []


def _end_when_quiet(world: World, account: str, record: ScheduleRecord) -> None:
    if record.ending == "delete":
        if jobs_of(world, account, record.schedule.id):
            return
        world.repositories.schedules.delete(account, record.schedule.id)
        _drop_pool(world, account, record)
    elif record.ending == "complete" and record.live is None:
        schedules.complete(record, world.now())
        world.repositories.schedules.put(account, record.schedule.id, record)
        _drop_pool(world, account, record)


def _drop_pool(world: World, account: str, record: ScheduleRecord) -> None:
    automatic = record.schedule.job_specification.pool_info.auto_pool_specification
    pool = record.auto_pool
    if pool is not None and automatic is not None and not automatic.keep_alive:
        world.after.append(lambda: world.pools_port.delete_auto_pool(account, pool))


def resume(world: World, account: str, record: ScheduleRecord) -> None:
    """After a restart."""
    keep(world, account, record)
    if record.ending is not None:
        world.set_deadline(world.now(), "schedule", account, record.schedule.id)
