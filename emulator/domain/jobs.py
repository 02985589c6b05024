"""Jobs: what they begin with, which changes their state allows, and what their tasks come to in numbers."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from emulator.clock import iso
from emulator.domain.stamps import move, touch
from emulator.domain.usage import JobUsage
from emulator.errors import ServiceError
from emulator.wire import times
from emulator.wire.base import invalid
from emulator.wire.common import TaskConstraints
from emulator.wire.jobs import (
    Job,
    JobChange,
    JobConstraints,
    JobExecution,
    JobManagerTask,
    JobPreparationTask,
    JobReleaseTask,
    JobSpecification,
    PreparationAndRelease,
)

Ending = Literal["complete", "delete"]

PREPARATION = "jobpreparation"
RELEASE = "jobrelease"


class JobRecord(msgspec.Struct):
    """A job and what only the service knows of it.

    ``next_task`` numbers tasks in the order they come. ``disable`` is the option of the disabling under way,
    ``ending`` what follows when everything of the job has stopped. ``schedule`` created the job and ``auto_pool`` is
    the id of the pool made for it, if any.
    """

    job: Job
    next_task: int = 0
    disable: Literal["requeue", "terminate", "wait"] | None = None
    ending: Ending | None = None
    releasing: bool = False
    schedule: str | None = None
    auto_pool: str | None = None

    @property
    def is_schedulable(self) -> bool:
        return self.job.state == "active"

    @property
    def pool(self) -> str | None:
        return self.job.execution_info.pool_id


class JobRow(msgspec.Struct):
    """A job as lists read it: its wire form, quickly."""

    job: dict[str, Any]


class Numbers(msgspec.Struct):
    """Tasks (or their slots) by state; preparing ones count as running."""

    active: int = 0
    running: int = 0
    completed: int = 0
    succeeded: int = 0
    failed: int = 0


class TaskCounts(msgspec.Struct):
    """The tasks there are, and what they and those that were deleted have used."""

    tasks: Numbers = msgspec.field(default_factory=Numbers)
    slots: Numbers = msgspec.field(default_factory=Numbers)
    usage: JobUsage = msgspec.field(default_factory=JobUsage)

    def add(self, state: str, result: str | None, slots: int, sign: int = 1) -> None:
        """Count a task in, or with ``sign`` -1 out."""
        for numbers, amount in ((self.tasks, sign), (self.slots, sign * slots)):
            if state == "completed":
                numbers.completed += amount
                if result == "success":
                    numbers.succeeded += amount
                else:
                    numbers.failed += amount
            elif state == "active":
                numbers.active += amount
            else:
                numbers.running += amount

    @property
    def unfinished(self) -> int:
        return self.tasks.active + self.tasks.running


class PreparationRecord(msgspec.Struct):
    """The preparation and release of a job on one node. ``is_ready`` lets tasks run there, None while it runs.

    ``boot`` and ``disk`` are those of the node when the preparation began.
    """

    status: PreparationAndRelease
    is_ready: bool | None = None
    run: str | None = None
    boot: str = ""
    disk: str = ""


def new_job(wanted: JobSpecification, job_id: str, now: datetime, etag: str) -> JobRecord:
    """The job as created, with the service's defaults filled in."""
    given = {name: getattr(wanted, name) for name in JobSpecification.__struct_fields__}
    job = Job(
        **given,
        id=job_id,
        e_tag=etag,
        last_modified=iso(now),
        creation_time=iso(now),
        state="active",
        state_transition_time=iso(now),
        execution_info=JobExecution(start_time=iso(now), pool_id=wanted.pool_info.pool_id),
    )
    _fill(job)
    job.uses_task_dependencies = bool(job.uses_task_dependencies)
    job.on_task_failure = job.on_task_failure or "noaction"
    job.job_manager_task = _manager(job.job_manager_task)
    job.job_preparation_task = _preparation(job.job_preparation_task)
    job.job_release_task = _release(job.job_release_task)
    return JobRecord(job)


def _fill(job: Job) -> None:
    constraints = job.constraints or JobConstraints()
    if constraints.max_wall_clock_time is None:
        constraints.max_wall_clock_time = times.UNLIMITED
    if constraints.max_task_retry_count is None:
        constraints.max_task_retry_count = 0
    job.constraints = constraints
    job.priority = job.priority or 0
    job.allow_task_preemption = bool(job.allow_task_preemption)
    job.max_parallel_tasks = job.max_parallel_tasks or -1
    job.on_all_tasks_complete = job.on_all_tasks_complete or "noaction"


def filled(constraints: TaskConstraints | None, retries: int = 0) -> TaskConstraints:
    """Constraints of a task with the service's defaults."""
    found = constraints or TaskConstraints()
    if found.max_wall_clock_time is None:
        found.max_wall_clock_time = times.UNLIMITED
    if found.retention_time is None:
        found.retention_time = times.WEEK
    if found.max_task_retry_count is None:
        found.max_task_retry_count = retries
    return found


def _manager(task: JobManagerTask | None) -> JobManagerTask | None:
    if task is not None:
        task.constraints = filled(task.constraints)
        task.required_slots = task.required_slots or 1
        task.kill_job_on_completion = task.kill_job_on_completion is not False
        task.run_exclusive = task.run_exclusive is not False
        task.allow_low_priority_node = task.allow_low_priority_node is not False
    return task


def _preparation(task: JobPreparationTask | None) -> JobPreparationTask | None:
    if task is not None:
        task.id = task.id or PREPARATION
        task.constraints = filled(task.constraints)
        task.wait_for_success = task.wait_for_success is not False
        task.rerun_on_node_reboot_after_success = task.rerun_on_node_reboot_after_success is not False
    return task


def _release(task: JobReleaseTask | None) -> JobReleaseTask | None:
    if task is not None:
        task.id = task.id or RELEASE
        task.max_wall_clock_time = task.max_wall_clock_time or "PT15M"
        task.retention_time = task.retention_time or times.WEEK
    return task


def check_new(wanted: JobSpecification) -> None:
    """Rules between the parts of a new job. Raises InvalidPropertyValue."""
    parts = (wanted.job_manager_task, wanted.job_preparation_task, wanted.job_release_task)
    defaults = (None, PREPARATION, RELEASE)
    ids = [(part.id or default or "").lower() for part, default in zip(parts, defaults, strict=True) if part]
    if len(ids) != len(set(ids)):
        raise invalid("jobManagerTask.id", "The ids of a job's own tasks must differ")


def change(record: JobRecord, wanted: JobChange, now: datetime, etag: str, *, replace: bool) -> None:
    """PATCH, or with ``replace`` PUT: what is not given goes back to its default.

    Raises the error of a state that allows no change, or InvalidPropertyValue.
    """
    check_not_ended(record.job)
    _check_change(record.job, wanted, replace=replace)
    for name in JobChange.__struct_fields__:
        given = getattr(wanted, name)
        if given is not None or (replace and name not in {"pool_info", "network_configuration"}):
            setattr(record.job, name, given)
    if wanted.pool_info is not None:
        record.job.execution_info.pool_id = wanted.pool_info.pool_id
    _fill(record.job)
    touch(record.job, now, etag)


def _check_change(job: Job, wanted: JobChange, *, replace: bool) -> None:
    if replace and wanted.pool_info is None:
        raise ServiceError("MissingRequiredProperty", values={"PropertyName": "poolInfo"})
    if wanted.pool_info is not None and wanted.pool_info != job.pool_info and job.state != "disabled":
        raise ServiceError("OperationInvalidForCurrentState", "The pool of a job can be changed only while disabled.")
    if job.on_all_tasks_complete == "terminatejob" and (wanted.on_all_tasks_complete or "noaction") == "noaction":
        if wanted.on_all_tasks_complete is not None:
            raise invalid("onAllTasksComplete", "terminatejob cannot be changed back to noaction", "noaction")
        wanted.on_all_tasks_complete = "terminatejob"


def check_not_ended(job: Job) -> None:
    """Raises JobCompleted, JobBeingTerminated or JobBeingDeleted."""
    ended = {"completed": "JobCompleted", "terminating": "JobBeingTerminated", "deleting": "JobBeingDeleted"}
    if job.state in ended:
        raise ServiceError(ended[job.state])


def check_takes_tasks(job: Job) -> None:
    check_not_ended(job)


def disable(record: JobRecord, option: Literal["requeue", "terminate", "wait"], now: datetime, etag: str) -> None:
    check_not_ended(record.job)
    record.disable = option
    if record.job.state != "disabled":
        move(record.job, "disabling", now)
    touch(record.job, now, etag)


def enable(record: JobRecord, now: datetime, etag: str) -> None:
    check_not_ended(record.job)
    if record.job.state not in {"disabled", "disabling"}:
        raise ServiceError("OperationInvalidForCurrentState", "The job is not disabled.")
    record.disable = None
    move(record.job, "enabling", now)
    move(record.job, "active", now)
    touch(record.job, now, etag)


def end(record: JobRecord, ending: Ending, reason: str | None, now: datetime, etag: str) -> None:
    """Begin to terminate or delete. A job that terminates may still be deleted. Raises the state's error."""
    if record.job.state == "deleting":
        raise ServiceError("JobBeingDeleted")
    if ending == "complete":
        check_not_ended(record.job)
    record.ending = ending
    record.disable = None
    if record.job.execution_info.terminate_reason is None and ending == "complete":
        record.job.execution_info.terminate_reason = reason
    move(record.job, "terminating" if ending == "complete" else "deleting", now)
    touch(record.job, now, etag)


def complete(record: JobRecord, now: datetime) -> None:
    record.ending = None
    record.releasing = False
    record.job.execution_info.end_time = iso(now)
    move(record.job, "completed", now)
