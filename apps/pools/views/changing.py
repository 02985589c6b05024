"""Start task, application packages, metadata: what a pool that exists may still change."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _

from apps.core.exceptions import PortalError
from apps.core.http import wants_fragment
from apps.people.roles import Permission
from apps.pools import catalogue
from apps.pools.document import exported, masked
from apps.pools.forms.engine import DocumentForm
from apps.pools.forms.pool import MetadataForm, PackageFields, StartTaskFields
from apps.pools.selectors import pool_live
from apps.pools.services.changing import metadata_change, packages_change, start_task_change
from apps.pools.services.creating import PoolRefused
from apps.pools.views.creating import rows_changed
from apps.pools.views.shared import PoolView


class ChangeView(PoolView):
    """A tab with a form of some of the pool's document. The form comes from the service after the page."""

    abstract = True
    permission: ClassVar[Permission | dict[str, Permission]] = {
        "get": Permission.VIEW_ACCOUNT,
        "post": Permission.OPERATE,
    }
    http_method_names = ["get", "head", "post"]
    rows: ClassVar[tuple[str, ...]] = ()
    fragment = ""

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        if not (wants_fragment(request) and "live" in request.GET):
            return self.pool_page()
        return self.page(self.fragment, {"pool": self.snapshot(), **self._live()})

    def post(self, request: Any, pool: str, **_more: Any) -> HttpResponse:
        etag = request.POST.get("etag", "")
        if changed := rows_changed(request):
            return self._whole(self.form(changed).quieted(), etag)
        form = self.form(request.POST)
        if not form.is_valid():
            return self._whole(form, etag, 422)
        try:
            self.change(form, pool, etag)
        except PoolRefused as refused:
            form.show(refused.flaws)
            return self._whole(form, etag, 422)
        except PortalError as error:
            form.add_error(None, error.message)
            return self._whole(form, etag, error.status)
        return self.done(self.done_text(), self.request.path)

    def form(self, data: QueryDict | None, document: dict[str, Any] | None = None) -> DocumentForm:
        raise NotImplementedError

    def change(self, form: DocumentForm, pool: str, etag: str) -> None:
        raise NotImplementedError

    def done_text(self) -> str:
        raise NotImplementedError

    def _live(self) -> dict[str, Any]:
        try:
            pool = pool_live(actor=self.actor, account=self.account, pool_id=self.kwargs["pool"])
        except PortalError as error:
            return {"error": error}
        document = exported(pool.wire)
        may_operate = self.actor.may(Permission.OPERATE, self.account)
        if not may_operate:
            document = masked(document, values_too=True)
        return self._context(self.form(None, document), pool.etag) | {"may_operate": may_operate}

    def _whole(self, form: DocumentForm, etag: str, status: int = 200) -> HttpResponse:
        return self.pool_page(self._context(form, etag) | {"answered": True}, status=status)

    def _context(self, form: DocumentForm, etag: str) -> dict[str, Any]:
        return {"form": form, "etag": etag, "rows": {path: form.rows(path) for path in self.rows}}


class StartTaskView(ChangeView):
    tab = "start-task"
    template = "pools/start_task.html"
    fragment = "pools/_start_task.html"
    rows = ("startTask.environmentSettings", "startTask.resourceFiles")

    def form(self, data: QueryDict | None, document: dict[str, Any] | None = None) -> DocumentForm:
        return StartTaskFields(data, document)

    def change(self, form: DocumentForm, pool: str, etag: str) -> None:
        task = form.document().get("startTask")
        if task is not None and (container := self._container(pool)):
            task["containerSettings"] = container
        start_task_change(actor=self.actor, account=self.account, pool_id=pool, task=task, etag=etag)

    def _container(self, pool: str) -> Any:
        """Settings of the present start task that the form does not show, and must not drop."""
        live = pool_live(actor=self.actor, account=self.account, pool_id=pool)
        return (live.wire.get("startTask") or {}).get("containerSettings")

    def done_text(self) -> str:
        return _("The start task is changed. Nodes take it at their next reboot or reimage.")


class PackagesView(ChangeView):
    tab = "packages"
    template = "pools/packages.html"
    fragment = "pools/_packages.html"
    rows = ("applicationPackageReferences",)

    def form(self, data: QueryDict | None, document: dict[str, Any] | None = None) -> DocumentForm:
        found = catalogue.applications(actor=self.actor, account=self.account)
        return PackageFields(data, document, applications=found)

    def change(self, form: DocumentForm, pool: str, etag: str) -> None:
        references = form.document().get("applicationPackageReferences") or []
        packages_change(actor=self.actor, account=self.account, pool_id=pool, references=references, etag=etag)

    def done_text(self) -> str:
        return _("The packages are changed. Nodes install them at their next reboot or reimage.")


class MetadataView(ChangeView):
    tab = "configuration"
    template = "pools/metadata.html"
    fragment = "pools/_metadata.html"
    rows = ("metadata",)

    def form(self, data: QueryDict | None, document: dict[str, Any] | None = None) -> DocumentForm:
        return MetadataForm(data, document)

    def change(self, form: DocumentForm, pool: str, etag: str) -> None:
        items = form.document().get("metadata") or []
        metadata_change(actor=self.actor, account=self.account, pool_id=pool, items=items, etag=etag)

    def done_text(self) -> str:
        return _("The metadata is changed.")
