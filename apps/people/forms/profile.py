from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.exceptions import PortalError
from apps.people.models import Theme, User
from apps.people.services.people import ProfileInput
from apps.people.ssh_keys import KEY_MOST, clean_public_key


@cache
def _places() -> list[str]:
    """Zones by place. Read once: it means walking a folder of files."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))


def _zones() -> list[tuple[str, Any]]:
    return [("", _("As the portal")), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in _places())]


def _languages() -> list[tuple[str, Any]]:
    return [("", _("As the browser")), *settings.LANGUAGES]


class ProfileForm(forms.Form):
    """What people say about themselves. A new address asks for the password: it can be used to sign in."""

    first_name = forms.CharField(
        label=_("First name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    email = forms.EmailField(
        label=_("Email address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    current_password = forms.CharField(
        label=_("Current password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("Only needed to change the email address."),
    )
    ssh_public_key = forms.CharField(
        label=_("SSH public key"),
        required=False,
        max_length=KEY_MOST,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off", "class": "bp-mono"}),
        help_text=_("Offered when you add a user to nodes. The content of a file ending in .pub."),
    )
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices)
    language = forms.ChoiceField(label=_("Language"), choices=_languages, required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_ssh_public_key(self) -> str:
        text = self.cleaned_data["ssh_public_key"]
        try:
            return clean_public_key(text).text if text else ""
        except PortalError as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        changed = cleaned.get("email", self.user.email).lower() != self.user.email
        if changed and not self.user.check_password(cleaned.get("current_password", "")):
            self.add_error("current_password", _("Enter your current password to change the email address."))
        return cleaned

    def data_of(self) -> ProfileInput:
        fields = ("email", "first_name", "last_name", "theme", "language", "time_zone", "ssh_public_key")
        return ProfileInput(**{name: self.cleaned_data[name] for name in fields})
