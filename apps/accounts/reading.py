"""What Azure said of an account, kept for a short while for everybody and for longer while Azure is away.

Nothing here writes to the database: a page is read, not changed. The snapshot in the account's row, which outlives the
cache, is written by `services.accounts.snapshot_refresh`.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core.cache import cache
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.core.messages import message_for
from apps.gateway.errors import GatewayError

logger = logging.getLogger(__name__)
T = TypeVar("T")

FRESH_FOR = timedelta(seconds=15)
KEPT_FOR = timedelta(days=1)
# How long a failure answers for the service, so that many open pages do not all wait for what is down.
FAILED_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why Azure gave no answer, in words for whoever may hear them."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)
    service_code: str = ""
    request_id: str = ""

    @property
    def message(self) -> str:
        return message_for(self.code, self.values)


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """An answer with its age. `value` is None while nothing is known; `problem` says why it is not newer."""

    value: T | None = None
    read_at: datetime | None = None
    problem: Problem | None = None
    fresh_for: timedelta = FRESH_FOR

    @property
    def is_fresh(self) -> bool:
        return self.read_at is not None and timezone.now() - self.read_at < self.fresh_for

    @property
    def is_kept(self) -> bool:
        """Whether this is an older answer, shown because Azure gives no newer one."""
        return self.value is not None and self.problem is not None


def problem_of(error: GatewayError) -> Problem:
    return Problem(error.code, dict(error.values), error.service_code, error.request_id)


def peek(account: BatchAccount, name: str) -> Reading[Any]:
    """What is known without asking Azure."""
    found: Reading[Any] | None = cache.get(_key(account, name))
    return found or Reading()


def read(
    account: BatchAccount, name: str, ask: Callable[[], T], *, again: bool = False, fresh_for: timedelta = FRESH_FOR
) -> Reading[T]:
    """The answer to `ask`, at most `fresh_for` old; the last known one with the problem when Azure gives none.

    `again` asks in any case. Never raises `GatewayError`.
    """
    key = _key(account, name)
    known: Reading[T] = cache.get(key) or Reading(fresh_for=fresh_for)
    if known.is_fresh and not again:
        return known
    failed: Problem | None = None if again else cache.get(f"{key}:failed")
    if failed is None:
        try:
            found = Reading(ask(), timezone.now(), fresh_for=fresh_for)
        except GatewayError as error:
            failed = problem_of(error)
            level = logging.WARNING if error.retryable else logging.INFO
            logger.log(level, "%s of %s not read: %s", name, account.slug, error.code)
            if error.retryable:
                cache.set(f"{key}:failed", failed, FAILED_FOR.total_seconds())
        else:
            # Under the key of before the question: what was forgotten meanwhile stays forgotten.
            cache.set(key, found, KEPT_FOR.total_seconds())
            return found
    return replace(known, problem=failed)


def forget(account: BatchAccount) -> None:
    """Call after every change at the service, so that the next reader sees it."""
    cache.set(_generation_key(account), uuid.uuid4().hex, None)


def _generation_key(account: BatchAccount) -> str:
    return f"accounts:{account.pk}:generation"


def _key(account: BatchAccount, name: str) -> str:
    return f"accounts:{account.pk}:{cache.get(_generation_key(account), '0')}:{name}"
