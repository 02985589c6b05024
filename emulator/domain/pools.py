"""Pools: what they begin with, which changes their state allows, and their way from size to size."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from emulator.catalogue import images, vm_sizes
from emulator.clock import iso
from emulator.errors import ServiceError
from emulator.wire import times
from emulator.wire.base import invalid
from emulator.wire.common import StartTask
from emulator.wire.pools import (
    AllocationState,
    Deallocation,
    NodeRemoval,
    Pool,
    PoolChange,
    PoolReplacement,
    PoolResize,
    PoolSpecification,
    ResizeError,
    SchedulingPolicy,
)

RESIZE_TIMEOUT = "PT15M"
EVALUATION_INTERVAL = "PT15M"
MOST_INTER_NODE = 100
LONGEST_START_TASK = 32_768  # characters
ENABLE_AUTO_SCALE_PAUSE = timedelta(seconds=30)
SIMULATED = ("emulator:nodes", "simulated")  # the metadata item of a pool whose nodes are simulated

_ANY_TIME = frozenset({"start_task", "application_package_references", "metadata"})


Token = tuple[int, datetime]


class Resize(msgspec.Struct):
    """A resize under way, the pool's so manieth. ``remove`` are nodes chosen by their id."""

    number: int
    started: datetime
    deadline: datetime
    option: Deallocation = "requeue"
    remove: list[str] | None = None

    @property
    def token(self) -> Token:
        """What tells it from every other, also of a later pool with the same id."""
        return self.number, self.started


class PoolRecord(msgspec.Struct):
    """A pool and what only the service knows of it.

    ``created_nodes`` numbers nodes, ``resizes`` resizes. ``usage`` is core seconds by half hour (its start, in the
    service's spelling) and ``metered`` until when they are counted. The other core seconds are those of its whole life.
    """

    pool: Pool
    created_nodes: int = 0
    resizes: int = 0
    resize: Resize | None = None
    deallocation: Deallocation = "requeue"
    auto_scale_enabled: datetime | None = None
    simulated: bool = False
    auto: bool = False
    usage: dict[str, float] = {}
    metered: datetime | None = None
    dedicated_core_seconds: float = 0.0
    core_seconds: float = 0.0

    @property
    def is_steady(self) -> bool:
        return self.pool.allocation_state == "steady"

    @property
    def is_deleting(self) -> bool:
        return self.pool.state == "deleting"

    @property
    def is_windows(self) -> bool:
        return self.pool.virtual_machine_configuration.is_windows

    @property
    def cores(self) -> int:
        return vm_sizes.cores(self.pool.vm_size)


class PoolRow(msgspec.Struct):
    """A pool as lists read it: its wire form, quickly."""

    pool: dict[str, object]


def new_pool(wanted: PoolSpecification, pool_id: str, now: datetime, etag: str) -> PoolRecord:
    """The pool as created, with the service's defaults filled in, beginning its first resize."""
    given = {name: getattr(wanted, name) for name in PoolSpecification.__struct_fields__}
    pool = Pool(
        **given,
        id=pool_id,
        e_tag=etag,
        last_modified=iso(now),
        creation_time=iso(now),
        state="active",
        state_transition_time=iso(now),
        allocation_state="steady",
        allocation_state_transition_time=iso(now),
        current_dedicated_nodes=0,
        current_low_priority_nodes=0,
    )
    fill(pool)
    record = PoolRecord(pool=pool)
    if pool.enable_auto_scale:
        pool.auto_scale_evaluation_interval = pool.auto_scale_evaluation_interval or EVALUATION_INTERVAL
        pool.target_dedicated_nodes = pool.target_low_priority_nodes = 0
        record.auto_scale_enabled = now
    else:
        pool.target_dedicated_nodes = pool.target_dedicated_nodes or 0
        pool.target_low_priority_nodes = pool.target_low_priority_nodes or 0
    return record


def fill(pool: Pool) -> None:
    pool.vm_size = pool.vm_size.lower()
    pool.resize_timeout = pool.resize_timeout or RESIZE_TIMEOUT
    pool.enable_auto_scale = bool(pool.enable_auto_scale)
    pool.enable_inter_node_communication = bool(pool.enable_inter_node_communication)
    pool.task_slots_per_node = pool.task_slots_per_node or 1
    policy = pool.task_scheduling_policy or SchedulingPolicy(node_fill_type="spread")
    policy.job_default_order = policy.job_default_order or "none"
    pool.task_scheduling_policy = policy
    machine = pool.virtual_machine_configuration.image_reference
    machine.version = machine.version or (None if machine.is_custom else "latest")
    pool.start_task = filled_start_task(pool.start_task)
    for account in pool.user_accounts or ():
        account.elevation_level = account.elevation_level or "nonadmin"


def filled_start_task(task: StartTask | None) -> StartTask | None:
    if task is not None:
        task.max_task_retry_count = task.max_task_retry_count or 0
        task.wait_for_success = task.wait_for_success is not False
    return task


def check_specification(wanted: PoolSpecification) -> None:
    """Rules between the parts of a new pool. Raises InvalidPropertyValue and the like, naming the property."""
    if wanted.enable_auto_scale:
        if not wanted.auto_scale_formula:
            raise ServiceError("MissingRequiredProperty", values={"PropertyName": "autoScaleFormula"})
        if wanted.target_dedicated_nodes is not None or wanted.target_low_priority_nodes is not None:
            raise invalid("targetDedicatedNodes", "Targets do not go with automatic scaling")
        if wanted.resize_timeout is not None:
            raise invalid("resizeTimeout", "A resize timeout does not go with automatic scaling")
    elif wanted.auto_scale_formula or wanted.auto_scale_evaluation_interval:
        raise invalid("autoScaleFormula", "A formula needs enableAutoScale to be true")
    check_change(wanted)


def check_change(wanted: PoolChange) -> None:
    """Rules that a property follows wherever it is given."""
    if wanted.vm_size is not None:
        check_vm_size(wanted.vm_size)
    if wanted.virtual_machine_configuration is not None:
        _check_image(wanted)
    if wanted.task_slots_per_node is not None and wanted.vm_size is not None:
        most = most_slots(wanted.vm_size)
        if wanted.task_slots_per_node > most:
            raise invalid("taskSlotsPerNode", f"The VM size allows at most {most} slots", wanted.task_slots_per_node)
    check_start_task(wanted.start_task)
    names = [account.name.lower() for account in wanted.user_accounts or ()]
    if len(set(names)) != len(names):
        raise invalid("userAccounts", "The names of user accounts must differ")


def most_slots(vm_size: str) -> int:
    return min(4 * vm_sizes.cores(vm_size), 256)


def check_vm_size(name: str) -> None:
    if not vm_sizes.is_plausible(name):
        raise invalid("vmSize", "The VM size is not supported", name)


def check_start_task(task: StartTask | None) -> None:
    """Command line, resource files and environment together have at most 32,768 characters."""
    if task is None:
        return
    parts = (task.command_line, *(task.resource_files or ()), *(task.environment_settings or ()))
    if len(msgspec.json.encode(parts)) > LONGEST_START_TASK:
        raise invalid("startTask", f"The start task must not be longer than {LONGEST_START_TASK} characters")


def _check_image(wanted: PoolChange) -> None:
    machine = wanted.virtual_machine_configuration
    if machine is None:
        return
    if not images.has_agent(machine.node_agent_sku_id):
        raise ServiceError(
            "NodeAgentSKUNotFound",
            values={"PropertyName": "nodeAgentSKUId", "PropertyValue": machine.node_agent_sku_id},
        )
    reference = machine.image_reference
    if reference.is_custom:
        return
    found = images.find(reference.publisher or "", reference.offer or "", reference.sku or "")
    name = "virtualMachineConfiguration.imageReference"
    text = f"{reference.publisher}/{reference.offer}/{reference.sku}"
    if found is None:
        raise invalid(name, "The image is not supported: choose one of the supported images", text)
    if found.node_agent.lower() != machine.node_agent_sku_id.lower():
        raise invalid("virtualMachineConfiguration.nodeAgentSKUId", f"The image needs {found.node_agent}", text)


def check_not_deleting(record: PoolRecord) -> None:
    if record.is_deleting:
        raise ServiceError("PoolBeingDeleted")


def check_steady(record: PoolRecord) -> None:
    check_not_deleting(record)
    if not record.is_steady:
        raise ServiceError("PoolBeingResized")


def change(record: PoolRecord, wanted: PoolChange, *, has_nodes: bool, now: datetime, etag: str) -> None:
    """PATCH: what is given changes. Raises PoolBeingDeleted, or OperationInvalidForCurrentState with nodes there."""
    check_not_deleting(record)
    given = [name for name in PoolChange.__struct_fields__ if getattr(wanted, name) is not None]
    if has_nodes or not record.is_steady:
        fixed = [name for name in given if name not in _ANY_TIME]
        if fixed:
            raise ServiceError(
                "OperationInvalidForCurrentState",
                f"{', '.join(_camel(name) for name in fixed)} can be changed only while the pool has no nodes.",
                values={"PropertyName": _camel(fixed[0]), "Reason": "The pool is not empty"},
            )
    for name in given:
        setattr(record.pool, name, getattr(wanted, name))
    fill(record.pool)
    touch_pool(record, now, etag)


def replace_properties(record: PoolRecord, wanted: PoolReplacement, now: datetime, etag: str) -> None:
    check_not_deleting(record)
    record.pool.start_task = filled_start_task(wanted.start_task)
    record.pool.application_package_references = wanted.application_package_references or None
    record.pool.metadata = wanted.metadata or None
    touch_pool(record, now, etag)


def touch_pool(record: PoolRecord, now: datetime, etag: str) -> None:
    record.pool.e_tag = etag
    record.pool.last_modified = iso(now)


def begin_resize(record: PoolRecord, wanted: PoolResize, now: datetime, etag: str) -> None:
    """Raises PoolBeingDeleted, PoolBeingResized, or OperationInvalidForCurrentState with automatic scaling."""
    check_not_deleting(record)
    if record.pool.enable_auto_scale:
        raise ServiceError("OperationInvalidForCurrentState", "The pool is scaled automatically: disable that first.")
    check_steady(record)
    pool = record.pool
    if wanted.target_dedicated_nodes is not None:
        pool.target_dedicated_nodes = wanted.target_dedicated_nodes
    if wanted.target_low_priority_nodes is not None:
        pool.target_low_priority_nodes = wanted.target_low_priority_nodes
    pool.resize_timeout = wanted.resize_timeout or pool.resize_timeout
    start_resizing(record, now, wanted.node_deallocation_option or "requeue")
    touch_pool(record, now, etag)


def begin_removal(record: PoolRecord, wanted: NodeRemoval, now: datetime, etag: str) -> None:
    """Raises as ``begin_resize``. Automatic scaling would only bring the nodes back."""
    check_not_deleting(record)
    if record.pool.enable_auto_scale:
        raise ServiceError("OperationInvalidForCurrentState", "The pool is scaled automatically: disable that first.")
    check_steady(record)
    record.pool.resize_timeout = wanted.resize_timeout or record.pool.resize_timeout
    start_resizing(record, now, wanted.node_deallocation_option or "requeue", wanted.node_list)
    touch_pool(record, now, etag)


def start_resizing(
    record: PoolRecord, now: datetime, option: Deallocation = "requeue", remove: list[str] | None = None
) -> None:
    deadline = times.later(now, record.pool.resize_timeout or RESIZE_TIMEOUT) or now
    record.resizes += 1
    record.resize = Resize(number=record.resizes, started=now, deadline=deadline, option=option, remove=remove)
    record.pool.resize_errors = None
    move_allocation(record.pool, "resizing", now)


def stop_resizing(record: PoolRecord, now: datetime, etag: str) -> None:
    check_not_deleting(record)
    if record.pool.allocation_state != "resizing":
        raise ServiceError("OperationInvalidForCurrentState", "The pool is not being resized.")
    move_allocation(record.pool, "stopping", now)
    touch_pool(record, now, etag)


def settle(record: PoolRecord, errors: list[ResizeError], now: datetime) -> None:
    """The resize has ended, with errors if it did not reach its targets."""
    record.resize = None
    record.pool.resize_errors = errors or None
    move_allocation(record.pool, "steady", now)


def begin_deleting(record: PoolRecord, now: datetime, etag: str) -> None:
    check_not_deleting(record)
    pool = record.pool
    pool.state, pool.state_transition_time = "deleting", iso(now)
    pool.target_dedicated_nodes = pool.target_low_priority_nodes = 0
    pool.enable_auto_scale = False
    start_resizing(record, now)
    touch_pool(record, now, etag)


def move_allocation(pool: Pool, state: AllocationState, now: datetime) -> None:
    if pool.allocation_state != state:
        pool.allocation_state, pool.allocation_state_transition_time = state, iso(now)


def enable_auto_scale(record: PoolRecord, formula: str | None, interval: str | None, now: datetime, etag: str) -> None:
    """Raises TooManyEnableAutoScaleRequests, PoolBeingResized, MissingRequiredProperty."""
    check_not_deleting(record)
    last = record.auto_scale_enabled
    if last is not None and record.pool.enable_auto_scale and now - last < ENABLE_AUTO_SCALE_PAUSE:
        raise ServiceError("TooManyEnableAutoScaleRequests", headers={"Retry-After": "30"})
    if not record.pool.enable_auto_scale:
        check_steady(record)
    if formula is None and record.pool.auto_scale_formula is None:
        raise ServiceError("MissingRequiredProperty", values={"PropertyName": "autoScaleFormula"})
    pool = record.pool
    pool.enable_auto_scale = True
    pool.auto_scale_formula = formula or pool.auto_scale_formula
    pool.auto_scale_evaluation_interval = interval or pool.auto_scale_evaluation_interval or EVALUATION_INTERVAL
    record.auto_scale_enabled = now
    touch_pool(record, now, etag)


def disable_auto_scale(record: PoolRecord, now: datetime, etag: str) -> None:
    check_not_deleting(record)
    pool = record.pool
    pool.enable_auto_scale = False
    pool.auto_scale_formula = pool.auto_scale_evaluation_interval = pool.auto_scale_run = None
    touch_pool(record, now, etag)


def is_simulated(record: PoolRecord, *, by_default: bool) -> bool:
    """By the pool's metadata, else as the service was started."""
    name, value = SIMULATED
    chosen = {item.name: item.value for item in record.pool.metadata or ()}.get(name)
    return by_default if chosen is None else chosen == value


def public(pool: Mapping[str, object]) -> dict[str, object]:
    """The wire form without what is never given back: passwords, keys, protected settings."""
    return {name: _without_secrets(value) for name, value in pool.items()}


_SECRETS = frozenset({"password", "sshPrivateKey", "accountKey", "sasKey", "protectedSettings"})


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_secrets(item) for name, item in value.items() if name not in _SECRETS}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
