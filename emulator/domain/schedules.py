"""Job schedules: when they create jobs and which changes their state allows."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from emulator.clock import iso
from emulator.domain.stamps import move, touch
from emulator.domain.usage import JobUsage
from emulator.errors import ServiceError
from emulator.wire import times
from emulator.wire.schedules import NewSchedule, Recurrence, Schedule, ScheduleChange, ScheduleExecution

Ending = Literal["complete", "delete"]


class ScheduleRecord(msgspec.Struct):
    """A schedule and what only the service knows of it. ``jobs`` numbers its jobs; ``live`` is the one under way.

    ``past`` is what those of its jobs have used that are deleted.
    """

    schedule: Schedule
    jobs: int = 0
    live: str | None = None
    ending: Ending | None = None
    auto_pool: str | None = None
    past: JobUsage = msgspec.field(default_factory=JobUsage)


class ScheduleRow(msgspec.Struct):
    schedule: dict[str, object]


def new_schedule(wanted: NewSchedule, now: datetime, etag: str) -> ScheduleRecord:
    given = {name: getattr(wanted, name) for name in NewSchedule.__struct_fields__}
    schedule = Schedule(
        **given,
        e_tag=etag,
        last_modified=iso(now),
        creation_time=iso(now),
        state="active",
        state_transition_time=iso(now),
        execution_info=ScheduleExecution(),
    )
    schedule.schedule = schedule.schedule or Recurrence()
    record = ScheduleRecord(schedule)
    schedule.execution_info.next_run_time = _first_run(schedule.schedule, now)
    return record


def _first_run(recurrence: Recurrence, now: datetime) -> str:
    """At once, or when the schedule may begin."""
    return max(iso(now), recurrence.do_not_run_until or "")


def change(record: ScheduleRecord, wanted: ScheduleChange, now: datetime, etag: str, *, replace: bool) -> None:
    """PATCH, or with ``replace`` PUT. A changed specification holds for jobs to come."""
    check_not_ended(record)
    if replace and wanted.job_specification is None:
        raise ServiceError("MissingRequiredProperty", values={"PropertyName": "jobSpecification"})
    schedule = record.schedule
    if wanted.job_specification is not None:
        schedule.job_specification = wanted.job_specification
    if wanted.schedule is not None or replace:
        schedule.schedule = wanted.schedule or Recurrence()
        _reschedule(record, now)
    if wanted.metadata is not None or replace:
        schedule.metadata = wanted.metadata
    touch(schedule, now, etag)


def _reschedule(record: ScheduleRecord, now: datetime) -> None:
    schedule = record.schedule
    recurrence = schedule.schedule or Recurrence()
    if record.jobs == 0:
        schedule.execution_info.next_run_time = _first_run(recurrence, now)
    elif recurrence.recurrence_interval is None:
        schedule.execution_info.next_run_time = None
    elif schedule.execution_info.next_run_time is None:
        schedule.execution_info.next_run_time = _first_run(recurrence, now)


def check_not_ended(record: ScheduleRecord) -> None:
    ended = {
        "completed": "JobScheduleCompleted",
        "terminating": "JobScheduleBeingTerminated",
        "deleting": "JobScheduleBeingDeleted",
    }
    if record.schedule.state in ended:
        raise ServiceError(ended[record.schedule.state])


def disable(record: ScheduleRecord, now: datetime, etag: str) -> None:
    """No new jobs until enabled; the one under way goes on."""
    check_not_ended(record)
    move(record.schedule, "disabled", now)
    touch(record.schedule, now, etag)


def enable(record: ScheduleRecord, now: datetime, etag: str) -> None:
    check_not_ended(record)
    move(record.schedule, "active", now)
    touch(record.schedule, now, etag)


def end(record: ScheduleRecord, ending: Ending, now: datetime, etag: str) -> None:
    if record.schedule.state == "deleting":
        raise ServiceError("JobScheduleBeingDeleted")
    if ending == "complete":
        check_not_ended(record)
    record.ending = ending
    record.schedule.execution_info.next_run_time = None
    move(record.schedule, "terminating" if ending == "complete" else "deleting", now)
    touch(record.schedule, now, etag)


def complete(record: ScheduleRecord, now: datetime) -> None:
    record.ending = None
    record.schedule.execution_info.end_time = iso(now)
    record.schedule.execution_info.next_run_time = None
    move(record.schedule, "completed", now)


def is_over(record: ScheduleRecord, now: datetime) -> bool:
    """No job will come any more: the last moment is past, or there was one job and no recurrence."""
    recurrence = record.schedule.schedule or Recurrence()
    if recurrence.do_not_run_after is not None and iso(now) >= recurrence.do_not_run_after:
        return True
    return record.jobs > 0 and recurrence.recurrence_interval is None


def due(record: ScheduleRecord) -> datetime | None:
    """When something is to be done about the schedule: a job created, or the schedule completed."""
    schedule = record.schedule
    moments = [schedule.execution_info.next_run_time] if record.live is None else []
    moments.append(schedule.schedule.do_not_run_after if schedule.schedule else None)
    known = [times.moment(moment) for moment in moments if moment is not None]
    return min(known) if known and schedule.state in {"active", "disabled"} else None


def wants_job(record: ScheduleRecord, now: datetime) -> bool:
    """A job is due and none is under way. A job that could not begin within the start window is left out."""
    next_run = record.schedule.execution_info.next_run_time
    return (
        record.schedule.state == "active"
        and record.live is None
        and next_run is not None
        and next_run <= iso(now)
        and not is_over(record, now)
    )


def advance(record: ScheduleRecord, now: datetime) -> None:
    """Set the next run to the first one after now, counted in whole intervals."""
    recurrence = record.schedule.schedule or Recurrence()
    info = record.schedule.execution_info
    if recurrence.recurrence_interval is None or info.next_run_time is None:
        info.next_run_time = None
        return
    step = timedelta(seconds=times.seconds(recurrence.recurrence_interval))
    following = times.moment(info.next_run_time) + step
    if following <= now:
        following += step * ((now - following) // step + 1)
    info.next_run_time = iso(following)


def missed_window(record: ScheduleRecord, now: datetime) -> bool:
    """The run that is due should have begun earlier than the start window allows."""
    recurrence = record.schedule.schedule or Recurrence()
    next_run = record.schedule.execution_info.next_run_time
    if recurrence.start_window is None or next_run is None:
        return False
    latest = times.later(times.moment(next_run), recurrence.start_window)
    return latest is not None and now > latest
