"""Portal administration: people, their passwords, sessions and second factor."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client
from kombu.exceptions import OperationalError

from apps.applications.models import PackageRecord
from apps.audit.models import AuditEvent
from apps.core.crypto import decrypt
from apps.core.exceptions import Conflict, Invalid, NotPermitted
from apps.operations.models import Operation
from apps.people.actors import LONGEST_NAME, Actor
from apps.people.models import ApiToken, User
from apps.people.roles import Role
from apps.people.services.people import PersonInput, person_create, person_deactivate, person_update
from tests.people.factories import PASSWORD, Cast, GrantFactory, UserFactory, bearer, make_token, signed_in

NEW = {"username": "newcomer", "email": "Newcomer@Example.com", "first_name": "New", "last_name": "Comer"}
LONG_PASSWORD = "a long password nobody has"


def link_on(page: Any) -> str:
    found = re.search(r"http://testserver(/accounts/password/reset/key/[^<\"\s]+)", page.content.decode())
    assert found
    return found[1]


def set_password_by(link: str, password: str) -> Any:
    client = Client()
    form = client.get(link)
    if form.status_code != 302:
        return form
    return client.post(form["Location"], {"password1": password, "password2": password})


def test_a_person_is_added_and_sets_the_password_by_a_link_that_works_once(cast: Cast) -> None:
    page = signed_in(cast.portal_admin).post("/people/new/", NEW)
    link = link_on(page)
    assert "no-store" in page["Cache-Control"]
    person = User.objects.get(username="newcomer")
    assert (person.email, person.has_usable_password()) == ("newcomer@example.com", False)
    assert set_password_by(link, LONG_PASSWORD).status_code == 302
    signed = Client()
    assert signed.post("/accounts/login/", {"login": "newcomer", "password": LONG_PASSWORD}).status_code == 302
    assert set_password_by(link, "another long password").status_code == 200
    assert User.objects.get(pk=person.pk).check_password(LONG_PASSWORD)


def test_a_person_is_added_with_a_password(cast: Cast) -> None:
    response = signed_in(cast.portal_admin).post("/people/new/", {**NEW, "password": LONG_PASSWORD})
    assert response.status_code == 302
    assert User.objects.get(username="newcomer").check_password(LONG_PASSWORD)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": "READER"}, "username"),
        ({"username": "reader@example.com"}, "username"),
        ({"email": "READER@example.com"}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "newcomer1234"}, "password"),
    ],
)
def test_bad_input_is_shown_at_its_field_and_nothing_typed_is_lost(cast: Cast, changed: Any, field: str) -> None:
    response = signed_in(cast.portal_admin).post("/people/new/", {**NEW, **changed})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert 'value="Comer"' in response.content.decode()
    assert not User.objects.filter(first_name="New").exists()


def test_search_filter_sort_and_pages(cast: Cast) -> None:
    UserFactory.create_batch(60)
    client = signed_in(cast.portal_admin)

    def names(query: str) -> list[str]:
        return [user.username for user in client.get(f"/people/?{query}").context["page"]]

    assert len(names("")) == 50
    assert len(names("page=2")) == 16
    assert names("q=reader") == ["reader"]
    assert names("q=READER@example") == ["reader"]
    assert names("state=administrator") == ["portal_admin"]
    assert names("sort=-username&q=a")[0] == "uploader"
    assert client.get("/people/?page=999&sort=nonsense&state=x").status_code == 200


def test_the_list_takes_the_same_number_of_queries_for_any_length(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    UserFactory.create_batch(40)
    client = signed_in(cast.portal_admin)
    with django_assert_max_num_queries(8):
        client.get("/people/")


# --- Deactivating ----------------------------------------------------------------------------------------------------


def test_deactivating_ends_sessions_and_tokens_at_once_and_for_good(cast: Cast) -> None:
    reader, admin = signed_in(cast.reader), signed_in(cast.portal_admin)
    _token, text = make_token(cast.reader)
    assert Client().get("/api/v1/me", **bearer(text)).status_code == 200
    assert admin.post(f"/people/{cast.reader.pk}/deactivate/").status_code == 302
    assert reader.get("/people/me/").status_code == 302
    assert Client().get("/api/v1/me", **bearer(text)).status_code == 401
    assert admin.post(f"/people/{cast.reader.pk}/activate/").status_code == 302
    assert reader.get("/people/me/").status_code == 302
    assert Client().get("/api/v1/me", **bearer(text)).status_code == 401
    assert Client().post("/accounts/login/", {"login": "reader", "password": PASSWORD})["Location"] == "/"


def test_a_deactivated_person_has_no_api_even_where_a_token_was_left(cast: Cast) -> None:
    User.objects.filter(pk=cast.reader.pk).update(is_active=False)
    _token, text = make_token(cast.reader)
    response = Client().get("/api/v1/me", **bearer(text))
    assert (response.status_code, response.json()["error"]["code"]) == (401, "token-owner-inactive")


def test_nobody_deactivates_themselves_and_the_last_administrator_stays(cast: Cast) -> None:
    with pytest.raises(Conflict, match="person-self-deactivate"):
        person_deactivate(actor=cast.actor("portal_admin"), user=cast.portal_admin)
    other = UserFactory.create(is_superuser=True)
    person_deactivate(actor=cast.actor("portal_admin"), user=other)
    data = PersonInput(username="portal_admin", email="portal_admin@example.com")
    with pytest.raises(Conflict, match="portal-administrator-self"):
        person_update(actor=cast.actor("portal_admin"), user=cast.portal_admin, data=data)


def test_the_confirmation_names_what_is_touched(cast: Cast) -> None:
    make_token(cast.admin, name="nightly build")
    text = signed_in(cast.portal_admin).get(f"/people/{cast.admin.pk}/deactivate/").content.decode()
    assert "nightly build" in text
    assert "only portal administrators can manage: local" in text
    GrantFactory.create(account=cast.account, user=UserFactory.create(), role=Role.ADMINISTRATOR)
    text = signed_in(cast.portal_admin).get(f"/people/{cast.admin.pk}/deactivate/").content.decode()
    assert "only portal administrators can manage" not in text


# --- Changing --------------------------------------------------------------------------------------------------------


def test_an_address_that_was_changed_no_longer_signs_in(cast: Cast) -> None:
    Client().post("/accounts/login/", {"login": "reader@example.com", "password": PASSWORD})
    EmailAddress.objects.get_or_create(user=cast.reader, email="reader@example.com", defaults={"primary": True})
    data = PersonInput(username="reader", email="elsewhere@example.com")
    person_update(actor=cast.actor("portal_admin"), user=cast.reader, data=data)
    old = Client().post("/accounts/login/", {"login": "reader@example.com", "password": PASSWORD})
    new = Client().post("/accounts/login/", {"login": "elsewhere@example.com", "password": PASSWORD})
    assert (old.status_code, new.status_code) == (200, 302)


def test_services_refuse_whoever_is_no_portal_administrator(cast: Cast) -> None:
    with pytest.raises(NotPermitted):
        person_create(actor=cast.actor("admin"), data=PersonInput(username="x", email="x@example.com"))
    with pytest.raises(Invalid, match="username-taken"):
        person_create(actor=cast.actor("portal_admin"), data=PersonInput(username="Reader", email="x@example.com"))


def test_a_form_cannot_make_an_administrator_of_oneself(cast: Cast) -> None:
    form = {"first_name": "R", "last_name": "R", "email": "reader@example.com", "theme": "dark", "is_superuser": "on"}
    assert signed_in(cast.reader).post("/people/me/", form).status_code == 302
    reader = User.objects.get(pk=cast.reader.pk)
    assert (reader.is_superuser, reader.theme) == (False, "dark")


# --- Second factor ---------------------------------------------------------------------------------------------------


def test_second_factors_are_encrypted_at_rest_asked_for_and_reset(cast: Cast) -> None:
    secret = generate_totp_secret()
    TOTP.activate(cast.reader, secret)
    RecoveryCodes.activate(cast.reader)
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
    response = Client().post("/accounts/login/", {"login": "reader", "password": PASSWORD})
    assert response["Location"] == "/accounts/2fa/authenticate/"
    admin = signed_in(cast.portal_admin)
    assert admin.post(f"/people/{cast.reader.pk}/second-factor/").status_code == 302
    assert not Authenticator.objects.filter(user=cast.reader).exists()
    assert Client().post("/accounts/login/", {"login": "reader", "password": PASSWORD})["Location"] == "/"
    assert AuditEvent.objects.filter(action="second-factor-reset", resource="reader").count() == 1


def test_second_factors_move_to_a_new_key(cast: Cast, settings: Any) -> None:
    secret = generate_totp_secret()
    TOTP.activate(cast.reader, secret)
    RecoveryCodes.activate(cast.reader)
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    call_command("rotate_secrets", stdout=StringIO())
    settings.FIELD_ENCRYPTION_KEYS = [new]
    kept = Authenticator.objects.get(user=cast.reader, type=Authenticator.Type.TOTP)
    assert decrypt(kept.data["secret"]) == secret
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="lacks"):
        call_command("rotate_secrets", stdout=StringIO())


def test_a_wrong_code_is_written_down_and_tried_only_so_often(cast: Cast, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 5
    TOTP.activate(cast.reader, generate_totp_secret())
    client = Client()
    client.post("/accounts/login/", {"login": "reader", "password": PASSWORD})
    pages = [client.post("/accounts/2fa/authenticate/", {"code": f"{n:06}"}).content.decode() for n in range(8)]
    assert AuditEvent.objects.filter(action="second-factor-failed", resource="reader").count() == 5
    assert "Too many" in pages[-1]
    assert client.get("/people/me/").status_code == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    elsewhere.post("/accounts/login/", {"login": "reader", "password": PASSWORD})
    assert "Too many" in elsewhere.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    signed_in(cast.portal_admin).post(f"/people/{cast.reader.pk}/unlock/")
    assert "Too many" not in elsewhere.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()


# --- One's own -------------------------------------------------------------------------------------------------------


def profile(**changed: str) -> dict[str, str]:
    return {"email": "reader@example.com", "theme": "system", "language": "", "time_zone": "", **changed}


def test_a_new_address_asks_for_the_password(cast: Cast) -> None:
    client = signed_in(cast.reader)
    refused = client.post("/people/me/", profile(email="mine@example.com"))
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["current_password"])
    taken = client.post("/people/me/", profile(email="admin@example.com", current_password=PASSWORD))
    assert (taken.status_code, list(taken.context["form"].errors)) == (422, ["email"])
    assert client.post("/people/me/", profile(email="mine@example.com", current_password=PASSWORD)).status_code == 302
    assert User.objects.get(pk=cast.reader.pk).email == "mine@example.com"


def test_times_are_shown_in_ones_own_zone(cast: Cast) -> None:
    client = signed_in(cast.reader)
    client.post("/people/me/", profile(time_zone="Pacific/Auckland"))
    make_token(cast.reader, created_at=datetime(2026, 1, 15, 12, tzinfo=UTC))
    assert "2026-01-16T01:00:00+13:00" in client.get("/people/tokens/").content.decode()


def test_a_zone_that_is_gone_locks_nobody_out(cast: Cast) -> None:
    User.objects.filter(pk=cast.reader.pk).update(time_zone="Mars/Olympus")
    assert signed_in(cast.reader).get("/people/me/").status_code == 200


def test_a_new_password_ends_every_other_session_as_the_page_says(cast: Cast) -> None:
    here, elsewhere = signed_in(cast.reader), signed_in(cast.reader)
    page = here.get("/accounts/password/change/")
    assert "Every other browser in which you are signed in is signed out." in page.content.decode()
    new = {"oldpassword": PASSWORD, "password1": "quite another battery", "password2": "quite another battery"}
    assert here.post("/accounts/password/change/", new).status_code == 302
    assert here.get("/people/me/").status_code == 200
    assert elsewhere.get("/people/me/").status_code == 302


def test_names_as_long_as_a_profile_takes_fit_what_keeps_them(cast: Cast) -> None:
    """Operations and the audit keep the name of whoever acts; PostgreSQL refuses longer ones than their columns."""
    User.objects.filter(pk=cast.reader.pk).update(first_name="a" * 150, last_name="b" * 150)
    person = User.objects.get(pk=cast.reader.pk)
    token = make_token(person, name="c" * 64)[0]
    assert len(Actor(user=person).name) == LONGEST_NAME
    with_token = Actor(user=person, token=ApiToken.objects.get(pk=token.pk)).name
    assert len(with_token) == LONGEST_NAME
    assert with_token.endswith("c" * 64)
    for model, column in ((Operation, "actor_name"), (AuditEvent, "actor_name"), (PackageRecord, "uploaded_by_name")):
        assert model._meta.get_field(column).max_length == LONGEST_NAME  # type: ignore[union-attr]
    assert signed_in(person).post("/accounts/logout/").status_code == 302


def test_signing_out_everywhere_else_keeps_this_session(cast: Cast) -> None:
    here, elsewhere = signed_in(cast.reader), signed_in(cast.reader)
    assert here.post("/people/me/sessions/end/").status_code == 302
    assert here.get("/people/me/").status_code == 200
    assert elsewhere.get("/people/me/").status_code == 302


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_the_theme_is_remembered_with_and_without_sign_in(cast: Cast, theme: str) -> None:
    anonymous = Client()
    assert anonymous.post("/people/me/preferences/", {"theme": theme, "next": "/accounts/login/"}).status_code == 302
    assert f'data-bs-theme="{theme}"' in anonymous.get("/accounts/login/").content.decode() or theme == "system"
    client = signed_in(cast.reader)
    response = client.post("/people/me/preferences/", {"theme": theme}, headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert User.objects.get(pk=cast.reader.pk).theme == theme


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("http://testserver//evil.example/", "/evil.example/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/batch/local/?q=a", "/batch/local/?q=a"),
        ("http://testserver/batch/local/?q=a", "/batch/local/?q=a"),
    ],
)
def test_after_a_theme_one_stays_in_the_portal(cast: Cast, target: str, place: str) -> None:
    response = Client().post("/people/me/preferences/", {"theme": "dark", "next": target})
    assert response["Location"] == place


def test_an_unknown_theme_is_refused(db: None) -> None:
    assert Client().post("/people/me/preferences/", {"theme": "<script>"}).status_code == 400


# --- Forgotten password ----------------------------------------------------------------------------------------------


def test_without_mail_the_page_says_who_helps(db: None) -> None:
    page = Client().get("/accounts/password/reset/")
    assert "Ask a portal administrator" in page.content.decode()
    assert Client().post("/accounts/password/reset/", {"email": "x@example.com"}).status_code == 409


def test_a_link_is_mailed_to_whoever_has_the_address_and_the_answer_is_the_same_for_all(
    cast: Cast, settings: Any, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from batchportal.celery import app  # noqa: PLC0415  # after Django's settings

    settings.MAIL_CONFIGURED = True
    app.loader.import_default_modules()
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(app, "send_task", lambda name, args, **_: sent.append((name, args)))
    answers = [
        Client().post("/accounts/password/reset/", {"email": f"{name}@example.com"}) for name in ("reader", "no")
    ]
    assert [answer["Location"] for answer in answers] == ["/accounts/password/reset/done/"] * 2
    assert len(sent) == 2
    for name, args in sent:
        app.tasks[name](*args)
    assert [mail.to for mail in mailoutbox] == [["reader@example.com"]]
    link = re.search(r"http://testserver(/accounts/\S+)", mailoutbox[0].body)
    assert link
    assert set_password_by(link[1], LONG_PASSWORD).status_code == 302
    assert User.objects.get(pk=cast.reader.pk).check_password(LONG_PASSWORD)


def test_where_the_mail_cannot_be_queued_the_page_says_so(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: Any, **_options: Any) -> None:
        raise OperationalError("broker away")

    settings.MAIL_CONFIGURED = True
    monkeypatch.setattr("apps.people.services.password_mail.current_app.send_task", away)
    response = Client().post("/accounts/password/reset/", {"email": "reader@example.com"})
    assert response.status_code == 200
    assert "Try again in some minutes" in response.content.decode()
