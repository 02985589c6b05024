"""API tokens of oneself and of teams."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.http import go_to
from apps.core.views import PortalView
from apps.people.forms import TokenForm
from apps.people.models import ApiToken, Team
from apps.people.roles import ROLE_DESCRIPTIONS, Permission, Role
from apps.people.selectors import team_get, token_get, token_list
from apps.people.services.tokens import token_create, token_revoke
from apps.people.views.base import ConfirmView, FormView, page_of


class TokenListView(PortalView):
    permission = Permission.SIGNED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("people/tokens.html", {"page": page_of(request, token_list(actor=self.actor))})


class TokenNewView(FormView):
    """Makes a token and shows it, this once."""

    permission = Permission.SIGNED_IN
    template = "people/token_new.html"

    def team(self) -> Team | None:
        return None

    def form(self, data: Any = None) -> TokenForm:
        return TokenForm(data)

    def context(self) -> dict[str, Any]:
        return {"team": self.team(), "roles": [(role, ROLE_DESCRIPTIONS[role]) for role in Role]}

    def save(self, form: TokenForm) -> HttpResponse:
        days, name = form.cleaned_data["days"], form.cleaned_data["name"]
        token, text = token_create(actor=self.actor, name=name, role=form.chosen_role, days=days, team=self.team())
        context = {"token": token, "text": text, "api_root": self.request.build_absolute_uri("/api/v1/")}
        return self.page("people/token_created.html", context)


class TeamTokenNewView(TokenNewView):
    permission = Permission.MANAGE_PORTAL

    def team(self) -> Team:
        return team_get(actor=self.actor, slug=self.kwargs["team"])


class TokenRevokeView(ConfirmView):
    permission = Permission.SIGNED_IN

    @property
    def token(self) -> ApiToken:
        return token_get(actor=self.actor, pk=self.kwargs["token"])

    def question(self) -> dict[str, Any]:
        return {
            "title": _("Revoke token %(name)s") % {"name": self.token.name},
            "text": _("What uses it is refused from now on. A revoked token does not come back."),
            "items": [str(self.token)],
            "submit_label": _("Revoke"),
            "cancel_url": self._back(),
        }

    def crumbs(self) -> list[tuple[Any, str]]:
        return [(_("API tokens"), self._back())]

    def confirmed(self) -> HttpResponse:
        token, back = self.token, self._back()
        token_revoke(actor=self.actor, token=token)
        messages.success(self.request, _("Token %(name)s was revoked.") % {"name": token.name})
        return go_to(self.request, back)

    def _back(self) -> str:
        """A portal administrator comes from the page of the person or team the token belongs to."""
        token = self.token
        if token.user_id and token.user_id != self.request.user.pk:
            return reverse("people:user", kwargs={"person": token.user_id})
        if token.team and token.team_id not in self.actor.teams:
            return reverse("people:team", kwargs={"team": token.team.slug})
        return reverse("people:tokens")
