"""Between nodes and what they run on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from emulator.scheduler.ports import NodeRef, RunEnd, TaskStart
from emulator.wire.common import PackageReference, StartTask
from emulator.wire.machines import Mount, UserAccount
from emulator.wire.nodes import NodeError, StartTaskInfo


@dataclass(frozen=True, slots=True)
class Machine:
    """A node as its runner must know it."""

    ref: NodeRef
    is_dedicated: bool = True
    ip_address: str = ""
    is_windows: bool = False
    start_task: StartTask | None = None
    packages: tuple[PackageReference, ...] = ()
    accounts: tuple[UserAccount, ...] = ()
    mounts: tuple[Mount, ...] = ()
    has_containers: bool = False
    ssh_port: int | None = None
    ssh_ports: range | None = None


class Reports(Protocol):
    """What runners tell of their nodes."""

    def ready(self, refs: list[NodeRef], boot: str) -> None:
        """These nodes are up and have no start task. ``boot`` is the time of the boot that this belongs to."""
        ...

    def installed(self, ref: NodeRef, packages: dict[str, str]) -> None:
        """Application packages are on the node: which and where."""
        ...

    def start_task(self, refs: list[NodeRef], info: StartTaskInfo, boot: str) -> None:
        """The start task began, is retried or has ended."""
        ...

    def broken(self, ref: NodeRef, error: NodeError) -> None:
        """The node cannot be used."""
        ...

    def listens(self, ref: NodeRef, port: int) -> None:
        """SSH is answered at this port."""
        ...

    def run_started(self, run: str, at: datetime) -> None: ...

    def run_coordinated(self, run: str) -> None: ...

    def run_ended(self, end: RunEnd) -> None: ...


class Runner(Protocol):
    """Calls return at once. What takes time goes on by itself and reports later."""

    def boot(self, machines: list[Machine], boot: str) -> None:
        """Bring up nodes of one pool: packages, then the start task."""
        ...

    def resume(self, machine: Machine) -> None:
        """The service was restarted: the node is as it was, but nothing runs on it."""
        ...

    def start(self, start: TaskStart) -> None: ...

    def proceed(self, ref: NodeRef, run: str) -> None: ...

    def stop(self, ref: NodeRef, run: str) -> None: ...

    def forget(self, ref: NodeRef, folder: str) -> None: ...

    def halt(self, ref: NodeRef, then: Callable[[], None]) -> None:
        """End all that runs on the node; then its disk stays as it is. Runs that end so are not reported."""
        ...

    def wipe(self, ref: NodeRef) -> None:
        """Empty the node's disk. Only after ``halt``."""
        ...

    def remove(self, ref: NodeRef) -> None:
        """The node is gone, with its disk."""
        ...
