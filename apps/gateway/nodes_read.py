"""The service's JSON for a compute node as `Node`.

Nodes come by the ten thousand, and the SDK's models cost ten times what this does for each of them. Names and shapes:
Batch service REST API 2025-06-01, Nodes - List Nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.gateway.types_nodes import Endpoint, Node, RecentTask, StartTaskInfo
from apps.gateway.types_pools import Fault

Document = Mapping[str, Any]


def node(found: Document) -> Node:
    """Fields that were not selected have the defaults of `Node`."""
    agent = found.get("nodeAgentInfo") or {}
    image = (found.get("virtualMachineInfo") or {}).get("imageReference") or {}
    return Node(
        id=str(found["id"]),
        state=found.get("state") or "",
        state_since=_time(found.get("stateTransitionTime")),
        scheduling_state=found.get("schedulingState") or "",
        ip_address=found.get("ipAddress") or "",
        ipv6_address=found.get("ipv6Address") or "",
        affinity_id=found.get("affinityId") or "",
        is_dedicated=found.get("isDedicated") is not False,
        vm_size=(found.get("vmSize") or "").lower(),
        allocated=_time(found.get("allocationTime")),
        last_boot=_time(found.get("lastBootTime")),
        running_tasks=found.get("runningTasksCount") or 0,
        running_slots=found.get("runningTaskSlotsCount") or 0,
        total_tasks=found.get("totalTasksRun") or 0,
        total_succeeded=found.get("totalTasksSucceeded") or 0,
        agent_version=agent.get("version") or "",
        agent_updated=_time(agent.get("lastUpdateTime")),
        image_version=image.get("exactVersion") or image.get("version") or "",
        start_task=_start_task(found.get("startTaskInfo")),
        recent_tasks=tuple(_recent(task) for task in found.get("recentTasks") or ()),
        errors=tuple(_fault(error, "errorDetails") for error in found.get("errors") or ()),
        endpoints=_endpoints(found.get("endpointConfiguration") or {}),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _fault(found: Document, details: str) -> Fault:
    pairs = tuple((str(item.get("name") or ""), str(item.get("value") or "")) for item in found.get(details) or ())
    return Fault(found.get("code") or "", found.get("message") or "", pairs, found.get("category") or "")


def _failure(found: Document) -> Fault | None:
    failure = found.get("failureInfo")
    return _fault(failure, "details") if failure else None


def _start_task(found: Document | None) -> StartTaskInfo | None:
    if not found:
        return None
    return StartTaskInfo(
        state=found.get("state") or "",
        result=found.get("result") or "",
        exit_code=found.get("exitCode"),
        retries=found.get("retryCount") or 0,
        started=_time(found.get("startTime")),
        ended=_time(found.get("endTime")),
        failure=_failure(found),
    )


def _recent(found: Document) -> RecentTask:
    info = found.get("executionInfo") or {}
    return RecentTask(
        job_id=found.get("jobId") or "",
        task_id=found.get("taskId") or "",
        state=found.get("taskState") or "",
        result=info.get("result") or "",
        exit_code=info.get("exitCode"),
        started=_time(info.get("startTime")),
        ended=_time(info.get("endTime")),
        failure=_failure(info),
    )


def _endpoints(found: Document) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(
            name=one.get("name") or "",
            protocol=one.get("protocol") or "",
            address=one.get("publicIPAddress") or "",
            fqdn=one.get("publicFQDN") or "",
            frontend_port=one.get("frontendPort") or 0,
            backend_port=one.get("backendPort") or 0,
        )
        for one in found.get("inboundEndpoints") or ()
    )
