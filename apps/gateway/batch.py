"""The data plane of a Batch account."""

from __future__ import annotations

import time
from collections import Counter
from itertools import islice
from typing import Any

from apps.gateway import clients
from apps.gateway.errors import GatewayError
from apps.gateway.management import plane_check
from apps.gateway.translation import DATA, translated
from apps.gateway.types import ActiveApplication, Connection, NodeCounts, Plane, PlaneCheck, PoolSize

# The SDK's names on the left, the service's spelling of the state on the right.
_NODE_STATES = {
    "creating": "creating",
    "deallocated": "deallocated",
    "deallocating": "deallocating",
    "idle": "idle",
    "leaving_pool": "leavingpool",
    "offline": "offline",
    "preempted": "preempted",
    "rebooting": "rebooting",
    "reimaging": "reimaging",
    "running": "running",
    "start_task_failed": "starttaskfailed",
    "starting": "starting",
    "unknown": "unknown",
    "unusable": "unusable",
    "upgrading_os": "upgradingos",
    "waiting_for_start_task": "waitingforstarttask",
}


_PAGE = 1000  # the most the service gives at once


def check(connection: Connection) -> PlaneCheck:
    """Ask for the first application. Never raises: the outcome is the answer. Time in milliseconds."""
    started = time.perf_counter()
    error: GatewayError | None = None
    try:
        probe(connection)
    except GatewayError as caught:
        error = caught
    return plane_check(Plane.DATA, started, error)


@translated(DATA)
def probe(connection: Connection) -> None:
    next(iter(clients.batch(connection).list_applications(max_results=1)), None)


@translated(DATA)
def active_application_list(connection: Connection) -> list[ActiveApplication]:
    """Applications with at least one Active version, and those versions."""
    return [
        ActiveApplication(id=found.id, display_name=found.display_name or "", versions=tuple(found.versions or ()))
        for found in clients.batch(connection).list_applications()
    ]


@translated(DATA)
def node_counts(connection: Connection) -> NodeCounts:
    """Nodes by state over all pools; states with no node are left out."""
    dedicated: Counter[str] = Counter()
    spot: Counter[str] = Counter()
    pools = 0
    for found in clients.batch(connection).list_pool_node_counts():
        pools += 1
        dedicated.update(_by_state(found.dedicated))
        spot.update(_by_state(found.low_priority))
    return NodeCounts(dedicated=dict(dedicated), spot=dict(spot), pools=pools)


@translated(DATA)
def pool_sizes(connection: Connection) -> list[PoolSize]:
    """Machine size and current nodes of every pool."""
    wanted = ["id", "vmSize", "currentDedicatedNodes", "currentLowPriorityNodes"]
    return [
        PoolSize(
            id=str(found.id),
            vm_size=str(found.vm_size or "").lower(),
            dedicated=int(found.current_dedicated_nodes or 0),
            spot=int(found.current_low_priority_nodes or 0),
        )
        for found in clients.batch(connection).list_pools(select=wanted, max_results=_PAGE)
    ]


@translated(DATA)
def active_job_count(connection: Connection, limit: int) -> int:
    """The number of active jobs, counted up to `limit`."""
    found = clients.batch(connection).list_jobs(
        filter="state eq 'active'", select=["id"], max_results=min(limit, _PAGE)
    )
    return sum(1 for _ in islice(found, limit))


@translated(DATA)
def jobs_of_pool(connection: Connection, pool_id: str, limit: int) -> list[str]:
    """Ids of up to `limit` jobs that run on a pool and have not completed."""
    found = clients.batch(connection).list_jobs(
        filter=f"executionInfo/poolId eq '{pool_id}' and state ne 'completed'", select=["id"], max_results=limit
    )
    return [str(job.id) for job in islice(found, limit)]


def _by_state(found: Any) -> dict[str, int]:
    counts = {state: int(getattr(found, name, 0) or 0) for name, state in _NODE_STATES.items()} if found else {}
    return {state: count for state, count in counts.items() if count}
