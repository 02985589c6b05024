"""What the service says of pools and nodes, as rows; and what changed between two readings of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.gateway.types_nodes import Node
from apps.gateway.types_pools import Pool
from apps.nodes.models import NodeSnapshot, NodeStateChange
from apps.pools.models import PoolSnapshot

BATCH = 1000  # rows in one transaction
_WORKING = frozenset({"idle", "running"})
# Nodes take and end tasks all the time: per node one such change in this span per node of the pool, so the history of
# ten nodes is exact and that of ten thousand does not fill the database.
_FLIP_PAUSE = timedelta(milliseconds=360)


# --- Pools ----------------------------------------------------------------------------------------------------------
def pool_values(pool: Pool, before: PoolSnapshot | None) -> dict[str, Any]:
    """The columns of a pool's row. Times of changes that nodes take at their boot are noticed here."""
    start_task = pool.wire.get("startTask")
    values: dict[str, Any] = {
        "pool_id": pool.id,
        "display_name": pool.display_name[:1024],
        "state": pool.state[:12],
        "state_since": pool.state_since,
        "allocation_state": pool.allocation_state[:12],
        "allocation_since": pool.allocation_since,
        "created": pool.created,
        "last_modified": pool.last_modified,
        "vm_size": pool.vm_size[:64],
        "image": pool.image[:300],
        "node_agent_sku_id": pool.node_agent_sku_id[:100],
        "current_dedicated": pool.current_dedicated,
        "current_spot": pool.current_spot,
        "target_dedicated": pool.target_dedicated,
        "target_spot": pool.target_spot,
        "auto_scale": pool.auto_scale,
        "auto_scale_error": _run_error(pool),
        "task_slots": pool.task_slots,
        "packages": [[reference.application_id, reference.version] for reference in pool.packages],
        "metadata": [list(pair) for pair in pool.metadata],
        "resize_errors": [fault.as_dict() for fault in pool.resize_errors],
        "has_start_task": start_task is not None,
        "start_task_digest": digest(start_task),
    }
    values["packages_digest"] = digest(sorted(map(_lower, values["packages"])))
    for name in ("start_task", "packages"):
        values[f"{name}_changed"] = _changed(before, values, name, pool.last_modified)
    return values


def digest(document: Any) -> str:
    """What tells two documents apart without telling what is in them; "" for nothing."""
    if document is None:
        return ""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


def _changed(
    before: PoolSnapshot | None, values: dict[str, Any], name: str, modified: datetime | None
) -> datetime | None:
    if before is None:
        return None
    known: datetime | None = getattr(before, f"{name}_changed")
    return known if getattr(before, f"{name}_digest") == values[f"{name}_digest"] else modified


def _run_error(pool: Pool) -> dict[str, Any]:
    return pool.auto_scale_run.error.as_dict() if pool.auto_scale_run and pool.auto_scale_run.error else {}


def _lower(reference: list[str]) -> list[str]:
    return [part.lower() for part in reference]


# --- Nodes ----------------------------------------------------------------------------------------------------------
class NodesRecorder:
    """Brings the rows of a pool's nodes up to date page by page, and its history.

    `renew` is called in each transaction; `size` is about how many nodes the pool has.
    """

    def __init__(self, pool: PoolSnapshot, renew: Callable[[], None], size: int) -> None:
        self._pool = pool
        self._renew = renew
        self._pause = _FLIP_PAUSE * size
        self._seen: set[str] = set()

    @property
    def count(self) -> int:
        """How many nodes were recorded."""
        return len(self._seen)

    def record(self, nodes: Sequence[Node]) -> None:
        for start in range(0, len(nodes), BATCH):
            self._record(nodes[start : start + BATCH])

    def _record(self, nodes: Sequence[Node]) -> None:
        ids = [node.id for node in nodes]
        self._seen.update(ids)
        known = {row[0]: row[1:] for row in self._pool.nodes.filter(node_id__in=ids).values_list("node_id", *_COLUMNS)}
        now = timezone.now()
        rows: list[NodeSnapshot] = []
        changes: list[NodeStateChange] = []
        for node in nodes:
            values, before = node_values(node), known.get(node.id)
            if before is not None and before[:-1] == tuple(values.values()):
                continue
            row = NodeSnapshot(pool=self._pool, node_id=node.id, **values)
            row.flipped_at = before[-1] if before else None
            state = str(before[0]) if before else ""
            if state != row.state and not _too_soon(row, state, self._pause, now):
                changes.append(_change(self._pool, node, state, now))
            rows.append(row)
        _write(rows, changes, self._renew)

    def forget_others(self) -> None:
        """After all nodes were recorded: those that were not among them are gone."""
        if self._pool.nodes.count() == len(self._seen):
            return
        kept = self._pool.nodes.values_list("pk", "node_id", "state").iterator()
        _remove(self._pool, [row for row in kept if row[1] not in self._seen], timezone.now(), self._renew)


def node_values(node: Node) -> dict[str, Any]:
    task = node.start_task
    return {
        "state": node.state[:24],
        "state_since": node.state_since,
        "scheduling_state": node.scheduling_state[:12],
        "ip_address": node.ip_address[:45],
        "is_dedicated": node.is_dedicated,
        "vm_size": node.vm_size[:64],
        "running_tasks": node.running_tasks,
        "running_slots": node.running_slots,
        "total_tasks": node.total_tasks,
        "total_succeeded": node.total_succeeded,
        "allocated": node.allocated,
        "last_boot": node.last_boot,
        "agent_version": node.agent_version[:40],
        "image_version": node.image_version[:60],
        "start_task_state": task.state[:12] if task else "",
        "start_task_result": task.result[:12] if task else "",
        "start_task_exit_code": task.exit_code if task else None,
        "start_task_retries": task.retries if task else 0,
        "start_task_failure": task.failure.as_dict() if task and task.failure else {},
        "errors": [fault.as_dict() for fault in node.errors],
    }


_COLUMNS = [*node_values(Node(id="")), "flipped_at"]


def _too_soon(row: NodeSnapshot, before: str, pause: timedelta, now: datetime) -> bool:
    """Whether a change among idle and running comes so soon after the last one that it is left out."""
    if before not in _WORKING or row.state not in _WORKING:
        return False
    if row.flipped_at is not None and now - row.flipped_at < pause:
        return True
    row.flipped_at = now
    return False


def _change(pool: PoolSnapshot, node: Node, before: str, now: datetime) -> NodeStateChange:
    failure = node.start_task.failure if node.start_task and node.state == "starttaskfailed" else None
    note = failure.code if failure else next((fault.code for fault in node.errors), "")
    return NodeStateChange(
        pool=pool,
        node_id=node.id,
        before=before,
        after=node.state[:24],
        note=note[:128],
        at=node.state_since or now,
    )


def _write(rows: list[NodeSnapshot], changes: list[NodeStateChange], renew: Callable[[], None]) -> None:
    if not rows:
        return
    with transaction.atomic():
        renew()
        NodeSnapshot.objects.bulk_create(
            rows, batch_size=250, update_conflicts=True, unique_fields=["pool", "node_id"], update_fields=_COLUMNS
        )
        NodeStateChange.objects.bulk_create(changes, batch_size=500)


def _remove(pool: PoolSnapshot, gone: list[tuple[int, str, str]], now: datetime, renew: Callable[[], None]) -> None:
    for start in range(0, len(gone), BATCH):
        part = gone[start : start + BATCH]
        with transaction.atomic():
            renew()
            NodeSnapshot.objects.filter(pk__in=[key for key, _node, _state in part]).delete()
            NodeStateChange.objects.bulk_create(
                [NodeStateChange(pool=pool, node_id=node, before=state, after="", at=now) for _key, node, state in part]
            )
