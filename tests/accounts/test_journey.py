"""An administrator's way through the account pages in Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.support.stack import Stack

Visit = Callable[[str], None]
# What browsers say of any answer with an error status, expected or not.
EXPECTED = "Failed to load resource"


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complained about: script errors, refused styles, violations of the Content Security Policy."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and EXPECTED not in message.text:
            found.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def visit(stack: Stack, page: Page) -> Visit:
    """Signed in as the demo's administrator."""
    person = stack.people["administrator"]
    page.goto(f"{stack.url}/accounts/login/")
    page.locator("input[name=login]").fill(person.username)
    page.locator("input[type=password]").fill(person.password)
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/batch/**")

    def go(path: str) -> None:
        page.goto(stack.url + path)

    return go


def test_linking_storage_from_the_warning_to_the_link(
    stack: Stack, page: Page, visit: Visit, complaints: list[str]
) -> None:
    stack.batch.arm("PATCH", stack.batch.account_id(), {"properties": {"autoStorage": None}})
    visit("/batch/local/connection/")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Answers", exact=True)).to_have_count(2)
    visit("/batch/local/")
    page.get_by_role("link", name="No storage account is linked").click()
    page.get_by_role("link", name="Link localstorage").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("block blobs")
    dialog.get_by_role("button", name="Link").click()
    expect(page.get_by_text("is linked to local").first).to_be_visible(timeout=30_000)
    visit("/batch/local/storage/")
    expect(page.get_by_text("Keys last synchronised")).to_be_visible()
    page.get_by_role("link", name="Change to this: secondstorage").click()
    expect(dialog).to_contain_text("Packages stay where they are")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert complaints == []


def test_finding_an_account_instead_of_typing_it(page: Page, visit: Visit, complaints: list[str]) -> None:
    visit("/batch/connect/")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_label("Tenant ID")).to_be_focused()
    page.get_by_label("Shared key (data plane only)").check()
    expect(page.get_by_label("Tenant ID")).to_be_hidden()
    page.get_by_label("Shared key", exact=True).fill("typed but not sent back")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("88 characters")).to_be_visible()
    expect(page.get_by_label("Shared key", exact=True)).to_have_value("typed but not sent back")
    page.get_by_label("Managed identity of this machine").check()
    page.get_by_role("button", name="Find accounts").click()
    page.locator("#found").get_by_role("radio").first.check()
    expect(page.get_by_label("Resource group")).to_have_value("local")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Answers", exact=True)).to_have_count(2)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("connected already")).to_be_visible()
    assert complaints == []


def test_a_key_is_shown_on_demand_and_masked_again(
    stack: Stack, page: Page, visit: Visit, complaints: list[str]
) -> None:
    visit("/batch/local/keys/")
    primary = page.locator("#primary")
    expect(primary).to_have_text("•" * 16)
    page.get_by_role("button", name="Show Primary key").click()
    expect(primary).to_have_text(stack.batch.account_key())
    page.get_by_role("button", name="Show Primary key").click()
    expect(primary).to_have_text("•" * 16)
    page.get_by_role("link", name="Regenerate").first.click()
    dialog = page.get_by_role("dialog")
    regenerate = dialog.get_by_role("button", name="Regenerate")
    expect(regenerate).to_be_disabled()
    dialog.get_by_role("textbox").fill("local")
    expect(regenerate).to_be_enabled()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_account_pages_are_accessible(page: Page, visit: Visit, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    for path in (
        "",
        "connect/",
        "local/",
        "local/storage/",
        "local/keys/",
        "local/connection/",
        "local/storage/unlink/",
    ):
        visit(f"/batch/{path}")
        expect(page.locator("[data-slow]")).to_have_count(0)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"), path
