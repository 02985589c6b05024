"""The components in Chromium: accessible, at home on a phone, and alive."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]


def findings(page: Page) -> list[str]:
    """What axe finds, in one line each."""
    report = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [f"{found['id']}: {node['html'][:120]}" for found in report["violations"] for node in found["nodes"]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("address", ["/gallery/", "/gallery/?dialog=1", "/upload/", "/sign-in/login/"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(visit: Visit, address: str, width: int, dark: bool) -> None:
    page = visit(address, width=width, dark=dark)
    page.wait_for_load_state("networkidle")
    assert not findings(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [1440, 390])
def test_open_menus_and_dialogs_pass_axe(visit: Visit, width: int) -> None:
    page = visit("/gallery/", width=width)
    page.get_by_role("button", name="Menu of admin").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert not findings(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Operations", exact=True).click()
    expect(page.get_by_text("Two are running.")).to_be_visible()
    assert not findings(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    assert not findings(page)


def test_every_target_is_large_enough(visit: Visit) -> None:
    page = visit("/gallery/", width=390)
    page.wait_for_load_state("networkidle")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([type=hidden]), a.btn, .bp-pages a")]
            .filter((target) => target.checkVisibility() && !target.closest(".bp-hidden"))
            .filter((target) => ![target, ...(target.labels ?? [])].some((part) => {
                const box = part.getBoundingClientRect();
                return box.width >= 24 && box.height >= 24;
            }))
            .map((target) => target.outerHTML.slice(0, 100))"""
    )
    assert not small


def test_a_chosen_theme_shows_at_once_and_stays(visit: Visit) -> None:
    page = visit("/gallery/")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Menu of admin").click()
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_role("button", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_commands_that_do_not_fit_are_in_the_menu(visit: Visit) -> None:
    page = visit("/gallery/", width=390)
    delete = page.get_by_role("link", name="Delete", exact=True)
    expect(delete).to_be_hidden()
    page.get_by_role("button", name="More commands").click()
    expect(delete).to_be_visible()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(delete).to_be_visible()
    expect(page.get_by_role("button", name="More commands")).to_be_hidden()


def test_a_dialog_asks_for_the_name_and_leads_on(visit: Visit) -> None:
    page = visit("/gallery/")
    opener = page.get_by_role("link", name="Delete", exact=True)
    opener.click()
    dialog = page.get_by_role("dialog", name="Delete package blender 4.2")
    name = dialog.get_by_label("Type blender to confirm")
    expect(name).to_be_focused()
    submit = dialog.get_by_role("button", name="Delete")
    expect(submit).to_be_disabled()
    name.fill("blende")
    expect(submit).to_be_disabled()
    name.fill("blender")
    submit.click()
    expect(page).to_have_url(re.compile(r"/gallery/\?page=2$"))
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("11–20")).to_be_visible()


def test_a_refused_name_is_explained_in_the_dialog(visit: Visit) -> None:
    page = visit("/gallery/")
    page.get_by_role("link", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type blender to confirm").fill("blender")
    page.evaluate("document.querySelector('dialog [name=confirm]').value = 'other'")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("The name differs.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_dialog_is_a_page_without_script(visit: Visit) -> None:
    page = visit("/gallery/", java_script_enabled=False)
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_label("Type blender to confirm")).to_be_visible()
    page.get_by_label("Type blender to confirm").fill("blender")
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("page=2"))


def test_a_list_keeps_its_state_in_the_address(visit: Visit) -> None:
    page = visit("/gallery/")
    page.get_by_role("columnheader", name="Size").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=size"))
    expect(page.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Search packages").fill("render")
    expect(page).to_have_url(re.compile("(?=.*q=render)(?=.*sort=size)"))
    expect(page.get_by_label("Search packages")).to_be_focused()
    page.get_by_role("link", name="3", exact=True).click()
    expect(page).to_have_url(re.compile("(?=.*page=3)(?=.*q=render)(?=.*sort=size)"))
    page.get_by_label("State").select_option("Active")
    expect(page).to_have_url(re.compile("state=Active"))
    assert "page=" not in page.url
    page.get_by_role("link", name="Clear filters").first.click()
    expect(page).not_to_have_url(re.compile("q="))


def test_keys_lead_to_search_filter_and_help(visit: Visit) -> None:
    page = visit("/gallery/")
    page.keyboard.press("/")
    expect(page.locator("#global-search")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(page.get_by_label("Search packages")).to_be_focused()
    page.keyboard.type("f?")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_first_tab_skips_to_the_content(visit: Visit) -> None:
    page = visit("/gallery/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_secret_shows_on_demand(visit: Visit) -> None:
    page = visit("/gallery/")
    expect(page.get_by_text("not-a-real-key")).to_be_hidden()
    show = page.get_by_role("button", name="Show the primary key")
    show.click()
    expect(page.get_by_text("not-a-real-key")).to_be_visible()
    show.click()
    expect(page.get_by_text("not-a-real-key")).to_be_hidden()


def test_copy_says_that_it_copied(visit: Visit) -> None:
    page = visit("/gallery/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the request id").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("9f1c7c1e")


def test_the_drawer_of_a_phone_opens_and_closes(visit: Visit) -> None:
    page = visit("/gallery/", width=390)
    menu = page.get_by_role("navigation", name="rendering")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(menu.get_by_role("link", name="Applications")).to_be_visible()
    assert not findings(page)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def test_the_collapsed_menu_is_remembered(visit: Visit) -> None:
    page = visit("/gallery/")
    page.get_by_role("button", name="Collapse menu").click()
    page.reload()
    assert page.evaluate("document.querySelector('.bp-menu').offsetWidth") < 80
    assert not findings(page)


def test_the_bell_counts_what_runs(visit: Visit) -> None:
    page = visit("/gallery/")
    expect(page.locator("#bell-count")).to_have_text("2")
