"""The demo's people at their browsers."""

from __future__ import annotations

import uuid
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect

from tests.support.stack import SignIn, Stack

# Lines for every answer of 400 and more, and for requests that end with the page that made them. The tests that bring
# such answers about look at what the page made of them; `test_pages.py` admits no line at all.
OF_THE_NETWORK = ("Failed to load resource", "htmx:")

# Signing in takes long, as it should: passwords are hashed. By portal and role.
SESSIONS: dict[tuple[str, str], StorageState] = {}


class People:
    """Opens pages as administrator, uploader or reader, each in a browser context of their own."""

    def __init__(self, stack: Stack, browser: Browser) -> None:
        self.stack = stack
        self.browser = browser
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    def visitor(self, *, width: int = 1440, dark: bool = False, **options: Any) -> Page:
        """A page of somebody who has not signed in."""
        context = self.browser.new_context(
            base_url=self.stack.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            **options,
        )
        self.contexts.append(context)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context.new_page()

    def page(self, role: str, **options: Any) -> Page:
        """A page of somebody who is signed in; it shows where the portal leads them."""
        known = SESSIONS.get((self.stack.url, role))
        page = self.visitor(storage_state=known, **options)
        page.goto("/")
        if known is None:
            self.sign_in(page, role)
            SESSIONS[self.stack.url, role] = page.context.storage_state()
        return page

    def sign_in(self, page: Page, role: str) -> None:
        """Fill in the sign-in form that the page shows."""
        person = self.stack.people[role]
        page.get_by_label("User name or email").fill(person.username)
        page.get_by_label("Password").fill(person.password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name=f"Menu of {person.username}")).to_be_visible()

    def newcomer(self) -> Page:
        """The administrator adds somebody without a role on any account; they sign in."""
        person = SignIn(f"newcomer-{uuid.uuid4().hex[:6]}", "correct horse battery staple", "newcomer")
        page = self.page("administrator")
        page.goto("/people/new/")
        page.get_by_label("User name").fill(person.username)
        page.get_by_label("Email").fill(f"{person.username}@example.org")
        page.get_by_label("Password").fill(person.password)
        page.get_by_role("button", name="Add person").click()
        expect(page.get_by_text(f"{person.username} was added.")).to_be_visible()
        self.stack.people["newcomer"] = person
        page = self.visitor()
        page.goto("/")
        self.sign_in(page, "newcomer")
        return page

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type in {"error", "warning"} and not line.text.startswith(OF_THE_NETWORK):
            self.complaints.append(f"{line.type}: {line.text}")

    def leave(self) -> None:
        for context in self.contexts:
            context.close()
