"""Who may only look sees no commands; who has no role sees nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.packages import APPLICATIONS, application_url, make_application, package_url
from tests.e2e.people import People
from tests.e2e.service import Service

OF_CHANGE = (
    "New application",
    "Add package",
    "Update",
    "Delete package",
    "Delete application",
    "Replace",
    "Assign team",
)


def usable(page: Page) -> list[str]:
    """The commands of change that the page would carry out."""
    found = page.locator(".bp-command:not([aria-disabled=true]), .bp-row-actions a, .bp-row-actions button")
    return [text.strip() for text in found.all_inner_texts() if text.strip().startswith(OF_CHANGE)]


def test_a_reader_looks_and_changes_nothing(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    make_application(people.page("uploader"), application, "1.0", small_zip())
    page = people.page("reader")
    for address in (APPLICATIONS, application_url(application), package_url(application, "1.0")):
        page.goto(address)
        expect(page.locator("main")).to_contain_text("1.0" if address != APPLICATIONS else application)
        assert usable(page) == []
    expect(page.get_by_role("link", name="Download zip")).to_be_visible()
    page.goto(application_url(application))
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    answer = page.goto(f"{APPLICATIONS}+new/")
    assert answer
    assert answer.status == 403
    expect(page.locator("main, body").first).to_contain_text("role")


def test_a_stranger_finds_nothing(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    make_application(people.page("uploader"), application, "1.0", small_zip())
    page = people.newcomer()
    for address in ("/batch/local/", APPLICATIONS, package_url(application, "1.0"), "/batch/no-such-account/"):
        answer = page.goto(address)
        assert answer
        assert answer.status == 404, address
    page.goto(f"/search/?q={application}")
    expect(page.locator("main").get_by_role("link", name=application)).to_have_count(0)
