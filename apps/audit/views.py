"""The audit blade."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import BatchAccount
from apps.accounts.selectors import account_list
from apps.audit.actions import LABELS, action_label, details_of
from apps.audit.models import AuditEvent, Outcome
from apps.audit.selectors import EventFilter, event_list
from apps.core.csv_export import csv_response
from apps.core.views import PortalView
from apps.people.roles import Permission

PAGE_SIZE = 50
PERIODS = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
TONES = {Outcome.DONE: "success", Outcome.STARTED: "info", Outcome.REFUSED: "warning", Outcome.FAILED: "danger"}


class AuditView(PortalView):
    """Who did what, when and with which outcome; `?format=csv` gives the same rows for a spreadsheet."""

    abstract = True

    def subject(self) -> BatchAccount | None:
        return None

    def get(self, request: HttpRequest, **_kwargs: Any) -> HttpResponseBase:
        events = self._events()
        if request.GET.get("format") == "csv":
            return csv_response("audit", csv_heads(), csv_rows(events))
        page = Paginator(events, PAGE_SIZE).get_page(request.GET.get("page"))
        query = request.GET.copy()
        query["format"] = "csv"
        query.pop("page", None)
        context = {
            "page": page,
            "rows": [self._row(event) for event in page.object_list],
            "filters": self._filters(),
            "csv_url": f"?{query.urlencode()}",
        }
        return self.page("audit/list.html", context)

    def _events(self) -> QuerySet[AuditEvent]:
        query = self.request.GET
        period = PERIODS.get(query.get("period", ""))
        wanted = EventFilter(
            search=query.get("q", "")[:200],
            action=query.get("action", ""),
            outcome=query.get("outcome", ""),
            account=query.get("account", ""),
            since=timezone.now() - period if period else None,
        )
        return event_list(actor=self.actor, account=self.subject(), wanted=wanted, order=query.get("sort", ""))

    def _filters(self) -> list[dict[str, Any]]:
        periods = [("day", _("24 hours")), ("week", _("7 days")), ("month", _("30 days")), ("year", _("1 year"))]
        filters: list[dict[str, Any]] = [
            {"name": "action", "label": _("What"), "choices": sorted(LABELS.items(), key=lambda pair: str(pair[1]))},
            {"name": "outcome", "label": _("Outcome"), "choices": Outcome.choices},
            {"name": "period", "label": _("When"), "choices": periods},
        ]
        if self.subject() is None:
            accounts = [(account.slug, str(account)) for account in account_list(actor=self.actor)]
            filters.append({"name": "account", "label": _("Batch account"), "choices": accounts})
        return filters

    @staticmethod
    def _row(event: AuditEvent) -> dict[str, Any]:
        return {
            "event": event,
            "what": action_label(event.action),
            "details": details_of(event.values),
            "tone": TONES.get(Outcome(event.outcome), "neutral"),
        }


class PortalAuditView(AuditView):
    """Everything, sign-ins included."""

    permission = Permission.MANAGE_PORTAL


class AccountAuditView(AuditView):
    """What was done on one Batch account."""

    permission = Permission.MANAGE_ACCOUNT

    def subject(self) -> BatchAccount:
        return self.account


def csv_heads() -> list[str]:
    return [_("When (UTC)"), _("Who"), _("What"), _("On"), _("Batch account"), _("Outcome"), _("Details"), _("Code")]


def csv_rows(events: QuerySet[AuditEvent]) -> Iterator[list[Any]]:
    for event in events.iterator(chunk_size=2000):
        yield [
            event.at.astimezone(UTC),
            event.actor_name,
            action_label(event.action),
            event.resource,
            event.account_name,
            event.get_outcome_display(),
            "; ".join(f"{name}: {value}" for name, value in details_of(event.values)),
            event.action,
        ]
