"""Reading an account's pools and nodes, and bringing our rows of them up to date.

What lies in memory is a page of nodes for each of a few pools, however large they are. Of a large pool that was read
whole a while ago, only nodes whose state changed since are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.gateway import nodes as gateway_nodes
from apps.gateway import pools as gateway_pools
from apps.gateway.errors import GatewayError, GatewayNotFound, GatewayThrottled
from apps.gateway.together import pages_together
from apps.gateway.types import Connection
from apps.gateway.types_nodes import Node
from apps.gateway.types_pools import Pool
from apps.nodes.models import NodeSnapshot
from apps.nodes.states import PASSING
from apps.pools.models import FleetReading, PoolSample, PoolSnapshot
from apps.pools.recording import NodesRecorder, pool_values

SAMPLE_EVERY = timedelta(minutes=5)
# From this many nodes on, readings between whole ones ask for changes alone: as many as the service gives at once.
LARGE = gateway_nodes.PAGE
# Nodes for which a whole reading in `FLEET_IDLE_SECONDS` is worth it; for twice as many it comes half as often.
WHOLE_NODES = 10_000
# How far the service's clocks and ours may be apart; what they are more, the next whole reading makes good.
OVERLAP = timedelta(seconds=60)
_WORKERS = 4

Counts = Mapping[int, Counter[tuple[bool, str]]]
"""By the key of a pool's row: nodes by whether they are dedicated, and by state."""


class Lease(Protocol):
    """The right to write. Both raise `LeaseLost`; `renew` in each transaction, `keep` in each longer loop."""

    def renew(self) -> None: ...
    def keep(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Picture:
    """The rows of the pools, whether something is in motion, and the first error that kept nodes from being read."""

    pools: list[PoolSnapshot]
    moving: bool
    failure: GatewayError | None


@dataclass(frozen=True, slots=True)
class _Task:
    """A pool whose nodes are to be read: those that changed `since`, or all."""

    pool: Pool
    row: PoolSnapshot
    since: datetime | None = None


def picture_update(account: BatchAccount, connection: Connection, lease: Lease) -> Picture:
    """Read and write everything. Raises `GatewayError` where the pools themselves cannot be read."""
    found = [pool for page in gateway_pools.pool_pages(connection) for pool in page]
    rows = _pools_record(account, found, lease)
    tasks = _tasks(found, rows, account)
    failure = _nodes_update(connection, tasks, lease)
    counts = _counts(account)
    missed = [_Task(task.pool, task.row) for task in tasks if task.since and not _agree(task.pool, task.row, counts)]
    if missed and failure is None:
        failure = _nodes_update(connection, missed, lease)
        counts = _counts(account)
    _states_record(list(rows.values()), counts, lease)
    moving = any(pool.allocation_state != "steady" or pool.state == "deleting" for pool in found)
    passing = any(state in PASSING for counted in counts.values() for _dedicated, state in counted)
    return Picture(list(rows.values()), moving or passing, failure)


# --- Pools ----------------------------------------------------------------------------------------------------------
def _pools_record(account: BatchAccount, found: list[Pool], lease: Lease) -> dict[str, PoolSnapshot]:
    """Bring the pools' rows up to date; the row of each pool by its id."""
    known = {row.pool_id.lower(): row for row in PoolSnapshot.objects.filter(account=account)}
    rows: dict[str, PoolSnapshot] = {}
    new: list[PoolSnapshot] = []
    with transaction.atomic():
        lease.renew()
        for pool in found:
            row = known.pop(pool.id.lower(), None)
            if row is not None and pool.created and row.created != pool.created:
                row.delete()  # deleted and made anew under the same id: another pool, with another history
                row = None
            if row is None:
                row = PoolSnapshot(account=account, **pool_values(pool, None))
                new.append(row)
            else:
                _pool_change(row, pool)
            rows[pool.id] = row
        for gone in known.values():
            gone.delete()
        PoolSnapshot.objects.bulk_create(new, batch_size=100)
    return rows


def _pool_change(row: PoolSnapshot, pool: Pool) -> None:
    values = pool_values(pool, row)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)


# --- Nodes ----------------------------------------------------------------------------------------------------------
def _tasks(found: Iterable[Pool], rows: Mapping[str, PoolSnapshot], account: BatchAccount) -> list[_Task]:
    """A steady pool without nodes, here and there, needs no question."""
    kept = NodeSnapshot.objects.filter(pool__account=account).order_by()
    with_nodes = set(kept.values_list("pool_id", flat=True).distinct())
    before = FleetReading.objects.filter(account=account).first()
    tasks = []
    for pool in found:
        row = rows[pool.id]
        empty = pool.current_dedicated + pool.current_spot == 0 and pool.allocation_state == "steady"
        if not empty or row.pk in with_nodes:
            tasks.append(_Task(pool, row, _changes_since(pool, row, before)))
    return tasks


def _changes_since(pool: Pool, row: PoolSnapshot, before: FleetReading | None) -> datetime | None:
    """From when on the changes of a pool's nodes are enough; None where all of them are to be read."""
    if before is None or before.read_at is None or pool.current_dedicated + pool.current_spot <= LARGE:
        return None
    begun = before.read_at - timedelta(seconds=before.seconds)
    return begun - OVERLAP if cache.get(_whole_key(row)) else None


def _whole_key(row: PoolSnapshot) -> str:
    return f"pools:{row.pk}:{row.created}:whole".replace(" ", "_")


def _whole_seconds(nodes: int) -> int:
    return int(settings.FLEET_IDLE_SECONDS * max(1.0, nodes / WHOLE_NODES))


def _nodes_update(connection: Connection, tasks: list[_Task], lease: Lease) -> GatewayError | None:
    """Read the nodes of these pools and write them; the first error, after all that could be read."""
    by_id = {task.pool.id: task for task in tasks}
    recorders: dict[str, NodesRecorder] = {}
    failure: GatewayError | None = None
    for pool_id, page in pages_together(by_id, lambda pool_id: _pages(connection, by_id[pool_id]), workers=_WORKERS):
        lease.keep()
        task = by_id[pool_id]
        recorder = recorders.setdefault(pool_id, NodesRecorder(task.row, lease.renew, task.row.current_nodes))
        if isinstance(page, GatewayNotFound):
            continue  # deleted meanwhile; the next reading does not list it
        if isinstance(page, GatewayError):
            failure = failure or page
            if isinstance(page, GatewayThrottled):
                break
        elif page is not None:
            recorder.record(page)
        elif task.since is None:
            recorder.forget_others()
            cache.set(_whole_key(task.row), True, _whole_seconds(recorder.count))
        if not isinstance(page, list):
            del recorders[pool_id]
    return failure


def _pages(connection: Connection, task: _Task) -> Iterator[list[Node]]:
    """Runs in a thread without a database."""
    where = ""
    if task.since is not None:
        where = f"stateTransitionTime ge DateTime'{task.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
    return gateway_nodes.node_pages(connection, task.pool.id, where=where)


# --- How many -------------------------------------------------------------------------------------------------------
def _counts(account: BatchAccount) -> Counts:
    rows = NodeSnapshot.objects.filter(pool__account=account).order_by()
    counts: dict[int, Counter[tuple[bool, str]]] = {}
    for pool, dedicated, state, count in rows.values_list("pool_id", "is_dedicated", "state").annotate(Count("pk")):
        counts.setdefault(pool, Counter())[dedicated, state] = count
    return counts


def _agree(pool: Pool, row: PoolSnapshot, counts: Counts) -> bool:
    """Whether we have as many nodes of a pool as the service: nodes that went are in no list of changes."""
    return counts.get(row.pk, Counter()).total() == pool.current_dedicated + pool.current_spot


def _states_record(rows: list[PoolSnapshot], counts: Counts, lease: Lease) -> None:
    """Write nodes by state into the pools' rows, and into their series when that changed or enough time went by."""
    changed, samples, now = [], [], timezone.now()
    last = _last_samples(rows)
    for row in rows:
        counted = counts.get(row.pk, Counter())
        dedicated, spot = (_by_state(counted, wanted) for wanted in (True, False))
        if (row.dedicated_by_state, row.spot_by_state) != (dedicated, spot):
            row.dedicated_by_state, row.spot_by_state = dedicated, spot
            changed.append(row)
        target = (row.target_dedicated or 0) + (row.target_spot or 0)
        sample = PoolSample(pool=row, at=now, by_state=dict(sorted(row.by_state.items())), target=target)
        if not _is_known(last.get(row.pk), sample):
            samples.append(sample)
    if changed or samples:
        with transaction.atomic():
            lease.renew()
            PoolSnapshot.objects.bulk_update(changed, ["dedicated_by_state", "spot_by_state"], batch_size=200)
            PoolSample.objects.bulk_create(samples, batch_size=200)


def _by_state(counted: Counter[tuple[bool, str]], dedicated: bool) -> dict[str, int]:
    return dict(sorted((state, count) for (is_dedicated, state), count in counted.items() if is_dedicated is dedicated))


def _last_samples(rows: list[PoolSnapshot]) -> dict[int, PoolSample]:
    newest = PoolSample.objects.filter(pool=OuterRef("pk")).order_by("-at", "-pk").values("pk")[:1]
    account = {row.account_id for row in rows}
    wanted = PoolSnapshot.objects.filter(account__in=account).annotate(newest=Subquery(newest)).values("newest")
    return {sample.pool_id: sample for sample in PoolSample.objects.filter(pk__in=wanted)}


def _is_known(last: PoolSample | None, now: PoolSample) -> bool:
    return last is not None and (
        (last.by_state, last.target) == (now.by_state, now.target) and now.at - last.at < SAMPLE_EVERY
    )
