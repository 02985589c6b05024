from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.people.models import User


class TeamForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=64)
    description = forms.CharField(label=_("Description"), max_length=200, required=False)


if TYPE_CHECKING:
    _PeopleField = forms.ModelMultipleChoiceField[User]
else:
    _PeopleField = forms.ModelMultipleChoiceField


class PersonChoiceField(_PeopleField):
    def label_from_instance(self, obj: Any) -> str:
        name = obj.get_full_name()
        return f"{obj.username} · {name}" if name else str(obj.username)


class MemberForm(forms.Form):
    """Who joins a team."""

    people = PersonChoiceField(
        label=_("People"),
        queryset=User.objects.none(),
        widget=forms.SelectMultiple(attrs={"size": 10}),
        help_text=_("Hold Ctrl or Command to choose several."),
    )

    def __init__(self, *args: Any, candidates: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(PersonChoiceField, self.fields["people"]).queryset = candidates
