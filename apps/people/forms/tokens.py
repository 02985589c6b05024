from django import forms
from django.utils.translation import gettext_lazy as _

from apps.people.roles import Role
from apps.people.services.tokens import DEFAULT_DAYS

_DAYS = [
    (7, _("7 days")),
    (30, _("30 days")),
    (DEFAULT_DAYS, _("90 days")),
    (180, _("180 days")),
    (365, _("1 year")),
]


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(
        label=_("Name"), max_length=64, help_text=_("What will use it, for example the name of a pipeline.")
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(role.value, role.label) for role in Role],
        initial=Role.UPLOADER.value,
        help_text=_("The most that the token may do. It never does more than its owner may."),
    )
    days = forms.TypedChoiceField(label=_("Expires after"), choices=_DAYS, initial=DEFAULT_DAYS, coerce=int)

    @property
    def chosen_role(self) -> Role:
        return Role(self.cleaned_data["role"])
