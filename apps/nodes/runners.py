"""Actions on nodes in the background. Users are in `apps.nodes.user_runners`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.accounts.connections import connection_for
from apps.gateway import nodes as gateway
from apps.gateway import pools as gateway_pools
from apps.gateway.errors import GatewayConflict, GatewayError, GatewayNotFound
from apps.gateway.together import each
from apps.gateway.types import Connection
from apps.gateway.types_nodes import Node
from apps.nodes import user_runners  # noqa: F401  # registers its kinds
from apps.nodes.actions import TRAITS, NodeAction, asking, took_effect
from apps.nodes.models import NodeWork, Progress
from apps.nodes.work import (
    DONE,
    Answered,
    Verdict,
    ended,
    finished,
    has_unfinished,
    keep_unfinished,
    refused,
    through,
    write,
)
from apps.operations.models import Operation
from apps.operations.runners import Later, Outcome, Run, runner
from apps.people.roles import Permission
from apps.pools.polling import poll_soon

RESIZE_PAUSE = 3.0
# How long the removal of the next hundred waits for the pool to become steady.
RESIZE_PATIENCE = timedelta(hours=1)


# --- One call for each node -----------------------------------------------------------------------------------------
def _run_action(run: Run) -> Outcome:
    action = NodeAction(run.operation.parameters["action"])
    connection = connection_for(run.operation.account)
    call = asking(action, run.operation.parameters.get("option", ""))
    run.phase("nodes-asking")
    _settle_doubtful(run, connection, action)
    through(
        run,
        list(run.operation.nodes.filter(progress=Progress.PENDING)),
        lambda row: call(connection, row.pool_id, row.node_id),
        lambda _row, error: _judge(action, error),
    )
    poll_soon(run.operation.account)
    return ended(run.operation, "nodes-acted", action=action.label.lower())


def _judge(action: NodeAction, error: GatewayError) -> Verdict:
    if error.service_code in TRAITS[action].done_codes:
        return Verdict(Progress.DONE, "node-already-there", request_id=error.request_id[:64])
    if action is NodeAction.REMOVE and isinstance(error, GatewayNotFound):
        return DONE
    return refused(error)


def _settle_doubtful(run: Run, connection: Connection, action: NodeAction) -> None:
    """Nodes that an earlier run had begun to ask when it died: those that show the effect are done."""
    doubtful = list(run.operation.nodes.filter(progress=Progress.PENDING, changed_at__isnull=False))
    settled: list[Answered[Any]] = []
    for row, found in _look_at(run, connection, doubtful):
        since = row.changed_at
        if isinstance(found, GatewayNotFound):
            settled.append(Answered(row, None, _judge(action, found)))
        elif since is not None and took_effect(action, found, since):
            settled.append(Answered(row, None, DONE))
    write(run, settled)


def _look_at(
    run: Run, connection: Connection, rows: Sequence[NodeWork]
) -> Iterator[tuple[NodeWork, Node | GatewayNotFound]]:
    """These nodes as they are now. Raises other errors than that one is gone."""

    def get(row: NodeWork) -> Node:
        return gateway.node_get(connection, row.pool_id, row.node_id)

    for row, found in each(rows, get, workers=settings.NODE_WORKERS):
        run.check()
        if isinstance(found, GatewayError) and not isinstance(found, GatewayNotFound):
            raise found
        yield row, found


for _action in NodeAction:
    if _action is not NodeAction.REMOVE:
        runner(
            TRAITS[_action].kind,
            permission=Permission.OPERATE,
            can_retry=has_unfinished,
            prepare_retry=keep_unfinished,
        )(_run_action)


# --- Removing -------------------------------------------------------------------------------------------------------
@runner(
    TRAITS[NodeAction.REMOVE].kind,
    permission=Permission.OPERATE,
    can_retry=has_unfinished,
    prepare_retry=keep_unfinished,
)
def _run_remove(run: Run) -> Outcome | Later:
    """A hundred nodes of a pool at a time; the next hundred once the pool is steady again."""
    operation = run.operation
    connection = connection_for(operation.account)
    run.phase("nodes-removing")
    _settle_doubtful(run, connection, NodeAction.REMOVE)
    pools = operation.nodes.filter(progress=Progress.PENDING).values_list("pool_id", flat=True)
    waits = False
    for pool_id in list(dict.fromkeys(pools.order_by("pool_id"))):
        waits = _remove_chunk(run, connection, pool_id) or waits
        run.progress(finished(operation))
    poll_soon(operation.account)
    if waits:
        return Later(RESIZE_PAUSE)
    return ended(operation, "nodes-removed")


def _remove_chunk(run: Run, connection: Connection, pool_id: str) -> bool:
    """Remove the next hundred of a pool; whether more of it is to be done later."""
    operation = run.operation
    pending = operation.nodes.filter(progress=Progress.PENDING, pool_id=pool_id)
    chunk = list(pending.order_by("node_id")[: gateway_pools.MOST_REMOVED])
    if not _steady(run, connection, pool_id, chunk):
        return pending.exists()
    run.check()
    NodeWork.objects.filter(pk__in=[row.pk for row in chunk]).update(changed_at=timezone.now())
    try:
        gateway_pools.nodes_remove(
            connection, pool_id, [row.node_id for row in chunk], deallocation=operation.parameters.get("option", "")
        )
    except GatewayConflict as error:
        return _put_off(run, chunk, error)
    except GatewayNotFound as error:
        _sort_out(run, connection, chunk, error)
    except GatewayError as error:
        if error.retryable:
            raise
        _fail(run, chunk, error)
    else:
        write(run, [Answered(row, None, DONE) for row in chunk])
        run.checkpoint(waiting_since={})
    return pending.exists()


def _steady(run: Run, connection: Connection, pool_id: str, chunk: Sequence[NodeWork]) -> bool:
    """Whether the pool takes a removal now; asked before the first call only where another one went before."""
    if pool_id not in run.state.get("waiting_since", {}) and not _removed_any(run.operation, pool_id):
        return True
    try:
        pool = gateway_pools.pool_get(connection, pool_id)
    except GatewayNotFound:
        write(run, [Answered(row, None, DONE) for row in chunk])
        return False
    if pool.state == "deleting" or pool.allocation_state == "steady":
        return True
    _put_off(run, chunk, None)
    return False


def _removed_any(operation: Operation, pool_id: str) -> bool:
    return operation.nodes.filter(pool_id=pool_id, progress=Progress.DONE).exists()


def _put_off(run: Run, chunk: Sequence[NodeWork], error: GatewayConflict | None) -> bool:
    """Wait for the pool: True. When that took too long the chunk has failed: False."""
    now, pool_id = timezone.now(), chunk[0].pool_id
    waiting = dict(run.state.get("waiting_since", {}))
    since = waiting.setdefault(pool_id, now.isoformat())
    deleting = error is not None and error.service_code == "PoolBeingDeleted"
    if deleting or now - type(now).fromisoformat(since) > RESIZE_PATIENCE:
        problem = error or GatewayConflict(service_code="PoolBeingResized", service_message="")
        _fail(run, chunk, problem)
        return False
    NodeWork.objects.filter(pk__in=[row.pk for row in chunk]).update(changed_at=None)
    if waiting != run.state.get("waiting_since"):
        run.checkpoint(waiting_since=waiting)
    return True


def _sort_out(run: Run, connection: Connection, chunk: Sequence[NodeWork], error: GatewayError) -> None:
    """Some of the chunk are gone: those count as removed, the others stay for the next call."""
    gone = [row for row, found in _look_at(run, connection, chunk) if isinstance(found, GatewayNotFound)]
    if not gone:
        _fail(run, chunk, error)
        return
    write(run, [Answered(row, None, DONE) for row in gone])
    NodeWork.objects.filter(pk__in=[row.pk for row in chunk]).update(changed_at=None)


def _fail(run: Run, chunk: Sequence[NodeWork], error: GatewayError) -> None:
    write(run, [Answered(row, None, refused(error)) for row in chunk])
