"""One poller per account keeps a picture of its pools and nodes, whoever looks and however many.

Reading asks the service once per pool page and once per thousand nodes; writing touches only rows that changed. A
poller holds a lease on the account's `FleetReading`; one that lost it (it hung, or was killed) writes nothing more.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.gateway import nodes as gateway_nodes
from apps.gateway import pools as gateway_pools
from apps.gateway.calls import patience
from apps.gateway.errors import GatewayError, GatewayNotFound
from apps.gateway.together import each
from apps.gateway.types import Connection
from apps.gateway.types_nodes import Node
from apps.gateway.types_pools import Pool
from apps.nodes.models import NodeStateChange
from apps.nodes.states import PASSING
from apps.pools.contents import contents_note, held_read
from apps.pools.models import FleetReading, PoolSample, PoolSnapshot
from apps.pools.recording import nodes_record, pool_values

logger = logging.getLogger(__name__)

POLL_TASK = "pools.poll_account"
MESSAGE_EXPIRES = 30  # seconds: whoever comes later finds the account read, or due again
LEASE = timedelta(seconds=120)
WATCHED_FOR = 60  # seconds that one look counts
SAMPLE_EVERY = timedelta(minutes=5)
LONGEST_PAUSE = 300  # seconds between tries while the service gives no answer
_WORKERS = 4


class LeaseLost(Exception):
    """Another poller took over; what this one knows is old."""


# --- When -----------------------------------------------------------------------------------------------------------
def watch(account: BatchAccount) -> None:
    """Say that somebody looks at this account's pools or nodes, so that the picture is kept fresher for a while."""
    cache.set(_watch_key(account), True, WATCHED_FOR)


def is_watched(account: BatchAccount) -> bool:
    return bool(cache.get(_watch_key(account)))


def poll_soon(account: BatchAccount) -> None:
    """Call after every act at the service: the account is read again right after the transaction."""
    FleetReading.objects.filter(account=account).update(due_at=timezone.now())
    transaction.on_commit(lambda: poll_send(account.pk))


def poll_send(account_id: int) -> None:
    """Tell a worker to read an account; when the broker is away, the scheduler finds it due later."""
    try:
        current_app.send_task(POLL_TASK, args=[account_id], expires=MESSAGE_EXPIRES)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("No worker was told to read account %s: %s", account_id, error)


def due_accounts() -> list[int]:
    """Primary keys of the accounts to read now: due ones, never read ones, and watched ones that got old."""
    now = timezone.now()
    known = {reading.account_id: reading for reading in FleetReading.objects.select_related("account")}
    return [account.pk for account in BatchAccount.objects.all() if _is_due(known.get(account.pk), account, now)]


def _is_due(reading: FleetReading | None, account: BatchAccount, now: datetime) -> bool:
    if reading is None or reading.due_at is None or reading.due_at <= now:
        return True
    fresh_until = (reading.read_at or now) + timedelta(seconds=settings.FLEET_WATCHED_SECONDS)
    return not reading.problem_code and fresh_until <= now and is_watched(account)


def _watch_key(account: BatchAccount) -> str:
    return f"pools:{account.pk}:watched"


# --- Reading --------------------------------------------------------------------------------------------------------
def poll_account(account: BatchAccount) -> bool:
    """Read the account's pools and nodes now. False when another poller is at it, or the service gave no answer."""
    FleetReading.objects.get_or_create(account=account)
    lease = _Lease(account)
    if not lease.take():
        return False
    started = time.monotonic()
    try:
        with patience(None):
            moving = _read(account, connection_for(account), lease)
    except LeaseLost:
        logger.warning("A poller of %s came late and wrote nothing more.", account.slug)
        return False
    except GatewayError as error:
        lease.fail(error)
        return False
    except BaseException:
        lease.give_back()
        raise
    lease.done(time.monotonic() - started, moving=moving)
    return True


class _Lease:
    """The right to write an account's picture."""

    def __init__(self, account: BatchAccount) -> None:
        self._account = account
        self._until: datetime | None = None

    def take(self) -> bool:
        now = timezone.now()
        free = FleetReading.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), account=self._account)
        self._until = now + LEASE
        return bool(free.update(lease_until=self._until))

    def renew(self) -> None:
        """Raises `LeaseLost`. Inside a transaction it also keeps others from taking the lease until its end."""
        until = timezone.now() + LEASE
        if not self._mine().update(lease_until=until):
            raise LeaseLost
        self._until = until

    def done(self, seconds: float, *, moving: bool) -> None:
        now = timezone.now()
        quick = moving or is_watched(self._account)
        pause = settings.FLEET_WATCHED_SECONDS if quick else settings.FLEET_IDLE_SECONDS
        self._mine().update(
            lease_until=None,
            read_at=now,
            due_at=now + timedelta(seconds=pause),
            seconds=seconds,
            failures=0,
            problem_code="",
            problem_values={},
            request_id="",
        )

    def fail(self, error: GatewayError) -> None:
        failures = (self._mine().values_list("failures", flat=True).first() or 0) + 1
        pause = max(error.retry_after or 0, min(LONGEST_PAUSE, settings.FLEET_WATCHED_SECONDS * 2 ** min(failures, 8)))
        logger.warning("Pools of %s not read: %s, again in %s s", self._account.slug, error.code, pause)
        self._mine().update(
            lease_until=None,
            due_at=timezone.now() + timedelta(seconds=pause),
            failures=failures,
            problem_code=error.code,
            problem_values={name: str(value) for name, value in error.values.items()},
            request_id=error.request_id[:64],
        )

    def give_back(self) -> None:
        self._mine().update(lease_until=None)

    def _mine(self) -> QuerySet[FleetReading]:
        return FleetReading.objects.filter(account=self._account, lease_until=self._until)


def _read(account: BatchAccount, connection: Connection, lease: _Lease) -> bool:
    """Read and write everything; whether something is in motion. Raises the first `GatewayError` after the rest."""
    found = [pool for page in gateway_pools.pool_pages(connection) for pool in page]
    known = {pool.pool_id.lower(): pool for pool in PoolSnapshot.objects.filter(account=account)}
    snapshots = _pools_record(account, found, known, lease)
    by_id = {pool.id: pool for pool in found}
    failure: GatewayError | None = None
    moving = any(pool.allocation_state != "steady" or pool.state == "deleting" for pool in found)
    wanted = [pool_id for pool_id, snapshot in snapshots.items() if _has_nodes(by_id[pool_id], snapshot)]
    for pool_id in snapshots.keys() - set(wanted):
        _sample(snapshots[pool_id], [])
    for pool_id, nodes in each(wanted, lambda pool_id: _nodes(connection, pool_id), workers=_WORKERS):
        if isinstance(nodes, GatewayNotFound):
            continue  # deleted meanwhile; the next reading does not list it
        if isinstance(nodes, GatewayError):
            failure = failure or nodes
            continue
        nodes_record(snapshots[pool_id], nodes, lease.renew)
        _sample(snapshots[pool_id], nodes)
        moving = moving or any(node.state in PASSING for node in nodes)
    _contents(account, list(snapshots.values()), lease)
    if failure is not None:
        raise failure
    return moving


def _contents(account: BatchAccount, pools: list[PoolSnapshot], lease: _Lease) -> None:
    """What the referenced packages hold now. It comes last: nodes do not wait for the management plane."""
    held = held_read(account, pools)
    changed = [pool for pool in pools if contents_note(pool, held)]
    if changed:
        with transaction.atomic():
            lease.renew()
            PoolSnapshot.objects.bulk_update(changed, ["contents", "contents_changed"], batch_size=200)


def _nodes(connection: Connection, pool_id: str) -> list[Node]:
    return [node for page in gateway_nodes.node_pages(connection, pool_id) for node in page]


def _has_nodes(pool: Pool, snapshot: PoolSnapshot) -> bool:
    """A steady pool without nodes, here and there, needs no question."""
    empty = pool.current_dedicated + pool.current_spot == 0 and pool.allocation_state == "steady"
    return not empty or bool(snapshot.by_state) or snapshot.nodes.exists()


# --- Writing --------------------------------------------------------------------------------------------------------
def _pools_record(
    account: BatchAccount, found: list[Pool], known: dict[str, PoolSnapshot], lease: _Lease
) -> dict[str, PoolSnapshot]:
    """Bring the pools' rows up to date; the row of each pool by its id."""
    rows: dict[str, PoolSnapshot] = {}
    with transaction.atomic():
        lease.renew()
        for pool in found:
            snapshot = known.pop(pool.id.lower(), None)
            if snapshot is not None and pool.created and snapshot.created != pool.created:
                snapshot.delete()  # deleted and made anew under the same id: another pool, with another history
                snapshot = None
            rows[pool.id] = _pool_record(account, pool, snapshot)
        for gone in known.values():
            gone.delete()
    return rows


def _pool_record(account: BatchAccount, pool: Pool, snapshot: PoolSnapshot | None) -> PoolSnapshot:
    values = pool_values(pool, snapshot)
    if snapshot is None:
        return PoolSnapshot.objects.create(account=account, **values)
    changed = [name for name, value in values.items() if getattr(snapshot, name) != value]
    for name in changed:
        setattr(snapshot, name, values[name])
    if changed:
        snapshot.save(update_fields=changed)
    return snapshot


def _sample(pool: PoolSnapshot, nodes: list[Node]) -> None:
    """Count the nodes by state into the pool's row, and into its series when that changed or enough time went by."""
    dedicated = dict(sorted(Counter(node.state for node in nodes if node.is_dedicated).items()))
    spot = dict(sorted(Counter(node.state for node in nodes if not node.is_dedicated).items()))
    if (pool.dedicated_by_state, pool.spot_by_state) != (dedicated, spot):
        pool.dedicated_by_state, pool.spot_by_state = dedicated, spot
        pool.save(update_fields=["dedicated_by_state", "spot_by_state"])
    by_state, target = dict(sorted(pool.by_state.items())), (pool.target_dedicated or 0) + (pool.target_spot or 0)
    last = pool.samples.order_by("-at").first()
    now = timezone.now()
    if last and (last.by_state, last.target) == (by_state, target) and now - last.at < SAMPLE_EVERY:
        return
    PoolSample.objects.create(pool=pool, at=now, by_state=by_state, target=target)


# --- Forgetting -----------------------------------------------------------------------------------------------------
def history_purge() -> int:
    """Delete history and samples older than `NODE_HISTORY_DAYS`; how many rows went."""
    before = timezone.now() - timedelta(days=settings.NODE_HISTORY_DAYS)
    gone = 0
    old: list[QuerySet[Any]] = [model.objects.filter(at__lt=before) for model in (NodeStateChange, PoolSample)]
    for rows in old:
        # Small pieces, so that nobody waits long for the database.
        while keys := list(rows.order_by("at").values_list("pk", flat=True)[:2000]):
            gone += rows.filter(pk__in=keys).delete()[0]
    return gone
