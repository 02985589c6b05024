"""A person makes a pool in Chromium and watches its nodes come."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.support.stack import Stack

PASSWORD = "Correct-Horse-7"


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complained about: script errors, refused styles, violations of the Content Security Policy."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            found.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def new_pool(stack: Stack, page: Page) -> Page:
    """The form of a new pool, before a demo administrator."""
    person = stack.people["administrator"]
    page.goto(f"{stack.url}/accounts/login/")
    page.locator("input[name=login]").fill(person.username)
    page.locator("input[type=password]").fill(person.password)
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/batch/**")
    page.goto(f"{stack.url}/batch/local/pools/new/")
    return page


def add(page: Page, button: str, field: str, value: str) -> None:
    page.get_by_role("button", name=button).click()
    page.locator(f"[name='{field}']").fill(value)


def test_a_pool_is_made_and_its_nodes_come(new_pool: Page, complaints: list[str]) -> None:
    page = new_pool
    page.locator("[name=pool_id]").fill("journey")
    page.locator("[name=image_q]").fill("ubuntu-24")
    expect(page.locator("#image-list")).not_to_contain_text("windowsserver")
    page.locator("#image-list").get_by_text("ubuntu-24_04-lts server", exact=True).click()
    page.locator("[name=size_q]").fill("d2ds_v5")
    page.locator("#size-list").get_by_text("Standard_D2ds_v5", exact=True).click()
    page.locator("[name=targetDedicatedNodes]").fill("2")
    add(page, "Add entry", "metadata[0].name", "emulator:nodes")
    page.locator("[name='metadata[0].value']").fill("simulated")
    add(page, "Add account", "userAccounts[0].name", "render")
    page.locator("[name='userAccounts[0].password']").fill(PASSWORD)
    # Adding rows keeps what was typed and chosen, the password too, which never comes back from the server.
    add(page, "Add variable", "startTask.environmentSettings[0].name", "MODE")
    page.locator("[name='startTask.commandLine']").fill("/bin/true")
    expect(page.locator("[name='userAccounts[0].password']")).to_have_value(PASSWORD)
    expect(page.locator("#size-list input:checked")).to_have_value("Standard_D2ds_v5")
    expect(page.locator("#summary")).to_contain_text("Nothing breaks a rule")
    expect(page.locator("#summary")).not_to_contain_text(PASSWORD)
    # Enter in a field makes nothing by accident.
    with page.expect_response("**/pools/new/"):
        page.locator("[name=pool_id]").press("Enter")
    expect(page.locator("#pool-form.htmx-request, #pool-form.htmx-settling, #pool-form.htmx-swapping")).to_have_count(0)
    expect(page.locator("[name=pool_id]")).to_have_value("journey")
    page.get_by_role("button", name="Create pool").click()
    page.wait_for_url("**/operations/**")
    expect(page.get_by_text("journey has 2 dedicated and 0 Spot nodes.").first).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Go to the resource").click()
    expect(page.locator("#pool-live")).to_contain_text("Idle", timeout=60_000)
    expect(page.locator("#pool-chart canvas")).to_be_visible(timeout=30_000)
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_form_is_accessible_and_fits(new_pool: Page, scheme: str, width: int, complaints: list[str]) -> None:
    page = new_pool
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.locator("#size-list")).to_contain_text("Standard_D2s_v5")
    expect(page.locator("#image-list")).to_contain_text("ubuntu")
    expect(page.locator("#summary")).to_contain_text("missing or wrong")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []
