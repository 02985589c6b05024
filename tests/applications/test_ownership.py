"""Who may touch which application."""

from __future__ import annotations

import pytest

from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner
from apps.applications.ownership import choose_team, may_touch, owner_claim, require_owner, teams_for_new
from apps.core.exceptions import Conflict, Invalid, NotPermitted, NotVisible
from apps.people.actors import Actor
from tests.applications.conftest import Cast, own


def test_members_of_the_owning_team_and_administrators_may(account: BatchAccount, cast: Cast) -> None:
    own(account, "Blender", cast.team)
    for name in ("uploader", "colleague", "administrator"):
        require_owner(actor=cast.actor(name), account=account, application_id="BLENDER")


def test_others_may_not_and_learn_whom_to_ask(account: BatchAccount, cast: Cast) -> None:
    own(account, "Blender", cast.team)
    with pytest.raises(NotPermitted) as caught:
        require_owner(actor=cast.actor("other"), account=account, application_id="blender")
    assert caught.value.code == "application-owned-by-other"
    assert caught.value.values["team"] == "Render"
    assert "Render" in caught.value.message


def test_a_reader_of_the_owning_team_may_not(account: BatchAccount, cast: Cast) -> None:
    own(account, "Blender", cast.team)
    with pytest.raises(NotPermitted):
        require_owner(actor=cast.actor("reader"), account=account, application_id="blender")


def test_a_stranger_learns_nothing(account: BatchAccount, cast: Cast) -> None:
    own(account, "Blender", cast.team)
    with pytest.raises(NotVisible):
        require_owner(actor=cast.actor("stranger"), account=account, application_id="blender")


def test_an_application_without_a_team_is_the_administrators(account: BatchAccount, cast: Cast) -> None:
    require_owner(actor=cast.actor("administrator"), account=account, application_id="found")
    with pytest.raises(NotPermitted) as caught:
        require_owner(actor=cast.actor("uploader"), account=account, application_id="found")
    assert caught.value.code == "application-without-owner"


def test_ownership_ends_at_the_account(account: BatchAccount, cast: Cast) -> None:
    other = BatchAccount.objects.create(slug="other", name="other", auth_method=account.auth_method)
    own(other, "Blender", cast.team)
    with pytest.raises(NotPermitted):
        require_owner(actor=cast.actor("uploader"), account=account, application_id="blender")


def test_one_team_needs_no_choice(account: BatchAccount, cast: Cast) -> None:
    assert choose_team(actor=cast.actor("uploader"), account=account, team=None) == cast.team


def test_several_teams_need_one(account: BatchAccount, cast: Cast) -> None:
    cast.other_team.members.add(cast.uploader)
    with pytest.raises(Invalid) as caught:
        choose_team(actor=cast.actor("uploader"), account=account, team=None)
    assert (caught.value.code, caught.value.field) == ("team-choose", "team")
    assert choose_team(actor=cast.actor("uploader"), account=account, team=cast.other_team) == cast.other_team


def test_no_team_means_no_application(account: BatchAccount, cast: Cast) -> None:
    cast.team.members.remove(cast.uploader)
    with pytest.raises(Invalid) as caught:
        choose_team(actor=cast.actor("uploader"), account=account, team=None)
    assert caught.value.code == "team-none"


def test_nobody_gives_an_application_to_a_team_they_are_not_in(account: BatchAccount, cast: Cast) -> None:
    with pytest.raises(Invalid) as caught:
        choose_team(actor=cast.actor("uploader"), account=account, team=cast.other_team)
    assert caught.value.code == "team-not-yours"
    assert choose_team(actor=cast.actor("administrator"), account=account, team=cast.other_team) == cast.other_team
    assert choose_team(actor=cast.actor("administrator"), account=account, team=None) is None


def test_teams_to_choose_from(account: BatchAccount, cast: Cast) -> None:
    assert teams_for_new(actor=cast.actor("uploader"), account=account) == [cast.team]
    assert teams_for_new(actor=cast.actor("administrator"), account=account) == [cast.team, cast.other_team]


def test_claiming_twice_is_claiming_once_and_the_first_team_wins(account: BatchAccount, cast: Cast) -> None:
    for _ in range(2):
        owner_claim(account=account, application_id="Blender", team=cast.team)
    with pytest.raises(Conflict) as caught:
        owner_claim(account=account, application_id="BLENDER", team=cast.other_team)
    assert caught.value.code == "application-owned-meanwhile"
    assert ApplicationOwner.objects.get().team == cast.team


def test_a_role_alone_owns_nothing(account: BatchAccount, cast: Cast) -> None:
    actor: Actor = cast.actor("uploader")
    assert may_touch(actor=actor, account=account, team_id=cast.team.pk)
    assert not may_touch(actor=actor, account=account, team_id=None)
    assert not may_touch(actor=actor, account=account, team_id=cast.other_team.pk)
