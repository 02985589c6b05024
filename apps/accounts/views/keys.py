"""The account's shared keys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.accounts.models import AuthMethod
from apps.accounts.selectors import account_properties
from apps.accounts.services.keys import KeyName, account_key_regenerate, account_key_reveal
from apps.accounts.views.shared import address, form_status
from apps.core.exceptions import NotVisible, PortalError
from apps.core.http import go_to
from apps.core.views import PortalView
from apps.people.roles import Permission

_KEYS: dict[str, KeyName] = {"primary": "Primary", "secondary": "Secondary"}


class KeysView(PortalView):
    """Masked keys; each is fetched when somebody asks to see it."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        properties = account_properties(actor=self.actor, account=self.account)
        modes = properties.value.authentication_modes if properties.value else ()
        keys = [
            {
                "id": name,
                "label": _("Primary key") if name == "primary" else _("Secondary key"),
                "reveal_url": address(self.account, "key-reveal", key=name),
                "regenerate_url": address(self.account, "key-regenerate", key=name),
            }
            for name in _KEYS
        ]
        disabled = bool(modes) and "SharedKey" not in modes
        return self.page("accounts/keys.html", {"keys": keys, "properties": properties, "disabled": disabled})


class KeyRevealView(PortalView):
    """One key as plain text, written down in the audit."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["post"]

    def post(self, request: Any, account: str, key: str) -> HttpResponse:
        secret = account_key_reveal(actor=self.actor, account=self.account, key=key_name(key))
        return HttpResponse(secret, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


class KeyRegenerateView(PortalView):
    """Asks before a key is replaced, because whoever uses it is refused from then on."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, account: str, key: str) -> HttpResponse:
        return self._ask(key)

    def post(self, request: Any, account: str, key: str) -> HttpResponse:
        name, typed = key_name(key), request.POST.get("confirm", "")
        try:
            account_key_regenerate(actor=self.actor, account=self.account, key=name, typed=typed)
        except PortalError as error:
            return self._ask(key, error, typed)
        done = {"Primary": _("The primary key was regenerated."), "Secondary": _("The secondary key was regenerated.")}
        messages.success(request, done[name])
        return go_to(request, address(self.account, "keys"))

    def _ask(self, key: str, error: PortalError | None = None, typed: str = "") -> HttpResponse:
        at_name = error is not None and error.field == "confirm"
        primary = key_name(key) == "Primary"
        context = {
            "title": _("Regenerate the primary key") if primary else _("Regenerate the secondary key"),
            "typed": typed,
            "confirm_error": error.message if error and at_name else "",
            "error": error if error and not at_name else None,
            "shared_key": self.account.auth_method == AuthMethod.SHARED_KEY,
        }
        return self.page("accounts/key_regenerate.html", context, form_status(error) if error else 200)


def key_name(text: str) -> KeyName:
    """Raises `NotVisible` for anything but the two keys."""
    if text not in _KEYS:
        raise NotVisible
    return _KEYS[text]
