"""How a pool gets from the nodes it has to those it wants: pure arithmetic over nodes, targets and quotas."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from emulator.domain.nodes import NodeRow
from emulator.wire.common import NameValue
from emulator.wire.pools import ResizeError

# Nodes that do nothing go first when a pool shrinks, among equals the youngest.
_LAST_TO_GO = ("waitingforstarttask", "running")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many more nodes are allowed for, and the resize error when that is not enough."""

    nodes: int
    error: ResizeError


@dataclass(frozen=True, slots=True)
class Plan:
    dedicated: int = 0
    low_priority: int = 0
    remove: tuple[str, ...] = ()
    errors: tuple[ResizeError, ...] = field(default=())


def plan(
    nodes: Iterable[NodeRow],
    *,
    dedicated: int,
    low_priority: int,
    remove: Iterable[str] = (),
    dedicated_limits: Iterable[Limit] = (),
    low_priority_limits: Iterable[Limit] = (),
) -> Plan:
    """What to create and remove so that the targets are met as far as the limits allow.

    Nodes that are leaving already do not count. Asking again gives no more than what is still missing.
    """
    present = [node for node in nodes if node.state != "leavingpool"]
    chosen = {name.lower() for name in remove}
    leaving = [node.id for node in present if node.id.lower() in chosen]
    staying = [node for node in present if node.id.lower() not in chosen]
    more, surplus, errors = _side([node for node in staying if node.is_dedicated], dedicated, dedicated_limits)
    more_spot, surplus_spot, spot_errors = _side(
        [node for node in staying if not node.is_dedicated], low_priority, low_priority_limits
    )
    return Plan(more, more_spot, (*leaving, *surplus, *surplus_spot), (*errors, *spot_errors))


def _side(
    nodes: list[NodeRow], target: int, limits: Iterable[Limit]
) -> tuple[int, tuple[str, ...], tuple[ResizeError, ...]]:
    missing = target - len(nodes)
    if missing <= 0:
        by_use = sorted(nodes, key=_reluctance)
        return 0, tuple(node.id for node in by_use[: len(nodes) - target]), ()
    allowed, errors = missing, []
    for limit in limits:
        if limit.nodes < missing:
            allowed = min(allowed, max(0, limit.nodes))
            errors.append(limit.error)
    return allowed, (), tuple(errors[:1])


def _reluctance(node: NodeRow) -> tuple[int, int]:
    place = _LAST_TO_GO.index(node.state) + 1 if node.state in _LAST_TO_GO else 0
    return place, -node.number


def error(code: str, message: str, **values: str) -> ResizeError:
    return ResizeError(
        code=code, message=message, values=[NameValue(name=name, value=text) for name, text in values.items()] or None
    )
