"""The guided form of a new pool keeps what was typed, whatever is done to it before the pool is made."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import People

PASSWORD = "Correct-Horse-7"


@pytest.fixture
def form(people: People) -> Page:
    page = people.page("administrator")
    page.goto("/batch/local/pools/new/")
    return page


def add(page: Page, button: str, field: str, value: str) -> None:
    page.get_by_role("button", name=button).click()
    page.locator(f"[name='{field}']").fill(value)


def test_rows_come_and_go_and_nothing_typed_is_lost(form: Page) -> None:
    form.locator("[name=pool_id]").fill("never-made")
    form.locator("[name=size_q]").fill("d2ds_v5")
    form.locator("#size-list").get_by_text("Standard_D2ds_v5", exact=True).click()
    add(form, "Add entry", "metadata[0].name", "purpose")
    add(form, "Add account", "userAccounts[0].name", "render")
    # The password too, which never comes back from the server.
    form.locator("[name='userAccounts[0].password']").fill(PASSWORD)
    add(form, "Add variable", "startTask.environmentSettings[0].name", "MODE")
    form.locator("[name='startTask.commandLine']").fill("/bin/true")
    expect(form.locator("[name='userAccounts[0].password']")).to_have_value(PASSWORD)
    expect(form.locator("#size-list input:checked")).to_have_value("Standard_D2ds_v5")
    expect(form.locator("#summary")).to_contain_text("Standard_D2ds_v5")
    expect(form.locator("#summary")).not_to_contain_text(PASSWORD)


def test_enter_in_a_field_makes_nothing_by_accident(form: Page) -> None:
    form.locator("[name=pool_id]").fill("never-made")
    with form.expect_response("**/pools/new/"):
        form.locator("[name=pool_id]").press("Enter")
    expect(form.locator("#pool-form.htmx-request, #pool-form.htmx-settling, #pool-form.htmx-swapping")).to_have_count(0)
    expect(form.locator("[name=pool_id]")).to_have_value("never-made")
