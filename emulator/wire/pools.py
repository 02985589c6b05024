"""Pools."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from emulator.wire import times
from emulator.wire.base import Shape
from emulator.wire.common import DisplayName, Id, Metadata, NameValue, PackageReference, StartTask
from emulator.wire.machines import (
    Mount,
    NetworkConfiguration,
    UpgradePolicy,
    UserAccount,
    VirtualMachineConfiguration,
)

PoolState = Literal["active", "deleting"]
AllocationState = Literal["steady", "resizing", "stopping"]
Deallocation = Literal["requeue", "terminate", "taskcompletion", "retaineddata"]
Target = Annotated[int, Meta(ge=0)]
NodeId = Annotated[str, Meta(min_length=1)]

SHORTEST_RESIZE = 5 * 60  # seconds
SHORTEST_EVALUATION = 5 * 60
LONGEST_EVALUATION = 168 * 3600


def _resize_timeout(text: str | None) -> str | None:
    if text is None:
        return None
    if times.seconds(text) < SHORTEST_RESIZE:
        raise ValueError("resizeTimeout must be at least PT5M")
    return times.duration(text)


def _evaluation_interval(text: str | None) -> str | None:
    if text is None:
        return None
    if not SHORTEST_EVALUATION <= times.seconds(text) <= LONGEST_EVALUATION:
        raise ValueError("autoScaleEvaluationInterval must be between PT5M and P7D")
    return times.duration(text)


class SchedulingPolicy(Shape):
    node_fill_type: Literal["spread", "pack"]
    job_default_order: Literal["none", "creationtime"] | None = None


class PoolChange(Shape):
    """What PATCH may change; the last ones only while the pool has no nodes."""

    start_task: StartTask | None = None
    application_package_references: Annotated[list[PackageReference], Meta(max_length=10)] | None = None
    metadata: list[Metadata] | None = None
    display_name: DisplayName | None = None
    vm_size: Annotated[str, Meta(min_length=1)] | None = None
    virtual_machine_configuration: VirtualMachineConfiguration | None = None
    task_slots_per_node: Annotated[int, Meta(ge=1, le=256)] | None = None
    task_scheduling_policy: SchedulingPolicy | None = None
    network_configuration: NetworkConfiguration | None = None
    user_accounts: list[UserAccount] | None = None
    mount_configuration: Annotated[list[Mount], Meta(max_length=10)] | None = None
    upgrade_policy: UpgradePolicy | None = None
    enable_inter_node_communication: bool | None = None


class PoolSpecification(PoolChange, kw_only=True):
    """A pool to be made, without its id, as jobs specify their own pools too."""

    vm_size: Annotated[str, Meta(min_length=1)]
    virtual_machine_configuration: VirtualMachineConfiguration
    resize_timeout: str | None = None
    target_dedicated_nodes: Target | None = None
    target_low_priority_nodes: Target | None = None
    enable_auto_scale: bool | None = None
    auto_scale_formula: str | None = None
    auto_scale_evaluation_interval: str | None = None

    def __post_init__(self) -> None:
        self.resize_timeout = _resize_timeout(self.resize_timeout)
        self.auto_scale_evaluation_interval = _evaluation_interval(self.auto_scale_evaluation_interval)


class NewPool(PoolSpecification, kw_only=True):
    id: Id


class PoolReplacement(Shape):
    """What ``updateproperties`` replaces: without a start task the pool loses its own."""

    application_package_references: Annotated[list[PackageReference], Meta(max_length=10)]
    metadata: list[Metadata]
    start_task: StartTask | None = None


class PoolResize(Shape):
    target_dedicated_nodes: Target | None = None
    target_low_priority_nodes: Target | None = None
    resize_timeout: str | None = None
    node_deallocation_option: Deallocation | None = None

    def __post_init__(self) -> None:
        self.resize_timeout = _resize_timeout(self.resize_timeout)
        if self.target_dedicated_nodes is None and self.target_low_priority_nodes is None:
            raise ValueError("targetDedicatedNodes or targetLowPriorityNodes is needed")


class NodeRemoval(Shape):
    node_list: Annotated[list[NodeId], Meta(min_length=1, max_length=100)]
    resize_timeout: str | None = None
    node_deallocation_option: Deallocation | None = None

    def __post_init__(self) -> None:
        self.resize_timeout = _resize_timeout(self.resize_timeout)


class AutoScale(Shape):
    auto_scale_formula: str | None = None
    auto_scale_evaluation_interval: str | None = None

    def __post_init__(self) -> None:
        self.auto_scale_evaluation_interval = _evaluation_interval(self.auto_scale_evaluation_interval)


class Evaluation(Shape):
    auto_scale_formula: Annotated[str, Meta(min_length=1)]


class AutoScaleError(Shape):
    code: str
    message: str
    values: list[NameValue] | None = None


class AutoScaleRun(Shape):
    timestamp: str
    results: str | None = None
    error: AutoScaleError | None = None


class ResizeError(Shape):
    code: str
    message: str
    values: list[NameValue] | None = None


class Pool(PoolSpecification, kw_only=True):
    """Times are in the service's spelling. Its address depends on the request, so it is not part of it."""

    id: str
    e_tag: str
    last_modified: str
    creation_time: str
    state: PoolState
    state_transition_time: str
    allocation_state: AllocationState
    allocation_state_transition_time: str
    current_dedicated_nodes: int
    current_low_priority_nodes: int
    resize_errors: list[ResizeError] | None = None
    auto_scale_run: AutoScaleRun | None = None
    identity: dict[str, Any] | None = field(default=None)
