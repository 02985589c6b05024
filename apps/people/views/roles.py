"""Roles on a Batch account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.exceptions import Conflict
from apps.core.http import go_to
from apps.core.messages import message_for
from apps.core.views import PortalView
from apps.people.actors import Actor
from apps.people.forms import GrantForm, RoleForm
from apps.people.models import Grant
from apps.people.roles import ROLE_DESCRIPTIONS, Permission, Role
from apps.people.selectors import administrator_loss, grant_get, grant_list, person_choices, team_choices
from apps.people.services.grants import grant_change, grant_create, grant_remove
from apps.people.views.base import ConfirmView, FormView


class RolesView(PortalView):
    """Who may do what on the account, and what each role may do."""

    permission = Permission.MANAGE_ACCOUNT

    def get(self, request: HttpRequest, account: str) -> HttpResponse:
        grants = list(grant_list(actor=self.actor, account=self.account))
        roles = [(role, ROLE_DESCRIPTIONS[role]) for role in Role]
        return self.page("people/roles.html", {"grants": grants, "roles": roles})


class RoleAddView(FormView):
    permission = Permission.MANAGE_ACCOUNT
    template = "people/role_add.html"

    def form(self, data: Any = None) -> GrantForm:
        people = person_choices(actor=self.actor, account=self.account)
        return GrantForm(data, people=people, teams=team_choices(actor=self.actor, account=self.account))

    def save(self, form: GrantForm) -> HttpResponse:
        holder = form.chosen_holder
        grant = grant_create(actor=self.actor, account=self.account, holder=holder, role=form.chosen)
        words = {"holder": holder, "role": grant.get_role_display(), "account": self.account}
        messages.success(self.request, _("%(holder)s is now %(role)s of %(account)s.") % words)
        return go_to(self.request, roles_url(self.account.slug))


class ConfirmedForm(forms.Form):
    """Says that the warning was on the page; without it a role that matters by now is asked about again."""

    confirmed = forms.CharField(widget=forms.HiddenInput, initial="yes")


def was_warned(request: HttpRequest) -> bool:
    return request.POST.get("confirmed") == "yes"


class OneGrantView(PortalView):
    """Base of the pages about one role."""

    abstract = True

    @property
    def grant(self) -> Grant:
        return grant_get(actor=self.actor, account=self.account, pk=self.kwargs["grant"])


class RoleChangeView(OneGrantView, FormView):
    """Changes a role; where that would leave the account without an administrator it asks once more."""

    permission = Permission.MANAGE_ACCOUNT
    template = "people/role_change.html"

    def form(self, data: Any = None) -> RoleForm:
        form = RoleForm(data, initial={"role": self.grant.role})
        form.fields["role"].widget = forms.RadioSelect(
            choices=[(role.value, f"{role.label} – {ROLE_DESCRIPTIONS[role]}") for role in Role]
        )
        return form

    def context(self) -> dict[str, Any]:
        return {"grant": self.grant}

    def save(self, form: RoleForm) -> HttpResponse:
        confirmed = was_warned(self.request)
        try:
            grant = grant_change(
                actor=self.actor, account=self.account, grant=self.grant, role=form.chosen, confirmed=confirmed
            )
        except Conflict as error:
            context = {"form": form, "grant": self.grant, "warning": error.message}
            return self.page(self.template, context, status=error.status)
        words = {"holder": grant.user or grant.team, "role": grant.get_role_display(), "account": self.account}
        messages.success(self.request, _("%(holder)s is now %(role)s of %(account)s.") % words)
        return after_change(self)


class RoleRemoveView(OneGrantView, ConfirmView):
    permission = Permission.MANAGE_ACCOUNT

    def question(self) -> dict[str, Any]:
        grant = self.grant
        words = {"holder": grant.user or grant.team, "role": grant.get_role_display(), "account": self.account}
        loss = administrator_loss(actor=self.actor, grant=grant)
        return {
            "title": _("Remove %(holder)s from %(account)s") % words,
            "text": _("%(holder)s is no longer %(role)s of %(account)s. Other roles, through a team, stay.") % words,
            "warning": message_for(loss, {"account": self.account}) if loss else "",
            "form": ConfirmedForm() if loss else None,
            "submit_label": _("Remove role"),
            "cancel_url": roles_url(self.account.slug),
        }

    def crumbs(self) -> list[tuple[Any, str]]:
        return [(_("Roles"), roles_url(self.account.slug))]

    def confirmed(self) -> HttpResponse:
        holder = self.grant.user or self.grant.team
        grant_remove(actor=self.actor, account=self.account, grant=self.grant, confirmed=was_warned(self.request))
        messages.success(self.request, _("%(holder)s lost the role.") % {"holder": holder})
        return after_change(self)


def roles_url(slug: str) -> str:
    return reverse("people:roles", kwargs={"account": slug})


def after_change(view: PortalView) -> HttpResponse:
    """Back to the roles, or home for somebody who just gave up the right to see them."""
    still = Actor(user=view.request.user).may(Permission.MANAGE_ACCOUNT, view.account)
    return go_to(view.request, roles_url(view.account.slug) if still else reverse("home"))
