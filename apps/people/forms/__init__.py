from apps.people.forms.people import NewPersonForm, PersonForm
from apps.people.forms.profile import ProfileForm
from apps.people.forms.roles import GrantForm, RoleForm
from apps.people.forms.sign_in import (
    ForgottenPasswordForm,
    NewPasswordForm,
    PasswordByLinkForm,
    SecondFactorAgainForm,
    SecondFactorForm,
    SignInForm,
)
from apps.people.forms.teams import MemberForm, TeamForm
from apps.people.forms.tokens import TokenForm

__all__ = [
    "ForgottenPasswordForm",
    "GrantForm",
    "MemberForm",
    "NewPasswordForm",
    "NewPersonForm",
    "PasswordByLinkForm",
    "PersonForm",
    "ProfileForm",
    "RoleForm",
    "SecondFactorAgainForm",
    "SecondFactorForm",
    "SignInForm",
    "TeamForm",
    "TokenForm",
]
