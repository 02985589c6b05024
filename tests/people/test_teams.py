"""Teams: who belongs to them, and that none goes while it owns applications."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.applications.models import ApplicationOwner
from apps.core.exceptions import Conflict, NotPermitted
from apps.people.actors import Actor
from apps.people.models import ApiToken, Grant, Team
from apps.people.roles import Role
from apps.people.services.teams import team_create, team_delete
from tests.people.factories import Cast, TeamFactory, UserFactory, bearer, make_token, signed_in


def test_a_team_is_added_with_members_who_get_its_roles(cast: Cast) -> None:
    client = signed_in(cast.portal_admin)
    assert client.post("/people/teams/new/", {"name": "Simulation & Physics"})["Location"] == (
        "/people/teams/simulation-physics/"
    )
    team = Team.objects.get(slug="simulation-physics")
    people = [cast.stranger.pk, cast.reader.pk]
    assert client.post("/people/teams/simulation-physics/members/add/", {"people": people}).status_code == 302
    Grant.objects.create(account=cast.account, team=team, role=Role.OPERATOR)
    assert Actor(user=cast.stranger).roles[cast.account.pk] is Role.OPERATOR
    assert Actor(user=cast.reader).roles[cast.account.pk] is Role.OPERATOR
    url = f"/people/teams/simulation-physics/members/{cast.stranger.pk}/remove/"
    assert client.post(url).status_code == 302
    assert cast.account.pk not in Actor(user=cast.stranger).roles


def test_inactive_people_and_members_are_not_offered(cast: Cast) -> None:
    gone = UserFactory.create(username="gone", is_active=False)
    form = signed_in(cast.portal_admin).get("/people/teams/rendering/members/add/").context["form"]
    offered = {choice.pk for choice in form.fields["people"].queryset}
    assert gone.pk not in offered
    assert cast.uploader.pk not in offered
    assert cast.reader.pk in offered


@pytest.mark.parametrize("name", ["Rendering", "RENDERING"])
def test_a_name_is_taken_in_any_case(cast: Cast, name: str) -> None:
    response = signed_in(cast.portal_admin).post("/people/teams/new/", {"name": name})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["name"])


def test_addresses_of_teams_are_never_taken_twice_nor_by_a_route(cast: Cast) -> None:
    actor = cast.actor("portal_admin")
    slugs = [team_create(actor=actor, name=name).slug for name in ("New", "Größe", "Größe!", "!!!", "???")]
    assert slugs == ["new-2", "groe", "groe-2", "team", "team-2"]


def test_a_team_that_owns_applications_stays_and_they_are_named(cast: Cast) -> None:
    ApplicationOwner.objects.create(
        account=cast.account, application_id="Blender", application_key="blender", team=cast.team
    )
    with pytest.raises(Conflict) as refused:
        team_delete(actor=cast.actor("portal_admin"), team=cast.team)
    assert "Blender (local)" in refused.value.message
    response = signed_in(cast.portal_admin).post("/people/teams/rendering/delete/")
    assert response.status_code == 409
    assert "Blender (local)" in response.content.decode()


def test_deleting_a_team_ends_its_roles_and_tokens(cast: Cast) -> None:
    token, text = make_token(cast.team, name="pipeline")
    client = signed_in(cast.portal_admin)
    page = client.get("/people/teams/rendering/delete/").content.decode()
    assert "pipeline" in page
    assert "Role Uploader on local" in page
    assert client.post("/people/teams/rendering/delete/").status_code == 302
    assert not Grant.objects.filter(role=Role.UPLOADER).exists()
    assert not ApiToken.objects.filter(pk=token.pk).exists()
    assert Client().get("/api/v1/me", **bearer(text)).status_code == 401


def test_services_refuse_whoever_is_no_portal_administrator(cast: Cast) -> None:
    for name in ("admin", "uploader"):
        with pytest.raises(NotPermitted):
            team_create(actor=cast.actor(name), name="Mine")


def test_the_list_counts_members_and_applications(cast: Cast) -> None:
    TeamFactory.create(name="Empty")
    ApplicationOwner.objects.create(
        account=cast.account, application_id="Blender", application_key="blender", team=cast.team
    )
    page = signed_in(cast.portal_admin).get("/people/teams/").context["page"]
    assert [(t.name, t.member_count, t.application_count) for t in page] == [("Empty", 0, 0), ("Rendering", 1, 1)]
