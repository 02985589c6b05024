"""What Azure says of an account's applications: one list per plane, kept for a short while.

The management plane lists every application with its settings but no versions, and the data plane lists the versions
that are Active; together they are two list calls, where asking each application for its packages would be hundreds.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.accounts.selectors import connection_for
from apps.core.messages import message_for
from apps.gateway import batch, management
from apps.gateway.errors import AutoStorageMissing, GatewayError
from apps.gateway.types import ActiveApplication, Application, Plane

logger = logging.getLogger(__name__)

FRESH_FOR = timedelta(seconds=30)
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one plane said nothing; `code` and `values` name the text, `reference` the service's request."""

    plane: Plane
    code: str
    values: dict[str, Any] = field(default_factory=dict)
    reference: str = ""

    @property
    def message(self) -> str:
        return message_for(self.code, self.values)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`managed` and `active` are None where their plane could not be asked; then `problems` says why.

    `read_at` is when Azure answered; `kept` tells that Azure does not answer now and this is what it said then.
    """

    managed: tuple[Application, ...] | None
    active: tuple[ActiveApplication, ...] | None
    read_at: datetime
    problems: tuple[Problem, ...] = ()
    kept: bool = False

    @property
    def storage_missing(self) -> bool:
        return any(problem.code == AutoStorageMissing.code for problem in self.problems)

    @property
    def is_fresh(self) -> bool:
        return timezone.now() - self.read_at < FRESH_FOR


def snapshot_read(*, account: BatchAccount, fresh: bool = False) -> Snapshot:
    """The lists of both planes, at most 30 s old unless Azure does not answer; `fresh` asks Azure in any case.

    Raises `GatewayError` when neither plane answers and nothing is remembered.
    """
    key = _key(account)
    known: Snapshot | None = cache.get(key)
    if known and known.is_fresh and not fresh:
        return known
    found, error = _ask(account)
    if found.managed is None and found.active is None:
        return _remembered(known, found, error)
    if not found.problems:
        # Under the key of before the question: what was forgotten meanwhile stays forgotten.
        cache.set(key, found, KEPT_FOR.total_seconds())
    return found


def snapshot_forget(account: BatchAccount) -> None:
    """Call after every write at the service, so that the next reader sees it."""
    cache.set(_generation_key(account), uuid.uuid4().hex, None)


def _remembered(known: Snapshot | None, found: Snapshot, error: GatewayError | None) -> Snapshot:
    if found.storage_missing:
        return found
    if known is not None:
        return replace(known, problems=found.problems, kept=True)
    if error is None:
        raise AssertionError("No plane answered and none failed.")
    raise error


def _ask(account: BatchAccount) -> tuple[Snapshot, GatewayError | None]:
    connection = connection_for(account)
    questions: dict[Plane, Callable[[], tuple[Any, ...]]] = {
        Plane.DATA: lambda: tuple(batch.active_application_list(connection))
    }
    if account.has_management_plane:
        questions[Plane.MANAGEMENT] = lambda: tuple(management.application_list(connection))
    answers, errors = _both(questions)
    problems = tuple(Problem(plane, error.code, dict(error.values), error.reference) for plane, error in errors.items())
    found = Snapshot(answers.get(Plane.MANAGEMENT), answers.get(Plane.DATA), timezone.now(), problems)
    if found.storage_missing:
        found = replace(found, managed=None, active=None)
    return found, errors.get(Plane.MANAGEMENT) or errors.get(Plane.DATA)


def _both(
    questions: dict[Plane, Callable[[], tuple[Any, ...]]],
) -> tuple[dict[Plane, tuple[Any, ...]], dict[Plane, GatewayError]]:
    """Ask both planes at once: each answer is a round trip to another data centre."""
    answers: dict[Plane, tuple[Any, ...]] = {}
    errors: dict[Plane, GatewayError] = {}
    with ThreadPoolExecutor(max_workers=len(questions), thread_name_prefix="planes") as pool:
        asked: dict[Plane, Future[tuple[Any, ...]]] = {plane: pool.submit(ask) for plane, ask in questions.items()}
        for plane, future in asked.items():
            try:
                answers[plane] = future.result()
            except GatewayError as error:
                logger.warning("Applications not listed by the %s plane: %s", plane, error.code)
                errors[plane] = error
    return answers, errors


def _generation_key(account: BatchAccount) -> str:
    return f"applications:{account.pk}:generation"


def _key(account: BatchAccount) -> str:
    return f"applications:{account.pk}:{cache.get(_generation_key(account), '0')}"
