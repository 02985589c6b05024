"""Job schedules."""

from typing import Literal

from emulator.clock import iso
from emulator.wire import times
from emulator.wire.base import Shape
from emulator.wire.common import DisplayName, Id, Metadata
from emulator.wire.jobs import JobSpecification

ScheduleState = Literal["active", "completed", "disabled", "terminating", "deleting"]


class Recurrence(Shape):
    """When jobs are created. Without a recurrence interval there is one job."""

    do_not_run_until: str | None = None
    do_not_run_after: str | None = None
    start_window: str | None = None
    recurrence_interval: str | None = None

    def __post_init__(self) -> None:
        if self.do_not_run_until is not None:
            self.do_not_run_until = iso(times.moment(self.do_not_run_until))
        if self.do_not_run_after is not None:
            self.do_not_run_after = iso(times.moment(self.do_not_run_after))
        if self.start_window is not None:
            self.start_window = _at_least_a_minute("startWindow", self.start_window)
        if self.recurrence_interval is not None:
            self.recurrence_interval = _at_least_a_minute("recurrenceInterval", self.recurrence_interval)


def _at_least_a_minute(name: str, text: str) -> str:
    if times.seconds(text) < 60:
        raise ValueError(f"{name} must be at least PT1M")
    return times.duration(text)


class ScheduleChange(Shape):
    """What PATCH may change and PUT replaces."""

    schedule: Recurrence | None = None
    job_specification: JobSpecification | None = None
    metadata: list[Metadata] | None = None


class NewSchedule(ScheduleChange, kw_only=True):
    id: Id
    job_specification: JobSpecification
    display_name: DisplayName | None = None


class RecentJob(Shape):
    id: str


class ScheduleExecution(Shape):
    next_run_time: str | None = None
    recent_job: RecentJob | None = None
    end_time: str | None = None


class Schedule(ScheduleChange, kw_only=True):
    """Times are in the service's spelling."""

    id: str
    e_tag: str
    last_modified: str
    creation_time: str
    state: ScheduleState
    state_transition_time: str
    job_specification: JobSpecification
    execution_info: ScheduleExecution
    display_name: DisplayName | None = None
    previous_state: ScheduleState | None = None
    previous_state_transition_time: str | None = None
