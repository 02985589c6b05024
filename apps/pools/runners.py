"""Work on pools that takes the service minutes: it is asked once, then looked at until it is over."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from apps.accounts.connections import connection_for
from apps.core.exceptions import Conflict
from apps.gateway import pools as gateway
from apps.gateway.errors import GatewayConflict, GatewayNotFound
from apps.gateway.types import Connection
from apps.gateway.types_pools import Pool
from apps.operations.models import Status
from apps.operations.runners import Kind, Later, Outcome, Run, runner
from apps.people.roles import Permission
from apps.pools import polling

LOOK_AGAIN = 3.0  # seconds


def stop_resize(run: Run, status: Status) -> None:
    """A cancelled resize is stopped where it stands; one that is over already needs nothing."""
    if status is not Status.CANCELLED or not run.state.get("asked"):
        return
    with suppress(GatewayConflict, GatewayNotFound):
        gateway.pool_stop_resize(connection_for(run.operation.account), run.operation.parameters["pool"])
    polling.poll_soon(run.operation.account)


@runner(Kind.POOL_RESIZE, permission=Permission.OPERATE, cleanup=stop_resize)
def run_resize(run: Run) -> Outcome | Later:
    wanted = run.operation.parameters
    connection = connection_for(run.operation.account)
    if not run.state.get("asked"):
        if not wanted.get("asked"):
            run.phase("pool-asking")
            _ask_resize(connection, wanted)
        run.checkpoint(asked=True)
        polling.poll_soon(run.operation.account)
    run.phase("pool-resizing")
    pool = gateway.pool_get(connection, wanted["pool"])
    _progress(run, pool)
    if pool.allocation_state != "steady":
        return Later(LOOK_AGAIN)
    polling.poll_soon(run.operation.account)
    _require_reached(pool, wanted["dedicated"], wanted["spot"])
    return Outcome("pool-resized", {"pool": pool.id, "dedicated": pool.current_dedicated, "spot": pool.current_spot})


def _ask_resize(connection: Connection, wanted: dict[str, object]) -> None:
    """Ask, unless an earlier run did: it may have died right after."""
    pool_id, dedicated, spot = str(wanted["pool"]), int(str(wanted["dedicated"])), int(str(wanted["spot"]))
    timeout = timedelta(seconds=int(str(wanted["timeout"]))) if wanted.get("timeout") else None
    try:
        gateway.pool_resize(
            connection,
            pool_id,
            dedicated=dedicated,
            spot=spot,
            timeout=timeout,
            deallocation=str(wanted.get("deallocation") or ""),
        )
    except GatewayConflict:
        pool = gateway.pool_get(connection, pool_id)
        if (pool.target_dedicated, pool.target_spot) != (dedicated, spot) or pool.auto_scale:
            raise


def _progress(run: Run, pool: Pool) -> None:
    wanted = run.operation.parameters
    left = abs(wanted["dedicated"] - pool.current_dedicated) + abs(wanted["spot"] - pool.current_spot)
    run.progress(max(0, run.operation.total - left))


def _require_reached(pool: Pool, dedicated: int, spot: int) -> None:
    if (pool.current_dedicated, pool.current_spot) == (dedicated, spot):
        return
    error = pool.resize_errors[0] if pool.resize_errors else None
    values: Any = {"pool": pool.id, "dedicated": pool.current_dedicated, "spot": pool.current_spot}
    if error is None:
        raise Conflict("pool-resize-short", **values)
    raise Conflict("pool-resize-failed", **values, service_code=error.code, service_message=error.message)


@runner(Kind.POOL_DELETE, permission=Permission.OPERATE)
def run_delete(run: Run) -> Outcome | Later:
    pool_id = run.operation.parameters["pool"]
    connection = connection_for(run.operation.account)
    try:
        if not run.state.get("asked"):
            _ask_delete(run, connection, pool_id)
        run.ignore_cancelling()
        pool = gateway.pool_get(connection, pool_id)
    except GatewayNotFound:
        polling.poll_soon(run.operation.account)
        return Outcome("pool-deleted", {"pool": pool_id})
    run.phase("pool-deleting")
    left = pool.current_dedicated + pool.current_spot
    run.progress(max(0, run.operation.total - left))
    return Later(LOOK_AGAIN)


def _ask_delete(run: Run, connection: Connection, pool_id: str) -> None:
    pool = gateway.pool_get(connection, pool_id)
    run.phase("pool-asking", total=pool.current_dedicated + pool.current_spot, unit="nodes")
    if pool.state != "deleting":
        gateway.pool_delete(connection, pool_id)
    run.checkpoint(asked=True)
    polling.poll_soon(run.operation.account)
