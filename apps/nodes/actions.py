"""What can be done to nodes, and what becomes of their running tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.gateway import nodes as gateway
from apps.gateway.types import Connection
from apps.gateway.types_nodes import Node
from apps.operations.models import Kind


class NodeAction(models.TextChoices):
    REBOOT = "reboot", _("Reboot")
    REIMAGE = "reimage", _("Reimage")
    DISABLE = "disable-scheduling", _("Disable scheduling")
    ENABLE = "enable-scheduling", _("Enable scheduling")
    DEALLOCATE = "deallocate", _("Deallocate")
    START = "start", _("Start")
    REMOVE = "remove", _("Remove")


class TaskOption(models.TextChoices):
    """As the service spells them."""

    REQUEUE = "requeue", _("Stop them and put them back into the queue")
    TERMINATE = "terminate", _("Stop them; they do not run again")
    COMPLETION = "taskcompletion", _("Wait until they have ended")


@dataclass(frozen=True, slots=True)
class Traits:
    """`states`: in which the service takes it (empty: any). `done_codes`: conflicts that say it is so already."""

    kind: Kind
    takes_option: bool
    states: frozenset[str]
    done_codes: frozenset[str] = frozenset()


_AT_WORK = frozenset({"idle", "running"})
# A start task that failed and a node that is unusable are what people reboot and reimage: the service decides.
_MENDABLE = _AT_WORK | {"offline", "starttaskfailed", "unusable", "unknown"}
_TARGET = frozenset({"NodeAlreadyInTargetSchedulingState"})

TRAITS: dict[NodeAction, Traits] = {
    NodeAction.REBOOT: Traits(Kind.NODE_REBOOT, True, _MENDABLE, frozenset({"NodeBeingRebooted"})),
    NodeAction.REIMAGE: Traits(Kind.NODE_REIMAGE, True, _MENDABLE, frozenset({"NodeBeingReimaged"})),
    NodeAction.DISABLE: Traits(Kind.NODE_DISABLE, True, frozenset(), _TARGET),
    NodeAction.ENABLE: Traits(Kind.NODE_ENABLE, False, frozenset(), _TARGET),
    NodeAction.DEALLOCATE: Traits(Kind.NODE_DEALLOCATE, True, _MENDABLE),
    NodeAction.START: Traits(Kind.NODE_START, False, frozenset({"deallocated"})),
    NodeAction.REMOVE: Traits(Kind.NODE_REMOVE, True, frozenset()),
}

Ask = Callable[[Connection, str, str], None]


def asking(action: NodeAction, option: str) -> Ask:
    """The call that asks the service for the action on one node. Nodes are removed by the pool, a hundred at a time."""
    with_option = {
        NodeAction.REBOOT: gateway.node_reboot,
        NodeAction.REIMAGE: gateway.node_reimage,
        NodeAction.DEALLOCATE: gateway.node_deallocate,
        NodeAction.DISABLE: gateway.node_disable_scheduling,
    }.get(action)
    if with_option is not None:
        return lambda connection, pool, node: with_option(connection, pool, node, option or TaskOption.REQUEUE.value)
    return {NodeAction.ENABLE: gateway.node_enable_scheduling, NodeAction.START: gateway.node_start}[action]


def took_effect(action: NodeAction, node: Node, since: datetime) -> bool:
    """Whether the service took the action at or after `since`, as far as the node shows it."""
    if action is NodeAction.DISABLE:
        return node.scheduling_state == "disabled"
    if action is NodeAction.ENABLE:
        return node.scheduling_state == "enabled"
    if action is NodeAction.DEALLOCATE:
        return node.state in {"deallocating", "deallocated"}
    if action is NodeAction.REMOVE:
        return node.state == "leavingpool"
    if action is NodeAction.START:
        return node.state not in {"deallocated", "deallocating"}
    on_the_way = {"rebooting", "reimaging", "starting", "waitingforstarttask"}
    return node.state in on_the_way or (node.last_boot is not None and node.last_boot >= since)
