"""Forms of nodes. The services check everything again; the forms say it at the field."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.nodes.actions import TaskOption
from apps.nodes.rules import PASSWORD_MOST_WINDOWS
from apps.nodes.services.users import LIFETIME
from apps.people.ssh_keys import KEY_MOST

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class NamedField(forms.MultipleChoiceField):
    """Any names; the selector that takes them knows which exist."""

    def valid_value(self, value: str) -> bool:
        return bool(value)


class SelectionForm(forms.Form):
    """The selection of a list, carried on from page to page: nodes by name, or a query and that all of it is meant."""

    node = NamedField(required=False, widget=forms.MultipleHiddenInput)
    all = forms.CharField(required=False, widget=forms.HiddenInput)
    query = forms.CharField(required=False, widget=forms.HiddenInput)

    @staticmethod
    def chosen(request: HttpRequest) -> dict[str, Any]:
        """The selection of a request, as initial values."""
        data = request.POST if request.method == "POST" else request.GET
        if data.get("all"):
            return {"all": "1", "query": data.get("query", "")}
        return {"node": data.getlist("node"), "query": data.get("query", "")}


class ActionForm(SelectionForm):
    """What a confirmation carries besides."""

    expected = forms.CharField(widget=forms.HiddenInput)
    confirmed = forms.CharField(widget=forms.HiddenInput)
    option = forms.ChoiceField(
        label=_("Tasks that run on the nodes"),
        choices=TaskOption.choices,
        widget=forms.RadioSelect,
    )

    @classmethod
    def of(cls, request: HttpRequest, *, count: int, options: bool) -> ActionForm:
        """Bound to the selection of the request, so that errors can be added."""
        option = request.POST.get("option") or TaskOption.REQUEUE.value
        data = {**cls.chosen(request), "expected": str(count), "confirmed": "1", "option": option}
        form = cls(data)
        if not options:
            del form.fields["option"]
        form.is_valid()
        return form


class UserForm(SelectionForm):
    """Add a user to nodes."""

    name = forms.CharField(
        label=_("User name"),
        max_length=32,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=_("A user of this name that is on the nodes already is updated."),
    )
    way = forms.ChoiceField(
        label=_("Signs in with"),
        choices=[
            ("key", _("SSH public key")),
            ("password", _("Password")),
        ],
        widget=forms.RadioSelect,
        initial="key",
    )
    ssh_public_key = forms.CharField(
        label=_("SSH public key"),
        required=False,
        max_length=KEY_MOST,
        strip=True,
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 3, "class": "bp-mono"}),
        help_text=_("The content of a file ending in .pub, for example ~/.ssh/id_ed25519.pub."),
    )
    key_file = forms.FileField(label=_("or from a file"), required=False)
    keep_key = forms.BooleanField(label=_("Keep this key in my profile"), required=False)
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=PASSWORD_MOST_WINDOWS,
        widget=forms.TextInput(attrs={**_PLAIN, "class": "bp-mono"}),
        help_text=_(
            "At least 12 characters, three of lower case, upper case, digits and others. Left empty, the portal makes "
            "one. It is shown once and stored nowhere."
        ),
    )
    is_admin = forms.BooleanField(
        label=_("Administrator"), required=False, help_text=_("May use sudo, or is in Administrators on Windows.")
    )
    expires_at = forms.DateTimeField(
        label=_("Expires"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("The service removes the user then. On Linux nodes whole days count."),
    )
    follows = forms.BooleanField(
        label=_("Also on nodes that come later"),
        required=False,
        help_text=_("Until the user expires. Only with a key, because no password is kept."),
    )
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, windows: bool, own_key: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if windows:
            for name in ("ssh_public_key", "key_file", "keep_key", "follows", "way"):
                del self.fields[name]
        elif own_key:
            self.fields["ssh_public_key"].help_text = _("Filled in from your profile.")

    def clean_key_file(self) -> str:
        found = self.cleaned_data.get("key_file")
        if not found:
            return ""
        if found.size > KEY_MOST:
            raise forms.ValidationError(_("This file is too large for a public key."))
        try:
            return str(found.read().decode())
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("This file is no public key: it is not text.")) from error

    @property
    def by_key(self) -> bool:
        return self.cleaned_data.get("way") == "key"

    @property
    def public_key(self) -> str:
        """What was pasted, or else the file."""
        return str(self.cleaned_data.get("ssh_public_key") or self.cleaned_data.get("key_file") or "")


class LogsForm(forms.Form):
    """Have a node send its Batch logs to a container."""

    container = forms.CharField(
        label=_("Container"),
        max_length=63,
        initial="batch-logs",
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=_("In the linked storage account; it is made where it is not there yet."),
    )
    start = forms.DateTimeField(
        label=_("From"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    end = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Left empty: until now."),
    )


def day_ahead() -> datetime:
    """The default expiry, to the minute."""
    return timezone.localtime(timezone.now() + LIFETIME).replace(second=0, microsecond=0)


def hours_ago(hours: int) -> datetime:
    return timezone.localtime(timezone.now() - timedelta(hours=hours)).replace(second=0, microsecond=0)
