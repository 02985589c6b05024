"""The states of compute nodes: their names, in the order in which a node passes through them, and what they mean."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class NodeState(models.TextChoices):
    """As the service spells them."""

    CREATING = "creating", _("Creating")
    STARTING = "starting", _("Starting")
    WAITING_FOR_START_TASK = "waitingforstarttask", _("Start task running")
    IDLE = "idle", _("Idle")
    RUNNING = "running", _("Running")
    OFFLINE = "offline", _("Offline")
    REBOOTING = "rebooting", _("Rebooting")
    REIMAGING = "reimaging", _("Reimaging")
    UPGRADING_OS = "upgradingos", _("Upgrading the system")
    LEAVING_POOL = "leavingpool", _("Leaving the pool")
    DEALLOCATING = "deallocating", _("Deallocating")
    DEALLOCATED = "deallocated", _("Deallocated")
    PREEMPTED = "preempted", _("Preempted")
    START_TASK_FAILED = "starttaskfailed", _("Start task failed")
    UNUSABLE = "unusable", _("Unusable")
    UNKNOWN = "unknown", _("Unknown")

    @property
    def tone(self) -> str:
        return TONES.get(self, "neutral")


TONES = {
    NodeState.IDLE: "success",
    NodeState.RUNNING: "success",
    NodeState.CREATING: "info",
    NodeState.STARTING: "info",
    NodeState.WAITING_FOR_START_TASK: "info",
    NodeState.REBOOTING: "info",
    NodeState.REIMAGING: "info",
    NodeState.UPGRADING_OS: "info",
    NodeState.LEAVING_POOL: "neutral",
    NodeState.OFFLINE: "warning",
    NodeState.PREEMPTED: "warning",
    NodeState.UNKNOWN: "warning",
    NodeState.START_TASK_FAILED: "danger",
    NodeState.UNUSABLE: "danger",
}
# A node in one of these will be in another one soon, so it is worth looking again.
PASSING = frozenset(
    {
        NodeState.CREATING,
        NodeState.STARTING,
        NodeState.WAITING_FOR_START_TASK,
        NodeState.REBOOTING,
        NodeState.REIMAGING,
        NodeState.UPGRADING_OS,
        NodeState.LEAVING_POOL,
        NodeState.DEALLOCATING,
    }
)
BROKEN = frozenset({NodeState.START_TASK_FAILED, NodeState.UNUSABLE, NodeState.UNKNOWN})
"""Nodes that somebody should look at."""


def state_label(state: str) -> str:
    """The name of a state; one that is newer than the portal stands for itself."""
    return str(NodeState(state).label) if state in NodeState else state


def state_tone(state: str) -> str:
    return NodeState(state).tone if state in NodeState else "neutral"
