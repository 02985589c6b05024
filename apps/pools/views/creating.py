"""The pages that make pools, and the pickers in them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _

from apps.accounts.reading import Reading
from apps.core.exceptions import Invalid, PortalError
from apps.operations.models import Operation
from apps.people.roles import Permission
from apps.pools import catalogue
from apps.pools.autoscale_examples import EXAMPLES
from apps.pools.catalogue import ImageSearch, SizeSearch, SupportedImage
from apps.pools.document import exported, masked, parsed, pretty
from apps.pools.flaws import SHAPE_ERRORS, Flaw, whole
from apps.pools.forms.engine import with_row, without_row
from apps.pools.forms.pool import OWN_IMAGE, NewPoolForm
from apps.pools.presentation import planned_cost
from apps.pools.selectors import pool_live
from apps.pools.services.creating import PoolRefused, document_check, pool_create
from apps.pools.views.shared import FleetView

_ROWS = (
    "applicationPackageReferences",
    "startTask.environmentSettings",
    "startTask.resourceFiles",
    "userAccounts",
    "mountConfiguration",
    "virtualMachineConfiguration.dataDisks",
    "virtualMachineConfiguration.containerConfiguration.containerRegistries",
    "metadata",
)


# Where fields are chosen from a list.
_PICKERS = {"image": "images", "vmSize": "sizes"}


class NewPoolBase(FleetView):
    """What making a pool and looking at what it would be have in common."""

    abstract = True

    def form(self, data: QueryDict | None, document: dict[str, Any] | None = None) -> NewPoolForm:
        found = self.images()
        return NewPoolForm(
            data,
            document,
            images=found.value or (),
            applications=catalogue.applications(actor=self.actor, account=self.account),
        )

    def images(self) -> Reading[tuple[SupportedImage, ...]]:
        return catalogue.images(actor=self.actor, account=self.account)

    def summary(self, form: NewPoolForm, document: dict[str, Any]) -> dict[str, Any]:
        """The pool in a few lines, its JSON, and what still breaks a rule."""
        flaws = document_check(actor=self.actor, account=self.account, document=document)
        return {
            "document": document,
            "json": pretty(masked(document)),
            "flaws": [self._located(form, flaw) for flaw in flaws if not flaw.warning],
            "warnings": [flaw for flaw in flaws if flaw.warning],
            "nodes": sum(whole(document.get(name)) or 0 for name in ("targetDedicatedNodes", "targetLowPriorityNodes")),
            "cores": self._cores(document),
            "cost": planned_cost(self.account, document),
            "form": form,
        }

    def _located(self, form: NewPoolForm, flaw: Flaw) -> dict[str, Any]:
        """A flaw with the label of its field and the way there; what has no field stands with its path."""
        name = form.place(flaw.path)
        if name is None:
            return {"path": flaw.path, "message": flaw.message}
        place = _PICKERS.get(name) if name != "vmSize" or self.account.has_management_plane else None
        href = f"#{place or form[name].id_for_label}"
        return {"path": flaw.path, "message": flaw.message, "label": form.fields[name].label, "href": href}

    def _cores(self, document: dict[str, Any]) -> int | None:
        sizes = catalogue.sizes(actor=self.actor, account=self.account).value or ()
        name = str(document.get("vmSize") or "").lower()
        return next((size.cores for size in sizes if size.name.lower() == name), None)

    def new_page(
        self,
        form: NewPoolForm,
        *,
        source: str = "",
        error: PortalError | None = None,
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "form": form,
            "source": source,
            "error": error,
            "rows": {path: form.rows(path) for path in _ROWS},
            "examples": EXAMPLES,
            "managed": self.account.has_management_plane,
            "agents": sorted({image.node_agent_sku_id for image in self.images().value or ()}),
            "own_image": OWN_IMAGE,
        }
        return self.page("pools/new.html", context, status)


class PoolNewView(NewPoolBase):
    """The guided form. `?from=` names a pool to clone."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        source = request.GET.get("from", "")
        document: dict[str, Any] | None = None
        if source:
            document = exported(pool_live(actor=self.actor, account=self.account, pool_id=source).wire)
            document["id"] = f"{document['id']}-copy"[:64]
        return self.new_page(self.form(None, document), source=source)

    def post(self, request: Any, **_more: Any) -> HttpResponse:
        if changed := rows_changed(request):
            return self.new_page(self.form(changed).quieted())
        form = self.form(request.POST)
        if not form.is_valid():
            return self.new_page(form, status=422)
        document = form.document()
        try:
            operation = pool_create(actor=self.actor, account=self.account, document=document)
        except PoolRefused as refused:
            form.show(refused.flaws)
        except PortalError as error:
            return self.new_page(form, error=error, status=error.status)
        else:
            return created(self, str(document["id"]), operation)
        return self.new_page(form, status=422)


class PoolPreviewView(NewPoolBase):
    """Fragment: what the form would make, while somebody fills it in."""

    permission = Permission.OPERATE
    http_method_names = ["post"]

    def post(self, request: Any, **_more: Any) -> HttpResponse:
        form = self.form(request.POST)
        form.is_valid()
        return self.page("pools/_summary.html", self.summary(form, form.document()))


class PoolFromJsonView(NewPoolBase):
    """A pool from the document that `az batch pool create --json-file` takes."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        return self._page("")

    def post(self, request: Any, **_more: Any) -> HttpResponse:
        text = self._text(request)
        try:
            document = parsed(text)
            if "edit" in request.POST and isinstance(document, dict):
                return self._edit(document)
            operation = pool_create(actor=self.actor, account=self.account, document=document)
        except PoolRefused as refused:
            return self._page(text, flaws=refused.flaws, status=422)
        except PortalError as error:
            return self._page(text, error=error, status=error.status)
        return created(self, str(document["id"]), operation)

    def _edit(self, document: dict[str, Any]) -> HttpResponse:
        try:
            return self.new_page(self.form(None, document))
        except SHAPE_ERRORS as error:
            raise Invalid("pool-json-shape", field="document") from error

    def _text(self, request: HttpRequest) -> str:
        file = request.FILES.get("file")
        if file is None:
            return request.POST.get("document", "")
        return str(file.read(1024 * 1024), "utf-8-sig", errors="replace")

    def _page(self, text: str, *, flaws: Any = (), error: PortalError | None = None, status: int = 200) -> HttpResponse:
        return self.page("pools/from_json.html", {"text": text, "flaws": flaws, "error": error}, status)


def rows_changed(request: HttpRequest) -> QueryDict | None:
    """What was sent with a row added or removed, when that is what was asked for."""
    if "row-add" in request.POST:
        return with_row(request.POST, request.POST["row-add"])
    if "stay" in request.POST:
        return request.POST
    if "row-remove" in request.POST:
        return without_row(request.POST, request.POST["row-remove"])
    return None


def created(view: FleetView, pool_id: str, operation: Operation | None) -> HttpResponse:
    if operation is not None:
        return view.to_operation(operation)
    return view.done(_("The pool %(pool)s is made.") % {"pool": pool_id}, view.address("list"))


# --- Pickers --------------------------------------------------------------------------------------------------------
class ImagesView(FleetView):
    """Fragment: the images that match, as choices of the form around it."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        query = request.GET
        found = catalogue.images(actor=self.actor, account=self.account, again="again" in query)
        search = ImageSearch(
            words=query.get("image_q", "")[:100],
            os=query.get("image_os", ""),
            capability=query.get("image_capability", ""),
            unverified=bool(query.get("image_unverified")),
        )
        context = {
            "found": found,
            "choices": catalogue.image_choices(found.value or (), search),
            "capabilities": catalogue.capabilities(found.value or ()),
            "search": search,
            "chosen": query.get("image", ""),
            "own_image": OWN_IMAGE,
        }
        return self.page("pools/_images.html", context)


class SizesView(FleetView):
    """Fragment: the machine sizes that match, with what their family's quota leaves."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        query = request.GET
        found = catalogue.sizes(actor=self.actor, account=self.account, again="again" in query)
        sizes = found.value or ()
        search = SizeSearch(
            words=query.get("size_q", "")[:100],
            least_cores=_whole(query.get("size_cores")),
            least_memory=_whole(query.get("size_memory")),
            gpu=bool(query.get("size_gpu")),
            disk=bool(query.get("size_disk")),
            spot=bool(query.get("size_spot")),
            order=query.get("size_sort", ""),
        )
        left = catalogue.cores_left(actor=self.actor, account=self.account, found=sizes)
        context = {
            "found": found,
            "choices": catalogue.size_choices(sizes, search, left),
            "search": search,
            "chosen": query.get("vmSize", "").lower(),
            "example": "Standard_D2s_v5",
        }
        return self.page("pools/_sizes.html", context)


def _whole(text: str | None) -> int:
    return max(whole(text) or 0, 0)
