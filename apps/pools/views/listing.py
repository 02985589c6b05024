from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from apps.core.csv_export import csv_response
from apps.people.roles import Permission
from apps.pools.models import PoolSnapshot
from apps.pools.presentation import pool_rows
from apps.pools.selectors import PoolSearch, fleet, pool_search
from apps.pools.views.shared import FleetView

PAGE_SIZE = 50


class PoolListView(FleetView):
    """The Pools blade, from the picture that the poller keeps."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        self.look()
        found = pool_search(actor=self.actor, account=self.account, search=search_of(request))
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        page.object_list = pool_rows(page.object_list)  # type: ignore[assignment]
        context = {
            "page": page,
            "fleet": fleet(actor=self.actor, account=self.account),
            "filters": _filters(),
            "csv_url": f"{self.address('list-csv')}?{request.GET.urlencode()}",
            "may_operate": self.actor.may(Permission.OPERATE, self.account),
            "may_price": self.actor.may(Permission.MANAGE_ACCOUNT, self.account),
        }
        return self.page("pools/list.html", context)


class PoolListCsvView(FleetView):
    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_more: Any) -> HttpResponseBase:
        found = pool_search(actor=self.actor, account=self.account, search=search_of(request))
        return csv_response(f"{self.account.name}-pools", _heads(), _lines(found.iterator()))


def search_of(request: HttpRequest) -> PoolSearch:
    query = request.GET
    return PoolSearch(
        words=query.get("q", "")[:200],
        state=query.get("state", ""),
        scale=query.get("scale", ""),
        trouble=query.get("trouble", ""),
        order=query.get("sort", ""),
    )


def _filters() -> list[dict[str, Any]]:
    states = [
        ("steady", _("Steady")),
        ("resizing", _("Resizing")),
        ("stopping", _("Stopping")),
        ("deleting", _("Deleting")),
    ]
    scales = [("fixed", _("Fixed")), ("auto", _("Automatic"))]
    troubles = [("resize", _("Resize errors")), ("auto", _("Errors of automatic scaling"))]
    return [
        {"name": "state", "label": _("State"), "choices": states},
        {"name": "scale", "label": _("Scaling"), "choices": scales},
        {"name": "trouble", "label": _("Trouble"), "choices": troubles},
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
