"""What the scheduler keeps in the store."""

from typing import Literal

import msgspec

from emulator.scheduler.ports import NodeRef, RunKind

# What becomes of the task when a run ends: judged by how it ended, run again, or nothing, for it was decided already.
Fate = Literal["judge", "requeue", "nothing"]


class QueueEntry(msgspec.Struct):
    """A task that waits for a node and for nothing else, and its place in the queue of its job."""

    place: str
    task: str


class RunRecord(msgspec.Struct):
    """A run that holds slots on a node.

    ``group`` is the run of instance 0 for all instances of a multi-instance task, else the run itself. A run is
    started once the job's preparation task is done on its node. ``limit`` is when it is stopped at the latest. Its
    job does not wait for it when it is ``abandoned``.
    """

    run: str
    kind: RunKind
    account: str
    job: str
    task: str
    pool: str
    node: str
    slots: int
    group: str
    instance: int | None = None
    is_started: bool = False
    is_coordinated: bool = False
    fate: Fate = "judge"
    limit: str | None = None
    limited: bool = False
    deleted: bool = False
    abandoned: bool = False

    @property
    def ref(self) -> NodeRef:
        return NodeRef(self.account, self.pool, self.node)
