"""Jobs."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from emulator.wire import times
from emulator.wire.base import Shape
from emulator.wire.common import (
    Command,
    ContainerInfo,
    DisplayName,
    EnvironmentSetting,
    FailureInfo,
    Id,
    Metadata,
    NameValue,
    OutputFile,
    PackageReference,
    RetryCount,
    Slots,
    TaskConstraints,
)

JobState = Literal["active", "disabling", "disabled", "enabling", "terminating", "completed", "deleting"]
Priority = Annotated[int, Meta(ge=-1000, le=1000)]
OnAllTasksComplete = Literal["noaction", "terminatejob"]
OnTaskFailure = Literal["noaction", "performexitoptionsjobaction"]


class JobConstraints(Shape):
    max_wall_clock_time: str | None = None
    max_task_retry_count: RetryCount | None = None

    def __post_init__(self) -> None:
        if self.max_wall_clock_time is not None:
            self.max_wall_clock_time = times.duration(self.max_wall_clock_time)


class JobManagerTask(Command, kw_only=True):
    id: Id
    display_name: DisplayName | None = None
    output_files: list[OutputFile] | None = None
    constraints: TaskConstraints | None = None
    required_slots: Slots | None = None
    kill_job_on_completion: bool | None = None
    run_exclusive: bool | None = None
    application_package_references: list[PackageReference] | None = None
    allow_low_priority_node: bool | None = None


class JobPreparationTask(Command):
    id: Id | None = None
    constraints: TaskConstraints | None = None
    wait_for_success: bool | None = None
    rerun_on_node_reboot_after_success: bool | None = None


class JobReleaseTask(Command):
    id: Id | None = None
    max_wall_clock_time: str | None = None
    retention_time: str | None = None

    def __post_init__(self) -> None:
        if self.max_wall_clock_time is not None:
            if times.seconds(self.max_wall_clock_time) > 15 * 60:
                raise ValueError("maxWallClockTime must be at most PT15M")
            self.max_wall_clock_time = times.duration(self.max_wall_clock_time)
        if self.retention_time is not None:
            self.retention_time = times.duration(self.retention_time)


class AutoPool(Shape):
    """``pool`` is the specification of a pool as creating one takes it."""

    pool_lifetime_option: Literal["jobschedule", "job"]
    auto_pool_id_prefix: Annotated[str, Meta(max_length=20, pattern="^[A-Za-z0-9_-]*$")] | None = None
    keep_alive: bool | None = None
    pool: dict[str, Any] | None = None


class PoolInfo(Shape):
    pool_id: Id | None = None
    auto_pool_specification: AutoPool | None = None

    def __post_init__(self) -> None:
        if (self.pool_id is None) == (self.auto_pool_specification is None):
            raise ValueError("Exactly one of poolId and autoPoolSpecification is needed")


class JobNetwork(Shape):
    subnet_id: str
    skip_withdraw_from_v_net: bool | None = None


class JobChange(Shape):
    """What PATCH may change and PUT replaces."""

    priority: Priority | None = None
    allow_task_preemption: bool | None = None
    max_parallel_tasks: Annotated[int, Meta(ge=-1)] | None = None
    constraints: JobConstraints | None = None
    pool_info: PoolInfo | None = None
    on_all_tasks_complete: OnAllTasksComplete | None = None
    network_configuration: JobNetwork | None = None
    metadata: list[Metadata] | None = None

    def __post_init__(self) -> None:
        if self.max_parallel_tasks == 0:
            raise ValueError("maxParallelTasks must be -1 or greater than 0")


class JobSpecification(JobChange, kw_only=True):
    pool_info: PoolInfo
    display_name: DisplayName | None = None
    uses_task_dependencies: bool | None = None
    job_manager_task: JobManagerTask | None = None
    job_preparation_task: JobPreparationTask | None = None
    job_release_task: JobReleaseTask | None = None
    common_environment_settings: list[EnvironmentSetting] | None = None
    on_task_failure: OnTaskFailure | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.job_release_task is not None and self.job_preparation_task is None:
            raise ValueError("A jobReleaseTask needs a jobPreparationTask")


class NewJob(JobSpecification, kw_only=True):
    id: Id


class SchedulingError(Shape):
    category: Literal["usererror", "servererror"]
    code: str
    message: str | None = None
    details: list[NameValue] | None = None


class JobExecution(Shape):
    start_time: str
    end_time: str | None = None
    pool_id: str | None = None
    scheduling_error: SchedulingError | None = None
    terminate_reason: str | None = None


class Job(JobSpecification, kw_only=True):
    """Times are in the service's spelling. Its address depends on the request, so it is not part of it."""

    id: str
    e_tag: str
    last_modified: str
    creation_time: str
    state: JobState
    state_transition_time: str
    execution_info: JobExecution
    previous_state: JobState | None = None
    previous_state_transition_time: str | None = None


class JobDisable(Shape):
    disable_tasks: Literal["requeue", "terminate", "wait"]


class JobTerminate(Shape):
    terminate_reason: str | None = None


class PreparationExecution(Shape):
    start_time: str
    state: Literal["running", "completed"]
    retry_count: int
    end_time: str | None = None
    task_root_directory: str | None = None
    exit_code: int | None = None
    container_info: ContainerInfo | None = None
    failure_info: FailureInfo | None = None
    last_retry_time: str | None = None
    result: Literal["success", "failure"] | None = None


class ReleaseExecution(Shape):
    start_time: str
    state: Literal["running", "completed"]
    end_time: str | None = None
    task_root_directory: str | None = None
    exit_code: int | None = None
    container_info: ContainerInfo | None = None
    failure_info: FailureInfo | None = None
    result: Literal["success", "failure"] | None = None


class PreparationAndRelease(Shape):
    """A node that a job's preparation task ran on."""

    pool_id: str
    node_id: str
    job_preparation_task_execution_info: PreparationExecution | None = None
    job_release_task_execution_info: ReleaseExecution | None = None
