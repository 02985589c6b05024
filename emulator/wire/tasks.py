"""Tasks."""

from typing import Annotated, Literal

from msgspec import Meta

from emulator.wire.base import Shape
from emulator.wire.common import (
    Command,
    CommandLine,
    ContainerInfo,
    DisplayName,
    FailureInfo,
    Id,
    NodeInfo,
    OutputFile,
    PackageReference,
    ResourceFile,
    Slots,
    TaskConstraints,
)

TaskState = Literal["active", "preparing", "running", "completed"]
Result = Literal["success", "failure"]

_LONGEST_DEPENDENCIES = 64_000  # characters of all ids together


class ExitOptions(Shape):
    job_action: Literal["none", "disable", "terminate"] | None = None
    dependency_action: Literal["satisfy", "block"] | None = None


class ExitCode(Shape):
    code: int
    exit_options: ExitOptions


class ExitCodeRange(Shape):
    start: int
    end: int
    exit_options: ExitOptions

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError("start must not be greater than end")


class ExitConditions(Shape):
    exit_codes: list[ExitCode] | None = None
    exit_code_ranges: list[ExitCodeRange] | None = None
    pre_processing_error: ExitOptions | None = None
    file_upload_error: ExitOptions | None = None
    default: ExitOptions | None = None

    def all_options(self) -> list[ExitOptions]:
        codes = [found.exit_options for found in self.exit_codes or ()]
        ranges = [found.exit_options for found in self.exit_code_ranges or ()]
        single = (self.pre_processing_error, self.file_upload_error, self.default)
        return [*codes, *ranges, *(found for found in single if found is not None)]


class TaskIdRange(Shape):
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError("start must not be greater than end")


class Dependencies(Shape):
    task_ids: list[str] | None = None
    task_id_ranges: list[TaskIdRange] | None = None

    def __post_init__(self) -> None:
        if sum(len(task) for task in self.task_ids or ()) > _LONGEST_DEPENDENCIES:
            raise ValueError(f"taskIds must have at most {_LONGEST_DEPENDENCIES} characters together")


class Affinity(Shape):
    affinity_id: Annotated[str, Meta(min_length=1)]


class MultiInstance(Shape):
    coordination_command_line: CommandLine
    number_of_instances: Annotated[int, Meta(ge=1)] | None = None
    common_resource_files: list[ResourceFile] | None = None


class TaskSpecification(Command):
    display_name: DisplayName | None = None
    exit_conditions: ExitConditions | None = None
    output_files: list[OutputFile] | None = None
    affinity_info: Affinity | None = None
    constraints: TaskConstraints | None = None
    required_slots: Slots | None = None
    multi_instance_settings: MultiInstance | None = None
    depends_on: Dependencies | None = None
    application_package_references: list[PackageReference] | None = None


class NewTask(TaskSpecification, kw_only=True):
    id: Id


class TaskExecution(Shape):
    retry_count: int
    requeue_count: int
    start_time: str | None = None
    end_time: str | None = None
    exit_code: int | None = None
    container_info: ContainerInfo | None = None
    failure_info: FailureInfo | None = None
    last_retry_time: str | None = None
    last_requeue_time: str | None = None
    result: Result | None = None


class Task(TaskSpecification, kw_only=True):
    """Times are in the service's spelling. Its address depends on the request, so it is not part of it."""

    id: str
    e_tag: str
    last_modified: str
    creation_time: str
    state: TaskState
    state_transition_time: str
    execution_info: TaskExecution
    previous_state: TaskState | None = None
    previous_state_transition_time: str | None = None
    node_info: NodeInfo | None = None


class TaskChange(Shape):
    """What PUT replaces."""

    constraints: TaskConstraints | None = None


class Subtask(Shape):
    id: int
    state: Literal["preparing", "running", "completed"]
    state_transition_time: str
    node_info: NodeInfo | None = None
    start_time: str | None = None
    end_time: str | None = None
    exit_code: int | None = None
    container_info: ContainerInfo | None = None
    failure_info: FailureInfo | None = None
    previous_state: Literal["preparing", "running", "completed"] | None = None
    previous_state_transition_time: str | None = None
    result: Result | None = None
