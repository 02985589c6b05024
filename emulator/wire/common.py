"""Parts of tasks, jobs and pools that occur in more than one of them."""

from typing import Annotated, Literal

from msgspec import Meta

from emulator.wire import times
from emulator.wire.base import Shape

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
DisplayName = Annotated[str, Meta(max_length=1024)]
CommandLine = Annotated[str, Meta(min_length=1)]
RetryCount = Annotated[int, Meta(ge=-1)]
Slots = Annotated[int, Meta(ge=1)]


class NameValue(Shape):
    name: str | None = None
    value: str | None = None


class Metadata(Shape):
    name: Annotated[str, Meta(min_length=1)]
    value: str


class EnvironmentSetting(Shape):
    name: Annotated[str, Meta(min_length=1)]
    value: str | None = None


class IdentityReference(Shape):
    resource_id: str | None = None


class ResourceFile(Shape):
    """Exactly one of the three sources; ``file_path`` belongs to ``http_url``."""

    auto_storage_container_name: str | None = None
    storage_container_url: str | None = None
    http_url: str | None = None
    blob_prefix: str | None = None
    file_path: str | None = None
    file_mode: str | None = None
    identity_reference: IdentityReference | None = None

    def __post_init__(self) -> None:
        sources = (self.auto_storage_container_name, self.storage_container_url, self.http_url)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("Exactly one of autoStorageContainerName, storageContainerUrl and httpUrl is needed")
        if self.http_url is not None and not self.file_path:
            raise ValueError("filePath is needed with httpUrl")
        if self.http_url is not None and self.blob_prefix is not None:
            raise ValueError("blobPrefix does not go with httpUrl")


class UploadHeader(Shape):
    name: str
    value: str | None = None


class BlobContainer(Shape):
    container_url: str
    path: str | None = None
    identity_reference: IdentityReference | None = None
    upload_headers: list[UploadHeader] | None = None


class OutputDestination(Shape):
    container: BlobContainer


class UploadOptions(Shape):
    upload_condition: Literal["tasksuccess", "taskfailure", "taskcompletion"]


class OutputFile(Shape):
    file_pattern: Annotated[str, Meta(min_length=1)]
    destination: OutputDestination
    upload_options: UploadOptions


class AutoUser(Shape):
    scope: Literal["task", "pool"] | None = None
    elevation_level: Literal["nonadmin", "admin"] | None = None


class UserIdentity(Shape):
    username: str | None = None
    auto_user: AutoUser | None = None

    def __post_init__(self) -> None:
        if self.username is not None and self.auto_user is not None:
            raise ValueError("username and autoUser exclude each other")


class Registry(Shape):
    username: str | None = None
    password: str | None = None
    registry_server: str | None = None
    identity_reference: IdentityReference | None = None


class BindMount(Shape):
    source: Literal["Shared", "Startup", "VfsMounts", "Task", "JobPrep", "Applications"] | None = None
    is_read_only: bool | None = None


class ContainerSettings(Shape):
    image_name: Annotated[str, Meta(min_length=1)]
    container_run_options: str | None = None
    registry: Registry | None = None
    working_directory: Literal["taskWorkingDirectory", "containerImageDefault"] | None = None
    container_host_batch_bind_mounts: list[BindMount] | None = None


class PackageReference(Shape):
    application_id: Annotated[str, Meta(min_length=1)]
    version: str | None = None


class TaskConstraints(Shape):
    max_wall_clock_time: str | None = None
    retention_time: str | None = None
    max_task_retry_count: RetryCount | None = None

    def __post_init__(self) -> None:
        if self.max_wall_clock_time is not None:
            self.max_wall_clock_time = times.duration(self.max_wall_clock_time)
        if self.retention_time is not None:
            self.retention_time = times.duration(self.retention_time)


class Command(Shape):
    """What every kind of task has in common: enough to run it."""

    command_line: CommandLine
    container_settings: ContainerSettings | None = None
    resource_files: list[ResourceFile] | None = None
    environment_settings: list[EnvironmentSetting] | None = None
    user_identity: UserIdentity | None = None


class StartTask(Command):
    max_task_retry_count: RetryCount | None = None
    wait_for_success: bool | None = None


class FailureInfo(Shape):
    """Why a task failed. ``category`` says whose fault it was."""

    category: Literal["usererror", "servererror"]
    code: str
    message: str | None = None
    details: list[NameValue] | None = None


class ContainerInfo(Shape):
    container_id: str | None = None
    state: str | None = None
    error: str | None = None


class NodeInfo(Shape):
    """Where a task runs or ran. The addresses depend on the request, so they are not part of it."""

    affinity_id: str
    pool_id: str
    node_id: str
    task_root_directory: str | None = None
