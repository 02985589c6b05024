"""Pools as people read them: words and tones for states, bars of nodes, remedies for errors, prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import BatchAccount
from apps.nodes.states import NodeState, state_label, state_tone
from apps.pools.contents import contents
from apps.pools.flaws import whole
from apps.pools.models import PoolSnapshot, VmPrice
from apps.pools.selectors import stale_counts

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from apps.people.roles import Role
    from apps.pools.selectors import Fleet

_STATES: dict[str, tuple[StrOrPromise, str]] = {
    "active": (gettext_lazy("Active"), "success"),
    "deleting": (gettext_lazy("Deleting"), "warning"),
    "steady": (gettext_lazy("Steady"), "success"),
    "resizing": (gettext_lazy("Resizing"), "info"),
    "stopping": (gettext_lazy("Stopping a resize"), "warning"),
}
_ORDER = {state: index for index, state in enumerate(NodeState)}
# What helps, by the service's code of a resize error.
_REMEDIES: dict[str, StrOrPromise] = {
    "AccountCoreQuotaReached": gettext_lazy(
        "The account's quota of dedicated cores is used up. Shrink another pool, choose a smaller size, or ask for "
        "more cores in the Azure portal under Quotas."
    ),
    "AccountSpotCoreQuotaReached": gettext_lazy(
        "The account's quota of Spot cores is used up. Shrink another pool, use dedicated nodes, or ask for more cores."
    ),
    "AllocationFailed": gettext_lazy(
        "Azure has no such machines free in the region now. Try again later, or take another size, another "
        "region or fewer nodes."
    ),
    "AllocationTimedOut": gettext_lazy(
        "Not all nodes came within the resize timeout. Resize again; for many nodes or a custom image allow more time."
    ),
    "ResizeStopped": gettext_lazy("Somebody stopped the resize. Resize again to go on."),
    "RemoveNodesFailed": gettext_lazy("Some nodes could not be removed. Try again."),
    "UnsupportedVMSize": gettext_lazy("Batch does not offer this size here. Make a pool with another size."),
    "IncompatibleVMSize": gettext_lazy("The size does not fit the image or disks. Make a pool with another size."),
    "DependentResourceNotFound": gettext_lazy(
        "Something the pool refers to is gone: subnet, public address, image or identity. Check the configuration."
    ),
    "OverconstrainedAllocationRequestError": gettext_lazy(
        "No place in the region meets all conditions at once. Drop zones, accelerated networking or disks, or take "
        "another size."
    ),
    "CommunicationEnabledPoolReachedMaxVMCount": gettext_lazy(
        "With inter-node communication a pool is limited in size. Take fewer, larger nodes."
    ),
    "OperationsRestrictedByPolicy": gettext_lazy(
        "An Azure Policy of the subscription forbids this. Ask its owner which resources Batch may make."
    ),
    "FailedIdentityOperation": gettext_lazy("The pool's managed identity could not be used. Check that it exists."),
}
_REMEDIES["AccountVMSeriesCoreQuotaReached"] = gettext_lazy(
    "The account's quota of cores for this family of sizes is used up. Take a size of another family, or ask for more."
)
_REMEDIES["AccountLowPriorityCoreQuotaReached"] = _REMEDIES["AccountSpotCoreQuotaReached"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar of nodes; `x` and `width` in percent of the bar."""

    state: str
    label: str
    tone: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error that the service keeps with a pool, with what helps."""

    code: str
    message: str
    remedy: str
    details: list[list[str]]


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool in a list. `stale` nodes booted before start task or packages changed."""

    pool: PoolSnapshot
    state_label: str
    state_tone: str
    allocation_label: str
    allocation_tone: str
    segments: list[Segment]
    nodes_text: str
    packages: list[str]
    stale: int
    troubles: list[Trouble]

    @property
    def dedicated_note(self) -> str:
        return _target_note(self.pool.target_dedicated)

    @property
    def wanted_text(self) -> str:
        """The targets in one sentence."""
        values = {"dedicated": self.pool.target_dedicated or 0, "spot": self.pool.target_spot or 0}
        return _("%(dedicated)s and %(spot)s are wanted") % values

    @property
    def spot_note(self) -> str:
        return _target_note(self.pool.target_spot)


def _target_note(target: int | None) -> str:
    return "" if target is None else _("%(target)s wanted") % {"target": target}


def pool_rows(pools: Iterable[PoolSnapshot]) -> list[PoolRow]:
    found = list(pools)
    stale = stale_counts([pool.pk for pool in found])
    return [pool_row(pool, stale.get(pool.pk, 0)) for pool in found]


def pool_row(pool: PoolSnapshot, stale: int) -> PoolRow:
    state = state_words(pool.state)
    allocation = state_words(pool.allocation_state)
    segments = node_segments(pool.by_state)
    return PoolRow(
        pool=pool,
        state_label=state[0],
        state_tone=state[1],
        allocation_label=allocation[0],
        allocation_tone=allocation[1],
        segments=segments,
        nodes_text=", ".join(f"{part.count} {part.label}" for part in segments) or _("No nodes"),
        packages=[f"{application} {version}".strip() for application, version in pool.packages],
        stale=stale,
        troubles=troubles(pool),
    )


def state_words(state: str) -> tuple[str, str]:
    label, tone = _STATES.get(state, (state, "neutral"))
    return str(label), tone


def node_segments(by_state: dict[str, int]) -> list[Segment]:
    """The parts of a bar, in the order in which a node passes through the states."""
    total = sum(by_state.values())
    x, found = 0.0, []
    for state in sorted(by_state, key=lambda state: _ORDER.get(state, len(_ORDER))):  # type: ignore[call-overload]
        count = by_state[state]
        width = round(100 * count / total, 3)
        found.append(Segment(state, state_label(state), state_tone(state), count, round(x, 3), width))
        x += width
    return found


def troubles(pool: PoolSnapshot) -> list[Trouble]:
    """The errors of the last resize, and that of automatic scaling."""
    found = [_trouble(error) for error in pool.resize_errors]
    return [*found, *([_trouble(pool.auto_scale_error)] if pool.auto_scale_error else [])]


def _trouble(error: dict[str, Any]) -> Trouble:
    code = str(error.get("code", ""))
    remedy = _REMEDIES.get(code) or next((text for name, text in _REMEDIES.items() if code.startswith(name)), "")
    return Trouble(code, str(error.get("message", "")), str(remedy), list(error.get("details") or ()))


def fleet_version(fleet: Fleet, role: Role | None) -> str:
    """What changes with every reading of the account, and with what the reader may do."""
    problem = fleet.problem.code if fleet.problem else ""
    return f"{fleet.read_at}|{problem}|{role}"


# --- Changes that wait for a reboot ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Change:
    """Something that nodes take at their boot, and when it changed. `seen`: that is when the portal saw it."""

    text: str
    at: datetime
    seen: bool = False


def changes(pool: PoolSnapshot) -> list[Change]:
    """What changed in the pool since the portal knows it, the latest first."""
    found = []
    if pool.start_task_changed:
        found.append(Change(_("The start task was changed"), pool.start_task_changed))
    if pool.packages_changed:
        found.append(Change(_("The list of application packages was changed"), pool.packages_changed))
    for content in contents(pool):
        if content.changed is None:
            continue
        values = {"application": content.application, "version": content.means}
        text = _("%(application)s %(version)s was activated")
        if content.by_default:
            text = _("%(version)s became the default version of %(application)s")
        found.append(Change(text % values, content.changed, seen=content.by_default))
    return sorted(found, key=lambda change: change.at, reverse=True)


def changes_since(pool: PoolSnapshot, boot: datetime | None) -> list[Change]:
    """The changes that a node which booted then has not taken."""
    return [change for change in changes(pool) if boot is not None and boot < change.at]


# --- Cost -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Cost:
    """What a pool's nodes cost in an hour, estimated from the prices that an administrator entered."""

    now: str
    at_target: str
    price: VmPrice


def hourly_cost(pool: PoolSnapshot) -> Cost | None:
    """None where nobody entered a price for the size."""
    price = VmPrice.objects.filter(account=pool.account_id, vm_size=pool.vm_size).first()
    if price is None:
        return None
    target = (pool.target_dedicated or 0, pool.target_spot or 0)
    return Cost(_sum(price, pool.current_dedicated, pool.current_spot), _sum(price, *target), price)


def planned_cost(account: BatchAccount, document: Mapping[str, Any]) -> str:
    """What the nodes of a pool that is being planned would cost in an hour; "" where that is not known."""
    size = str(document.get("vmSize") or "").lower()
    price = VmPrice.objects.filter(account=account, vm_size=size).first()
    if price is None or document.get("enableAutoScale"):
        return ""
    dedicated, spot = (whole(document.get(name)) or 0 for name in ("targetDedicatedNodes", "targetLowPriorityNodes"))
    return _sum(price, dedicated, spot) if dedicated >= 0 and spot >= 0 else ""


def _sum(price: VmPrice, dedicated: int, spot: int) -> str:
    total = (price.dedicated or Decimal()) * dedicated + (price.spot or Decimal()) * spot
    return f"{number_format(round(total, 2), 2)} {price.currency}"


def sizes_in_use(account: BatchAccount) -> list[tuple[str, VmPrice | None]]:
    """Each size that pools have or a price is known for."""
    prices = {price.vm_size: price for price in VmPrice.objects.filter(account=account)}
    used = PoolSnapshot.objects.filter(account=account).exclude(vm_size="").values_list("vm_size", flat=True)
    return [(size, prices.get(size)) for size in sorted({*used, *prices})]
