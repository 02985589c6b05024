"""The account at a glance. What Azure must be asked for comes as fragments after the page."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from apps.accounts.presentation import node_states, node_total, quota_rows
from apps.accounts.selectors import account_properties, account_properties_known, account_usage, node_counts
from apps.accounts.views.shared import address, again_query, asks_again
from apps.applications.listing import application_list
from apps.core.exceptions import PortalError
from apps.core.views import PortalView
from apps.operations.models import ACTIVE
from apps.operations.presentation import shown
from apps.operations.selectors import operation_list
from apps.people.roles import Permission


class OverviewView(PortalView):
    """What is known at once: the last known properties, and our own operations."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        properties = account_properties_known(actor=self.actor, account=self.account)
        recent = operation_list(actor=self.actor).filter(account=self.account)
        context = {
            "properties": properties,
            "running": recent.filter(status__in=ACTIVE).count(),
            "recent": [shown(one) for one in recent[:5]],
            "may_manage": self.actor.may(Permission.MANAGE_ACCOUNT, self.account),
            "again": again_query(request),
        }
        return self.page("accounts/overview.html", context)


class FactsView(PortalView):
    """Fragment: endpoints, region, storage account, as Azure gives them now."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        properties = account_properties(actor=self.actor, account=self.account, again=asks_again(request))
        may_manage = self.actor.may(Permission.MANAGE_ACCOUNT, self.account)
        return self.page("accounts/_facts.html", {"properties": properties, "may_manage": may_manage, "asked": True})


class ApplicationsTileView(PortalView):
    """Fragment: "7 of 20" and what is wrong with the storage account, if anything."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        try:
            found = application_list(actor=self.actor, account=self.account, fresh=asks_again(request))
        except PortalError as error:
            return self.page("accounts/_tile_applications.html", {"problem": error})
        return self.page("accounts/_tile_applications.html", {"found": found})


class NodesTileView(PortalView):
    """Fragment: pools and nodes by state."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        reading = node_counts(actor=self.actor, account=self.account, again=asks_again(request))
        context: dict[str, Any] = {"reading": reading}
        if reading.value is not None:
            context |= {"states": node_states(reading.value), "total": node_total(reading.value)}
        return self.page("accounts/_tile_nodes.html", context)


class QuotasView(PortalView):
    """Fragment: quotas with what is in use."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        properties = account_properties(actor=self.actor, account=self.account)
        context: dict[str, Any] = {"properties": properties, "url": address(self.account, "quotas")}
        if properties.value is not None:
            usage = account_usage(
                actor=self.actor, account=self.account, properties=properties.value, again=asks_again(request)
            )
            context |= {
                "usage": usage,
                "quotas": quota_rows(properties.value, usage.value, self._applications()),
                "families": sorted(properties.value.core_quota_per_family.items())
                if properties.value.per_family_enforced
                else [],
            }
        return self.page("accounts/_quotas.html", context)

    def _applications(self) -> int | None:
        try:
            return len(application_list(actor=self.actor, account=self.account).rows)
        except PortalError:
            return None
