"""What the account pages show, in words and figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.selectors import Usage
from apps.core.messages import message_for
from apps.gateway.types import AccountProperties, NodeCounts, Plane, PlaneCheck

PLANE_LABELS = {Plane.MANAGEMENT: gettext_lazy("Management plane"), Plane.DATA: gettext_lazy("Data plane")}
PLANE_NOTES = {
    Plane.MANAGEMENT: gettext_lazy("Account, keys, storage account, applications and packages"),
    Plane.DATA: gettext_lazy("Pools, compute nodes, jobs and tasks"),
}
NODE_LABELS = {
    "idle": gettext_lazy("Idle"),
    "running": gettext_lazy("Running"),
    "creating": gettext_lazy("Creating"),
    "starting": gettext_lazy("Starting"),
    "waitingforstarttask": gettext_lazy("Waiting for start task"),
    "rebooting": gettext_lazy("Rebooting"),
    "reimaging": gettext_lazy("Reimaging"),
    "upgradingos": gettext_lazy("Upgrading OS"),
    "leavingpool": gettext_lazy("Leaving pool"),
    "deallocating": gettext_lazy("Deallocating"),
    "deallocated": gettext_lazy("Deallocated"),
    "offline": gettext_lazy("Offline"),
    "preempted": gettext_lazy("Preempted"),
    "starttaskfailed": gettext_lazy("Start task failed"),
    "unusable": gettext_lazy("Unusable"),
    "unknown": gettext_lazy("Unknown"),
}
NODE_TONES = {
    "idle": "neutral",
    "running": "success",
    "offline": "warning",
    "preempted": "warning",
    "starttaskfailed": "danger",
    "unusable": "danger",
    "unknown": "warning",
}


@dataclass(frozen=True, slots=True)
class PlaneRow:
    """The outcome of testing one plane, in words."""

    label: str
    note: str
    tone: str
    status: str
    milliseconds: int
    text: str
    code: str
    request_id: str


def plane_rows(checks: Iterable[PlaneCheck]) -> list[PlaneRow]:
    return [_plane_row(check) for check in checks]


def _plane_row(check: PlaneCheck) -> PlaneRow:
    if check.ok:
        tone, status = "success", _("Answers")
    elif check.tested:
        tone, status = "danger", _("Does not work")
    else:
        tone, status = "warning", _("Not available")
    values = dict(check.error_values)
    return PlaneRow(
        label=str(PLANE_LABELS[check.plane]),
        note=str(PLANE_NOTES[check.plane]),
        tone=tone,
        status=status,
        milliseconds=check.milliseconds,
        text=message_for(check.error_code, values) if check.error_code else "",
        code=values.get("service_code", "") or ("" if check.ok or not check.tested else check.error_code),
        request_id=check.request_id,
    )


@dataclass(frozen=True, slots=True)
class NodeState:
    """Nodes in one state."""

    label: str
    tone: str
    count: int


def node_states(counts: NodeCounts) -> list[NodeState]:
    """States that have nodes, as an operator reads them: working first, broken last."""
    total = {state: counts.dedicated.get(state, 0) + counts.spot.get(state, 0) for state in NODE_LABELS}
    return [
        NodeState(str(label), NODE_TONES.get(state, "info"), total[state])
        for state, label in NODE_LABELS.items()
        if total[state]
    ]


def node_total(counts: NodeCounts) -> int:
    return sum(counts.dedicated.values()) + sum(counts.spot.values())


def quota_rows(properties: AccountProperties, usage: Usage | None, applications: int | None) -> list[dict[str, Any]]:
    """Quotas as {label, used, limit, note}; `used` is None where it cannot be told."""
    used = usage or Usage()
    family = bool(properties.per_family_enforced and properties.core_quota_per_family)
    note = _("Enforced per VM family") if family else ""
    rows = [
        {"label": _("Applications"), "used": applications, "limit": settings.APPLICATION_QUOTA, "note": ""},
        {"label": _("Pools"), "used": used.pools, "limit": properties.pool_quota, "note": ""},
        {"label": _("Active jobs"), "used": used.active_jobs, "limit": properties.active_job_quota,
         "note": _("Job schedules count towards this quota too.")},
        {"label": _("Dedicated cores"), "used": used.dedicated_cores, "limit": properties.dedicated_core_quota,
         "note": note},
        {"label": _("Spot cores"), "used": used.spot_cores, "limit": properties.low_priority_core_quota, "note": ""},
    ]  # fmt: skip
    return [row for row in rows if row["limit"] is not None]
