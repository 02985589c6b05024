"""One poller per account keeps a picture of its pools and nodes, whoever looks and however many.

What is read and written is in `apps.pools.picture`. A poller holds a lease on the account's `FleetReading`; one that
lost it (it hung, or was killed) writes nothing more.
"""

from __future__ import annotations

import logging
import time
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
from apps.gateway.calls import patience
from apps.gateway.errors import GatewayError
from apps.gateway.types import Connection
from apps.nodes.models import NodeStateChange
from apps.pools.contents import contents_note, held_read
from apps.pools.models import FleetReading, PoolSample, PoolSnapshot
from apps.pools.picture import picture_update

logger = logging.getLogger(__name__)

POLL_TASK = "pools.poll_account"
MESSAGE_EXPIRES = 30  # seconds: whoever comes later finds the account read, or due again
WATCHED_FOR = 60  # seconds that one look counts
LONGEST_PAUSE = 300  # seconds between tries while the service gives no answer


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


def lease_span() -> timedelta:
    """For how long a poller that says nothing keeps others away."""
    return timedelta(seconds=settings.FLEET_LEASE_SECONDS)


class _Lease:
    """The right to write an account's picture."""

    def __init__(self, account: BatchAccount) -> None:
        self._account = account
        self._until: datetime | None = None

    def take(self) -> bool:
        now = timezone.now()
        free = FleetReading.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), account=self._account)
        self._until = now + lease_span()
        return bool(free.update(lease_until=self._until))

    def renew(self) -> None:
        """Raises `LeaseLost`. Inside a transaction it also keeps others from taking the lease until its end."""
        until = timezone.now() + lease_span()
        if not self._mine().update(lease_until=until):
            raise LeaseLost
        self._until = until

    def keep(self) -> None:
        """Renew it where a good part of its span went by."""
        if self._until is None or self._until - timezone.now() < lease_span() * 2 / 3:
            self.renew()

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
    picture = picture_update(account, connection, lease)
    _contents(account, picture.pools, lease)
    if picture.failure is not None:
        raise picture.failure
    return picture.moving


def _contents(account: BatchAccount, pools: list[PoolSnapshot], lease: _Lease) -> None:
    """What the referenced packages hold now. It comes last: nodes do not wait for the management plane."""
    held = held_read(account, pools)
    changed = [pool for pool in pools if contents_note(pool, held)]
    if changed:
        with transaction.atomic():
            lease.renew()
            PoolSnapshot.objects.bulk_update(changed, ["contents", "contents_changed"], batch_size=200)


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
