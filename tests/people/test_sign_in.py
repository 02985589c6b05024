"""Signing in: by name or address, throttled per name and address, telling nobody who exists."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.people.models import User
from apps.people.sign_in import client_address, is_locked
from tests.people.factories import PASSWORD, Cast, UserFactory

URL = "/accounts/login/"
LIMIT = 3


@pytest.fixture
def limited(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = LIMIT


def sign_in(name: str, password: str = "wrong", client: Client | None = None, **extra: Any) -> Any:
    return (client or Client()).post(URL, {"login": name, "password": password}, **extra)


def fail(name: str, times: int, **extra: Any) -> Any:
    return [sign_in(name, **extra) for _ in range(times)][-1]


@pytest.mark.parametrize("name", ["reader", "READER", "reader@example.com", "Reader@Example.com", " reader "])
def test_by_user_name_or_address_in_any_case(cast: Cast, name: str) -> None:
    client = Client()
    assert sign_in(name, PASSWORD, client).status_code == 302
    assert client.get("/people/me/").status_code == 200


def test_an_unknown_name_and_a_wrong_password_look_the_same(cast: Cast) -> None:
    def page(name: str) -> str:
        text = sign_in(name).content.decode().replace(name, "NAME")
        return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text)

    assert page("reader") == page("nobody-at-all")


def test_signing_up_does_not_exist(db: None) -> None:
    for path in ("signup/", "social/signup/", "3rdparty/", "email/", "confirm-email/", "login/code/"):
        assert Client().get(f"/accounts/{path}").status_code == 404
    assert Client().post("/accounts/signup/", {"username": "x", "email": "x@example.com"}).status_code == 404
    assert not User.objects.exists()


def test_a_redirect_stays_in_the_portal(cast: Cast) -> None:
    response = Client().post(f"{URL}?next=https://evil.example/", {"login": "reader", "password": PASSWORD})
    assert response["Location"].startswith("/")


# --- The lock --------------------------------------------------------------------------------------------------------


def test_too_many_failures_lock_the_name_for_the_address_and_say_until_when(cast: Cast, limited: None) -> None:
    response = fail("reader", LIMIT)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 15 * 60
    until = response.context["until"]
    assert timezone.now() < until <= timezone.now() + timedelta(minutes=15)
    assert sign_in("reader", PASSWORD).status_code == 429


def test_the_lock_also_holds_for_the_address_and_other_spellings_of_the_name(cast: Cast, limited: None) -> None:
    fail("READER", 1)
    fail("reader@example.com", 1)
    assert fail("reader", 1).status_code == 429
    assert sign_in("reader@EXAMPLE.com", PASSWORD).status_code == 429


def test_the_lock_keeps_nobody_out_elsewhere(cast: Cast, limited: None) -> None:
    fail("reader", LIMIT, REMOTE_ADDR="192.0.2.7")
    assert sign_in("reader", PASSWORD, REMOTE_ADDR="192.0.2.8").status_code == 302
    assert sign_in("operator", PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_an_unknown_name_is_locked_alike(cast: Cast, limited: None) -> None:
    assert fail("nobody-at-all", LIMIT).status_code == 429


def test_changing_the_browser_does_not_evade_the_lock(cast: Cast, limited: None) -> None:
    answers = [sign_in("reader", HTTP_USER_AGENT=f"browser {number}") for number in range(LIMIT)]
    assert answers[-1].status_code == 429


def test_trying_on_does_not_prolong_the_lock(cast: Cast, limited: None) -> None:
    first = fail("reader", LIMIT).context["until"]
    assert sign_in("reader").context["until"] == first


def test_the_lock_ends(cast: Cast, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = LIMIT
    fail("reader", LIMIT)
    settings.AXES_COOLOFF_TIME = timedelta(0)
    assert sign_in("reader", PASSWORD).status_code == 302


def test_a_success_forgets_the_failures(cast: Cast, limited: None) -> None:
    fail("reader", LIMIT - 1)
    sign_in("reader", PASSWORD)
    assert fail("reader", LIMIT - 1).status_code == 200


def test_trying_name_after_name_from_one_address_is_refused(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_FAILURE_LIMIT_PER_ADDRESS = 4
    pages = [sign_in(f"nobody{number}", REMOTE_ADDR="192.0.2.7").content.decode() for number in range(6)]
    assert ["Too many" in page for page in pages] == [False] * 4 + [True] * 2
    assert sign_in("reader", PASSWORD, REMOTE_ADDR="192.0.2.8").status_code == 302


def test_redis_being_away_neither_opens_nor_shuts_the_door(cast: Cast, limited: None, settings: Any) -> None:
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"},
    }
    assert sign_in("reader", PASSWORD).status_code == 302
    assert fail("reader", LIMIT).status_code == 429


def test_an_administrator_lifts_the_lock(cast: Cast, limited: None) -> None:
    fail("reader", LIMIT)
    assert is_locked(cast.reader)
    admin = Client()
    sign_in("portal_admin", PASSWORD, admin)
    assert admin.post(f"/people/{cast.reader.pk}/unlock/").status_code == 302
    assert not is_locked(cast.reader)
    assert sign_in("reader", PASSWORD).status_code == 302


def test_what_was_typed_is_not_kept(cast: Cast) -> None:
    from axes.models import AccessAttempt  # noqa: PLC0415  # only once Django is ready

    sign_in("secret-typed-into-the-wrong-field", "wrong-password")
    attempt = AccessAttempt.objects.get()
    assert "wrong-password" not in attempt.post_data
    assert "secret-typed" not in attempt.post_data
    assert not AuditEvent.objects.filter(resource__contains="secret-typed").exists()


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "ünïcödé" * 30])
def test_odd_names_are_refused_and_nothing_breaks(db: None, name: str) -> None:
    assert sign_in(name).status_code == 200


# --- Addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "expected"),
    [
        (0, "", "192.0.2.1", "192.0.2.1"),
        # Without a trusted proxy the header is the caller's own word.
        (0, "203.0.113.9", "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.9", "192.0.2.1", "203.0.113.9"),
        # What the caller put there stands left of what the proxy appended.
        (1, "10.0.0.1, 203.0.113.9", "192.0.2.1", "203.0.113.9"),
        (2, "10.0.0.1, 203.0.113.9, 198.51.100.2", "192.0.2.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1", "192.0.2.1"),
        (1, "not an address", "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.9:4711", "192.0.2.1", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "192.0.2.1", "2001:db8::1"),
        (1, "2001:DB8:0::1", "192.0.2.1", "2001:db8::1"),
        (0, "", "", "0.0.0.0"),
    ],
)
def test_the_callers_address(settings: Any, proxies: int, forwarded: str, remote: str, expected: str) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)) == expected


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forged_header_does_not_evade_the_lock(cast: Cast, limited: None, settings: Any, proxies: int) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    appended = ", 203.0.113.9" if proxies else ""
    answers = [sign_in("reader", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}{appended}") for number in range(LIMIT)]
    assert answers[-1].status_code == 429


# --- What is written down --------------------------------------------------------------------------------------------


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_sign_ins_failures_and_locks_are_written_down_once_each(cast: Cast, limited: None) -> None:
    AuditEvent.objects.all().delete()
    fail("reader", LIMIT + 4, REMOTE_ADDR="192.0.2.7")
    assert sorted(actions()) == ["sign-in-failed"] * LIMIT + ["sign-in-locked"]
    locked = AuditEvent.objects.get(action="sign-in-locked")
    assert (locked.actor_name, locked.resource, locked.values) == ("", "reader", {"address": "192.0.2.7"})


def test_signing_in_and_out_is_written_down(cast: Cast) -> None:
    AuditEvent.objects.all().delete()
    client = Client()
    sign_in("reader", PASSWORD, client)
    client.post("/accounts/logout/")
    assert actions() == ["sign-in", "sign-out"]


def test_an_unknown_name_is_not_written_down(db: None) -> None:
    sign_in("nobody-at-all")
    assert AuditEvent.objects.get().resource == ""


def test_an_inactive_person_is_told_only_with_the_right_password(cast: Cast) -> None:
    UserFactory.create(username="gone", is_active=False)
    assert sign_in("gone", PASSWORD)["Location"] == "/accounts/inactive/"
    assert sign_in("gone").status_code == 200
