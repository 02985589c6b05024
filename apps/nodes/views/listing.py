from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from apps.core.csv_export import csv_response
from apps.core.http import unless_known
from apps.nodes.listing import NodeSearch, choices, node_search
from apps.nodes.models import NodeSnapshot
from apps.nodes.states import NodeState, state_label, state_tone
from apps.nodes.views.shared import NodesView, short_id
from apps.people.roles import Permission
from apps.pools.polling import watch
from apps.pools.presentation import fleet_version
from apps.pools.selectors import Fleet, fleet, is_stale, node_counts

PAGE_SIZE = 50


class NodeListView(NodesView):
    """The Nodes blade."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_: Any) -> HttpResponse:
        watch(self.account)
        found = fleet(actor=self.actor, account=self.account)
        version = fleet_version(found, self.actor.role_on(self.account))
        return unless_known(request, version, lambda: self._list(request, found))

    def _list(self, request: Any, found: Fleet) -> HttpResponse:
        search = NodeSearch.parse(request.GET)
        nodes = node_search(actor=self.actor, account=self.account, search=search)
        counts = node_counts(node_search(actor=self.actor, account=self.account, search=search.any_state))
        page = Paginator(nodes, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "rows": [node_row(node) for node in page.object_list],
            "search": search,
            "chips": chips(counts, search.state),
            "all_count": sum(counts.values()),
            "summary": _summary(counts),
            "fleet": found,
            "filters": self._filters(search),
            "sorts": _sorts(),
            "query": request.GET.urlencode(),
            "pool_query": f"?{urlencode({'pool': search.pool})}" if search.pool else "",
            "csv_url": f"{self.address('list-csv')}?{request.GET.urlencode()}",
            "may_act": self.actor.may(Permission.OPERATE, self.account),
        }
        return self.page_or_fragment("nodes/list.html", "nodes/_list.html", context)

    def _filters(self, search: NodeSearch) -> list[dict[str, Any]]:
        found = choices(actor=self.actor, account=self.account, pool=search.pool)
        yes_no = [("yes", gettext("Yes")), ("no", gettext("No"))]
        states = [(state.value, state.label) for state in NodeState]
        start_tasks = [
            ("success", gettext("Succeeded")),
            ("failure", gettext("Failed")),
            ("running", gettext("Running")),
            ("none", gettext("None")),
        ]
        kinds = [("dedicated", gettext("Dedicated")), ("spot", gettext("Spot"))]
        scheduling = [("enabled", gettext("Enabled")), ("disabled", gettext("Disabled"))]
        spans = [
            ("10m", gettext("10 minutes")),
            ("1h", gettext("1 hour")),
            ("1d", gettext("1 day")),
            ("7d", gettext("7 days")),
        ]
        filters = [
            ("pool", gettext("Pool"), [(pool, pool) for pool in found.pools]),
            ("state", gettext("State"), states),
            ("errors", gettext("Errors"), yes_no),
            ("start_task", gettext("Start task"), start_tasks),
            ("stale", gettext("Waits for a reboot"), yes_no),
        ]
        seldom = [
            ("scheduling", gettext("Scheduling"), scheduling),
            ("kind", gettext("Kind"), kinds),
            ("size", gettext("VM size"), [(size, size) for size in found.sizes]),
            ("package", gettext("Package"), [(package, package.replace(":", " ")) for package in found.packages]),
            ("agent", gettext("Node agent"), [(agent, agent) for agent in found.agents]),
            ("since", gettext("In its state for over"), spans),
            ("boot", gettext("Up for over"), spans),
            ("busy", gettext("Runs tasks"), yes_no),
            ("used", gettext("Ever ran a task"), yes_no),
        ]
        return [
            {"name": name, "label": label, "choices": offered, "seldom": group is seldom}
            for group in (filters, seldom)
            for name, label, offered in group
            if offered
        ]


class NodeListCsvView(NodesView):
    """All nodes that the blade's filters leave, on one sheet."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_: Any) -> HttpResponseBase:
        nodes = node_search(actor=self.actor, account=self.account, search=NodeSearch.parse(request.GET))
        return csv_response(f"{self.account.name}-nodes", _csv_heads(), _csv_rows(nodes.iterator(chunk_size=1000)))


def _sorts() -> list[tuple[str, str]]:
    """All orders, for phones; the heads of the table have the same."""
    return [
        ("id", gettext("Node")),
        ("pool", gettext("Pool")),
        ("state", gettext("State")),
        ("since", gettext("In its state since")),
        ("scheduling", gettext("Scheduling")),
        ("address", gettext("Address")),
        ("size", gettext("VM size")),
        ("kind", gettext("Kind")),
        ("running", gettext("Running tasks")),
        ("total", gettext("Tasks in all")),
        ("boot", gettext("Last boot")),
        ("agent", gettext("Node agent")),
        ("start_task", gettext("Start task")),
    ]


def _summary(counts: dict[str, int]) -> str:
    """The nodes by state in one sentence, for who hears the page."""
    return ", ".join(f"{chip['count']} {chip['label']}" for chip in chips(counts, ""))


def chips(counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    """Counts by state in the order in which nodes pass through them, with their share of a bar 1000 wide."""
    order = {state.value: place for place, state in enumerate(NodeState)}
    total, at = sum(counts.values()), 0.0
    found = []
    for state, count in sorted(counts.items(), key=lambda item: order.get(item[0], len(order))):
        width = 1000 * count / total
        found.append(
            {
                "state": state,
                "label": state_label(state),
                "tone": state_tone(state),
                "count": count,
                "current": state == chosen,
                "at": f"{at:.2f}",
                "width": f"{width:.2f}",
            }
        )
        at += width
    return found


def node_row(node: NodeSnapshot) -> dict[str, Any]:
    """A node as the list shows it."""
    return {
        "node": node,
        "pool": node.pool,
        "key": f"{node.pool.pool_id}/{node.node_id}",
        "short": short_id(node.node_id),
        "label": state_label(node.state),
        "tone": state_tone(node.state),
        "stale": is_stale(node),
        "problems": _problems(node),
        "packages": [f"{name} {version}".strip() for name, version in node.pool.packages],
    }


def _problems(node: NodeSnapshot) -> list[str]:
    """Codes of the node's errors, each once with how often it is there."""
    codes = Counter(str(error.get("code", "")) for error in node.errors)
    if node.start_task_failure and node.start_task_result == "failure":
        codes[str(node.start_task_failure.get("code", ""))] += 1
    return [code if count == 1 else f"{code} × {count}" for code, count in codes.items()]


def _csv_heads() -> list[str]:
    return [
        gettext("Node ID"),
        gettext("Pool"),
        gettext("State"),
        gettext("In this state since"),
        gettext("Scheduling"),
        gettext("Private address"),
        gettext("Kind"),
        gettext("VM size"),
        gettext("Running tasks"),
        gettext("Running slots"),
        gettext("Slots"),
        gettext("Tasks in all"),
        gettext("Last boot"),
        gettext("Node agent"),
        gettext("Packages"),
        gettext("Start task"),
        gettext("Exit code"),
        gettext("Errors"),
    ]


def _csv_rows(nodes: Iterable[NodeSnapshot]) -> Iterator[list[Any]]:
    for node in nodes:
        yield [
            node.node_id,
            node.pool.pool_id,
            node.state,
            node.state_since,
            node.scheduling_state,
            node.ip_address,
            "dedicated" if node.is_dedicated else "spot",
            node.vm_size,
            node.running_tasks,
            node.running_slots,
            node.pool.task_slots,
            node.total_tasks,
            node.last_boot,
            node.agent_version,
            " ".join(f"{name}:{version}" if version else name for name, version in node.pool.packages),
            node.start_task_result or node.start_task_state,
            node.start_task_exit_code,
            " ".join(_problems(node)),
        ]
