"""The Nodes blade: which nodes an address asks for, in which order, and what can be chosen from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.core.exceptions import Invalid
from apps.nodes.models import NodeSnapshot
from apps.people.actors import Actor
from apps.pools import selectors as pools
from apps.pools.models import PoolSnapshot

SORTS: dict[str, list[str]] = {
    "id": ["node_id"],
    "pool": ["pool__pool_id", "node_id"],
    "state": ["state", "node_id"],
    "since": ["state_since", "node_id"],
    "scheduling": ["scheduling_state", "node_id"],
    "address": ["ip_address", "node_id"],
    "kind": ["is_dedicated", "node_id"],
    "size": ["vm_size", "node_id"],
    "running": ["running_tasks", "node_id"],
    "total": ["total_tasks", "node_id"],
    "boot": ["last_boot", "node_id"],
    "agent": ["agent_version", "node_id"],
    "start_task": ["start_task_result", "start_task_exit_code", "node_id"],
}
# Moments and numbers are wanted from their newest or largest end by many, so nulls never come first.
_NULLABLE = frozenset({"state_since", "last_boot", "start_task_exit_code"})
START_TASKS = ("success", "failure", "running", "none")
SPANS = {"10m": timedelta(minutes=10), "1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
YES_NO = ("yes", "no")
MOST = 50_000  # nodes in one selection


@dataclass(frozen=True, slots=True)
class NodeSearch:
    """What a list of nodes is narrowed to; empty fields do not narrow, unknown values count as empty.

    `package` is an application id or `id:version`; `stale` picks nodes that have not taken their pool's change. `since`
    and `boot` are keys of `SPANS`: nodes that are in their state, or up, for longer. `busy`: tasks run; `used`: some
    ran.
    """

    words: str = ""
    pool: str = ""
    state: str = ""
    scheduling: str = ""
    kind: str = ""
    errors: str = ""
    start_task: str = ""
    package: str = ""
    size: str = ""
    agent: str = ""
    stale: str = ""
    since: str = ""
    boot: str = ""
    busy: str = ""
    used: str = ""
    sort: str = "id"

    @classmethod
    def parse(cls, parameters: Mapping[str, Any]) -> NodeSearch:
        """From `request.GET`, `request.query_params` or a dictionary."""

        def text(name: str) -> str:
            # No database takes NUL characters, and no name has any.
            return str(parameters.get(name, "") or "").replace("\0", "").strip()[:200]

        sort = text("sort")
        return cls(
            words=text("q"),
            pool=text("pool"),
            state=text("state"),
            scheduling=_known(text("scheduling"), ("enabled", "disabled")),
            kind=_known(text("kind"), ("dedicated", "spot")),
            errors=_known(text("errors"), YES_NO),
            start_task=_known(text("start_task"), START_TASKS),
            package=text("package"),
            size=text("size"),
            agent=text("agent"),
            stale=_known(text("stale"), YES_NO),
            since=_known(text("since"), SPANS),
            boot=_known(text("boot"), SPANS),
            busy=_known(text("busy"), YES_NO),
            used=_known(text("used"), YES_NO),
            sort=sort if sort.removeprefix("-") in SORTS else "id",
        )

    @property
    def any_state(self) -> NodeSearch:
        """The same without the state, for counting by state."""
        return replace(self, state="")


def node_search(*, actor: Actor, account: BatchAccount, search: NodeSearch) -> QuerySet[NodeSnapshot]:
    """The nodes asked for, in a total order. A pool that does not exist has no nodes."""
    found = pools.node_list(actor=actor, account=account)
    if search.pool:
        found = found.filter(pool__pool_id__iexact=search.pool)
    for word in search.words.split():
        found = found.filter(Q(node_id__icontains=word) | Q(ip_address__startswith=word))
    for column, value in (
        ("state", search.state),
        ("scheduling_state", search.scheduling),
        ("vm_size", search.size.lower()),
        ("agent_version", search.agent),
    ):
        if value:
            found = found.filter(**{column: value})
    if search.kind:
        found = found.filter(is_dedicated=search.kind == "dedicated")
    if search.errors:
        broken = ~Q(errors=[]) | Q(start_task_result="failure")
        found = found.filter(broken if search.errors == "yes" else ~broken)
    if search.start_task:
        found = found.filter(_start_task(search.start_task))
    found = _by_time_and_tasks(found, search)
    if search.package:
        found = found.filter(pool__in=_carrying(account, search.package))
    if search.stale:
        found = _stale(found, search.stale == "yes")
    return found.order_by(*_order(search.sort), "pk")


def _by_time_and_tasks(found: QuerySet[NodeSnapshot], search: NodeSearch) -> QuerySet[NodeSnapshot]:
    now = timezone.now()
    for column, span in (("state_since", search.since), ("last_boot", search.boot)):
        if span:
            found = found.filter(**{f"{column}__lte": now - SPANS[span]})
    for column, wanted in (("running_tasks", search.busy), ("total_tasks", search.used)):
        if wanted:
            found = found.filter(**{f"{column}__gt": 0} if wanted == "yes" else {column: 0})
    return found


def _stale(found: QuerySet[NodeSnapshot], wanted: bool) -> QuerySet[NodeSnapshot]:
    stale = pools.booted_before_change("last_boot", "pool__")
    return found.filter(stale) if wanted else found.exclude(pk__in=found.filter(stale).values("pk"))


def _start_task(wanted: str) -> Q:
    if wanted == "running":
        return Q(start_task_state="running")
    return Q(start_task_state="") if wanted == "none" else Q(start_task_result=wanted)


def _carrying(account: BatchAccount, package: str) -> list[int]:
    """Keys of the pools that reference an application, or one version of it."""
    application, _, version = package.partition(":")
    return [
        pool.pk
        for pool in PoolSnapshot.objects.filter(account=account).only("packages")
        if pools.references(pool, application, version)
    ]


def _order(sort: str) -> list[Any]:
    falling = sort.startswith("-")
    order: list[Any] = []
    for column in SORTS[sort.removeprefix("-")]:
        if column in _NULLABLE:
            order.append(F(column).desc(nulls_last=True) if falling else F(column).asc(nulls_last=True))
        else:
            order.append(f"-{column}" if falling else column)
    return order


def _known(value: str, admitted: Collection[str]) -> str:
    return value if value in admitted else ""


# --- Choices --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: what occurs in the account."""

    pools: list[str]
    sizes: list[str]
    agents: list[str]
    packages: list[str]


def choices(*, actor: Actor, account: BatchAccount, pool: str = "") -> Choices:
    nodes = pools.node_list(actor=actor, account=account)
    rows = pools.pool_list(actor=actor, account=account).values_list("pool_id", "vm_size", "packages")
    if pool:
        nodes = nodes.filter(pool__pool_id__iexact=pool)
    known = list(rows)
    agents = nodes.order_by().exclude(agent_version="").values_list("agent_version", flat=True).distinct()
    packages = {
        f"{name}:{version}" if version else name
        for pool_id, _size, carried in known
        for name, version in carried
        if not pool or pool_id.lower() == pool.lower()
    }
    return Choices(
        pools=sorted(pool_id for pool_id, _size, _packages in known),
        sizes=sorted({size for _pool, size, _packages in known if size}),
        agents=sorted(agents, reverse=True),
        packages=sorted(packages, key=str.lower),
    )


# --- Selection ------------------------------------------------------------------------------------------------------
def selected(*, actor: Actor, account: BatchAccount, data: QueryDict) -> QuerySet[NodeSnapshot]:
    """The nodes that a form names: `node` (pool/node) repeated, or with `all` every node that `query` matches.

    Raises `Invalid` (`nodes-none`, `nodes-too-many`). Nodes that are gone by now are left out.
    """
    if data.get("all"):
        search = NodeSearch.parse(QueryDict(data.get("query", "")).dict())
        found = node_search(actor=actor, account=account, search=search)
    else:
        found = named(actor=actor, account=account, names=data.getlist("node"))
    count = found.count()
    if not count:
        raise Invalid("nodes-none", field="node")
    if count > MOST:
        raise Invalid("nodes-too-many", field="node", most=MOST)
    return found


def named(*, actor: Actor, account: BatchAccount, names: list[str]) -> QuerySet[NodeSnapshot]:
    """Nodes by "pool/node"."""
    by_pool: dict[str, list[str]] = {}
    for name in names:
        pool, _, node = name.replace("\0", "").partition("/")
        by_pool.setdefault(pool.lower(), []).append(node)
    wanted = Q(pk__in=[])
    for pool, nodes in by_pool.items():
        wanted |= Q(pool__pool_id__iexact=pool, node_id__in=nodes)
    return pools.node_list(actor=actor, account=account).filter(wanted).order_by("pool__pool_id", "node_id")
