from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.people.services.password_mail import password_mail_request


class SignInForm(LoginForm):  # type: ignore[misc]
    """User name or email address, and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Longer than any name or address is nobody's; the failure counter keeps 255 characters.
        self.fields["login"] = forms.CharField(
            label=_("User name or email"),
            max_length=254,
            widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        )
        password = self.fields["password"]
        password.widget.attrs.pop("placeholder", None)
        password.help_text = ""
        self.order_fields(["login", "password"])


class ForgottenPasswordForm(forms.Form):
    """Asks for a link by mail. Whether anybody has the address is not told, nor to be seen from how long it takes."""

    email = forms.EmailField(
        label=_("Email address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def save(self, request: HttpRequest) -> None:
        password_mail_request(email=self.cleaned_data["email"], base_url=request.build_absolute_uri("/"))
