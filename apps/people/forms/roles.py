from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.people.models import Team, User
from apps.people.roles import ROLE_DESCRIPTIONS, Role

ROLE_CHOICES = [(role.value, role.label) for role in Role]


def person_label(user: User) -> str:
    name = user.get_full_name()
    return f"{user.username} · {name}" if name else user.username


class RoleForm(forms.Form):
    """A role, as the list of roles changes it."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES)

    @property
    def chosen(self) -> Role:
        return Role(self.cleaned_data["role"])


class GrantForm(RoleForm):
    """Who gets which role."""

    field_order = ["holder", "role"]
    holder = forms.ChoiceField(label=_("Person or team"))

    def __init__(self, *args: Any, people: QuerySet[User], teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {f"person-{user.pk}": user for user in people}
        self._teams = {f"team-{team.pk}": team for team in teams}
        cast(forms.ChoiceField, self.fields["holder"]).choices = [
            ("", _("Choose…")),
            (_("Teams"), [(key, team.name) for key, team in self._teams.items()]),
            (_("People"), [(key, person_label(user)) for key, user in self._people.items()]),
        ]
        role = self.fields["role"]
        role.widget = forms.RadioSelect(choices=[(r.value, f"{r.label} – {ROLE_DESCRIPTIONS[r]}") for r in Role])
        role.initial = Role.READER.value

    @property
    def chosen_holder(self) -> User | Team:
        key = self.cleaned_data["holder"]
        return self._people[key] if key in self._people else self._teams[key]
