"""Pools and nodes as the poller saw them, and single pools as the service tells of them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.accounts.reading import Problem
from apps.core.exceptions import NotVisible
from apps.gateway import batch
from apps.gateway import pools as gateway_pools
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types_pools import AutoScaleRun, Pool
from apps.nodes.models import NodeSnapshot
from apps.nodes.states import BROKEN
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.pools.models import FleetReading, PoolSnapshot

__all__ = ["AutoScaleRun", "Pool"]  # what the service tells of a pool, for views

SORTS = {
    "id": ["pool_id"],
    "state": ["state", "allocation_state", "pool_id"],
    "allocation": ["allocation_state", "pool_id"],
    "size": ["vm_size", "pool_id"],
    "image": ["image", "pool_id"],
    "dedicated": ["current_dedicated", "pool_id"],
    "spot": ["current_spot", "pool_id"],
    "created": ["created", "pool_id"],
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """How old the picture of an account's pools and nodes is (None: not read yet), and why it is not newer."""

    read_at: datetime | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class PoolSearch:
    """What a list of pools is narrowed to. A word ending in `*` must begin the id; others occur in id or name."""

    words: str = ""
    state: str = ""
    scale: str = ""
    trouble: str = ""
    size: str = ""
    package: str = ""
    order: str = ""

    @classmethod
    def parse(cls, parameters: Mapping[str, Any]) -> PoolSearch:
        """From `request.GET` or `request.query_params`."""
        names = {"words": "q", "order": "sort"} | {
            name: name for name in ("state", "scale", "trouble", "size", "package")
        }
        return cls(**{field: str(parameters.get(name, ""))[:200] for field, name in names.items()})


def fleet(*, actor: Actor, account: BatchAccount) -> Fleet:
    actor.require(Permission.VIEW_ACCOUNT, account)
    row = FleetReading.objects.filter(account=account).first()
    if row is None:
        return Fleet()
    problem = Problem(row.problem_code, row.problem_values, request_id=row.request_id) if row.problem_code else None
    return Fleet(row.read_at, problem)


def pool_list(*, actor: Actor, account: BatchAccount) -> QuerySet[PoolSnapshot]:
    actor.require(Permission.VIEW_ACCOUNT, account)
    return PoolSnapshot.objects.filter(account=account)


def pool_search(*, actor: Actor, account: BatchAccount, search: PoolSearch) -> QuerySet[PoolSnapshot]:
    """Pools by words, state, kind of scaling and trouble, in the order asked for."""
    found = pool_list(actor=actor, account=account)
    for word in search.words.split():
        begins = word.endswith("*")
        found = found.filter(
            Q(pool_id__istartswith=word[:-1])
            if begins
            else Q(pool_id__icontains=word) | Q(display_name__icontains=word)
        )
    if search.state:
        found = found.filter(Q(state=search.state) | Q(state="active", allocation_state=search.state))
    if search.scale:
        found = found.filter(auto_scale=search.scale == "auto")
    if search.size:
        found = found.filter(vm_size=search.size.lower())
    if search.package:
        application, _, version = search.package.partition(":")
        found = found.filter(pk__in=[pool.pk for pool in found if references(pool, application, version)])
    found = _troubled(found, search.trouble)
    columns = SORTS.get(search.order.removeprefix("-"), SORTS["id"])
    sign = "-" if search.order.startswith("-") else ""
    return found.order_by(*(f"{sign}{column}" for column in columns), "pk")


def _troubled(found: QuerySet[PoolSnapshot], trouble: str) -> QuerySet[PoolSnapshot]:
    if trouble == "resize":
        return found.exclude(resize_errors=[])
    if trouble == "auto":
        return found.exclude(auto_scale_error={})
    if trouble == "stale":
        late = NodeSnapshot.objects.filter(booted_before_change("last_boot", "pool__"), pool=OuterRef("pk"))
        return found.filter(Exists(late))
    if trouble == "nodes":
        return found.filter(Exists(NodeSnapshot.objects.filter(pool=OuterRef("pk"), state__in=sorted(BROKEN))))
    return found


def pool_snapshot(*, actor: Actor, account: BatchAccount, pool_id: str) -> PoolSnapshot:
    """A pool by id, whatever its case. Raises `NotVisible` for one that the poller has not seen."""
    found = pool_list(actor=actor, account=account).filter(pool_id__iexact=pool_id).first()
    if found is None:
        raise NotVisible("pool-not-found", pool=pool_id)
    return found


def pool_live(*, actor: Actor, account: BatchAccount, pool_id: str) -> Pool:
    """A pool as the service tells of it now, secrets of its makers included.

    Raises `NotVisible` (`pool-not-found`) for one that is gone, `GatewayError`.
    """
    actor.require(Permission.VIEW_ACCOUNT, account)
    try:
        return gateway_pools.pool_get(connection_for(account), pool_id)
    except GatewayNotFound as error:
        raise NotVisible("pool-not-found", pool=pool_id) from error


def pool_jobs(*, actor: Actor, account: BatchAccount, pool_id: str, limit: int) -> list[str]:
    """Ids of up to `limit` jobs that point to a pool and have not completed. Raises `GatewayError`."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    return batch.jobs_of_pool(connection_for(account), pool_id, limit)


def node_list(*, actor: Actor, account: BatchAccount, pool: PoolSnapshot | None = None) -> QuerySet[NodeSnapshot]:
    """The nodes of an account, or of one of its pools, as the poller saw them."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    found = NodeSnapshot.objects.filter(pool__account=account).select_related("pool")
    return found.filter(pool=pool) if pool is not None else found


def node_counts(nodes: QuerySet[NodeSnapshot]) -> dict[str, int]:
    """How many of these nodes are in which state."""
    counted = nodes.order_by().values("state").annotate(count=Count("pk"))
    return {row["state"]: row["count"] for row in counted}


CHANGES = ("start_task_changed", "packages_changed", "contents_changed")


def booted_before_change(last_boot: str, pool: str = "") -> Q:
    """Nodes that booted before what they take at their boot changed. `last_boot` and `pool` lead to the columns."""
    late = Q()
    for column in CHANGES:
        late |= Q(**{f"{last_boot}__lt": F(f"{pool}{column}")})
    return late


def stale_nodes(pool: PoolSnapshot) -> QuerySet[NodeSnapshot]:
    """Nodes that booted before the pool's start task or packages changed, and so have not taken the change.

    Rules: Batch service REST API, Pool - Patch: both take effect when a node joins, is rebooted or reimaged.
    """
    changed = pool.node_config_changed
    return pool.nodes.filter(last_boot__lt=changed) if changed else pool.nodes.none()


def is_stale(node: NodeSnapshot) -> bool:
    """Whether a node booted before what it takes at its boot was changed."""
    changed = node.pool.node_config_changed
    return bool(changed and node.last_boot and node.last_boot < changed)


# --- Packages -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PackageUse:
    """A pool that references a package. `by_default`: without a version, so it means the default one."""

    pool: PoolSnapshot
    by_default: bool
    version: str
    stale: int = 0


def package_name(application: str, version: str) -> str:
    """How filters name a reference: `id` or `id:version`."""
    return f"{application}:{version}" if version else application


def references(pool: PoolSnapshot, application: str, version: str = "") -> bool:
    """Whether a pool references an application, or with `version` this very one."""
    return any(
        str(name).lower() == application.lower() and (not version or str(its).lower() == version.lower())
        for name, its in pool.packages
    )


def pools_with_package(
    *, actor: Actor, account: BatchAccount, application: str, version: str = "", is_default: bool = False
) -> list[PackageUse]:
    """Pools that reference an application, or one version of it, as the poller saw them; with `is_default` also those
    that name no version.
    """
    pools = list(pool_list(actor=actor, account=account).order_by("pool_id"))
    found = [
        (pool, str(its))
        for pool in pools
        for name, its in pool.packages
        if str(name).lower() == application.lower()
        and (_is_version(its, version) if its else not version or is_default)
    ]
    stale = stale_counts([pool.pk for pool, _its in found])
    return [PackageUse(pool, by_default=not its, version=its, stale=stale.get(pool.pk, 0)) for pool, its in found]


def _is_version(its: Any, version: str) -> bool:
    return not version or str(its).lower() == version.lower()


def stale_counts(keys: list[int]) -> dict[int, int]:
    """How many nodes of each pool have not taken its last change, in one query."""
    changed = PoolSnapshot.objects.filter(pk__in=keys).exclude(**dict.fromkeys(CHANGES))
    late = booted_before_change("nodes__last_boot")
    counted = changed.annotate(stale=Count("nodes", filter=late)).values_list("pk", "stale")
    return dict(counted)
