"""Connected accounts, and what Azure says of them. Scoped to the actor first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Q, QuerySet

from apps.accounts import connections, reading
from apps.accounts.models import BatchAccount
from apps.accounts.reading import Reading
from apps.accounts.snapshots import unpacked
from apps.core.exceptions import NotVisible
from apps.gateway import batch, blobs, management
from apps.gateway.errors import ManagementPlaneMissing
from apps.gateway.together import ask_together
from apps.gateway.types import AccountProperties, Connection, NodeCounts, PackageBytes, PoolSize, StorageAccount
from apps.people.actors import Actor
from apps.people.roles import Permission

PROPERTIES, NODES, USAGE = "properties", "nodes", "usage"
STORAGE_ACCOUNTS, PACKAGE_BYTES = "storage-accounts", "package-bytes"
SORTS = {"title": "title", "name": "name", "location": "location", "method": "auth_method", "created": "created_at"}


def connection_for(account: BatchAccount) -> Connection:
    """How the gateway reaches an account the caller has already been admitted to; secrets included."""
    return connections.connection_for(account)


def account_list(*, actor: Actor) -> QuerySet[BatchAccount]:
    """The accounts on which the actor has any role."""
    accounts = BatchAccount.objects.all()
    return accounts if actor.is_portal_administrator else accounts.filter(pk__in=list(actor.roles))


def account_get(*, actor: Actor, slug: str) -> BatchAccount:
    """One account by slug. Raises `NotVisible` for an unknown one and for a stranger alike."""
    account = account_list(actor=actor).filter(slug=slug).first()
    if account is None:
        raise NotVisible
    return account


def account_search(
    *, actor: Actor, words: str = "", location: str = "", method: str = "", order: str = ""
) -> QuerySet[BatchAccount]:
    """Accounts by words in title, name, subscription, resource group and endpoint, and by region and sign-in."""
    found = account_list(actor=actor)
    for word in words.split():
        found = found.filter(
            Q(title__icontains=word)
            | Q(name__icontains=word)
            | Q(subscription_id__icontains=word)
            | Q(resource_group__icontains=word)
            | Q(batch_endpoint__icontains=word)
        )
    if location:
        found = found.filter(location=location)
    if method:
        found = found.filter(auth_method=method)
    field = SORTS.get(order.removeprefix("-"), "title")
    descending = "-" if order.startswith("-") else ""
    return found.order_by(f"{descending}{field}", "name", "pk")


def account_locations(*, actor: Actor) -> list[str]:
    """The regions of the actor's accounts, for a filter."""
    found = account_list(actor=actor).exclude(location="").order_by("location")
    return list(found.values_list("location", flat=True).distinct())


def account_properties(*, actor: Actor, account: BatchAccount, again: bool = False) -> Reading[AccountProperties]:
    """The account as the management plane describes it; the row's snapshot while Azure is away."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    if not account.has_management_plane:
        return Reading(problem=reading.problem_of(ManagementPlaneMissing()))
    connection = connection_for(account)
    found = reading.read(account, PROPERTIES, lambda: management.account_properties(connection), again=again)
    return found if found.value is not None else _from_row(account, found)


def account_properties_known(*, actor: Actor, account: BatchAccount) -> Reading[AccountProperties]:
    """The same as far as it is known without asking Azure."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    found: Reading[AccountProperties] = reading.peek(account, PROPERTIES)
    return found if found.value is not None else _from_row(account, found)


def _from_row(account: BatchAccount, found: Reading[AccountProperties]) -> Reading[AccountProperties]:
    kept = unpacked(account.snapshot)
    return replace(found, value=kept[0], read_at=kept[1]) if kept else found


def node_counts(*, actor: Actor, account: BatchAccount, again: bool = False) -> Reading[NodeCounts]:
    """Nodes by state over all pools."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    connection = connection_for(account)
    return reading.read(account, NODES, lambda: batch.node_counts(connection), again=again)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of each quota is in use; None where it cannot be told."""

    pools: int | None = None
    active_jobs: int | None = None
    dedicated_cores: int | None = None
    spot_cores: int | None = None


def account_usage(
    *, actor: Actor, account: BatchAccount, properties: AccountProperties, again: bool = False
) -> Reading[Usage]:
    """Counted from the pools' current nodes and the active jobs."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    connection = connection_for(account)
    questions: dict[str, Callable[[], Any]] = {
        "pools": lambda: batch.pool_sizes(connection),
        "jobs": lambda: batch.active_job_count(connection, properties.active_job_quota or 1000),
        "cores": lambda: _cores(account, connection),
    }

    def ask() -> Usage:
        answers, errors = ask_together(questions)
        if "pools" in errors:
            raise errors["pools"]
        return _usage(answers["pools"], answers.get("jobs"), answers.get("cores"))

    return reading.read(account, USAGE, ask, again=again)


def _cores(account: BatchAccount, connection: Connection) -> dict[str, int]:
    """Sizes and their cores change with Azure's releases, so a day old is new enough."""
    key = f"vm-cores:{connection.arm_endpoint}:{account.location}"
    known: dict[str, int] | None = cache.get(key)
    if known is None:
        known = management.vm_cores(connection, account.location)
        cache.set(key, known, timedelta(days=1).total_seconds())
    return known


def _usage(pools: list[PoolSize], jobs: int | None, cores: dict[str, int] | None) -> Usage:
    known = cores is not None and all(pool.vm_size in cores for pool in pools)
    if cores is None or not known:
        return Usage(pools=len(pools), active_jobs=jobs)
    return Usage(
        pools=len(pools),
        active_jobs=jobs,
        dedicated_cores=sum(cores[pool.vm_size] * pool.dedicated for pool in pools),
        spot_cores=sum(cores[pool.vm_size] * pool.spot for pool in pools),
    )


def storage_accounts(
    *, actor: Actor, account: BatchAccount, again: bool = False
) -> Reading[tuple[StorageAccount, ...]]:
    """The storage accounts of the account's subscription: same region first, then by name."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    connection = connection_for(account)
    found = reading.read(
        account, STORAGE_ACCOUNTS, lambda: tuple(management.storage_account_list(connection)), again=again
    )
    if found.value is None:
        return found
    near = _region(account.location)
    ordered = sorted(found.value, key=lambda one: (_region(one.location) != near, bool(one.unfit), one.name))
    return replace(found, value=tuple(ordered))


def package_bytes(*, actor: Actor, account: BatchAccount, storage_account_id: str) -> Reading[PackageBytes]:
    """What packages occupy in the linked storage account, counted blob by blob; at most ten minutes old."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    connection = connection_for(account)
    return reading.read(
        account,
        f"{PACKAGE_BYTES}:{storage_account_id.lower()}",
        lambda: blobs.package_bytes(connection, storage_account_id),
        fresh_for=timedelta(minutes=10),
    )


def same_region(account: BatchAccount, storage: StorageAccount) -> bool:
    return _region(account.location) == _region(storage.location)


def _region(location: str) -> str:
    """Azure writes "West Europe" and "westeurope" for the same place."""
    return location.replace(" ", "").lower()


@dataclass(frozen=True, slots=True)
class Losses:
    """What the portal forgets with an account; in Azure nothing changes."""

    owned_applications: int
    package_records: int
    operations: int
    grants: int


def account_losses(*, actor: Actor, account: BatchAccount) -> Losses:
    actor.require(Permission.MANAGE_PORTAL)
    return Losses(
        owned_applications=account.application_owners.count(),
        package_records=account.package_records.count(),
        operations=account.operations.count(),
        grants=account.grants.count(),
    )
