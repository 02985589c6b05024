"""Connecting an account, changing its sign-in, trying it out, disconnecting."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.forms import ConnectionForm, DiscoveryForm, chosen_account
from apps.accounts.presentation import plane_rows
from apps.accounts.selectors import account_losses
from apps.accounts.services.accounts import (
    Connected,
    account_connect,
    account_disconnect,
    account_test,
    account_update,
    details_test,
)
from apps.accounts.services.discovery import accounts_discover, subscriptions_discover
from apps.accounts.views.shared import address, form_status
from apps.core.exceptions import Invalid, PortalError
from apps.core.http import go_to
from apps.core.views import PortalView
from apps.people.roles import Permission


class ConnectView(PortalView):
    """A Batch account that the portal does not know yet."""

    permission = Permission.MANAGE_PORTAL
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any) -> HttpResponse:
        return self._form(ConnectionForm())

    def post(self, request: Any) -> HttpResponse:
        form = ConnectionForm(request.POST)
        if not form.is_valid():
            return self._form(form, 422)
        try:
            connected = account_connect(
                actor=self.actor, details=form.details(), untested=form.cleaned_data["untested"]
            )
        except PortalError as error:
            form.refuse(error)
            return self._form(form, form_status(error))
        tell(request, connected, _("%(account)s is connected.") % {"account": connected.account})
        return go_to(request, address(connected.account, "overview"))

    def _form(self, form: ConnectionForm, status: int = 200) -> HttpResponse:
        form.focus_first_error()
        return self.page("accounts/connect.html", {"form": form}, status)


class ConnectTestView(PortalView):
    """Tries out what stands in the form, without keeping it."""

    permission = Permission.MANAGE_PORTAL
    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponse:
        form = ConnectionForm(request.POST)
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            try:
                context["planes"] = plane_rows(details_test(actor=self.actor, details=form.details()))
            except PortalError as error:
                form.refuse(error)
        return self.page("accounts/_planes.html", context)


class DiscoverView(PortalView):
    """Subscriptions and Batch accounts that the entered sign-in sees."""

    permission = Permission.MANAGE_PORTAL
    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponse:
        form = DiscoveryForm(request.POST)
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            try:
                context |= self._found(form)
            except PortalError as error:
                form.refuse(error)
        return self.page("accounts/_found.html", context)

    def _found(self, form: DiscoveryForm) -> dict[str, Any]:
        details, chosen = form.details(), form.cleaned_data["subscription"]
        subscriptions = subscriptions_discover(actor=self.actor, details=details)
        known = {one.id for one in subscriptions}
        if chosen not in known:
            chosen = subscriptions[0].id if subscriptions else ""
        accounts = accounts_discover(actor=self.actor, details=details, subscription_id=chosen) if chosen else []
        return {"subscriptions": subscriptions, "chosen": chosen, "accounts": accounts}


class ChooseView(PortalView):
    """Fills one of the found accounts into the form."""

    permission = Permission.MANAGE_PORTAL
    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponse:
        form = ConnectionForm(initial=chosen_account(request.POST.get("found", "")[:400]))
        widgets = [(name, self._input(form, name)) for name in form.initial]
        return self.page("accounts/_chosen.html", {"widgets": widgets})

    def _input(self, form: ConnectionForm, name: str) -> str:
        described = f"id_{name}_helptext id_{name}_error"
        attrs: dict[str, str | bool] = {"class": "form-control", "aria-describedby": described, "hx-swap-oob": "true"}
        return form[name].as_widget(attrs=attrs)


class EditView(PortalView):
    """How a connected account is signed in to."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, account: str) -> HttpResponse:
        return self._form(ConnectionForm(account=self.account))

    def post(self, request: Any, account: str) -> HttpResponse:
        form = ConnectionForm(request.POST, account=self.account)
        if not form.is_valid():
            return self._form(form, 422)
        try:
            connected = account_update(
                actor=self.actor, account=self.account, details=form.details(), untested=form.cleaned_data["untested"]
            )
        except PortalError as error:
            if error.status == 404 and not error.field:
                raise
            self.account.refresh_from_db()
            form.refuse(error)
            return self._form(form, form_status(error))
        tell(request, connected, _("The connection of %(account)s was changed.") % {"account": connected.account})
        return go_to(request, address(connected.account, "edit"))

    def _form(self, form: ConnectionForm, status: int = 200) -> HttpResponse:
        form.focus_first_error()
        may_disconnect = self.actor.may(Permission.MANAGE_PORTAL)
        return self.page("accounts/edit.html", {"form": form, "may_disconnect": may_disconnect}, status)


class TestView(PortalView):
    """Asks both planes of a connected account."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, account: str) -> HttpResponse:
        return self.page("accounts/test.html", {"planes": []})

    def post(self, request: Any, account: str) -> HttpResponse:
        planes = plane_rows(account_test(actor=self.actor, account=self.account))
        return self.page_or_fragment("accounts/test.html", "accounts/_planes.html", {"planes": planes})


class DisconnectView(PortalView):
    """Asks before the portal forgets an account, naming what goes with it."""

    permission = Permission.MANAGE_PORTAL
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, account: str) -> HttpResponse:
        return self._ask()

    def post(self, request: Any, account: str) -> HttpResponse:
        typed = request.POST.get("confirm", "")
        try:
            if typed.strip() != self.account.name:
                raise Invalid("account-confirm-mismatch", field="confirm", name=self.account.name)
            account_disconnect(actor=self.actor, account=self.account)
        except PortalError as error:
            return self._ask(error, typed)
        messages.success(request, _("%(account)s is disconnected.") % {"account": self.account})
        return go_to(request, reverse("accounts:list"))

    def _ask(self, error: PortalError | None = None, typed: str = "") -> HttpResponse:
        at_name = error is not None and error.field == "confirm"
        context = {
            "items": self._lost(),
            "typed": typed,
            "confirm_error": error.message if error and at_name else "",
            "warning": error.message if error and not at_name else "",
        }
        return self.page("accounts/disconnect.html", context, form_status(error) if error else 200)

    def _lost(self) -> list[str]:
        lost = account_losses(actor=self.actor, account=self.account)
        counted = [
            (lost.owned_applications, ngettext("the owning team of %(count)d application",
                                               "the owning teams of %(count)d applications", lost.owned_applications)),
            (lost.package_records, ngettext("checksum and origin of %(count)d package",
                                            "checksums and origins of %(count)d packages", lost.package_records)),
            (lost.grants, ngettext("%(count)d role", "%(count)d roles", lost.grants)),
            (lost.operations, ngettext("%(count)d operation with its log",
                                       "%(count)d operations with their logs", lost.operations)),
        ]  # fmt: skip
        return [text % {"count": count} for count, text in counted if count]


def tell(request: Any, connected: Connected, text: str) -> None:
    """Say that it worked, and what does not answer yet."""
    messages.success(request, text)
    if connected.warning is not None:
        messages.warning(request, connected.warning.message)
