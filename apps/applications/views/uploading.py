"""Pages that upload one package.

The upload client sends the form without the file and gets the address for the bytes; without script the same form goes
with its file as one request.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext

from apps.applications.forms import BeginForm, PackageForm, field_messages, show_error
from apps.applications.listing import application_list
from apps.applications.models import Upload, UploadAction
from apps.applications.names import (
    changes_on_linux,
    clean_application_id,
    clean_version,
    linux_variable,
    name_key,
    windows_variable,
)
from apps.applications.ownership import require_owner, teams_for_new
from apps.applications.selectors import ApplicationDetails, application_get, require_management_plane
from apps.applications.services import require_room
from apps.applications.uploads.receiving import receive
from apps.applications.uploads.services import upload_start
from apps.applications.views.details import add_refused, change_refused
from apps.applications.views.jobs import job_url
from apps.applications.views.shared import AccountView
from apps.core.exceptions import Conflict, Invalid, PortalError
from apps.core.http import go_to
from apps.people.roles import Permission


class UploadView(AccountView):
    """A page with the form of one package. Subclasses say what is asked and what the address decides."""

    abstract = True
    permission = Permission.UPLOAD_PACKAGES
    http_method_names = ["get", "head", "post"]
    action: ClassVar[UploadAction]
    asked: ClassVar[tuple[str, ...]]

    def get(self, _request: Any, **_: Any) -> HttpResponse:
        self.prepare()
        return self._show(self._form(PackageForm))

    def post(self, request: Any, **_: Any) -> HttpResponseBase:
        if "application/json" in request.headers.get("Accept", ""):
            return self._begin()
        return self._send()

    def prepare(self) -> None:
        """Look at what the page is about. Raises `PortalError` where the upload is refused whatever is typed."""

    def fixed(self) -> dict[str, str]:
        """Names that the address decides."""
        return {}

    def context(self) -> dict[str, Any]:
        return {}

    def _form(self, kind: type[PackageForm], data: Any = None, files: Any = None) -> PackageForm:
        return kind(
            data,
            files,
            asked=self.asked,
            teams=teams_for_new(actor=self.actor, account=self.account) if "team" in self.asked else [],
            team_required=not self.actor.may(Permission.MANAGE_APPLICATIONS, self.account),
        )

    def _begin(self) -> HttpResponse:
        """The form without its file, from the upload client: errors by field, or where the bytes go."""
        form = self._form(BeginForm, self.request.POST)
        upload = self._start(form) if form.is_valid() else None
        if upload is None:
            return JsonResponse({"errors": field_messages(form)}, status=422)
        return _begun(upload)

    def _send(self) -> HttpResponse:
        """The whole form, from a browser without script."""
        form = self._form(PackageForm, self.request.POST, self.request.FILES)
        upload = self._start(form) if form.is_valid() else None
        if upload is None:
            self.prepare()
            return self._show(form, 422)
        receive(upload, 0, form.cleaned_data["file"])
        return go_to(self.request, reverse("operations:detail", kwargs={"operation": upload.operation_id}))

    def _start(self, form: PackageForm) -> Upload | None:
        """The upload, or None with the reason at the form."""
        values = {name: value for name, value in form.cleaned_data.items() if name in {*self.asked, "display_name"}}
        try:
            return upload_start(
                actor=self.actor,
                account=self.account,
                action=self.action,
                filename=form.upload_name,
                length=form.upload_size,
                **(values | self.fixed()),
            )
        except PortalError as error:
            show_error(form, error)
            return None

    def _show(self, form: PackageForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "names_url": self.address("names"), "fixed": self.fixed()} | self.context()
        return self.page("applications/upload.html", context, status)


class ApplicationNewView(UploadView):
    """New application: ID, version, zip."""

    action = UploadAction.NEW_APPLICATION
    asked = ("application_id", "display_name", "version", "team", "sha256")

    def prepare(self) -> None:
        require_management_plane(self.account)
        require_room(account=self.account)
        if not teams_for_new(actor=self.actor, account=self.account) and not self._is_administrator():
            raise Invalid("team-none")

    def _is_administrator(self) -> bool:
        return self.actor.may(Permission.MANAGE_APPLICATIONS, self.account)

    def context(self) -> dict[str, Any]:
        return {
            "title": gettext("New application"),
            "submit_label": gettext("Create application"),
            "cancel_url": self.address("list"),
        }


class PackageAddView(UploadView):
    """Add package: version and zip; the application is given."""

    action = UploadAction.ADD
    asked = ("version", "sha256")
    found: ApplicationDetails

    def prepare(self) -> None:
        name = self.kwargs["application"]
        require_owner(actor=self.actor, account=self.account, application_id=name)
        self.found = application_get(actor=self.actor, account=self.account, application_id=name)
        if reason := add_refused(self.found):
            raise Conflict("package-refused", reason=reason)

    def fixed(self) -> dict[str, str]:
        return {"application_id": self.kwargs["application"]}

    def context(self) -> dict[str, Any]:
        return {
            "title": gettext("Add package"),
            "subtitle": self.found.id,
            "application_id": self.found.id,
            "submit_label": gettext("Add package"),
            "cancel_url": self.address("detail", application=self.found.id),
        }


class PackageUpdateView(UploadView):
    """Update package: only the zip."""

    action = UploadAction.UPDATE
    asked = ("sha256",)
    found: ApplicationDetails

    def prepare(self) -> None:
        name = self.kwargs["application"]
        require_owner(actor=self.actor, account=self.account, application_id=name)
        self.found = application_get(actor=self.actor, account=self.account, application_id=name)
        self.package = self.found.package(self.kwargs["version"])
        if reason := change_refused(self.found):
            raise Conflict("package-refused", reason=reason)

    def fixed(self) -> dict[str, str]:
        return {"application_id": self.kwargs["application"], "version": self.kwargs["version"]}

    def context(self) -> dict[str, Any]:
        replacing = not self.package.is_active
        return {
            "title": gettext("Replace package") if replacing else gettext("Update package"),
            "subtitle": f"{self.found.id} {self.package.version}",
            "application_id": self.found.id,
            "package": self.package,
            "submit_label": gettext("Replace package") if replacing else gettext("Update package"),
            "cancel_url": self.address("package", application=self.found.id, version=self.package.version),
        }


class NamesView(AccountView):
    """What the names in a form lead to, while they are typed: errors, clashes, environment variables."""

    permission = Permission.UPLOAD_PACKAGES
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_: Any) -> HttpResponse:
        application_id = request.GET.get("application_id", "").strip()
        version = request.GET.get("version", "").strip()
        new = "new" in request.GET
        context: dict[str, Any] = {
            "new": new,
            "id_problem": _problem(clean_application_id, application_id),
            "version_problem": _problem(clean_version, version),
        }
        if application_id and not (context["id_problem"] or context["version_problem"]):
            context |= {
                "linux": linux_variable(application_id, version),
                "windows": windows_variable(application_id, version),
                "changed": changes_on_linux(application_id + version),
                "id_problem" if new else "version_problem": self._taken(application_id, version, new=new),
            }
        return self.page("applications/_names.html", context)

    def _taken(self, application_id: str, version: str, *, new: bool) -> str:
        """A clash with what the account holds, as far as the last list tells; the upload itself asks again."""
        try:
            found = application_list(actor=self.actor, account=self.account)
        except PortalError:
            return ""  # Azure does not answer: a hint less
        row = next((row for row in found.rows if name_key(row.id) == name_key(application_id)), None)
        if row is None:
            return ""
        if new:
            text = gettext("The application %(name)s exists already. Add the package to it instead.")
            return text % {"name": row.id}
        if name_key(version) in map(name_key, row.versions or ()):
            return gettext("Version %(version)s exists already. Update it instead.") % {"version": version}
        return ""


def _problem(rule: Any, text: str) -> str:
    """Why a rule refuses the text; nothing while it is empty."""
    try:
        rule(text or "x")
    except Invalid as error:
        return error.message
    return ""


def _begun(upload: Upload) -> JsonResponse:
    operation = upload.operation
    location = f"/api/v1/uploads/{upload.pk}"
    answer = {
        "operation": str(operation.pk),
        "operation_url": reverse("operations:detail", kwargs={"operation": operation.pk}),
        "progress_url": job_url(upload.account, operation),
        "location": location,
        "title": f"{upload.application_id} {upload.version}",
    }
    return JsonResponse(answer, status=201, headers={"Location": location})
