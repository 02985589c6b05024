"""Portal administration: teams and their tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.http import go_to
from apps.core.views import PortalView
from apps.people.forms import MemberForm, TeamForm
from apps.people.models import Team
from apps.people.roles import Permission
from apps.people.selectors import (
    accounts_left_alone,
    grants_of,
    member_candidates,
    person_get,
    team_get,
    team_list,
    tokens_of,
)
from apps.people.services.teams import team_create, team_delete, team_member_remove, team_members_add, team_update
from apps.people.views.base import ConfirmView, FormView, page_of


class TeamListView(PortalView):
    permission = Permission.MANAGE_PORTAL

    def get(self, request: HttpRequest) -> HttpResponse:
        teams = team_list(actor=self.actor, search=request.GET.get("q", "")[:200])
        return self.page("people/teams.html", {"page": page_of(request, teams)})


class TeamNewView(FormView):
    permission = Permission.MANAGE_PORTAL
    template = "people/team_new.html"

    def form(self, data: Any = None) -> TeamForm:
        return TeamForm(data)

    def save(self, form: TeamForm) -> HttpResponse:
        team = team_create(actor=self.actor, **form.cleaned_data)
        messages.success(self.request, _("Team %(name)s was added. Now add its members.") % {"name": team})
        return go_to(self.request, reverse("people:team", kwargs={"team": team.slug}))


class OneTeamView(PortalView):
    """Base of the pages about one team."""

    abstract = True

    @property
    def team(self) -> Team:
        return team_get(actor=self.actor, slug=self.kwargs["team"])

    @property
    def team_url(self) -> str:
        return reverse("people:team", kwargs={"team": self.kwargs["team"]})

    def crumbs(self) -> list[tuple[Any, str]]:
        return [(_("Teams"), reverse("people:teams")), (self.team, self.team_url)]


class TeamView(OneTeamView, FormView):
    permission = Permission.MANAGE_PORTAL
    template = "people/team.html"

    def form(self, data: Any = None) -> TeamForm:
        team = self.team
        return TeamForm(data, initial={"name": team.name, "description": team.description})

    def context(self) -> dict[str, Any]:
        team = self.team
        return {
            "team": team,
            "members": team.members.order_by("username"),
            "grants": grants_of(actor=self.actor, holder=team),
            "tokens": tokens_of(actor=self.actor, holder=team),
            "applications": team.applications.select_related("account").order_by("account__name", "application_id"),
        }

    def save(self, form: TeamForm) -> HttpResponse:
        team = team_update(actor=self.actor, team=self.team, **form.cleaned_data)
        messages.success(self.request, _("Team %(name)s was saved.") % {"name": team})
        return go_to(self.request, self.team_url)


class TeamMemberAddView(OneTeamView, FormView):
    permission = Permission.MANAGE_PORTAL
    template = "people/team_member_add.html"

    def form(self, data: Any = None) -> MemberForm:
        return MemberForm(data, candidates=member_candidates(actor=self.actor, team=self.team))

    def context(self) -> dict[str, Any]:
        return {"team": self.team}

    def save(self, form: MemberForm) -> HttpResponse:
        team_members_add(actor=self.actor, team=self.team, users=form.cleaned_data["people"])
        messages.success(self.request, _("The members were added."))
        return go_to(self.request, self.team_url)


class TeamMemberRemoveView(OneTeamView, ConfirmView):
    permission = Permission.MANAGE_PORTAL

    def question(self) -> dict[str, Any]:
        person = person_get(actor=self.actor, pk=self.kwargs["person"])
        return {
            "title": _("Remove %(name)s from %(team)s") % {"name": person, "team": self.team},
            "text": _("They lose the roles and applications that they have through the team. Tokens of the team stay:"),
            "items": [str(token) for token in tokens_of(actor=self.actor, holder=self.team)],
            "submit_label": _("Remove"),
            "cancel_url": self.team_url,
        }

    def confirmed(self) -> HttpResponse:
        person = person_get(actor=self.actor, pk=self.kwargs["person"])
        team_member_remove(actor=self.actor, team=self.team, user=person)
        messages.success(self.request, _("%(name)s was removed from the team.") % {"name": person})
        return go_to(self.request, self.team_url)


class TeamDeleteView(OneTeamView, ConfirmView):
    permission = Permission.MANAGE_PORTAL

    def question(self) -> dict[str, Any]:
        team = self.team
        alone = accounts_left_alone(actor=self.actor, holder=team)
        warning = _("Afterwards only portal administrators can manage: %(accounts)s.")
        roles = [
            _("Role %(role)s on %(account)s") % {"role": grant.get_role_display(), "account": grant.account}
            for grant in grants_of(actor=self.actor, holder=team)
        ]
        tokens = [_("API token %(token)s") % {"token": t} for t in tokens_of(actor=self.actor, holder=team)]
        return {
            "title": _("Delete team %(name)s") % {"name": team},
            "text": _("The team goes, and with it:") if roles or tokens else _("The team has no roles and no tokens."),
            "items": [*roles, *tokens],
            "warning": warning % {"accounts": ", ".join(str(account) for account in alone)} if alone else "",
            "submit_label": _("Delete team"),
            "cancel_url": self.team_url,
        }

    def confirmed(self) -> HttpResponse:
        name = self.team.name
        team_delete(actor=self.actor, team=self.team)
        messages.success(self.request, _("Team %(name)s was deleted.") % {"name": name})
        return go_to(self.request, reverse("people:teams"))
