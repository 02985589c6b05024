"""Forms of applications and packages. The services check everything again; the forms say it at the field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from apps.applications.names import MAX_DISPLAY_NAME_LENGTH, MAX_NAME_LENGTH, clean_application_id, clean_version
from apps.core.exceptions import PortalError
from apps.people.models import Team

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NAME = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "maxlength": MAX_NAME_LENGTH}


_CHECKSUM = {"autocomplete": "off", "spellcheck": "false", "maxlength": 64, "class": "bp-mono"}
_NAMED_FIELDS = frozenset({"application_id", "display_name", "version", "team", "sha256"})
# Fields of the upload client that people know as another one.
_SHOWN_AS = {"file_name": "file", "file_size": "file"}
_SENT_AS = {"file": "file_name"}


def show_error(form: forms.BaseForm, error: PortalError) -> None:
    """Put an error of a service where it belongs: at its field, or above the form."""
    names = (error.field, _SHOWN_AS.get(error.field, ""), _SENT_AS.get(error.field, ""))
    field = next((name for name in names if name in form.fields), None)
    form.add_error(field, ValidationError(error_text(error), code=error.code))


def error_text(error: PortalError) -> Any:
    """The message, with a link where a running operation is the reason."""
    operation = error.values.get("operation")
    if not operation:
        return error.message
    address = reverse("operations:detail", kwargs={"operation": operation})
    return format_html('{} <a href="{}">{}</a>', error.message, address, _now("See the operation"))


def field_messages(form: forms.BaseForm) -> dict[str, list[str]]:
    """Errors by field name for answers in JSON; those of no field stand under "__all__"."""
    found: dict[str, list[str]] = {}
    for name, errors in form.errors.items():
        found.setdefault(_SHOWN_AS.get(name, name), []).extend(str(error) for error in errors)
    return found


class NamedField(forms.MultipleChoiceField):
    """Any names; the service that takes them knows which exist."""

    def valid_value(self, value: str) -> bool:
        return bool(value)


class ConfirmForm(forms.Form):
    """The hidden part of a confirmation: the versions that the page named. Errors of the answer show above it."""

    version = NamedField(required=False, widget=forms.MultipleHiddenInput)

    @classmethod
    def naming(cls, versions: list[str]) -> ConfirmForm:
        return cls(MultiValueDict({"version": versions}))


class SettingsForm(forms.Form):
    """Display name, default version and allow updates of one application."""

    display_name = forms.CharField(
        label=_("Display name"),
        required=False,
        max_length=MAX_DISPLAY_NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    default_version = forms.ChoiceField(
        label=_("Default version"),
        required=False,
        help_text=_("Used by pools and tasks that name the application without a version."),
    )
    allow_updates = forms.BooleanField(
        label=_("Allow updates"),
        required=False,
        help_text=_(
            "When off, existing packages can be neither replaced nor deleted. New versions can still be added."
        ),
    )

    def __init__(self, *args: Any, versions: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = cast("forms.ChoiceField", self.fields["default_version"])
        chosen.choices = [("", _("None")), *((version, version) for version in versions)]
        chosen.error_messages["invalid_choice"] = _("%(value)s is no Active package of this application.")


class TeamForm(forms.Form):
    """Which team owns the application."""

    team = forms.ModelChoiceField(
        label=_("Owning team"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=_("No team: administrators only"),
        help_text=_("Members with the role Uploader or higher may add, update and delete its packages."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _team_field(self).queryset = Team.objects.all()


class PackageForm(forms.Form):
    """A package to upload, file included. `asked` names the other fields; with one team there is nothing to choose."""

    application_id = forms.CharField(
        label=_("Application ID"),
        widget=forms.TextInput(attrs=_NAME),
        help_text=_("Letters, digits, hyphens and underscores, at most 64 characters. It cannot be changed later."),
    )
    display_name = forms.CharField(
        label=_("Display name"),
        required=False,
        max_length=MAX_DISPLAY_NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Shown beside the ID."),
    )
    version = forms.CharField(
        label=_("Version"),
        widget=forms.TextInput(attrs=_NAME),
        help_text=_("Letters, digits, hyphens, underscores and dots, at most 64 characters, for example 2.7.1."),
    )
    team = forms.ModelChoiceField(
        label=_("Owning team"),
        queryset=Team.objects.none(),
        required=False,
        help_text=_("Its members may add, update and delete packages of this application."),
    )
    file = forms.FileField(
        label=_("Package"),
        help_text=_("A .zip file. Batch unpacks it on each node."),
        error_messages={
            "required": _("Choose a zip. One larger than a form may carry needs a browser with scripts on.")
        },
    )
    sha256 = forms.CharField(
        label=_("SHA-256"),
        required=False,
        widget=forms.TextInput(attrs=_CHECKSUM),
        help_text=_("When given, the package is activated only if the checksum of what arrived is this one."),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        *,
        asked: Iterable[str],
        teams: list[Team],
        team_required: bool,
    ) -> None:
        super().__init__(data, files)
        for name in _NAMED_FIELDS - set(asked):
            del self.fields[name]
        if "team" in self.fields:
            self._offer(teams, required=team_required)

    def _offer(self, teams: list[Team], *, required: bool) -> None:
        if len(teams) <= 1 and required:
            del self.fields["team"]
            return
        field = _team_field(self)
        field.queryset = Team.objects.filter(pk__in=[team.pk for team in teams])
        field.required = required
        field.empty_label = str(_("Choose a team")) if required else str(_("No team: administrators only"))

    @property
    def upload_name(self) -> str:
        return str(self.cleaned_data["file"].name)

    @property
    def upload_size(self) -> int:
        """Bytes."""
        return int(self.cleaned_data["file"].size)

    def clean_application_id(self) -> str:
        return _by_rule(clean_application_id, self.cleaned_data["application_id"])

    def clean_version(self) -> str:
        return _by_rule(clean_version, self.cleaned_data["version"])

    def clean_sha256(self) -> str:
        given = str(self.cleaned_data["sha256"]).strip()
        if given and not _SHA256.fullmatch(given):
            raise ValidationError(_("A SHA-256 checksum has 64 hexadecimal digits."))
        return given.lower()

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        check_filename(file.name or "")
        return file


class BeginForm(PackageForm):
    """The same without the bytes, which the upload client sends afterwards: only name and size of the file are here."""

    file_name = forms.CharField(max_length=255)
    file_size = forms.IntegerField(min_value=1, max_value=2**63 - 1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["file"]

    @property
    def upload_name(self) -> str:
        return str(self.cleaned_data["file_name"])

    @property
    def upload_size(self) -> int:
        return int(self.cleaned_data["file_size"])

    def clean_file_name(self) -> str:
        name = str(self.cleaned_data["file_name"])
        check_filename(name)
        return name


def check_filename(name: str) -> None:
    """Raise `ValidationError` for anything but a zip; Batch takes no other format."""
    if not name.lower().endswith(".zip"):
        raise ValidationError(_("Choose a .zip file. Batch takes application packages as zip only."), code="not-a-zip")


def _team_field(form: forms.Form) -> forms.ModelChoiceField[Team]:
    return cast("forms.ModelChoiceField[Team]", form.fields["team"])


def _by_rule(rule: Any, text: str) -> str:
    try:
        return str(rule(text))
    except PortalError as error:
        raise ValidationError(error.message, code=error.code) from error
