from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from apps.applications.listing import ApplicationList, ApplicationQuery, ApplicationRow, application_list, rows_matching
from apps.applications.ownership import teams_for_new
from apps.applications.views.jobs import jobs
from apps.applications.views.shared import AccountView
from apps.core.csv_export import csv_response
from apps.people.roles import Permission

PAGE_SIZE = 50


class ApplicationListView(AccountView):
    """The Applications blade."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_: Any) -> HttpResponse:
        found = application_list(actor=self.actor, account=self.account, fresh=_asks_again(request))
        query = ApplicationQuery.parse(request.GET)
        rows = rows_matching(found.rows, query)
        page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "found": found,
            "jobs": jobs(self.account, found.coming),
            "page": page,
            "filters": _filters(found),
            "csv_url": f"{self.address('list-csv')}?{request.GET.urlencode()}",
            "new_refused": self._new_refused(found),
            "may_manage": self.actor.may(Permission.MANAGE_ACCOUNT, self.account),
        }
        return self.page("applications/list.html", context)

    def _new_refused(self, found: ApplicationList) -> str:
        """Why this person cannot make an application now, or nothing."""
        if not self.actor.may(Permission.UPLOAD_PACKAGES, self.account):
            return gettext("Your role on this account only allows reading. Ask an administrator for the role Uploader.")
        if not teams_for_new(actor=self.actor, account=self.account) and not self._is_administrator():
            return gettext("You belong to no team yet. Ask an administrator to add you to one.")
        if not found.managed:
            return gettext("The account is connected by shared key, which cannot create applications.")
        if found.storage_missing:
            return gettext("No storage account is linked.")
        if found.quota.reached:
            return gettext("The quota of applications is used up. Delete one, or ask Azure support for more.")
        return ""

    def _is_administrator(self) -> bool:
        return self.actor.may(Permission.MANAGE_APPLICATIONS, self.account)


class ApplicationListCsvView(AccountView):
    """All rows that the blade's filters leave, on one sheet."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_: Any) -> HttpResponseBase:
        found = application_list(actor=self.actor, account=self.account)
        rows = rows_matching(found.rows, ApplicationQuery.parse(request.GET))
        return csv_response(f"{self.account.name}-applications", _csv_heads(), _csv_rows(rows))


def _asks_again(request: HttpRequest) -> bool:
    """Whether the page's Refresh was pressed: htmx asks for the very address that is shown."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and htmx.current_url_abs_path == request.get_full_path()


def _filters(found: ApplicationList) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = []
    if teams := found.teams:
        choices = [(team.slug, team.name) for team in teams]
        filters.append({"name": "team", "label": gettext("Team"), "choices": [*choices, ("-", gettext("No team"))]})
    if found.managed:
        updates = [("yes", gettext("Yes")), ("no", gettext("No"))]
        packages = [("some", gettext("Some Active")), ("none", gettext("None Active"))]
        filters.append({"name": "updates", "label": gettext("Allow updates"), "choices": updates})
        filters.append({"name": "packages", "label": gettext("Packages"), "choices": packages})
    return filters


def _csv_heads() -> list[str]:
    return [
        gettext("Application ID"),
        gettext("Display name"),
        gettext("Active packages"),
        gettext("Default version"),
        gettext("Allow updates"),
        gettext("Size in bytes"),
        gettext("Last upload"),
        gettext("Owning team"),
        gettext("Versions"),
    ]


def _csv_rows(rows: Iterable[ApplicationRow]) -> Iterator[list[Any]]:
    for row in rows:
        yield [
            row.id,
            row.display_name,
            row.packages,
            row.default_version,
            row.allow_updates,
            row.size if row.sized else None,
            row.last_upload,
            row.team,
            " ".join(row.versions or ()),
        ]
