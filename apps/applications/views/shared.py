"""What the views of this app share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from apps.accounts.models import BatchAccount
from apps.applications.forms import ConfirmForm, show_error
from apps.core.exceptions import Invalid, PortalError
from apps.core.http import go_to, wants_fragment
from apps.core.views import PortalView
from apps.operations.models import Operation
from apps.people.roles import Permission

# The code of the gateway's error: views know the gateway by codes alone.
STORAGE_MISSING = "gateway-auto-storage-missing"


@dataclass(frozen=True)
class Question:
    """What a confirmation asks: `items` are what is touched, `name` is what the person types.

    `versions` come back with the answer, so that nothing is deleted that the page did not name. `blocked` says why
    there is nothing to confirm now.
    """

    title: str
    text: str
    submit_label: str
    action: str
    cancel_url: str
    application_id: str
    name: str = ""
    items: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    warning: str = ""
    blocked: str = ""
    tone: str = "danger"


class AccountView(PortalView):
    """A page of one account's applications."""

    abstract = True

    def refused(self, error: PortalError) -> HttpResponse:
        """Without a storage account every page of applications leads to the blade that links one."""
        if error.code != STORAGE_MISSING or wants_fragment(self.request):
            return super().refused(error)
        context = {"may_manage": self.actor.may(Permission.MANAGE_ACCOUNT, self.account)}
        return self.page("applications/no_storage.html", context, error.status)

    def address(self, name: str, **parts: str) -> str:
        return address(self.account, name, **parts)

    def confirm_page(self, question: Question, error: PortalError | None = None, typed: str = "") -> HttpResponse:
        """A confirmation, as a page and as the content of a dialog, with the reason why it was refused before."""
        form = ConfirmForm.naming(question.versions)
        context: dict[str, Any] = {"question": question, "form": form, "typed": typed}
        if error is not None and error.field == "confirm":
            context["confirm_error"] = error.message
        elif error is not None:
            show_error(form, error)
        return self.page("applications/confirm.html", context, error.status if error else 200)

    def to_operation(self, operation: Operation) -> HttpResponse:
        return go_to(self.request, reverse("operations:detail", kwargs={"operation": operation.pk}))


def require_typed(request: HttpRequest, name: str) -> None:
    """Raise `Invalid` at the confirmation unless the name was typed."""
    if request.POST.get("confirm", "").strip() != name:
        raise Invalid("confirm-mismatch", field="confirm", name=name)


def address(account: BatchAccount, name: str, **parts: str) -> str:
    return reverse(f"applications:{name}", kwargs={"account": account.slug, **parts})
