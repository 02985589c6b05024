"""Forms of the account pages. Their rules stand in `rules` and `details`; secrets never go back into a page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.details import Details, examined
from apps.accounts.models import AuthMethod, BatchAccount
from apps.core.crypto import SecretDict
from apps.core.exceptions import PortalError

SECRETS = ("client_secret", "certificate", "certificate_password", "shared_key")
_GUID = {"placeholder": "01234567-89ab-cdef-0123-456789abcdef", "spellcheck": "false", "autocapitalize": "off"}
# htmx leaves such a field as it is when it replaces the form around it: what was typed stays, and only in the browser.
_KEPT = {"autocomplete": "off", "spellcheck": "false", "hx-preserve": "true"}


class SecretTextarea(forms.Textarea):
    """Several lines that are sent and never shown again."""

    def format_value(self, value: Any) -> str:
        return ""


def secret_input() -> forms.PasswordInput:
    # "new-password" keeps browsers from filling in, and offering to save, somebody's own password.
    return forms.PasswordInput(render_value=False, attrs={**_KEPT, "autocomplete": "new-password"})


class ConnectionForm(forms.Form):
    """The fields of every way to sign in; the page shows those of the chosen one and the others are ignored."""

    use_required_attribute = False

    auth_method = forms.ChoiceField(
        label=_("How the portal signs in"),
        choices=AuthMethod.choices,
        widget=forms.RadioSelect,
        initial=AuthMethod.CLIENT_SECRET,
    )
    tenant_id = forms.CharField(
        label=_("Tenant ID"), required=False, max_length=64, widget=forms.TextInput(attrs=_GUID),
        help_text=_("Directory (tenant) ID of the app registration."),
    )  # fmt: skip
    client_id = forms.CharField(
        label=_("Client ID"), required=False, max_length=64, widget=forms.TextInput(attrs=_GUID),
        help_text=_("Application (client) ID. For an identity that the machine itself has, leave it empty."),
    )  # fmt: skip
    client_secret = forms.CharField(
        label=_("Client secret"), required=False, strip=True, widget=secret_input(),
        help_text=_("The secret's value, not its ID."),
    )  # fmt: skip
    certificate = forms.CharField(
        label=_("Certificate and private key"),
        required=False,
        max_length=65536,
        widget=SecretTextarea(
            attrs={**_KEPT, "rows": 6, "class": "bp-mono", "placeholder": "-----BEGIN CERTIFICATE-----"}
        ),
        help_text=_("In PEM form, both in one text."),
    )
    certificate_password = forms.CharField(
        label=_("Password of the private key"), required=False, strip=False, widget=secret_input(),
        help_text=_("Empty for a key without one."),
    )  # fmt: skip
    shared_key = forms.CharField(
        label=_("Shared key"), required=False, widget=secret_input(),
        help_text=_("Primary or secondary key, from the page Keys in the Azure portal."),
    )  # fmt: skip
    subscription_id = forms.CharField(
        label=_("Subscription ID"), required=False, max_length=64, widget=forms.TextInput(attrs=_GUID)
    )
    resource_group = forms.CharField(
        label=_("Resource group"), required=False, max_length=90, widget=forms.TextInput(attrs={"spellcheck": "false"})
    )
    name = forms.CharField(
        label=_("Batch account"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}),
        help_text=_("The name of the account in Azure: lower-case letters and digits."),
    )
    batch_endpoint = forms.CharField(
        label=_("Batch endpoint"),
        required=False,
        max_length=255,
        widget=forms.TextInput(
            attrs={"placeholder": "https://myaccount.westeurope.batch.azure.com", "spellcheck": "false"}
        ),
    )
    title = forms.CharField(
        label=_("Display name"), required=False, max_length=100,
        help_text=_("How the portal calls it; empty for the account's own name."),
    )  # fmt: skip
    untested = forms.BooleanField(
        label=_("Save although the test failed"),
        required=False,
        help_text=_(
            "For example while a new role is not in force yet. The portal shows what is missing until it works."
        ),
    )

    def __init__(self, *args: Any, account: BatchAccount | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.offer_untested = False
        if account is not None:
            self._settle(account)

    def _settle(self, account: BatchAccount) -> None:
        """For a connected account: which one it is stands fast, and its stored secrets need not be entered again."""
        for name in ("name", "subscription_id", "resource_group"):
            if getattr(account, name):
                self.fields[name].disabled = True
            self.initial.setdefault(name, getattr(account, name))
        for name in ("auth_method", "tenant_id", "client_id", "batch_endpoint", "title"):
            self.initial.setdefault(name, getattr(account, name))
        for name in account.secrets:
            self.fields[name].help_text = _("Stored. Leave it empty to keep it.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "auth_method" not in cleaned:
            return cleaned
        for error in examined(self._complete())[1]:
            if error.field not in self.errors:
                self.add_error(error.field or None, error.message)
        return cleaned

    def details(self) -> Details:
        """What was entered, as far as it could be read."""
        values = self.cleaned_data
        plain = {name: values.get(name, "") for name in Details.__dataclass_fields__ if name != "secrets"}
        return Details(**plain, secrets=SecretDict({name: values.get(name, "") for name in SECRETS}))

    def _complete(self) -> Details:
        """With the secrets that are stored, for the rules."""
        details = self.details()
        if self.account is not None and self.account.auth_method == details.auth_method:
            for name, value in self.account.secrets.items():
                # A new certificate does not come with the old one's password.
                if not details.secrets.get(name) and not (
                    name == "certificate_password" and details.secrets.get("certificate")
                ):
                    details.secrets[name] = value
        return details

    def focus_first_error(self) -> None:
        """Have the page that shows the errors begin at the first of them."""
        first = next((name for name in self.fields if name in self.errors), None)
        if first:
            self.fields[first].widget.attrs["autofocus"] = True

    def refuse(self, error: PortalError) -> None:
        """Show why the service refused, where it belongs, and offer to save all the same where that can make sense."""
        self.add_error(error.field if error.field in self.fields else None, error.message)
        self.offer_untested = error.code.startswith("gateway-")


class DiscoveryForm(ConnectionForm):
    """The same while the account is still being looked for: only the sign-in must be complete."""

    subscription = forms.CharField(required=False, max_length=36)

    def clean(self) -> dict[str, Any]:
        cleaned = forms.Form.clean(self) or self.cleaned_data
        place = {"name", "subscription_id", "resource_group", "batch_endpoint"}
        if "auth_method" in cleaned:
            for error in examined(self._complete())[1]:
                if error.field not in place and error.field not in self.errors:
                    self.add_error(error.field or None, error.message)
        return cleaned


def chosen_account(resource_id: str) -> dict[str, str]:
    """Form values for the resource id of a Batch account that discovery has found."""
    parts = resource_id.strip("/").split("/")
    found = dict(zip(parts[::2], parts[1::2], strict=False))
    return {
        "subscription_id": found.get("subscriptions", ""),
        "resource_group": found.get("resourceGroups", ""),
        "name": found.get("batchAccounts", ""),
    }
