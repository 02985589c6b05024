from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import AuthMethod, BatchAccount
from apps.accounts.selectors import account_locations, account_search
from apps.accounts.snapshots import unpacked
from apps.core.csv_export import csv_response
from apps.core.views import PortalView
from apps.people.roles import Permission

PAGE_SIZE = 50


class AccountListView(PortalView):
    """The Batch accounts somebody has a role on."""

    permission = Permission.SIGNED_IN
    http_method_names = ["get", "head"]

    def get(self, request: Any) -> HttpResponseBase:
        query = request.GET
        found = account_search(
            actor=self.actor,
            words=query.get("q", "")[:200],
            location=query.get("location", ""),
            method=query.get("method", ""),
            order=query.get("sort", ""),
        )
        if query.get("format") == "csv":
            return self._csv(found)
        page = Paginator(found, PAGE_SIZE).get_page(query.get("page"))
        rows = [self._row(account) for account in page.object_list]
        may_connect = self.actor.may(Permission.MANAGE_PORTAL)
        context = {
            "page": page,
            "rows": rows,
            "filters": self._filters(),
            "may_connect": may_connect,
            **self._first_step(may_connect),
        }
        return self.page("accounts/list.html", context)

    def _row(self, account: BatchAccount) -> dict[str, Any]:
        kept = unpacked(account.snapshot)
        return {
            "account": account,
            "role": self.actor.role_on(account),
            "storage": kept[0].auto_storage if kept else None,
            "storage_known": kept is not None,
            "seen_at": kept[1] if kept else None,
        }

    def _filters(self) -> list[dict[str, Any]]:
        locations = account_locations(actor=self.actor)
        return [
            {"name": "location", "label": _("Region"), "choices": [(name, name) for name in locations]},
            {"name": "method", "label": _("Sign-in"), "choices": AuthMethod.choices},
        ]

    def _first_step(self, may_connect: bool) -> dict[str, str]:
        if may_connect:
            return {
                "empty_text": _(
                    "Connect a Batch account once; teams then upload packages and follow their work here, "
                    "without a sign-in at Azure."
                ),
                "empty_action_label": _("Connect a Batch account"),
                "empty_action_href": reverse("accounts:connect"),
            }
        return {
            "empty_text": _("You have no role on a Batch account yet. Ask an administrator of the portal for one."),
            "empty_action_label": "",
            "empty_action_href": "",
        }

    def _csv(self, accounts: Any) -> HttpResponseBase:
        heads = [_("Display name"), _("Batch account"), _("Region"), _("Subscription ID"), _("Resource group"),
                 _("Sign-in"), _("Batch endpoint"), _("Connected")]  # fmt: skip
        rows = (
            [str(one), one.name, one.location, one.subscription_id, one.resource_group, one.get_auth_method_display(),
             one.batch_endpoint, one.created_at]
            for one in accounts
        )  # fmt: skip
        return csv_response("batch-accounts", heads, rows)
