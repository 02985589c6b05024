"""A pool's document as a sheet of named values, for people who do not read JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from apps.core.formats import duration_text
from apps.pools.document import masked
from apps.pools.flaws import duration

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Section:
    title: StrOrPromise
    rows: list[tuple[StrOrPromise, str]] = field(default_factory=list)


_SECTIONS: list[tuple[StrOrPromise, dict[str, StrOrPromise]]] = [
    (_("Pool"), {"id": _("Pool ID"), "displayName": _("Display name"), "vmSize": _("VM size")}),
    (_("Machines"), {"virtualMachineConfiguration": _("VM")}),
    (
        _("Scale"),
        {
            "enableAutoScale": _("Automatic scaling"),
            "targetDedicatedNodes": _("Dedicated nodes"),
            "targetLowPriorityNodes": _("Spot nodes"),
            "resizeTimeout": _("Resize timeout"),
            "autoScaleFormula": _("Formula"),
            "autoScaleEvaluationInterval": _("Evaluation interval"),
        },
    ),
    (
        _("Tasks"),
        {
            "taskSlotsPerNode": _("Task slots per node"),
            "taskSchedulingPolicy": _("Scheduling"),
            "enableInterNodeCommunication": _("Inter-node communication"),
            "startTask": _("Start task"),
            "applicationPackageReferences": _("Application packages"),
            "userAccounts": _("User accounts"),
        },
    ),
    (_("Network and storage"), {"networkConfiguration": _("Network"), "mountConfiguration": _("Mounts")}),
    (_("Other"), {"metadata": _("Metadata"), "upgradePolicy": _("Upgrade policy")}),
]


def sheet(document: Mapping[str, Any]) -> list[Section]:
    """The sections that have something to say. Secrets in addresses are hidden here for everybody."""
    shown = masked(document)
    found = []
    for title, names in _SECTIONS:
        rows = [
            row for name, label in names.items() if name in shown for row in _rows(label, _shown(name, shown[name]))
        ]
        if rows:
            found.append(Section(title, rows))
    return found


# What people call the members; others keep the service's name.
_WORDS: dict[str, StrOrPromise] = {
    "imageReference": _("Image"),
    "publisher": _("Publisher"),
    "offer": _("Offer"),
    "sku": _("SKU"),
    "version": _("Version"),
    "virtualMachineImageId": _("Resource ID of the image version"),
    "nodeAgentSKUId": _("Node agent"),
    "containerConfiguration": _("Containers"),
    "containerImageNames": _("Images fetched beforehand"),
    "containerRegistries": _("Registries"),
    "osDisk": _("System disk"),
    "dataDisks": _("Data disks"),
    "diskSizeGB": _("Size in GB"),
    "nodeFillType": _("How tasks are spread over nodes"),
    "commandLine": _("Command line"),
    "maxTaskRetryCount": _("Retries"),
    "waitForSuccess": _("Waits for its success"),
    "environmentSettings": _("Environment variables"),
    "resourceFiles": _("Resource files"),
    "userIdentity": _("Runs as"),
    "elevationLevel": _("Rights"),
    "subnetId": _("Subnet"),
    "endpointConfiguration": _("Ports"),
    "inboundNATPools": _("Inbound NAT"),
    "publicIPAddressConfiguration": _("Public addresses"),
    "enableAcceleratedNetworking": _("Accelerated networking"),
    "applicationId": _("Application"),
}
_SPANS = frozenset({"resizeTimeout", "autoScaleEvaluationInterval"})


def _rows(label: StrOrPromise, value: Any, trail: str = "") -> list[tuple[StrOrPromise, str]]:
    """One line for a plain value, one for each member of anything deeper."""
    name = f"{label}{trail}"
    if isinstance(value, Mapping):
        return [row for key, item in value.items() for row in _rows(label, item, f"{trail} · {_WORDS.get(key, key)}")]
    if isinstance(value, list):
        return [row for item in value for row in _item(name, item)]
    return [(name, _plain(value))]


def _item(name: str, item: Any) -> list[tuple[StrOrPromise, str]]:
    """An object in a list in one line, for what it names and says."""
    if not isinstance(item, Mapping):
        return [(name, _plain(item))]
    if set(item) <= {"name", "value"}:
        return [(name, f"{item.get('name', '')} = {item.get('value', '')}")]
    return [(name, ", ".join(f"{_WORDS.get(key, key)}: {_plain(value)}" for key, value in item.items()))]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return str(value)


def _shown(name: str, value: Any) -> Any:
    """Spans in words instead of ISO 8601."""
    span = duration(value) if name in _SPANS else None
    return value if span is None else duration_text(span)
