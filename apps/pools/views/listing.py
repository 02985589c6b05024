from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from apps.core.csv_export import csv_response
from apps.core.http import unless_known
from apps.people.roles import Permission
from apps.pools.models import PoolSnapshot
from apps.pools.presentation import fleet_version, pool_rows
from apps.pools.selectors import Fleet, PoolSearch, fleet, package_name, pool_list, pool_search
from apps.pools.views.shared import FleetView

PAGE_SIZE = 50


class PoolListView(FleetView):
    """The Pools blade, from the picture that the poller keeps."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        self.look()
        state = fleet(actor=self.actor, account=self.account)
        version = fleet_version(state, self.actor.role_on(self.account))
        return unless_known(request, version, lambda: self._list(request, state))

    def _list(self, request: HttpRequest, state: Fleet) -> HttpResponse:
        found = pool_search(actor=self.actor, account=self.account, search=PoolSearch.parse(request.GET))
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        page.object_list = pool_rows(page.object_list)  # type: ignore[assignment]
        context = {
            "page": page,
            "fleet": state,
            "filters": self._filters(),
            "sorts": _sorts(),
            "csv_url": f"{self.address('list-csv')}?{request.GET.urlencode()}",
            "may_operate": self.actor.may(Permission.OPERATE, self.account),
            "may_price": self.actor.may(Permission.MANAGE_ACCOUNT, self.account),
        }
        return self.page_or_fragment("pools/list.html", "pools/_list.html", context)

    def _filters(self) -> list[dict[str, Any]]:
        known = pool_list(actor=self.actor, account=self.account).values_list("vm_size", "packages")
        sizes = sorted({size for size, _packages in known if size})
        names = sorted({package_name(*reference) for _size, packages in known for reference in packages}, key=str.lower)
        seldom = [
            ("size", _("VM size"), [(size, size) for size in sizes]),
            ("package", _("Package"), [(name, name.replace(":", " ")) for name in names]),
        ]
        return [
            *_filters(),
            *(
                {"name": name, "label": label, "choices": offered, "seldom": True}
                for name, label, offered in seldom
                if offered
            ),
        ]


class PoolListCsvView(FleetView):
    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_more: Any) -> HttpResponseBase:
        found = pool_search(actor=self.actor, account=self.account, search=PoolSearch.parse(request.GET))
        return csv_response(f"{self.account.name}-pools", _heads(), _lines(found.iterator()))


def _filters() -> list[dict[str, Any]]:
    states = [
        ("steady", _("Steady")),
        ("resizing", _("Resizing")),
        ("stopping", _("Stopping")),
        ("deleting", _("Deleting")),
    ]
    scales = [("fixed", _("Fixed")), ("auto", _("Automatic"))]
    troubles = [
        ("resize", _("Resize errors")),
        ("auto", _("Errors of automatic scaling")),
        ("stale", _("Nodes without the last change")),
        ("nodes", _("Nodes that need a look")),
    ]
    return [
        {"name": "state", "label": _("State"), "choices": states},
        {"name": "scale", "label": _("Scaling"), "choices": scales},
        {"name": "trouble", "label": _("Trouble"), "choices": troubles},
    ]


def _sorts() -> list[tuple[str, str]]:
    """All orders, for phones; the heads of the table have most of them."""
    return [
        ("id", _("Pool ID")),
        ("state", _("State")),
        ("allocation", _("Allocation")),
        ("dedicated", _("Dedicated nodes")),
        ("spot", _("Spot nodes")),
        ("size", _("VM size")),
        ("image", _("Image")),
        ("created", _("Created")),
    ]


def _heads() -> list[str]:
    return [
        _("Pool ID"),
        _("Display name"),
        _("State"),
        _("Allocation state"),
        _("VM size"),
        _("Image"),
        _("Dedicated nodes"),
        _("Target dedicated nodes"),
        _("Spot nodes"),
        _("Target Spot nodes"),
        _("Automatic scaling"),
        _("Application packages"),
        _("Created"),
    ]


def _lines(pools: Iterator[PoolSnapshot]) -> Iterator[list[Any]]:
    for pool in pools:
        yield [
            pool.pool_id,
            pool.display_name,
            pool.state,
            pool.allocation_state,
            pool.vm_size,
            pool.image,
            pool.current_dedicated,
            pool.target_dedicated,
            pool.current_spot,
            pool.target_spot,
            pool.auto_scale,
            ", ".join(f"{application} {version}".strip() for application, version in pool.packages),
            pool.created,
        ]
