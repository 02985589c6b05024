"""Everything without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.packages import APPLICATIONS, application_url, make_application, package_url
from tests.e2e.people import People
from tests.e2e.service import Service

# What can be reached by Tab, in the order of the page: radio buttons of one group count once.
REACHABLE = """() => {
    const seen = new Set();
    const wanted = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
        .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0)
        .filter((one) => one.type !== "radio" || !seen.has(one.name) && seen.add(one.name));
    wanted.forEach((one, index) => one.dataset.reach = String(index));
    return wanted.length;
}"""
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const ringed = [one, one.closest(".bp-drop"), one.parentElement].filter(Boolean).some((part) => {
        const looks = getComputedStyle(part);
        return looks.outlineStyle !== "none" && parseFloat(looks.outlineWidth) > 0 || looks.boxShadow !== "none";
    });
    const group = one.type === "radio" ? document.querySelector(`[name="${one.name}"][data-reach]`) : one;
    return { reach: group?.dataset.reach ?? null, ringed, html: one.outerHTML.slice(0, 120) };
}"""


def walk_by_tab(page: Page) -> None:
    """Press Tab through the whole page: everything is met, in the order of the page, and shows that it is met."""
    wanted = page.evaluate(REACHABLE)
    assert wanted > 5
    # A field with autofocus would be where Tab begins.
    page.locator("[data-reach='0']").focus()
    met: list[int] = []
    for _ in range(wanted):
        found = page.evaluate(FOCUSED)
        assert found["ringed"], f"no focus to be seen on {found['html']}"
        assert found["reach"] is not None, f"unexpected stop at {found['html']}"
        met.append(int(found["reach"]))
        page.keyboard.press("Tab")
    assert met == sorted(met), "the order of Tab is not that of the page"
    assert len(set(met)) == wanted


@pytest.mark.parametrize("width", [1440, 390])
def test_tab_meets_everything(
    width: int, people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader", width=width)
    make_application(page, application, "1.0", small_zip())
    for address in (
        APPLICATIONS,
        application_url(application),
        package_url(application, "1.0"),
        f"{APPLICATIONS}+new/",
    ):
        page.goto(address)
        expect(page.locator(".bp-skeleton:visible")).to_have_count(0)
        walk_by_tab(page)


def test_skip_link_leads_past_the_menu(people: People, linked: Service) -> None:
    page = people.page("uploader")
    page.goto(APPLICATIONS)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_dialog_holds_the_focus_and_gives_it_back(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    make_application(page, application, "1.0", small_zip())
    page.goto(application_url(application))
    opener = page.get_by_role("link", name="Delete 1.0")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=re.compile("Delete package"))
    expect(dialog.get_by_label(re.compile("^Type"))).to_be_focused()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
