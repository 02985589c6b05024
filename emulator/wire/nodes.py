"""Compute nodes, their users and their start task."""

from typing import Annotated, Literal

from msgspec import Meta

from emulator.clock import iso
from emulator.wire import times
from emulator.wire.base import Shape
from emulator.wire.common import ContainerInfo, FailureInfo, NameValue
from emulator.wire.pools import Deallocation

NodeState = Literal[
    "idle",
    "rebooting",
    "reimaging",
    "running",
    "unusable",
    "creating",
    "starting",
    "waitingforstarttask",
    "starttaskfailed",
    "unknown",
    "leavingpool",
    "offline",
    "preempted",
    "upgradingos",
    "deallocated",
    "deallocating",
]
Result = Literal["success", "failure"]


class StartTaskInfo(Shape):
    state: Literal["running", "completed"]
    start_time: str
    retry_count: int
    end_time: str | None = None
    exit_code: int | None = None
    container_info: ContainerInfo | None = None
    failure_info: FailureInfo | None = None
    last_retry_time: str | None = None
    result: Result | None = None


class NodeError(Shape):
    code: str
    message: str
    error_details: list[NameValue] | None = None


class RecentTask(Shape):
    """A task that ran or runs on a node. Its address depends on the request, so it is not part of it."""

    job_id: str
    task_id: str
    task_state: Literal["running", "completed"]
    start_time: str
    subtask_id: int | None = None
    end_time: str | None = None
    exit_code: int | None = None
    failure_info: FailureInfo | None = None
    result: Result | None = None


class Reboot(Shape):
    node_reboot_option: Deallocation | None = None


class Reimage(Shape):
    node_reimage_option: Deallocation | None = None


class Deallocate(Shape):
    node_deallocate_option: Deallocation | None = None


class DisableScheduling(Shape):
    node_disable_scheduling_option: Literal["requeue", "terminate", "taskcompletion"] | None = None


class UserReplacement(Shape):
    """What PUT replaces: what is left out is reset."""

    password: str | None = None
    expiry_time: str | None = None
    ssh_public_key: str | None = None

    def __post_init__(self) -> None:
        if self.expiry_time is not None:
            self.expiry_time = iso(times.moment(self.expiry_time))


class NewUser(UserReplacement, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
    is_admin: bool | None = None


class LogUpload(Shape):
    container_url: Annotated[str, Meta(min_length=1)]
    start_time: str
    end_time: str | None = None
    identity_reference: dict[str, str] | None = None

    def __post_init__(self) -> None:
        self.start_time = iso(times.moment(self.start_time))
        if self.end_time is not None:
            self.end_time = iso(times.moment(self.end_time))
