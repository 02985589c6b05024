"""Roles on an account: given, changed and taken away, and never the last administrator's in silence."""

from __future__ import annotations

import pytest

from apps.audit.models import AuditEvent
from apps.core.exceptions import Conflict, NotPermitted, NotVisible
from apps.people.actors import Actor
from apps.people.models import Grant, User
from apps.people.roles import Role
from apps.people.services.grants import grant_change, grant_create, grant_remove
from tests.people.factories import Cast, GrantFactory, TeamFactory, UserFactory, signed_in

ROLES = "/people/roles/local/"


def grant_of(cast: Cast, name: str) -> Grant:
    return Grant.objects.get(account=cast.account, user=cast.person(name))


def test_a_role_is_given_changed_and_taken_away(cast: Cast) -> None:
    client = signed_in(cast.admin)
    given = client.post(f"{ROLES}add/", {"holder": f"person-{cast.stranger.pk}", "role": "reader"})
    assert given["Location"] == ROLES
    grant = grant_of(cast, "stranger")
    assert client.post(f"{ROLES}{grant.pk}/", {"role": "operator"}).status_code == 302
    assert grant_of(cast, "stranger").role == Role.OPERATOR
    assert client.post(f"{ROLES}{grant.pk}/remove/").status_code == 302
    assert not Grant.objects.filter(pk=grant.pk).exists()
    events = AuditEvent.objects.filter(account=cast.account, resource="stranger").order_by("id")
    assert [event.action for event in events] == ["role-give", "role-change", "role-remove"]


def test_a_team_gets_a_role(cast: Cast) -> None:
    team = TeamFactory.create(name="Physics", members=[cast.stranger])
    signed_in(cast.admin).post(f"{ROLES}add/", {"holder": f"team-{team.pk}", "role": "uploader"})
    assert Actor(user=cast.stranger).roles[cast.account.pk] is Role.UPLOADER


def test_only_those_without_a_role_are_offered(cast: Cast) -> None:
    UserFactory.create(username="gone", is_active=False)
    page = signed_in(cast.admin).get(f"{ROLES}add/").content.decode()
    assert ">stranger</option>" in page
    for name in ("reader", "gone", "Rendering"):
        assert f">{name}</option>" not in page
    response = signed_in(cast.admin).post(f"{ROLES}add/", {"holder": f"person-{cast.reader.pk}", "role": "reader"})
    assert response.status_code == 422
    with pytest.raises(Conflict, match="role-given-already"):
        grant_create(actor=cast.actor("admin"), account=cast.account, holder=cast.reader, role=Role.READER)


def test_a_role_of_another_account_is_not_there(cast: Cast) -> None:
    elsewhere = Grant.objects.get(account=cast.other_account)
    client = signed_in(cast.admin)
    assert client.get(f"{ROLES}{elsewhere.pk}/").status_code == 404
    assert client.post(f"{ROLES}{elsewhere.pk}/remove/").status_code == 404
    with pytest.raises(NotVisible):
        grant_remove(actor=cast.actor("admin"), account=cast.other_account, grant=elsewhere)
    with pytest.raises(NotPermitted):
        grant_create(actor=cast.actor("operator"), account=cast.account, holder=cast.stranger, role=Role.READER)


# --- The last administrator --------------------------------------------------------------------------------------


def test_the_last_administrator_is_asked_about(cast: Cast) -> None:
    grant = grant_of(cast, "admin")
    client = signed_in(cast.portal_admin)
    assert "Nobody else administers local" in client.get(f"{ROLES}{grant.pk}/remove/").content.decode()
    unwarned = client.post(f"{ROLES}{grant.pk}/remove/")
    assert unwarned.status_code == 409
    assert Grant.objects.filter(pk=grant.pk).exists()
    assert client.post(f"{ROLES}{grant.pk}/remove/", {"confirmed": "yes"}).status_code == 302
    assert not Grant.objects.filter(pk=grant.pk).exists()


def test_so_is_lowering_the_last_administrator(cast: Cast) -> None:
    grant = grant_of(cast, "admin")
    client = signed_in(cast.portal_admin)
    asked = client.post(f"{ROLES}{grant.pk}/", {"role": "reader"})
    assert asked.status_code == 409
    assert "Nobody else administers local" in asked.content.decode()
    assert client.post(f"{ROLES}{grant.pk}/", {"role": "reader", "confirmed": "yes"}).status_code == 302
    assert grant_of(cast, "admin").role == Role.READER


def test_administrators_are_told_before_they_give_up_their_own_right(cast: Cast) -> None:
    GrantFactory.create(account=cast.account, user=cast.stranger, role=Role.ADMINISTRATOR)
    grant = grant_of(cast, "admin")
    client = signed_in(cast.admin)
    assert "You would no longer administer local" in client.get(f"{ROLES}{grant.pk}/remove/").content.decode()
    response = client.post(f"{ROLES}{grant.pk}/remove/", {"confirmed": "yes"})
    assert response["Location"] == "/"


def test_a_team_counts_as_administrator_while_somebody_active_is_in_it(cast: Cast) -> None:
    team = TeamFactory.create(members=[cast.operator])
    GrantFactory.create(account=cast.account, team=team, role=Role.ADMINISTRATOR)
    actor, grant = cast.actor("portal_admin"), grant_of(cast, "admin")
    User.objects.filter(pk=cast.operator.pk).update(is_active=False)
    with pytest.raises(Conflict, match="role-last-administrator"):
        grant_change(actor=actor, account=cast.account, grant=grant, role=Role.READER)
    User.objects.filter(pk=cast.operator.pk).update(is_active=True)
    assert grant_change(actor=actor, account=cast.account, grant=grant, role=Role.READER).role == Role.READER
