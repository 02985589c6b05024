from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordKeyForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.people.models import User
from apps.people.services.password_mail import password_mail_request
from apps.people.sign_in import second_factor_locked


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


class _NewPassword(forms.Form):
    """Passwords under the portal's own labels, which also say what a placeholder would repeat."""

    LABELS = {
        "oldpassword": _("Current password"),
        "password1": _("New password"),
        "password2": _("New password, again"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in self.LABELS.items():
            if name in self.fields:
                self.fields[name].label = label
                self.fields[name].widget.attrs.pop("placeholder", None)


class NewPasswordForm(_NewPassword, ChangePasswordForm):  # type: ignore[misc]
    """Changes one's own password."""


class PasswordByLinkForm(_NewPassword, ResetPasswordKeyForm):  # type: ignore[misc]
    """Sets the password of whoever has the link."""


class _SecondFactor(forms.Form):
    """Refuses to look at a code after too many wrong ones."""

    user: User

    def clean_code(self) -> str:
        if second_factor_locked(self.user):
            raise get_adapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]
        return code


class SecondFactorForm(_SecondFactor, AuthenticateForm):  # type: ignore[misc]
    """The code of an authenticator or a recovery code, to sign in."""


class SecondFactorAgainForm(_SecondFactor, ReauthenticateForm):  # type: ignore[misc]
    """The same before something that needs to be sure who is there."""


class ForgottenPasswordForm(forms.Form):
    """Asks for a link by mail. Whether anybody has the address is not told, nor to be seen from how long it takes."""

    email = forms.EmailField(
        label=_("Email address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def save(self, request: HttpRequest) -> None:
        password_mail_request(email=self.cleaned_data["email"], base_url=request.build_absolute_uri("/"))
