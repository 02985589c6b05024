"""Portal administration: people."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.http import go_to
from apps.core.views import PortalView
from apps.people.forms import NewPersonForm, PersonForm
from apps.people.models import User
from apps.people.roles import Permission
from apps.people.selectors import accounts_left_alone, grants_of, person_get, person_list, person_safety, tokens_of
from apps.people.services.people import (
    password_link,
    person_activate,
    person_create,
    person_deactivate,
    person_unlock,
    person_update,
    second_factor_reset,
)
from apps.people.views.base import ConfirmView, FormView, page_of


class UserListView(PortalView):
    permission = Permission.MANAGE_PORTAL

    def get(self, request: HttpRequest) -> HttpResponse:
        query = request.GET
        people = person_list(
            actor=self.actor,
            search=query.get("q", "")[:200],
            state=query.get("state", ""),
            order=query.get("sort", "username"),
        )
        states = [
            ("active", _("Active")),
            ("inactive", _("Deactivated")),
            ("administrator", _("Portal administrators")),
        ]
        filters = [{"name": "state", "label": _("State"), "choices": states}]
        return self.page("people/users.html", {"page": page_of(request, people), "filters": filters})


class UserNewView(FormView):
    permission = Permission.MANAGE_PORTAL
    template = "people/user_new.html"

    def form(self, data: Any = None) -> NewPersonForm:
        return NewPersonForm(data)

    def save(self, form: NewPersonForm) -> HttpResponse:
        password = form.cleaned_data["password"]
        user = person_create(actor=self.actor, data=form.data_of(), password=password)
        if password:
            messages.success(self.request, _("%(name)s was added.") % {"name": user})
            return go_to(self.request, reverse("people:user", kwargs={"person": user.pk}))
        return _show_link(self, user)


class OneUserView(PortalView):
    """Base of the pages about one person."""

    abstract = True

    @property
    def person(self) -> User:
        return person_get(actor=self.actor, pk=self.kwargs["person"])

    @property
    def person_url(self) -> str:
        return reverse("people:user", kwargs={"person": self.kwargs["person"]})

    def crumbs(self) -> list[tuple[Any, str]]:
        return [(_("People"), reverse("people:users")), (self.person, self.person_url)]


class UserView(OneUserView, FormView):
    permission = Permission.MANAGE_PORTAL
    template = "people/user.html"

    def form(self, data: Any = None) -> PersonForm:
        person = self.person
        fields = ("username", "email", "first_name", "last_name", "is_superuser")
        return PersonForm(data, initial={name: getattr(person, name) for name in fields})

    def context(self) -> dict[str, Any]:
        person = self.person
        locked, has_second_factor = person_safety(actor=self.actor, user=person)
        return {
            "person": person,
            "teams": person.teams.all(),
            "grants": grants_of(actor=self.actor, holder=person),
            "tokens": tokens_of(actor=self.actor, holder=person),
            "locked": locked,
            "has_second_factor": has_second_factor,
            "is_self": person.pk == self.request.user.pk,
        }

    def save(self, form: PersonForm) -> HttpResponse:
        user = person_update(actor=self.actor, user=self.person, data=form.data_of())
        messages.success(self.request, _("%(name)s was saved.") % {"name": user})
        return go_to(self.request, self.person_url)


class UserDeactivateView(OneUserView, ConfirmView):
    permission = Permission.MANAGE_PORTAL

    def question(self) -> dict[str, Any]:
        person = self.person
        alone = accounts_left_alone(actor=self.actor, holder=person)
        warning = _("Afterwards only portal administrators can manage: %(accounts)s.")
        tokens = [str(token) for token in tokens_of(actor=self.actor, holder=person)]
        return {
            "title": _("Deactivate %(name)s") % {"name": person},
            "text": _("They are signed out at once and cannot sign in. Their API tokens are revoked for good:")
            if tokens
            else _("They are signed out at once and cannot sign in. They have no API tokens."),
            "items": tokens,
            "warning": warning % {"accounts": ", ".join(str(account) for account in alone)} if alone else "",
            "submit_label": _("Deactivate"),
            "cancel_url": self.person_url,
        }

    def confirmed(self) -> HttpResponse:
        person_deactivate(actor=self.actor, user=self.person)
        messages.success(self.request, _("%(name)s was deactivated.") % {"name": self.person})
        return go_to(self.request, self.person_url)


class UserActivateView(OneUserView):
    permission = Permission.MANAGE_PORTAL

    def post(self, request: HttpRequest, person: int) -> HttpResponse:
        person_activate(actor=self.actor, user=self.person)
        messages.success(request, _("%(name)s can sign in again.") % {"name": self.person})
        return go_to(request, self.person_url)


class UserUnlockView(OneUserView):
    permission = Permission.MANAGE_PORTAL

    def post(self, request: HttpRequest, person: int) -> HttpResponse:
        person_unlock(actor=self.actor, user=self.person)
        messages.success(request, _("%(name)s can try to sign in again.") % {"name": self.person})
        return go_to(request, self.person_url)


class UserSecondFactorView(OneUserView, ConfirmView):
    permission = Permission.MANAGE_PORTAL

    def question(self) -> dict[str, Any]:
        return {
            "title": _("Reset the second factor of %(name)s") % {"name": self.person},
            "text": _(
                "Their authenticator and recovery codes stop working and the password alone signs them in. "
                "Be sure that it is really them who ask for it."
            ),
            "submit_label": _("Reset second factor"),
            "cancel_url": self.person_url,
        }

    def confirmed(self) -> HttpResponse:
        second_factor_reset(actor=self.actor, user=self.person)
        messages.success(self.request, _("The second factor of %(name)s was removed.") % {"name": self.person})
        return go_to(self.request, self.person_url)


class UserPasswordLinkView(OneUserView):
    """Shows a link by which the person sets a password once; a new one each time, and nothing is stored."""

    permission = Permission.MANAGE_PORTAL

    def post(self, request: HttpRequest, person: int) -> HttpResponse:
        return _show_link(self, self.person)


def _show_link(view: PortalView, user: User) -> HttpResponse:
    path = password_link(actor=view.actor, user=user)
    context = {"person": user, "link": view.request.build_absolute_uri(path)}
    return view.page("people/password_link.html", context)
