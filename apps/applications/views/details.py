from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from apps.applications.conflicts import operations_of
from apps.applications.forms import SettingsForm, TeamForm, show_error
from apps.applications.listing import natural_key, sorted_by
from apps.applications.names import linux_variable, name_key, windows_variable
from apps.applications.ownership import owner_of
from apps.applications.selectors import ApplicationDetails, PackageDetails, application_get, check_address
from apps.applications.services import application_delete, application_update, owner_assign
from apps.applications.views.jobs import jobs
from apps.applications.views.shared import AccountView, Question, require_typed
from apps.applications.views.uses import uses_context, uses_items, uses_of, uses_warning
from apps.core.csv_export import csv_response
from apps.core.exceptions import NotPermitted, NotVisible, PortalError
from apps.core.http import go_to
from apps.people.roles import Permission

PAGE_SIZE = 50
SORTS: dict[str, Callable[[PackageDetails], Any]] = {
    "version": lambda one: natural_key(one.version),
    "state": lambda one: one.state,
    "size": lambda one: one.size,
    "activation": lambda one: one.last_activation,
    "uploader": lambda one: one.record.uploaded_by_name.lower() if one.record else None,
}


class ApplicationDetailView(AccountView):
    """One application: its packages, settings, environment variable and running operations."""

    permission = {"get": Permission.VIEW_APPLICATIONS, "post": Permission.UPLOAD_PACKAGES}
    http_method_names = ["get", "head", "post"]

    def get(self, _request: Any, application: str, **_: Any) -> HttpResponse:
        try:
            found = application_get(actor=self.actor, account=self.account, application_id=application)
        except NotVisible:
            return self._coming(application)
        return self._show(found, _settings_form(found))

    def _coming(self, application: str) -> HttpResponse:
        """An application that its first upload has not made yet. Raises `NotVisible` where there is none either."""
        check_address(application)
        running = list(operations_of(account=self.account, application_id=application))
        if not running:
            raise NotVisible("application-gone", application=application)
        context = {"application_id": application, "jobs": jobs(self.account, running)}
        return self.page("applications/coming.html", context)

    def post(self, request: Any, application: str, **_: Any) -> HttpResponse:
        """Save the settings."""
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        form = _settings_form(found, request.POST)
        if not form.is_valid():
            return self._show(found, form, 422)
        try:
            application_update(actor=self.actor, account=self.account, application_id=found.id, **form.cleaned_data)
        except PortalError as error:
            show_error(form, error)
            return self._show(found, form, error.status)
        messages.success(request, gettext("The settings of %(application)s are saved.") % {"application": found.id})
        return go_to(request, self.address("detail", application=found.id))

    def _show(self, found: ApplicationDetails, form: SettingsForm, status: int = 200) -> HttpResponse:
        context = {
            "found": found,
            "form": form,
            "jobs": jobs(self.account, found.operations),
            "linux_variable": linux_variable(found.id),
            "windows_variable": windows_variable(found.id),
            "may_assign": self.actor.may(Permission.MANAGE_APPLICATIONS, self.account),
            "add_refused": add_refused(found),
            "change_refused": change_refused(found),
            "page": Paginator(_sorted(found.packages, self.request.GET.get("sort", "")), PAGE_SIZE).get_page(
                self.request.GET.get("page")
            ),
            "read_at": timezone.now(),
            "csv_url": self.address("packages-csv", application=found.id),
            **uses_context(self, uses_of(self, found.id)),
        }
        return self.page("applications/detail.html", context, status)


class ApplicationTeamView(AccountView):
    """Assign the owning team."""

    permission = Permission.MANAGE_APPLICATIONS
    http_method_names = ["get", "head", "post"]

    def get(self, _request: Any, application: str, **_: Any) -> HttpResponse:
        check_address(application)
        owner = owner_of(account=self.account, application_id=application)
        return self._show(application, TeamForm(initial={"team": owner.team if owner else None}))

    def post(self, request: Any, application: str, **_: Any) -> HttpResponse:
        form = TeamForm(request.POST)
        if not form.is_valid():
            return self._show(application, form, 422)
        team = form.cleaned_data["team"]
        try:
            owner_assign(actor=self.actor, account=self.account, application_id=application, team=team)
        except PortalError as error:
            show_error(form, error)
            return self._show(application, form, error.status)
        said = (
            gettext("%(application)s now belongs to the team %(team)s.")
            if team
            else gettext("%(application)s now has no team.")
        )
        messages.success(request, said % {"application": application, "team": team})
        return go_to(request, self.address("detail", application=application))

    def _show(self, application: str, form: TeamForm, status: int = 200) -> HttpResponse:
        return self.page("applications/team.html", {"application_id": application, "form": form}, status)


class ApplicationDeleteView(AccountView):
    """Delete an application, together with the packages that the page names."""

    permission = Permission.UPLOAD_PACKAGES
    http_method_names = ["get", "head", "post"]

    def get(self, _request: Any, application: str, **_: Any) -> HttpResponse:
        return self.confirm_page(self._question(application))

    def post(self, request: Any, application: str, **_: Any) -> HttpResponse:
        try:
            require_typed(request, application)
            operation = application_delete(
                actor=self.actor,
                account=self.account,
                application_id=application,
                versions=request.POST.getlist("version"),
            )
        except PortalError as error:
            return self.confirm_page(self._question(application), error, request.POST.get("confirm", ""))
        return self.to_operation(operation)

    def _question(self, application: str) -> Question:
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        if not found.may_touch:
            raise NotPermitted(permission=Permission.MANAGE_APPLICATIONS.label)
        versions = sorted(one.version for one in found.packages)
        uses = uses_of(self, found.id)
        return Question(
            title=gettext("Delete application %(application)s") % {"application": found.id},
            text=_deleted_text(len(versions)),
            submit_label=gettext("Delete application"),
            action=self.address("delete", application=found.id),
            cancel_url=self.address("detail", application=found.id),
            application_id=found.id,
            name=found.id,
            items=[*(f"{found.id} {version}" for version in versions), *uses_items(uses)],
            warning=uses_warning(uses),
            versions=versions,
            blocked=_updates_off(found.id) if versions and not found.allow_updates else "",
        )


class PackagesCsvView(AccountView):
    """The packages of one application as CSV."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, _request: Any, application: str, **_: Any) -> HttpResponseBase:
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        heads = [
            gettext("Version"),
            gettext("State"),
            gettext("Format"),
            gettext("Size in bytes"),
            gettext("Last activation"),
            gettext("Uploaded by"),
            gettext("Uploaded"),
            gettext("SHA-256"),
            gettext("Default version"),
        ]
        return csv_response(f"{self.account.name}-{found.id}", heads, _csv_rows(found.packages))


def _sorted(packages: list[PackageDetails], order: str) -> list[PackageDetails]:
    """As the address asks; by default newest activation first, which is how they come."""
    value = SORTS.get(order.removeprefix("-"))
    return sorted_by(packages, value, reverse=order.startswith("-")) if value else packages


def _deleted_text(count: int) -> str:
    if not count:
        return gettext("The application has no packages.")
    text = ngettext(
        "This package and its zip are deleted first, then the application. Nodes that installed it keep their copy.",
        "These %(count)s packages and their zips are deleted first, then the application. Nodes that installed them "
        "keep their copies.",
        count,
    )
    return text % {"count": count}


def _csv_rows(packages: Iterable[PackageDetails]) -> Iterator[list[Any]]:
    for one in packages:
        record = one.record
        yield [
            one.version,
            one.state,
            one.format,
            one.size,
            one.last_activation,
            record.uploaded_by_name if record else None,
            record.uploaded_at if record else None,
            record.sha256 if record else None,
            one.is_default,
        ]


def _settings_form(found: ApplicationDetails, data: Any = None) -> SettingsForm:
    initial = {
        "display_name": found.display_name,
        "default_version": found.default_version,
        "allow_updates": found.allow_updates,
    }
    versions = found.active_versions
    # A default version that is not Active any more stays a choice, or saving the form would change it unasked.
    if found.default_version and name_key(found.default_version) not in map(name_key, versions):
        versions = [found.default_version, *versions]
    return SettingsForm(data, initial=initial, versions=versions)


def add_refused(found: ApplicationDetails) -> str:
    """Why this person cannot add a package now, or nothing."""
    if not found.managed:
        return gettext("The account is connected by shared key, which cannot add packages.")
    if not found.may_touch:
        return _not_yours(found)
    if found.quota.reached:
        return gettext("The application has as many packages as Batch allows. Delete one first.")
    return ""


def change_refused(found: ApplicationDetails) -> str:
    """Why packages of this application can be neither replaced nor deleted by this person now, or nothing."""
    if not found.managed:
        return gettext("The account is connected by shared key, which cannot change packages.")
    if not found.may_touch:
        return _not_yours(found)
    return "" if found.allow_updates else _updates_off(found.id)


def _not_yours(found: ApplicationDetails) -> str:
    if found.team:
        return gettext("The application belongs to the team %(team)s.") % {"team": found.team}
    return gettext("No team owns the application; only administrators of the account may change it.")


def _updates_off(application_id: str) -> str:
    return gettext(
        "Updates of %(application)s are not allowed: existing packages can be neither replaced nor deleted."
    ) % {"application": application_id}
