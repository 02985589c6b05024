from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext

from apps.applications.names import changes_on_linux, linux_variable, windows_variable
from apps.applications.selectors import ApplicationDetails, PackageDetails, application_get
from apps.applications.services import package_activate, package_delete
from apps.applications.views.details import change_refused
from apps.applications.views.jobs import jobs
from apps.applications.views.shared import AccountView, Question, require_typed
from apps.applications.views.uses import uses_context, uses_items, uses_of, uses_warning
from apps.core.exceptions import NotPermitted, PortalError
from apps.people.roles import Permission


class PackageDetailView(AccountView):
    """One package: its facts, its environment variables and, loaded after the page, its contents."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, _request: Any, application: str, version: str, **_: Any) -> HttpResponse:
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        package = found.package(version)
        context = {
            "found": found,
            "package": package,
            "jobs": jobs(self.account, [package.operation] if package.operation else []),
            "change_refused": change_refused(found),
            "activate_refused": _activate_refused(found),
            "variables": _variables(found, package),
            **uses_context(self, uses_of(self, found.id, package.version, is_default=package.is_default)),
            "changed_on_linux": changes_on_linux(f"{package.application_id}{package.version}"),
        }
        return self.page("applications/package.html", context)


class PackageDeleteView(AccountView):
    """Delete a package after its name was typed."""

    permission = Permission.UPLOAD_PACKAGES
    http_method_names = ["get", "head", "post"]

    def get(self, _request: Any, application: str, version: str, **_: Any) -> HttpResponse:
        return self.confirm_page(self._question(application, version))

    def post(self, request: Any, application: str, version: str, **_: Any) -> HttpResponse:
        try:
            require_typed(request, version)
            operation = package_delete(
                actor=self.actor, account=self.account, application_id=application, version=version
            )
        except PortalError as error:
            return self.confirm_page(self._question(application, version), error, request.POST.get("confirm", ""))
        return self.to_operation(operation)

    def _question(self, application: str, version: str) -> Question:
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        package = found.package(version)
        if not found.may_touch:
            raise NotPermitted(permission=Permission.MANAGE_APPLICATIONS.label)
        uses = uses_of(self, found.id, package.version, is_default=package.is_default)
        return Question(
            title=gettext("Delete package %(package)s") % {"package": f"{found.id} {package.version}"},
            text=gettext(
                "The package and its zip in blob storage are deleted. Nodes that installed it keep their copy."
            ),
            submit_label=gettext("Delete package"),
            action=self.address("package-delete", application=found.id, version=package.version),
            cancel_url=self.address("detail", application=found.id),
            application_id=found.id,
            name=package.version,
            items=[f"{found.id} {package.version}", *uses_items(uses)],
            warning=" ".join(filter(None, (uses_warning(uses), _default_warning(found, package)))),
            blocked="" if found.allow_updates else change_refused(found),
        )


class PackageActivateView(AccountView):
    """Activate a Pending package whose bytes are in blob storage already."""

    permission = Permission.UPLOAD_PACKAGES
    http_method_names = ["post"]

    def post(self, _request: Any, application: str, version: str, **_: Any) -> HttpResponse:
        operation = package_activate(
            actor=self.actor, account=self.account, application_id=application, version=version
        )
        return self.to_operation(operation)


def _variables(found: ApplicationDetails, package: PackageDetails) -> list[dict[str, str]]:
    """The variables that lead to the unpacked package on a node, for both systems."""
    names = [
        {"label": gettext("Linux"), "name": linux_variable(found.id, package.version)},
        {"label": gettext("Windows"), "name": windows_variable(found.id, package.version)},
    ]
    if package.is_default:
        names += [
            {"label": gettext("Linux, as the default version"), "name": linux_variable(found.id)},
            {"label": gettext("Windows, as the default version"), "name": windows_variable(found.id)},
        ]
    return names


def _activate_refused(found: ApplicationDetails) -> str:
    """Activating changes no bytes, so the service admits it whether or not updates are allowed."""
    return "" if found.may_add else change_refused(found)


def _default_warning(found: ApplicationDetails, package: PackageDetails) -> str:
    if not package.is_default:
        return ""
    return gettext(
        "%(version)s is the default version. It will be cleared: pools and tasks that name %(application)s without a "
        "version find no package until you choose another default."
    ) % {"version": package.version, "application": found.id}
