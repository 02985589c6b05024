"""Signing in with a code of an authenticator app, from setting it up to turning it off."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time

from playwright.sync_api import Page, expect

from tests.e2e.people import People
from tests.e2e.service import Service
from tests.e2e.test_pages import Eye, problems

RECOVERY = re.compile(r"\b[0-9a-f]{8}\b")
STEP = 30  # seconds that a code lasts (RFC 6238)


def code(secret: str) -> str:
    """What an authenticator app shows."""
    key = base64.b32decode(secret)
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // STEP), hashlib.sha1)
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def turn_on(page: Page, password: str) -> None:
    """Set up the app with the key that the page shows."""
    page.goto("/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()
    secret = page.locator("main code").first.inner_text()
    page.get_by_label("Authenticator code").fill(code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Set up an authenticator app")


def test_a_code_is_asked_for_and_can_be_turned_off(people: People, linked: Service) -> None:
    page = people.newcomer()
    person = people.stack.people["newcomer"]
    turn_on(page, person.password)
    page.goto("/accounts/2fa/recovery-codes/")
    recovery = RECOVERY.findall(page.get_by_role("main").inner_text())[0]
    eye = Eye(page)
    for name in ("recovery-codes", "totp/deactivate"):
        assert eye.open(f"/accounts/2fa/{name}/") == 200
        assert not problems(eye, f"mfa-{name.replace('/', '-')}")

    fresh = people.visitor()
    fresh.goto("/")
    fresh.get_by_label("User name or email").fill(person.username)
    fresh.get_by_label("Password").fill(person.password)
    fresh.get_by_role("button", name="Sign in").click()
    expect(fresh.get_by_role("heading", name="One more step")).to_be_visible()
    fresh.get_by_label("Code").fill(recovery)
    fresh.get_by_role("button", name="Sign in").click()
    expect(fresh.get_by_role("button", name=f"Menu of {person.username}")).to_be_visible()

    page.goto("/accounts/2fa/totp/deactivate/")
    page.get_by_role("button", name="Remove the app").click()
    expect(page.get_by_role("link", name="Set up").first).to_be_visible()
