"""Tasks: what they begin with and how each event changes them."""

from datetime import datetime

import msgspec

from emulator.clock import iso
from emulator.domain.jobs import PREPARATION, RELEASE, filled
from emulator.domain.stamps import move, touch
from emulator.domain.usage import Usage
from emulator.errors import ServiceError
from emulator.wire import times
from emulator.wire.base import invalid
from emulator.wire.common import AutoUser, ContainerInfo, FailureInfo, NodeInfo, UserIdentity
from emulator.wire.jobs import Job
from emulator.wire.tasks import ExitConditions, NewTask, Task, TaskChange, TaskExecution, TaskSpecification

_MULTI_INSTANCE_DEFAULT = 1


class TaskRecord(msgspec.Struct, omit_defaults=True):
    """A task and what only the service knows of it.

    ``sequence`` orders the tasks of a job as they came. ``run`` is the run under way. ``satisfies`` tells that tasks
    depending on this one may go on. ``is_manager`` marks the task a job begins with. ``used`` is what its runs that
    are over have used.
    """

    task: Task
    sequence: int
    run: str | None = None
    satisfies: bool = False
    is_manager: bool = False
    used: Usage | None = None

    @property
    def slots(self) -> int:
        return self.task.required_slots or 1

    @property
    def instances(self) -> int:
        """0 for a task that is not multi-instance."""
        settings = self.task.multi_instance_settings
        return 0 if settings is None else settings.number_of_instances or _MULTI_INSTANCE_DEFAULT


class TaskRow(msgspec.Struct):
    """A task as lists read it: its wire form, quickly."""

    task: dict[str, object]
    used: Usage | None = None


def new_task(
    wanted: TaskSpecification, task_id: str, job: Job, *, sequence: int, now: datetime, etag: str
) -> TaskRecord:
    """The task as added, with the service's defaults filled in."""
    given = {name: getattr(wanted, name) for name in TaskSpecification.__struct_fields__}
    task = Task(
        **given,
        id=task_id,
        e_tag=etag,
        last_modified=iso(now),
        creation_time=iso(now),
        state="active",
        state_transition_time=iso(now),
        execution_info=TaskExecution(retry_count=0, requeue_count=0),
    )
    task.required_slots = task.required_slots or 1
    task.constraints = filled(task.constraints, _job_retries(job))
    task.user_identity = identity(task.user_identity)
    if task.multi_instance_settings is not None and task.multi_instance_settings.number_of_instances is None:
        task.multi_instance_settings.number_of_instances = _MULTI_INSTANCE_DEFAULT
    return TaskRecord(task=task, sequence=sequence)


def _job_retries(job: Job) -> int:
    return (job.constraints.max_task_retry_count if job.constraints else None) or 0


def identity(given: UserIdentity | None) -> UserIdentity:
    """The user a task runs as: without one a non-administrator of the whole pool."""
    if given is not None and given.username is not None:
        return given
    auto = (given.auto_user if given else None) or AutoUser()
    return UserIdentity(
        auto_user=AutoUser(scope=auto.scope or "pool", elevation_level=auto.elevation_level or "nonadmin")
    )


def check_new(wanted: NewTask, job: Job) -> None:
    """Rules between a new task and its job. Raises ServiceError."""
    _check_id(wanted.id.lower(), job)
    if wanted.depends_on is not None and not job.uses_task_dependencies:
        raise ServiceError("TaskDependenciesNotSpecifiedOnJob")
    if wanted.depends_on is not None and wanted.id.lower() in {
        task.lower() for task in wanted.depends_on.task_ids or ()
    }:
        raise invalid("dependsOn.taskIds", "A task cannot depend on itself", wanted.id)
    if wanted.exit_conditions is not None and job.on_task_failure != "performexitoptionsjobaction":
        _check_no_job_action(wanted.exit_conditions)


def _check_id(task: str, job: Job) -> None:
    own = (
        (job.job_preparation_task, PREPARATION, "TaskIdSameAsJobPreparationTask"),
        (job.job_release_task, RELEASE, "TaskIdSameAsJobReleaseTask"),
    )
    for part, default, code in own:
        if part is not None and task == (part.id or default).lower():
            raise ServiceError(code)


def _check_no_job_action(conditions: ExitConditions) -> None:
    if any(options.job_action is not None for options in conditions.all_options()):
        raise invalid("exitConditions", "jobAction needs onTaskFailure of the job to be performexitoptionsjobaction")


def change(record: TaskRecord, wanted: TaskChange, job: Job, now: datetime, etag: str) -> None:
    """PUT: constraints that are not given go back to their defaults. Raises TaskCompleted."""
    if record.task.state == "completed":
        raise ServiceError("TaskCompleted")
    record.task.constraints = filled(wanted.constraints, _job_retries(job))
    touch(record.task, now, etag)


def place(record: TaskRecord, run: str, node: NodeInfo) -> None:
    """The task goes to a node, where it either begins or waits for the job's preparation."""
    record.run = run
    record.task.node_info = node


def begin(record: TaskRecord, now: datetime) -> None:
    """The task runs, its own preparation included."""
    info = record.task.execution_info
    if info.start_time is None or record.task.state != "running":
        info.start_time = iso(now)
    info.end_time = info.exit_code = info.failure_info = info.result = info.container_info = None
    move(record.task, "running", now)


def has_used(record: TaskRecord, usage: Usage, now: datetime) -> None:
    record.used = record.used or Usage()
    record.used.add(usage, now)


def _count_time(record: TaskRecord, now: datetime) -> None:
    """A run is over, or is not the task's any more."""
    started = record.task.execution_info.start_time
    if record.task.state == "running" and started is not None:
        has_used(record, Usage(wall=max(0.0, (now - times.moment(started)).total_seconds())), now)


def retry(record: TaskRecord, run: str, now: datetime) -> None:
    """Run again on the same node, after an exit code that is not zero."""
    _count_time(record, now)
    info = record.task.execution_info
    info.retry_count += 1
    info.last_retry_time = iso(now)
    info.start_time = iso(now)
    record.run = run


def requeue(record: TaskRecord, now: datetime, *, counted: bool = True) -> None:
    """Back to waiting for a node; ``counted`` when the service took it off one it ran on."""
    _count_time(record, now)
    info = record.task.execution_info
    if counted:
        info.requeue_count += 1
        info.last_requeue_time = iso(now)
    info.start_time = None
    record.run = None
    record.task.node_info = None
    move(record.task, "active", now)


def complete(
    record: TaskRecord,
    now: datetime,
    *,
    exit_code: int | None,
    failure: FailureInfo | None,
    container: ContainerInfo | None = None,
) -> None:
    _count_time(record, now)
    info = record.task.execution_info
    if info.start_time is None:
        info.start_time = iso(now)
    info.end_time = iso(now)
    info.exit_code = exit_code
    info.failure_info = failure
    info.container_info = container
    info.result = "success" if failure is None else "failure"
    record.run = None
    move(record.task, "completed", now)


def reactivate(record: TaskRecord, now: datetime, etag: str) -> None:
    """Raises TaskNotCompleted or TaskSucceeded."""
    if record.task.state != "completed":
        raise ServiceError("TaskNotCompleted")
    if record.task.execution_info.result == "success":
        raise ServiceError("TaskSucceeded")
    record.task.execution_info = TaskExecution(retry_count=0, requeue_count=0)
    requeue(record, now, counted=False)
    touch(record.task, now, etag)
