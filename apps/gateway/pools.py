"""Pools, the images they can be made from, and how many nodes they have in which state (data plane).

Rules and statuses of each call: Batch service REST API 2025-06-01. Every function raises `GatewayError` subclasses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions

from apps.gateway import clients
from apps.gateway.translation import DATA, MANAGEMENT, translated
from apps.gateway.types import Connection
from apps.gateway.types_pools import (
    AutoScaleRun,
    PackageReference,
    Page,
    Pool,
    PoolNodeCounts,
    SupportedImage,
    VmSize,
)
from apps.gateway.wire import fault, page, pages, pairs, post, send, text

PAGE = 1000  # the most the service gives at once
MOST_REMOVED = 100  # nodes that one call removes

# What lists need; formulas, start tasks and their secrets are left where they are.
LIST_FIELDS = (
    "id",
    "displayName",
    "state",
    "stateTransitionTime",
    "allocationState",
    "allocationStateTransitionTime",
    "creationTime",
    "lastModified",
    "vmSize",
    "virtualMachineConfiguration",
    "currentDedicatedNodes",
    "targetDedicatedNodes",
    "currentLowPriorityNodes",
    "targetLowPriorityNodes",
    "enableAutoScale",
    "autoScaleRun",
    "resizeErrors",
    "taskSlotsPerNode",
    "applicationPackageReferences",
    "startTask",
    "metadata",
)
# The SDK's names on the left, the service's spelling of the state on the right.
NODE_STATES = {
    "creating": "creating",
    "starting": "starting",
    "waiting_for_start_task": "waitingforstarttask",
    "idle": "idle",
    "running": "running",
    "offline": "offline",
    "rebooting": "rebooting",
    "reimaging": "reimaging",
    "upgrading_os": "upgradingos",
    "leaving_pool": "leavingpool",
    "deallocating": "deallocating",
    "deallocated": "deallocated",
    "preempted": "preempted",
    "start_task_failed": "starttaskfailed",
    "unusable": "unusable",
    "unknown": "unknown",
}


# --- What pools are made of -----------------------------------------------------------------------------------------
@translated(DATA)
def image_list(connection: Connection) -> list[SupportedImage]:
    """Every marketplace image that the service supports at present, verified or not."""
    return [_image(found) for found in clients.batch(connection).list_supported_images(max_results=PAGE)]


@translated(MANAGEMENT)
def vm_size_list(connection: Connection, location: str) -> list[VmSize]:
    """The machine sizes that Batch offers in a region. Needs the management plane."""
    found = clients.batch_management(connection).location.list_supported_virtual_machine_skus(location)
    return [_vm_size(sku) for sku in found]


# --- Reading --------------------------------------------------------------------------------------------------------
@translated(DATA)
def pool_page(
    connection: Connection, *, where: str = "", select: Sequence[str] = LIST_FIELDS, size: int = 100, token: str = ""
) -> Page[Pool]:
    """A page of pools in the service's order. `where` is an OData filter, for example `startswith(id, 'render')`."""
    found = clients.batch(connection).list_pools(
        filter=where or None, select=list(select) or None, max_results=min(size, PAGE)
    )
    answer = page(connection, found, token)
    return Page(tuple(_pool(item) for item in answer.items), answer.token)


def pool_pages(connection: Connection, *, where: str = "", select: Sequence[str] = LIST_FIELDS) -> Iterator[list[Pool]]:
    """All pools, page by page."""
    found = clients.batch(connection).list_pools(filter=where or None, select=list(select) or None, max_results=PAGE)
    for items in pages(found):
        yield [_pool(item) for item in items]


@translated(DATA)
def pool_get(connection: Connection, pool_id: str) -> Pool:
    """A pool with everything the service tells of it. Raises `GatewayNotFound`."""
    return _pool(clients.batch(connection).get_pool(pool_id))


@translated(DATA)
def pool_node_counts(connection: Connection, pool_id: str = "") -> list[PoolNodeCounts]:
    """Nodes by state of each pool, or of one."""
    wanted = f"poolId eq '{pool_id}'" if pool_id else None
    return [
        PoolNodeCounts(str(found.pool_id), _by_state(found.dedicated), _by_state(found.low_priority))
        for found in clients.batch(connection).list_pool_node_counts(filter=wanted)
    ]


# --- Changing -------------------------------------------------------------------------------------------------------
@translated(DATA)
def pool_create(connection: Connection, document: Mapping[str, Any]) -> None:
    """Make a pool from the service's own JSON (what `az batch pool create --json-file` takes).

    Raises `GatewayConflict` with service code `PoolExists`, `InvalidApplicationPackageReferences` and others.
    """
    clients.batch(connection).create_pool(dict(document))  # type: ignore[arg-type]


@translated(DATA)
def pool_patch(connection: Connection, pool_id: str, changes: Mapping[str, Any], *, etag: str = "") -> None:
    """Change what is given, in the service's names. Start task, packages and metadata at any time, other things while
    the pool has no nodes. With `etag`, raises `GatewayConflict` (`ConditionNotMet`) when it changed meanwhile."""
    clients.batch(connection).update_pool(pool_id, dict(changes), **_unchanged(etag))  # type: ignore[arg-type]


@translated(DATA)
def pool_replace(
    connection: Connection,
    pool_id: str,
    *,
    packages: Sequence[Mapping[str, Any]],
    metadata: Sequence[Mapping[str, str]],
    start_task: Mapping[str, Any] | None,
) -> None:
    """Replace start task, packages and metadata; without a start task the pool has none any more."""
    body: dict[str, Any] = {"applicationPackageReferences": list(packages), "metadata": list(metadata)}
    if start_task is not None:
        body["startTask"] = dict(start_task)
    clients.batch(connection).replace_pool_properties(pool_id, body)  # type: ignore[arg-type]


def pool_delete(connection: Connection, pool_id: str) -> None:
    """Begin to delete; the pool is in state deleting until it is gone. Its tasks are requeued."""
    send(connection, "DELETE", f"/pools/{pool_id}")


def pool_resize(
    connection: Connection,
    pool_id: str,
    *,
    dedicated: int | None = None,
    spot: int | None = None,
    timeout: timedelta | None = None,
    deallocation: str = "",
) -> None:
    """Begin to bring the pool to its targets. Raises `GatewayConflict` unless steady and without auto-scale."""
    body = _given(
        targetDedicatedNodes=dedicated,
        targetLowPriorityNodes=spot,
        resizeTimeout=_duration(timeout),
        nodeDeallocationOption=deallocation or None,
    )
    post(connection, f"/pools/{pool_id}/resize", body)


def pool_stop_resize(connection: Connection, pool_id: str) -> None:
    """Stop a resize where it stands; the targets become what is there."""
    post(connection, f"/pools/{pool_id}/stopresize")


@translated(DATA)
def auto_scale_enable(
    connection: Connection, pool_id: str, formula: str, evaluation_interval: timedelta | None = None
) -> None:
    """Turn automatic scaling on, or change it. At most once in 30 s, not while resizing."""
    body = _given(autoScaleFormula=formula, autoScaleEvaluationInterval=_duration(evaluation_interval))
    clients.batch(connection).enable_pool_auto_scale(pool_id, body)  # type: ignore[arg-type]


@translated(DATA)
def auto_scale_disable(connection: Connection, pool_id: str) -> None:
    clients.batch(connection).disable_pool_auto_scale(pool_id)


@translated(DATA)
def auto_scale_evaluate(connection: Connection, pool_id: str, formula: str) -> AutoScaleRun:
    """What a formula gives now, without applying it. The service wants auto-scale enabled on the pool."""
    body: Any = {"autoScaleFormula": formula}
    return _auto_scale_run(clients.batch(connection).evaluate_pool_auto_scale(pool_id, body))


def nodes_remove(
    connection: Connection,
    pool_id: str,
    node_ids: Sequence[str],
    *,
    deallocation: str = "",
    timeout: timedelta | None = None,
) -> None:
    """Begin to remove up to `MOST_REMOVED` nodes. Raises `GatewayConflict` unless the pool is steady."""
    body = _given(
        nodeList=list(node_ids), nodeDeallocationOption=deallocation or None, resizeTimeout=_duration(timeout)
    )
    post(connection, f"/pools/{pool_id}/removenodes", body)


# --- Wire -----------------------------------------------------------------------------------------------------------
def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _duration(span: timedelta | None) -> str | None:
    """ISO 8601, as the service writes durations."""
    return None if span is None else f"PT{int(span.total_seconds())}S"


def _unchanged(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}


def _by_state(found: Any) -> dict[str, int]:
    counts = {state: int(getattr(found, name, 0) or 0) for name, state in NODE_STATES.items()} if found else {}
    return {state: count for state, count in counts.items() if count}


def _image(found: Any) -> SupportedImage:
    reference = found.image_reference
    return SupportedImage(
        node_agent_sku_id=str(found.node_agent_sku_id),
        publisher=str(reference.publisher or ""),
        offer=str(reference.offer or ""),
        sku=str(reference.sku or ""),
        version=str(reference.version or "latest"),
        os_type=text(found.os_type).lower(),
        verified=text(found.verification_type).lower() == "verified",
        capabilities=tuple(found.capabilities or ()),
        end_of_support=found.batch_support_end_of_life,
    )


def _vm_size(sku: Any) -> VmSize:
    known = {str(one.name).lower(): str(one.value or "") for one in sku.capabilities or ()}
    return VmSize(
        name=str(sku.name),
        family=str(sku.family_name or ""),
        cores=int(_number(known.get("vcpus"))),
        memory=_number(known.get("memorygb")),
        disk=_number(known.get("maxresourcevolumemb")) / 1024,
        gpus=int(_number(known.get("gpus"))),
        spot=known.get("lowprioritycapable", "").lower() == "true",
        arm64=known.get("cpuarchitecturetype", "").lower() == "arm64",
        generations=tuple(part.strip() for part in known.get("hypervgenerations", "").split(",") if part.strip()),
        end_of_life=sku.batch_support_end_of_life,
    )


def _number(value: str | None) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return 0.0


def _pool(found: Any) -> Pool:
    machine = found.virtual_machine_configuration
    return Pool(
        id=str(found.id),
        display_name=str(found.display_name or ""),
        state=text(found.state),
        state_since=found.state_transition_time,
        allocation_state=text(found.allocation_state),
        allocation_since=found.allocation_state_transition_time,
        created=found.creation_time,
        last_modified=found.last_modified,
        etag=str(found.etag or ""),
        vm_size=str(found.vm_size or "").lower(),
        image=image_label(machine.image_reference) if machine else "",
        node_agent_sku_id=str(machine.node_agent_sku_id or "") if machine else "",
        current_dedicated=int(found.current_dedicated_nodes or 0),
        current_spot=int(found.current_low_priority_nodes or 0),
        target_dedicated=found.target_dedicated_nodes,
        target_spot=found.target_low_priority_nodes,
        auto_scale=bool(found.enable_auto_scale),
        formula=str(found.auto_scale_formula or ""),
        evaluation_interval=found.auto_scale_evaluation_interval,
        auto_scale_run=_auto_scale_run(found.auto_scale_run) if found.auto_scale_run else None,
        resize_timeout=found.resize_timeout,
        resize_errors=tuple(fault(error) for error in found.resize_errors or ()),
        task_slots=int(found.task_slots_per_node or 1),
        packages=tuple(
            PackageReference(application_short_id(str(reference.application_id)), str(reference.version or ""))
            for reference in found.application_package_references or ()
        ),
        metadata=pairs(found.metadata),
        wire=found.as_dict(),
    )


def application_short_id(reference: str) -> str:
    """A reference names the application by its id, or by its whole ARM id."""
    return reference.rsplit("/", 1)[-1]


def image_label(reference: Any) -> str:
    """`publisher offer sku version`, or the last parts of a gallery image's id."""
    own = getattr(reference, "virtual_machine_image_id", "") or reference.shared_gallery_image_id
    own = own or reference.community_gallery_image_id
    if own:
        parts = str(own).strip("/").split("/")
        return "/".join(part for part in parts[1::2] if part)[-200:]
    return " ".join(
        str(part) for part in (reference.publisher, reference.offer, reference.sku, reference.version) if part
    )


def _auto_scale_run(found: Any) -> AutoScaleRun:
    return AutoScaleRun(
        at=found.timestamp,
        results=_results(str(found.results or "")),
        error=fault(found.error) if found.error else None,
    )


def _results(line: str) -> tuple[tuple[str, str], ...]:
    """`$A=1;$B=2` as pairs; the service separates by semicolons."""
    parts = (part.partition("=") for part in line.split(";") if "=" in part)
    return tuple((name.strip(), value.strip()) for name, _, value in parts)
