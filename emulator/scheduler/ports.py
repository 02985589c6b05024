"""Between the scheduler and the nodes: what each calls on the other.

The scheduler implements ``NodeEvents`` and calls ``Runners`` and ``Pools``; whoever owns pools and nodes implements
those two and calls ``NodeEvents``. Everything happens on one thread. All calls return at once: a runner that takes
time goes on by itself and tells the scheduler later. Events may be sent from within ``start`` and ``stop``.

The life of a run: ``start`` → ``run_started`` once its command runs → ``run_ended`` exactly once, also after
``stop``. Until then its slots stay taken. Alternatively the node is lost, and with it all its runs.

After a restart of the service every node that still exists is announced again with ``node_online``, naming the runs
that are still alive there, and then ``restored`` is called once: runs nobody named are run again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

from emulator.domain.usage import Usage
from emulator.wire.common import Command, ContainerInfo, FailureInfo, OutputFile, PackageReference, ResourceFile


class NodeRef(NamedTuple):
    """Account, pool and node, spelled as they were created."""

    account: str
    pool: str
    node: str


@dataclass(frozen=True, slots=True)
class NodeSlots:
    """A node that tasks can be put on. ``runs`` are those alive there, empty except after a restart.

    ``boot`` changes with every boot of the node and ``disk`` when it gets a new disk.
    """

    ref: NodeRef
    slots: int
    is_dedicated: bool = True
    ip_address: str = ""
    runs: frozenset[str] = frozenset()
    boot: str = ""
    disk: str = ""

    @property
    def affinity_id(self) -> str:
        return f"TVM:{self.ref.node}"


@dataclass(frozen=True, slots=True)
class PoolTraits:
    """What placement needs to know of a pool. ``is_schedulable`` is False while it is being deleted."""

    fill: Literal["spread", "pack"] = "spread"
    job_order: Literal["none", "creationtime"] = "none"
    slots_per_node: int = 1
    inter_node_communication: bool = False
    is_schedulable: bool = True


class RunKind(StrEnum):
    TASK = "task"
    SUBTASK = "subtask"  # an instance of a multi-instance task, the primary (0) included
    PREPARATION = "jobpreparation"
    RELEASE = "jobrelease"


@dataclass(frozen=True, slots=True)
class TaskStart:
    """One run of one task on one node.

    ``run`` is unique for every attempt. ``folder`` is the task's directory below the node's root, such as
    ``workitems/job/job-1/task``: it is the same for each attempt and for subtasks ends with their number.
    ``environment`` holds what only the scheduler knows (job, task, lists of nodes) and the settings of job and task,
    which come last and win; the node adds its own variables and those of packages.

    Instances of a multi-instance task have a number. Each runs ``coordination`` and then sends ``run_coordinated``;
    when all have, instance 0 is told to ``proceed`` with its command, and the others live on until they are stopped.
    ``common_files`` are downloaded before the coordination, for all instances of a node into one place.
    """

    run: str
    kind: RunKind
    node: NodeRef
    job: str
    task: str
    folder: str
    slots: int
    command: Command
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[PackageReference, ...] = ()
    outputs: tuple[OutputFile, ...] = ()
    retention: str = "P7D"
    preparation_folder: str | None = None
    instance: int | None = None
    coordination: str | None = None
    common_files: tuple[ResourceFile, ...] = ()


class Phase(StrEnum):
    """How far a run came."""

    PREPARING = "preparing"  # packages, resource files, user: the command never ran
    COMMAND = "command"
    UPLOAD = "upload"  # the command ran, an output file could not be uploaded


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended. Without a failure and with exit code 0 it succeeded.

    A non-zero exit code needs no failure: the scheduler adds FailureExitCode. After ``stop`` the values given here
    are kept if the task has not been completed otherwise. ``usage`` is what is known of what it took.
    """

    run: str
    at: datetime
    exit_code: int | None = None
    failure: FailureInfo | None = None
    phase: Phase = Phase.COMMAND
    container: ContainerInfo | None = None
    usage: Usage | None = None


class Drain(StrEnum):
    """What becomes of the tasks on a node that takes no more; ``retaineddata`` waits like ``taskcompletion``."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    TASK_COMPLETION = "taskcompletion"
    RETAINED_DATA = "retaineddata"


class NodeEvents(Protocol):
    """What nodes tell the scheduler."""

    def node_online(self, node: NodeSlots) -> None:
        """The node takes tasks. Also after rebooting (the preparation tasks of jobs may run again there)."""
        ...

    def node_draining(self, ref: NodeRef, option: Drain) -> None:
        """The node takes no new tasks. ``Runners.drained`` follows when no run is left, at once if there is none."""
        ...

    def node_lost(self, ref: NodeRef) -> None:
        """The node is gone or out of contact: its runs have ended without a word and are run again elsewhere."""
        ...

    def run_started(self, run: str, at: datetime) -> None: ...

    def run_coordinated(self, run: str) -> None:
        """The coordination command of an instance succeeded. One that fails ends the run instead."""
        ...

    def run_ended(self, end: RunEnd) -> None: ...

    def pool_changed(self, account: str, pool: str) -> None:
        """The pool appeared, went or changed its traits."""
        ...

    def restored(self) -> None:
        """After a restart all nodes are announced."""
        ...


class Runners(Protocol):
    """What the scheduler asks of the nodes."""

    def start(self, start: TaskStart) -> None: ...

    def stop(self, node: NodeRef, run: str) -> None:
        """End the run now. Unknown runs are ignored."""
        ...

    def proceed(self, node: NodeRef, run: str) -> None:
        """All instances are coordinated: run the command of instance 0."""
        ...

    def drained(self, ref: NodeRef) -> None:
        """No run is left on a node that was told to drain."""
        ...

    def forget(self, node: NodeRef, folder: str) -> None:
        """The task is deleted: remove its directory. Unknown nodes and folders are ignored."""
        ...


class Pools(Protocol):
    """What the scheduler asks about pools."""

    def traits(self, account: str, pool: str) -> PoolTraits | None:
        """None when there is no such pool."""
        ...

    def create_auto_pool(self, account: str, pool: str, specification: Mapping[str, object]) -> None:
        """Create a pool of a job's specification (wire properties). Raises ServiceError as creating a pool does."""
        ...

    def delete_auto_pool(self, account: str, pool: str) -> None: ...
