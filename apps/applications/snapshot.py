"""What Azure says of an account's applications: one list per plane, kept for a short while.

The management plane lists every application with its settings but no versions, and the data plane lists the versions
that are Active; together they are two list calls, where asking each application for its packages would be hundreds.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts import reading
from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.accounts.reading import Problem, Reading
from apps.gateway import batch, management
from apps.gateway.errors import AutoStorageMissing, GatewayError
from apps.gateway.types import ActiveApplication, Application, Plane

FRESH_FOR = timedelta(seconds=30)

Managed = tuple[Application, ...]
Active = tuple[ActiveApplication, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`managed` and `active` are None where their plane could not be asked and nothing is remembered of it.

    `problems` say why an answer is missing or old; `read_at` is the older of both answers' times, and `kept` tells
    that at least one of them is an earlier one because Azure gives no newer.
    """

    managed: Managed | None
    active: Active | None
    read_at: datetime
    problems: dict[Plane, Problem]
    kept: bool = False

    @property
    def storage_missing(self) -> bool:
        return any(problem.code == AutoStorageMissing.code for problem in self.problems.values())


def snapshot_read(*, account: BatchAccount, fresh: bool = False) -> Snapshot:
    """The lists of both planes, at most 30 s old unless Azure does not answer; `fresh` asks Azure in any case.

    Raises `GatewayError` when neither plane answers and nothing is remembered.
    """
    managed, active = _read(account, again=fresh)
    found = _snapshot(managed, active)
    if not found.storage_missing and found.managed is None and found.active is None:
        raise _error(managed.problem or active.problem)
    return found


def snapshot_forget(account: BatchAccount) -> None:
    """Call after every write at the service, so that the next reader sees it."""
    reading.forget(account)


def _read(account: BatchAccount, *, again: bool) -> tuple[Reading[Managed], Reading[Active]]:
    connection = connection_for(account)

    def read_managed() -> Reading[Managed]:
        def ask() -> Managed:
            return tuple(management.application_list(connection))

        return reading.read(account, "applications-managed", ask, again=again, fresh_for=FRESH_FOR)

    def read_active() -> Reading[Active]:
        def ask() -> Active:
            return tuple(batch.active_application_list(connection))

        return reading.read(account, "applications-active", ask, again=again, fresh_for=FRESH_FOR)

    if not account.has_management_plane:
        return Reading(), read_active()
    return _both(read_managed, read_active)


def _both(
    first: Callable[[], Reading[Managed]], second: Callable[[], Reading[Active]]
) -> tuple[Reading[Managed], Reading[Active]]:
    """Ask both planes at once: each answer is a round trip to another data centre."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="plane") as pool:
        # With the caller's context, which bounds the waiting and counts the calls.
        asked = pool.submit(copy_context().run, second)
        return first(), asked.result()


def _snapshot(managed: Reading[Managed], active: Reading[Active]) -> Snapshot:
    answers: dict[Plane, Reading[Any]] = {Plane.MANAGEMENT: managed, Plane.DATA: active}
    problems = {plane: answer.problem for plane, answer in answers.items() if answer.problem}
    times = [answer.read_at for answer in answers.values() if answer.read_at]
    return Snapshot(
        managed=managed.value,
        active=active.value,
        read_at=min(times, default=timezone.now()),
        problems=problems,
        kept=managed.is_kept or active.is_kept,
    )


def _error(problem: Problem | None) -> GatewayError:
    if problem is None:
        raise AssertionError("A plane that was asked gives an answer or a problem.")
    message = str(problem.values.get("service_message", ""))
    return GatewayError(
        problem.code, service_code=problem.service_code, service_message=message, request_id=problem.request_id
    )
