"""The service's rules for a pool, checked on the very document that creates it.

A document is the service's own JSON, as `az batch pool create --json-file` takes it. A `Flaw` names the path of what
breaks a rule (`startTask.resourceFiles[2].filePath`), so a form shows it at its field and the API by the path.
Source of the rules, where none is named: Batch service REST API 2025-06-01, Pool - Add.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from apps.pools import rules_machine, rules_network, rules_task
from apps.pools.flaws import SHAPE_ERRORS, Document, Facts, Flaw, duration, whole

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_FORMULA = 8192
LEAST_TIMEOUT = timedelta(minutes=5)
EVALUATION = (timedelta(minutes=5), timedelta(hours=168))
MOST_SLOTS = 256
MOST_PACKAGES = 10
MOST_INTER_NODE = 100
PROPERTIES = frozenset(
    {
        "id",
        "displayName",
        "vmSize",
        "virtualMachineConfiguration",
        "resizeTimeout",
        "targetDedicatedNodes",
        "targetLowPriorityNodes",
        "enableAutoScale",
        "autoScaleFormula",
        "autoScaleEvaluationInterval",
        "enableInterNodeCommunication",
        "networkConfiguration",
        "startTask",
        "applicationPackageReferences",
        "taskSlotsPerNode",
        "taskSchedulingPolicy",
        "userAccounts",
        "metadata",
        "mountConfiguration",
        "upgradePolicy",
    }
)


def check(document: Any, facts: Facts) -> list[Flaw]:
    """Every broken rule, and every warning. An empty list: the service should take it."""
    if not isinstance(document, Mapping):
        return [Flaw("", "pool-json-no-object")]
    try:
        return list(_all(document, facts))
    except SHAPE_ERRORS:
        # A list where an object belongs and the like; the service names the place.
        return [Flaw("", "pool-json-shape")]


def _all(document: Document, facts: Facts) -> Iterator[Flaw]:
    yield from _names(document)
    yield from _scale(document)
    yield from _slots(document, facts)
    yield from rules_machine.check(document, facts)
    yield from rules_network.check(document, facts)
    yield from rules_task.check(document)
    yield from _packages(document, facts)
    yield from _metadata(document)


def _names(document: Document) -> Iterator[Flaw]:
    pool_id = document.get("id")
    if not pool_id:
        yield Flaw("id", "pool-id-missing")
    elif not _ID.fullmatch(str(pool_id)):
        yield Flaw("id", "pool-id-invalid")
    if len(str(document.get("displayName") or "")) > 1024:
        yield Flaw("displayName", "pool-name-long")
    if "cloudServiceConfiguration" in document:
        yield Flaw("cloudServiceConfiguration", "pool-cloud-services-retired")
    for name in sorted(set(document) - PROPERTIES - {"cloudServiceConfiguration"}):
        if not name.startswith("odata."):
            yield Flaw(name, "pool-property-unknown", {"name": name})


# --- Scale ----------------------------------------------------------------------------------------------------------
def _scale(document: Document) -> Iterator[Flaw]:
    if document.get("enableAutoScale"):
        yield from auto_scale(document)
        for name in ("targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout"):
            if document.get(name) is not None:
                yield Flaw(name, "pool-fixed-with-auto-scale")
        return
    for name in ("autoScaleFormula", "autoScaleEvaluationInterval"):
        if document.get(name) is not None:
            yield Flaw(name, "pool-auto-scale-off")
    yield from targets(document)
    total = sum(whole(document.get(name)) or 0 for name in ("targetDedicatedNodes", "targetLowPriorityNodes"))
    if document.get("enableInterNodeCommunication") and total > MOST_INTER_NODE:
        yield Flaw("targetDedicatedNodes", "pool-inter-node-many", {"most": MOST_INTER_NODE})


def auto_scale(document: Document) -> Iterator[Flaw]:
    """The rules of a formula and how often it is evaluated."""
    formula = str(document.get("autoScaleFormula") or "").strip()
    if not formula:
        yield Flaw("autoScaleFormula", "pool-formula-missing")
    elif len(formula) > LONGEST_FORMULA:
        yield Flaw("autoScaleFormula", "pool-formula-long", {"most": LONGEST_FORMULA})
    interval = document.get("autoScaleEvaluationInterval")
    if interval is not None and not _within(interval, *EVALUATION):
        yield Flaw("autoScaleEvaluationInterval", "pool-interval-invalid")


def targets(document: Document) -> Iterator[Flaw]:
    """The rules of fixed targets and of the time a resize may take."""
    for name in ("targetDedicatedNodes", "targetLowPriorityNodes"):
        value = document.get(name)
        if value is not None and (whole(value) is None or int(value) < 0):
            yield Flaw(name, "pool-target-invalid")
    timeout = document.get("resizeTimeout")
    if timeout is not None and not _within(timeout, LEAST_TIMEOUT, timedelta(days=3650)):
        yield Flaw("resizeTimeout", "pool-timeout-short")


def _within(text: Any, least: timedelta, most: timedelta) -> bool:
    span = duration(text)
    return span is not None and least <= span <= most


def _slots(document: Document, facts: Facts) -> Iterator[Flaw]:
    slots = document.get("taskSlotsPerNode")
    if slots is not None:
        size = facts.size(document.get("vmSize"))
        most = min(4 * size.cores, MOST_SLOTS) if size and size.cores else MOST_SLOTS
        count = whole(slots)
        if count is None or not 1 <= count <= most:
            yield Flaw("taskSlotsPerNode", "pool-slots-invalid", {"most": most})
        elif count > 1 and document.get("enableInterNodeCommunication"):
            yield Flaw("taskSlotsPerNode", "pool-slots-inter-node", warning=True)
    policy = document.get("taskSchedulingPolicy") or {}
    if policy and policy.get("nodeFillType", "").lower() not in {"spread", "pack"}:
        yield Flaw("taskSchedulingPolicy.nodeFillType", "pool-fill-invalid")


# --- Packages and metadata ------------------------------------------------------------------------------------------
def packages(references: list[Document], facts: Facts, path: str = "applicationPackageReferences") -> Iterator[Flaw]:
    """The rules of package references: at most ten, each there, none twice."""
    if len(references) > MOST_PACKAGES:
        yield Flaw(path, "pool-packages-many", {"most": MOST_PACKAGES})
    seen: set[tuple[str, str]] = set()
    for index, reference in enumerate(references):
        named = str(reference.get("applicationId") or "").rsplit("/", 1)[-1]
        version = str(reference.get("version") or "")
        at = f"{path}[{index}]"
        if not named:
            yield Flaw(f"{at}.applicationId", "pool-package-no-application")
            continue
        if (named.lower(), version.lower()) in seen:
            yield Flaw(f"{at}.version", "pool-package-twice", {"application": named})
        seen.add((named.lower(), version.lower()))
        yield from _package_there(at, named, version, facts)


def _package_there(at: str, named: str, version: str, facts: Facts) -> Iterator[Flaw]:
    if facts.packages is None:
        return
    versions = facts.packages.get(named.lower())
    if versions is None:
        yield Flaw(f"{at}.applicationId", "pool-package-unknown-application", {"application": named})
    elif version and version.lower() not in versions:
        yield Flaw(f"{at}.version", "pool-package-unknown-version", {"application": named, "version": version})
    elif not version and named.lower() not in facts.defaults:
        yield Flaw(f"{at}.version", "pool-package-no-default", {"application": named})


def _packages(document: Document, facts: Facts) -> Iterator[Flaw]:
    yield from packages(list(document.get("applicationPackageReferences") or ()), facts)


def _metadata(document: Document) -> Iterator[Flaw]:
    yield from metadata(list(document.get("metadata") or ()))


def metadata(items: list[Document]) -> Iterator[Flaw]:
    names: set[str] = set()
    for index, item in enumerate(items):
        name = str(item.get("name") or "")
        if not name:
            yield Flaw(f"metadata[{index}].name", "pool-metadata-no-name")
        elif name in names:
            yield Flaw(f"metadata[{index}].name", "pool-metadata-twice", {"name": name})
        names.add(name)
