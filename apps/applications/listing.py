"""The Applications blade: rows made of both planes' lists and our own records, filtered, searched and sorted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings

from apps.accounts.models import BatchAccount
from apps.accounts.reading import Problem
from apps.applications.names import name_key
from apps.applications.ownership import may_touch, owners_of
from apps.applications.records import last_uploads_of_account, sizes_of_account
from apps.applications.snapshot import Snapshot, snapshot_read
from apps.gateway.types import ActiveApplication, Application, Plane
from apps.operations.models import ACTIVE, Operation
from apps.people.actors import Actor
from apps.people.models import Team
from apps.people.roles import Permission

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """One line of the blade. None stands for what the plane that knows it did not say.

    `versions` are the Active ones. `size` is in bytes over the `sized` versions whose size the portal knows.
    """

    id: str
    display_name: str
    default_version: str | None
    allow_updates: bool | None
    versions: tuple[str, ...] | None
    size: int
    sized: int
    last_upload: datetime | None
    team: Team | None
    may_touch: bool
    running: int = 0

    @property
    def packages(self) -> int | None:
        return None if self.versions is None else len(self.versions)

    @property
    def size_is_partial(self) -> bool:
        return bool(self.versions) and self.sized < len(self.versions or ())


@dataclass(frozen=True, slots=True)
class Quota:
    """Applications of the account; `limit` is the operator's setting, as the service does not tell it."""

    used: int
    limit: int

    @property
    def reached(self) -> bool:
        return self.used >= self.limit

    @property
    def tone(self) -> str:
        if self.reached:
            return "danger"
        return "warning" if self.used >= 0.8 * self.limit else "neutral"


@dataclass(frozen=True, slots=True)
class ApplicationList:
    """`rows` before any filter. `managed` tells whether the management plane is part of the account's connection.

    `coming` are the running operations on applications that the service does not list (yet).
    """

    rows: list[ApplicationRow]
    read_at: datetime
    kept: bool
    managed: bool
    storage_missing: bool
    problems: dict[Plane, Problem]
    coming: list[Operation]

    @property
    def quota(self) -> Quota:
        return Quota(len(self.rows), settings.APPLICATION_QUOTA)

    @property
    def teams(self) -> list[Team]:
        found = {row.team.pk: row.team for row in self.rows if row.team}
        return sorted(found.values(), key=lambda team: team.name.lower())


@dataclass(frozen=True, slots=True)
class ApplicationQuery:
    """What the address asks for: words, filters and order. Unknown values count as none."""

    words: str = ""
    team: str = ""
    updates: str = ""
    packages: str = ""
    sort: str = "id"

    @classmethod
    def parse(cls, parameters: Any) -> ApplicationQuery:
        """From `request.GET` or a dictionary."""
        sort = parameters.get("sort", "id")
        return cls(
            words=parameters.get("q", "").strip()[:200],
            team=parameters.get("team", ""),
            updates=_known(parameters.get("updates", ""), {"yes", "no"}),
            packages=_known(parameters.get("packages", ""), {"some", "none"}),
            sort=sort if sort.removeprefix("-") in SORTS else "id",
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.words or self.team or self.updates or self.packages)


def application_list(*, actor: Actor, account: BatchAccount, fresh: bool = False) -> ApplicationList:
    """All applications of the account in two list calls at most and a fixed number of queries.

    Raises `GatewayError` when Azure does not answer and no earlier answer is remembered.
    """
    actor.require(Permission.VIEW_APPLICATIONS, account)
    found = snapshot_read(account=account, fresh=fresh)
    running = _running(account)
    rows = _rows(actor, account, found, running)
    listed = {name_key(row.id) for row in rows}
    return ApplicationList(
        rows=rows,
        coming=[one for key, operations in running.items() if key not in listed for one in operations],
        read_at=found.read_at,
        kept=found.kept,
        managed=account.has_management_plane,
        storage_missing=found.storage_missing,
        problems=found.problems,
    )


def rows_matching(rows: Iterable[ApplicationRow], query: ApplicationQuery) -> list[ApplicationRow]:
    """The rows the query asks for, in its order; rows without a value come last either way."""
    words = query.words.lower().split()
    found = [row for row in rows if _matches(row, query, words)]
    found.sort(key=lambda row: natural_key(row.id))
    return sorted_by(found, SORTS[query.sort.removeprefix("-")], reverse=query.sort.startswith("-"))


def sorted_by(rows: list[Row], value: Callable[[Row], Any], *, reverse: bool) -> list[Row]:
    """Sorted by a value, equal ones in the order they came; rows without one come last either way."""
    known = [row for row in rows if value(row) is not None]
    known.sort(key=value, reverse=reverse)
    return known + [row for row in rows if value(row) is None]


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Orders "2.10" after "2.9", without regard to case."""
    parts = re.findall(r"\d+|\D+", name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


SORTS: dict[str, Callable[[ApplicationRow], Any]] = {
    "id": lambda row: natural_key(row.id),
    "name": lambda row: row.display_name.lower() or None,
    "packages": lambda row: row.packages,
    "default": lambda row: natural_key(row.default_version) if row.default_version else None,
    "updates": lambda row: row.allow_updates,
    "size": lambda row: row.size if row.sized else None,
    "upload": lambda row: row.last_upload,
    "team": lambda row: row.team.name.lower() if row.team else None,
}


def _rows(
    actor: Actor, account: BatchAccount, found: Snapshot, running: dict[str, list[Operation]]
) -> list[ApplicationRow]:
    # While the management plane answers it alone says what exists; the data plane's answer is a moment apart.
    names = found.managed if found.managed is not None else found.active or ()
    if not names:
        return []
    rows = _Rows(actor, account, found, running)
    return [rows.row(name_key(named.id), named) for named in names]


class _Rows:
    """What rows are made of, read once for all of them."""

    def __init__(
        self, actor: Actor, account: BatchAccount, found: Snapshot, running: dict[str, list[Operation]]
    ) -> None:
        self.actor = actor
        self.account = account
        self.managed = {name_key(one.id): one for one in found.managed or ()}
        self.versions = None if found.active is None else {name_key(one.id): one.versions for one in found.active}
        self.sizes = sizes_of_account(account=account)
        self.last_uploads = last_uploads_of_account(account=account)
        self.owners = owners_of(account=account)
        self.running = running

    def row(self, key: str, named: Application | ActiveApplication) -> ApplicationRow:
        managed, owner = self.managed.get(key), self.owners.get(key)
        versions = None if self.versions is None else self.versions.get(key, ())
        sizes = self._sizes(key, versions or ())
        return ApplicationRow(
            id=named.id,
            display_name=named.display_name,
            default_version=managed.default_version if managed else None,
            allow_updates=managed.allow_updates if managed else None,
            versions=versions,
            size=sum(sizes),
            sized=len(sizes),
            last_upload=self.last_uploads.get(key),
            team=owner.team if owner else None,
            may_touch=may_touch(actor=self.actor, account=self.account, team_id=owner.team_id if owner else None),
            running=len(self.running.get(key, ())),
        )

    def _sizes(self, key: str, versions: Iterable[str]) -> list[int]:
        found = (self.sizes.get((key, name_key(version))) for version in versions)
        return [size for size in found if size is not None]


def _running(account: BatchAccount) -> dict[str, list[Operation]]:
    """Running operations on applications and packages, by application key."""
    found: dict[str, list[Operation]] = {}
    for operation in Operation.objects.filter(account=account, status__in=sorted(ACTIVE)):
        kind, _separator, rest = operation.subject_key.partition(":")
        if kind in {"application", "package"}:
            found.setdefault(rest.partition(":")[0], []).append(operation)
    return found


def _matches(row: ApplicationRow, query: ApplicationQuery, words: list[str]) -> bool:
    text = f"{row.id} {row.display_name} {row.team or ''} {' '.join(row.versions or ())}".lower()
    if not all(word in text for word in words):
        return False
    if query.team and (row.team.slug if row.team else "-") != query.team:
        return False
    if query.updates and row.allow_updates is not (query.updates == "yes"):
        return False
    return not query.packages or bool(row.versions) is (query.packages == "some")


def _known(value: str, admitted: set[str]) -> str:
    return value if value in admitted else ""
