from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from apps.people.models import User
from apps.people.services.people import PersonInput

# No @: what looks like an address must be one, or two people could be meant by what somebody types to sign in.
_USERNAME = RegexValidator(r"\A[\w.+-]+\Z", _("Use letters, digits and . + - _ only."))


class PersonForm(forms.Form):
    """What portal administrators enter about a person."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[_USERNAME],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    email = forms.EmailField(
        label=_("Email address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    is_superuser = forms.BooleanField(
        label=_("Portal administrator"),
        required=False,
        help_text=_("Connects Batch accounts, manages people and teams, and is administrator of every account."),
    )

    def data_of(self) -> PersonInput:
        fields = ("username", "email", "first_name", "last_name", "is_superuser")
        return PersonInput(**{name: self.cleaned_data[name] for name in fields})


class NewPersonForm(PersonForm):
    """The same, and how the person gets the first password."""

    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty to get a link by which the person sets a password, once."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            person = User(
                username=cleaned.get("username", ""),
                email=cleaned.get("email", ""),
                first_name=cleaned.get("first_name", ""),
                last_name=cleaned.get("last_name", ""),
            )
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
