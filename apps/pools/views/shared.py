"""What the views of this app share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Min
from django.http import HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.core.http import go_to
from apps.core.views import PortalView
from apps.nodes.states import state_label
from apps.operations.models import ACTIVE, Operation
from apps.operations.presentation import shown
from apps.operations.selectors import operation_list
from apps.people.roles import Permission
from apps.pools import polling
from apps.pools.models import PoolSnapshot
from apps.pools.presentation import changes_since, pool_row
from apps.pools.selectors import fleet, node_counts, pool_snapshot, stale_nodes
from apps.pools.services.creating import pool_key

MOST_NAMED = 20


class FleetView(PortalView):
    """A page of an account's pools. Looking at it keeps the picture of the account fresh."""

    abstract = True

    def look(self) -> None:
        polling.watch(self.account)

    def address(self, name: str, **parts: str) -> str:
        return reverse(f"pools:{name}", kwargs={"account": self.account.slug, **parts})

    def done(self, text: str, url: str) -> HttpResponse:
        messages.success(self.request, text)
        return go_to(self.request, url)

    def to_operation(self, operation: Operation) -> HttpResponse:
        return go_to(self.request, reverse("operations:detail", kwargs={"operation": operation.pk}))


class PoolView(FleetView):
    """A page of one pool, named `pool` in the address. `tab` is the one that is shown."""

    abstract = True
    tab = ""
    template = ""

    def snapshot(self) -> PoolSnapshot:
        return pool_snapshot(actor=self.actor, account=self.account, pool_id=self.kwargs["pool"])

    def pool_page(
        self, context: Mapping[str, Any] | None = None, *, pool: PoolSnapshot | None = None, status: int = 200
    ) -> HttpResponse:
        self.look()
        pool = pool or self.snapshot()
        late = self.late(pool)
        busy = operation_list(actor=self.actor).filter(
            account=self.account, subject_key__startswith=pool_key(pool.pool_id), status__in=ACTIVE
        )
        shared = {
            "late": late,
            "pool": pool,
            "row": pool_row(pool, late["count"]),
            "fleet": fleet(actor=self.actor, account=self.account),
            "tabs": self.tabs(pool),
            "running": [shown(one) for one in busy if one.subject_key.split(":")[1] == pool.pool_id.lower()],
            "may_operate": self.actor.may(Permission.OPERATE, self.account),
            "nodes_url": nodes_url(self.account.slug, pool.pool_id),
        }
        return self.page(self.template, {**shared, **(context or {})}, status)

    def late(self, pool: PoolSnapshot) -> dict[str, Any]:
        """The nodes that have not taken the last change of what nodes take at their boot."""
        found = stale_nodes(pool)
        boots = found.aggregate(earliest=Min("last_boot"))
        query = urlencode({"pool": pool.pool_id, "stale": "yes"})
        act = reverse("nodes:act", kwargs={"account": self.account.slug, "action": "reboot"})
        return {
            "nodes": list(found.order_by("node_id")[:MOST_NAMED]),
            "count": found.count(),
            "states": [(state_label(state), count) for state, count in sorted(node_counts(found).items())],
            "changes": changes_since(pool, boots["earliest"]),
            "url": nodes_url(self.account.slug, pool.pool_id, stale="yes"),
            "reboot_url": f"{act}?{urlencode({'all': '1', 'query': query})}",
        }

    def tabs(self, pool: PoolSnapshot) -> list[dict[str, Any]]:
        found: list[tuple[str, str, str, int | None]] = [
            ("detail", _("Overview"), self.address("detail", pool=pool.pool_id), None),
            ("scale", _("Scale"), self.address("scale", pool=pool.pool_id), None),
            ("start-task", _("Start task"), self.address("start-task", pool=pool.pool_id), None),
            ("packages", _("Application packages"), self.address("packages", pool=pool.pool_id), len(pool.packages)),
            ("configuration", _("Configuration"), self.address("configuration", pool=pool.pool_id), None),
        ]
        if nodes := nodes_url(self.account.slug, pool.pool_id):
            found.insert(1, ("nodes", _("Nodes"), nodes, pool.current_nodes))
        return [
            {"label": label, "href": href, "current": key == self.tab, "count": count}
            for key, label, href, count in found
        ]


def nodes_url(slug: str, pool_id: str, **more: str) -> str:
    """The nodes blade narrowed to a pool."""
    try:
        url = reverse("nodes:list", kwargs={"account": slug}, query={"pool": pool_id, **more})
    except NoReverseMatch:
        return ""
    return url
