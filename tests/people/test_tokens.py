"""API tokens: shown once, kept as a hash, never stronger than their owner, over when they are over."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import Invalid, NotPermitted, NotVisible
from apps.people.actors import Actor
from apps.people.models import ApiToken
from apps.people.roles import Role
from apps.people.services.tokens import token_create, token_mark_used, token_revoke
from apps.people.tokens import digest_of, new_secret, split_text
from tests.people.factories import Cast, bearer, make_token, signed_in

TEXT = re.compile(r"bp_[a-z0-9]{10}_[A-Za-z0-9_-]{43}")


def me(text: str) -> Any:
    return Client().get("/api/v1/me", **bearer(text))


def make_in_page(cast: Cast, **fields: Any) -> Any:
    form = {"name": "nightly", "role": "uploader", "days": "90", **fields}
    return signed_in(cast.uploader).post("/people/tokens/new/", form)


def test_a_token_is_shown_once_and_works(cast: Cast) -> None:
    page = make_in_page(cast)
    text = TEXT.search(page.content.decode())
    assert text
    assert "no-store" in page["Cache-Control"]
    token = ApiToken.objects.get(name="nightly")
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    assert token.digest == digest_of(text[0].split("_", 2)[2])
    assert text[0] not in signed_in(cast.uploader).get("/people/tokens/").content.decode()
    told = me(text[0]).json()
    assert told["token"]["name"] == "nightly"
    assert told["roles"] == [{"account": "local", "role": "uploader"}]
    assert told["teams"] == [{"slug": "rendering", "name": "Rendering"}]


def test_sending_the_form_twice_makes_one_token(cast: Cast) -> None:
    make_in_page(cast)
    again = make_in_page(cast, name="Nightly")
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["name"])
    assert ApiToken.objects.count() == 1
    with pytest.raises(IntegrityError):
        make_token(cast.uploader, name="NIGHTLY")


@pytest.mark.parametrize("fields", [{"days": "366"}, {"days": "0"}, {"role": "god"}, {"name": ""}, {"name": "x" * 65}])
def test_bad_input_is_refused(cast: Cast, fields: Any) -> None:
    assert make_in_page(cast, **fields).status_code == 422
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("days", [-1, 0, 366, 10_000])
def test_the_service_bounds_the_expiry(cast: Cast, days: int) -> None:
    with pytest.raises(Invalid, match="token-days"):
        token_create(actor=cast.actor("reader"), name="x", role=Role.READER, days=days)


# --- What a token may do ---------------------------------------------------------------------------------------------


def test_a_token_is_never_stronger_than_its_owner_or_its_role(cast: Cast) -> None:
    strong, _text = make_token(cast.reader, Role.ADMINISTRATOR)
    weak, _text = make_token(cast.admin, Role.READER)
    assert Actor(user=cast.reader, token=strong).role_on(cast.account) is Role.READER
    assert Actor(user=cast.admin, token=weak).role_on(cast.account) is Role.READER
    cast.reader.grants.all().delete()
    assert Actor(user=cast.reader, token=strong).role_on(cast.account) is None


def test_a_token_of_a_team_has_the_roles_of_the_team_alone(cast: Cast) -> None:
    _token, text = make_token(cast.team, Role.ADMINISTRATOR)
    told = me(text).json()
    assert told["roles"] == [{"account": "local", "role": "uploader"}]
    assert told["teams"] == [{"slug": "rendering", "name": "Rendering"}]


def test_no_token_makes_a_token_or_manages_the_portal(cast: Cast) -> None:
    token, text = make_token(cast.portal_admin)
    with pytest.raises(NotPermitted):
        token_create(actor=Actor(user=cast.portal_admin, token=token), name="more", role=Role.READER)
    assert me(text).json()["portal_administrator"] is False
    # Pages do not know tokens at all.
    assert Client().get("/people/", **bearer(text)).status_code == 302


def test_only_portal_administrators_make_tokens_of_teams_and_members_see_and_revoke_them(cast: Cast) -> None:
    with pytest.raises(NotPermitted):
        token_create(actor=cast.actor("uploader"), name="farm-build", role=Role.UPLOADER, team=cast.team)
    form = {"name": "farm-build", "role": "uploader", "days": "30"}
    page = signed_in(cast.portal_admin).post("/people/teams/rendering/tokens/new/", form)
    assert TEXT.search(page.content.decode())
    token = ApiToken.objects.get(team=cast.team)
    assert "farm-build" in signed_in(cast.uploader).get("/people/tokens/").content.decode()
    assert "farm-build" not in signed_in(cast.admin).get("/people/tokens/").content.decode()
    with pytest.raises(NotVisible):
        token_revoke(actor=cast.actor("admin"), token=token)
    assert signed_in(cast.uploader).post(f"/people/tokens/{token.pk}/revoke/")["Location"] == "/people/tokens/"
    assert ApiToken.objects.get(pk=token.pk).revoked_at


# --- The end of a token ----------------------------------------------------------------------------------------------


def refused(text: str) -> str:
    response = me(text)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="Batchportal"')
    return str(response.json()["error"]["code"])


def test_a_token_that_is_over_is_refused_and_says_why(cast: Cast) -> None:
    _token, expired = make_token(cast.reader, expires_at=timezone.now() - timedelta(seconds=1))
    revoked_token, revoked = make_token(cast.reader)
    token_revoke(actor=cast.actor("reader"), token=revoked_token)
    assert refused(expired) == "token-expired"
    assert refused(revoked) == "token-revoked"


def test_a_wrong_secret_tells_nothing_of_the_token(cast: Cast) -> None:
    _token, text = make_token(cast.reader, expires_at=timezone.now() - timedelta(seconds=1))
    other = new_secret()
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), other.text, "bp_short_x", "nonsense", "", "bp__"):
        assert refused(wrong) == "token-invalid"


def test_without_a_token_or_with_another_scheme_one_is_nobody(db: None) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Token bp_x"}):
        response = Client().get("/api/v1/me", headers=headers)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="Batchportal"')
        assert response.json()["error"]["code"] == "not_authenticated"


def test_a_bad_token_is_refused_though_a_session_is_there(cast: Cast) -> None:
    assert signed_in(cast.admin).get("/api/v1/me", **bearer("bp_wrong")).status_code == 401


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    assert split_text(text) is None or text.startswith("bp_")


def test_secrets_are_drawn_anew_and_keep_quiet() -> None:
    drawn = [new_secret() for _ in range(50)]
    assert len({secret.text for secret in drawn}) == len({secret.prefix for secret in drawn}) == 50
    assert all(split_text(secret.text) and TEXT.fullmatch(secret.text) for secret in drawn)
    assert drawn[0].text not in repr(drawn[0])


# --- Last used -------------------------------------------------------------------------------------------------------


def test_the_last_use_is_noted_at_most_every_five_minutes(cast: Cast) -> None:
    token, text = make_token(cast.reader)
    me(text)
    first = ApiToken.objects.get(pk=token.pk).last_used_at
    assert first
    with CaptureQueriesContext(connection) as queries:
        me(text)
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(minutes=6))
    me(text)
    last = ApiToken.objects.get(pk=token.pk).last_used_at
    assert last
    assert last >= first


def test_two_at_once_write_once(cast: Cast) -> None:
    token, _text = make_token(cast.reader)
    stale = ApiToken.objects.get(pk=token.pk)
    token_mark_used(token=token)
    noted = ApiToken.objects.get(pk=token.pk).last_used_at
    token_mark_used(token=stale)
    assert ApiToken.objects.get(pk=token.pk).last_used_at == noted
