"""Compute nodes: the states they pass through and what each allows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from emulator.clock import iso
from emulator.errors import ServiceError
from emulator.wire.common import NameValue, StartTask
from emulator.wire.nodes import NodeError, NodeState, RecentTask, StartTaskInfo

Action = Literal["reboot", "reimage", "deallocate"]

RECENT_TASKS = 10

_LEAVES = frozenset({"leavingpool", "preempted", "unknown", "unusable"})  # what can happen to a node at any time
_ACTIONS = frozenset({"rebooting", "reimaging", "deallocating", "upgradingos"})
_AT_WORK = frozenset({"idle", "running", "offline"})

# state → states it may go to
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "creating": _LEAVES | {"starting"},
    "starting": _LEAVES | _AT_WORK | {"waitingforstarttask", "rebooting"},
    "waitingforstarttask": _LEAVES | _AT_WORK | {"starttaskfailed"},
    "starttaskfailed": _LEAVES | _ACTIONS,
    "idle": _LEAVES | _ACTIONS | {"running", "offline"},
    "running": _LEAVES | _ACTIONS | {"idle", "offline"},
    "offline": _LEAVES | _ACTIONS | {"idle", "running"},
    "rebooting": _LEAVES | {"starting"},
    "reimaging": _LEAVES | {"starting"},
    "upgradingos": _LEAVES | {"starting"},
    "unusable": _LEAVES | _ACTIONS | _AT_WORK,
    "unknown": _LEAVES | _ACTIONS | _AT_WORK,
    "preempted": _LEAVES | {"creating"},
    "deallocating": _LEAVES | {"deallocated"},
    "deallocated": _LEAVES | {"starting"},
    "leavingpool": frozenset(),
}

ACTION_STATE: Mapping[Action, NodeState] = {
    "reboot": "rebooting",
    "reimage": "reimaging",
    "deallocate": "deallocating",
}

_CONFLICTS = {
    "creating": "NodeBeingCreated",
    "starting": "NodeBeingStarted",
    "waitingforstarttask": "NodeBeingStarted",
    "rebooting": "NodeBeingRebooted",
    "reimaging": "NodeBeingReimaged",
    "unusable": "NodeStateUnusable",
    "unknown": "NodeStateUnusable",
}

# States in which the machine exists and is paid for, and the scheduler may know the node.
GONE_STATES = frozenset({"preempted", "deallocated"})
ONLINE_STATES = frozenset({"idle", "running"})


class NodeRecord(msgspec.Struct, rename="camel", omit_defaults=True):
    """A node and what only the service knows of it (``PRIVATE``).

    What all nodes of a pool have in common is not part of it, so that 50,000 of them stay small.
    """

    id: str
    number: int
    is_dedicated: bool
    state: NodeState
    state_transition_time: str
    allocation_time: str
    ip_address: str
    scheduling_state: Literal["enabled", "disabled"] = "enabled"
    last_boot_time: str | None = None
    total_tasks_run: int = 0
    running_tasks_count: int = 0
    running_task_slots_count: int = 0
    total_tasks_succeeded: int = 0
    recent_tasks: list[RecentTask] = []
    start_task: StartTask | None = None
    start_task_info: StartTaskInfo | None = None
    errors: list[NodeError] = []
    ssh_port: int | None = None
    packages: dict[str, str] = {}
    disk_since: str | None = None

    @property
    def is_online(self) -> bool:
        return self.state in ONLINE_STATES and self.scheduling_state == "enabled"

    @property
    def resting(self) -> Literal["idle", "running", "offline"]:
        """The state of a node that works: by its tasks and whether it takes any."""
        if self.running_tasks_count:
            return "running"
        return "idle" if self.scheduling_state == "enabled" else "offline"


PRIVATE = frozenset({"number", "sshPort", "packages", "diskSince"})


class NodeRow(msgspec.Struct, rename="camel", omit_defaults=True):
    """The little of a node that counting and choosing need."""

    id: str
    number: int
    is_dedicated: bool
    state: str


def new_node(node_id: str, number: int, *, is_dedicated: bool, now: datetime) -> NodeRecord:
    return NodeRecord(
        id=node_id,
        number=number,
        is_dedicated=is_dedicated,
        state="creating",
        state_transition_time=iso(now),
        allocation_time=iso(now),
        ip_address=private_address(number),
    )


def node_name(hexadecimal: str, *, is_dedicated: bool) -> str:
    return f"tvmps_{hexadecimal}_{'d' if is_dedicated else 'p'}"


def private_address(number: int) -> str:
    """Addresses of 10.0.0.0/8 from 10.0.0.4 on, as virtual networks give them."""
    place = number + 4
    return f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"


class TransitionError(Exception):
    """A bug: the service may not take a node from its state to this one."""


def move(node: NodeRecord, state: NodeState, now: datetime) -> None:
    """Go to another state; going to the present one does nothing. Raises TransitionError."""
    if node.state == state:
        return
    if state not in TRANSITIONS[node.state]:
        raise TransitionError(f"{node.id} may not go from {node.state} to {state}")
    node.state = state
    node.state_transition_time = iso(now)


def check_action(node: NodeRecord, *, allow_unusable: bool) -> None:
    """Whether a node can be rebooted, reimaged or deallocated now. Raises the error of its state."""
    allowed = _AT_WORK | {"starttaskfailed"} | ({"unusable", "unknown"} if allow_unusable else set())
    if node.state not in allowed:
        raise conflict(node)


def check_start(node: NodeRecord) -> None:
    if node.state != "deallocated":
        raise conflict(node)


def check_takes_users(node: NodeRecord) -> None:
    """Users are managed while a node is idle or running. Raises the error of its state."""
    if node.state not in _AT_WORK:
        raise conflict(node)


def conflict(node: NodeRecord) -> ServiceError:
    code = _CONFLICTS.get(node.state, "OperationInvalidForCurrentState")
    return ServiceError(code, values={"NodeState": node.state})


def set_scheduling(node: NodeRecord, state: Literal["enabled", "disabled"]) -> None:
    """Raises NodeAlreadyInTargetSchedulingState."""
    if node.scheduling_state == state:
        raise ServiceError("NodeAlreadyInTargetSchedulingState")
    node.scheduling_state = state


def new_disk(node: NodeRecord, now: datetime) -> None:
    """Nothing is left of what was installed."""
    node.disk_since = iso(now)
    node.packages = {}


def begin_boot(node: NodeRecord, start_task: StartTask | None, now: datetime) -> None:
    """The machine is up: it takes the pool's present start task and begins without errors."""
    node.last_boot_time = iso(now)
    node.start_task = start_task
    node.start_task_info = None
    node.errors = []


def start_task_is(node: NodeRecord, info: StartTaskInfo, now: datetime) -> None:
    """The start task began, is tried again or has ended. Only one that is waited for keeps the node from working."""
    node.start_task_info = info
    waits = node.start_task is not None and node.start_task.wait_for_success is not False
    if not waits:
        move(node, node.resting, now)
    elif info.state == "running":
        move(node, "waitingforstarttask", now)
    elif info.result == "success":
        move(node, node.resting, now)
    else:
        node.errors = [_start_task_error(info)]
        move(node, "starttaskfailed", now)


def _start_task_error(info: StartTaskInfo) -> NodeError:
    failure = info.failure_info
    details = [NameValue(name="ExitCode", value=str(info.exit_code))] if info.exit_code is not None else []
    if failure is not None:
        details = [NameValue(name="Code", value=failure.code), *(failure.details or ()), *details]
    return NodeError(
        code="StartTaskFailed",
        message="The start task failed and its retries are used up.",
        error_details=details or None,
    )


def task_began(node: NodeRecord, task: RecentTask, slots: int, now: datetime) -> None:
    node.total_tasks_run += 1
    node.running_tasks_count += 1
    node.running_task_slots_count += slots
    node.recent_tasks = [task, *node.recent_tasks[: RECENT_TASKS - 1]]
    if node.state in _AT_WORK:
        move(node, "running", now)


def task_ended(node: NodeRecord, task: RecentTask, slots: int, now: datetime) -> None:
    node.running_tasks_count = max(0, node.running_tasks_count - 1)
    node.running_task_slots_count = max(0, node.running_task_slots_count - slots)
    node.total_tasks_succeeded += task.result == "success"
    node.recent_tasks = [task if _same(task, known) else known for known in node.recent_tasks]
    if node.state in _AT_WORK:
        move(node, node.resting, now)


def _same(task: RecentTask, other: RecentTask) -> bool:
    return (task.job_id, task.task_id, task.subtask_id) == (other.job_id, other.task_id, other.subtask_id) and (
        task.start_time == other.start_time
    )


def forget_runs(node: NodeRecord) -> None:
    """Nothing runs there any more and nobody can say how it ended."""
    node.running_tasks_count = node.running_task_slots_count = 0
    node.recent_tasks = [task for task in node.recent_tasks if task.task_state == "completed"]
