"""Lists that keep themselves current, in Chromium: the Nodes blade with rows as the poller would have kept them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import AuthMethod, BatchAccount
from apps.nodes.models import NodeSnapshot
from apps.pools.models import FleetReading, PoolSnapshot
from tests.people.factories import make_cast, signed_in

LIST = "/batch/local/nodes/"
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def pool(transactional_db: None) -> PoolSnapshot:
    account = BatchAccount.objects.create(
        slug="local",
        name="local",
        batch_endpoint="https://local.westeurope.batch.azure.com",
        auth_method=AuthMethod.MANAGED_IDENTITY,
    )
    # A lease far ahead: nobody reads the account while the test runs.
    FleetReading.objects.create(account=account, read_at=timezone.now())
    pool = PoolSnapshot.objects.create(account=account, pool_id="render", state="active", allocation_state="steady")
    rows = [
        NodeSnapshot(pool=pool, node_id=name(number), state="idle", ip_address=f"10.0.0.{number}")
        for number in range(60)
    ]
    NodeSnapshot.objects.bulk_create(rows)
    return pool


def name(number: int) -> str:
    return f"tvmps_{number:03}_d"


@pytest.fixture
def page(
    pool: PoolSnapshot, live_server: LiveServer, assets: Path, settings: Settings, browser: Browser
) -> Iterator[Page]:
    settings.STATIC_ROOT = str(assets)
    client = signed_in(make_cast(pool.account).operator)
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    cookie: Any = {
        "name": django_settings.SESSION_COOKIE_NAME,
        "value": client.cookies[django_settings.SESSION_COOKIE_NAME].value,
        "url": live_server.url,
    }
    context.add_cookies([cookie])
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert not complaints


def change(pool: PoolSnapshot, number: int, **values: Any) -> None:
    """What the next reading would bring."""
    pool.nodes.filter(node_id=name(number)).update(**values)
    FleetReading.objects.update(read_at=timezone.now())


def row(page: Page, number: int) -> Any:
    return page.get_by_role("row").filter(has_text=name(number))


def test_a_change_comes_by_itself_and_leaves_all_else_alone(page: Page, pool: PoolSnapshot) -> None:
    page.goto(LIST)
    box = row(page, 3).get_by_role("checkbox")
    box.check()
    page.get_by_role("link", name=name(5)).focus()
    page.evaluate("scrollTo(0, 300)")
    page.evaluate("document.querySelector('[data-key=\"render/tvmps_007_d\"]').mine = true")
    change(pool, 4, state="unusable")
    expect(row(page, 4)).to_contain_text("Unusable", timeout=20_000)
    expect(page.get_by_role("navigation", name="Nodes by state")).to_contain_text("Unusable 1")
    expect(box).to_be_checked()
    expect(page.get_by_text("1 node chosen")).to_be_visible()
    expect(page.get_by_role("link", name=name(5))).to_be_focused()
    assert page.evaluate("scrollY") == 300
    assert page.evaluate("document.querySelector('[data-key=\"render/tvmps_007_d\"]').mine")


def test_nodes_that_leave_and_come_do_so_by_themselves(page: Page, pool: PoolSnapshot) -> None:
    page.goto(f"{LIST}?state=idle")
    page.get_by_role("link", name=name(2)).focus()
    pool.nodes.filter(node_id=name(2)).delete()
    pool.nodes.create(node_id="another_d", state="idle")
    change(pool, 1, state="running")
    expect(row(page, 2)).to_have_count(0, timeout=20_000)
    expect(row(page, 1)).to_have_count(0)
    rows = page.locator("tr[data-key]")
    expect(rows.nth(0)).to_contain_text("another_d")
    expect(page.get_by_role("status").filter(has_text=re.compile("of 59"))).to_be_visible()
    # The focus did not fall out of the list.
    assert page.evaluate("document.activeElement.id") == "nodes-list"


def test_an_open_menu_and_marked_text_are_not_disturbed(page: Page, pool: PoolSnapshot) -> None:
    page.goto(LIST)
    page.get_by_role("button", name="More", exact=True).click()
    menu = page.get_by_role("button", name="Deallocate")
    expect(menu).to_be_visible()
    change(pool, 0, state="unusable")
    with page.expect_response(lambda response: response.request.headers.get("x-poll") == "1", timeout=20_000):
        pass
    expect(menu).to_be_visible()
    expect(row(page, 0)).to_contain_text("Idle")
    page.keyboard.press("Escape")
    expect(row(page, 0)).to_contain_text("Unusable", timeout=20_000)


def test_a_filter_that_is_chosen_stays_when_the_list_renews_itself(page: Page, pool: PoolSnapshot) -> None:
    change(pool, 9, state="unusable")
    page.goto(LIST)
    page.locator("select[name=state]").select_option("unusable")
    expect(page.locator("tr[data-key]")).to_have_count(1)
    change(pool, 8, state="unusable")
    expect(page.locator("tr[data-key]")).to_have_count(2, timeout=20_000)
    expect(page.locator("select[name=state]")).to_have_value("unusable")


def test_nodes_chosen_on_several_pages_are_acted_on_together(page: Page, pool: PoolSnapshot) -> None:
    page.goto(LIST)
    row(page, 1).get_by_role("checkbox").check()
    page.get_by_role("link", name="2", exact=True).click()
    row(page, 55).get_by_role("checkbox").check()
    expect(page.get_by_text("2 nodes chosen, 1 of them not on this page")).to_be_visible()
    page.get_by_role("button", name="Reboot").click()
    listed = page.locator(".bp-confirm-list")
    expect(listed).to_contain_text(name(1))
    expect(listed).to_contain_text(name(55))
    expect(page.get_by_role("button", name="Reboot 2 nodes")).to_be_visible()
    page.go_back()
    page.goto(LIST)
    row(page, 1).get_by_role("checkbox").check()
    page.get_by_role("button", name="Choose none").click()
    expect(row(page, 1).get_by_role("checkbox")).not_to_be_checked()
    expect(page.get_by_role("button", name="Reboot")).to_be_disabled()


def test_a_hidden_tab_asks_nothing_and_asks_at_once_when_it_is_seen_again(page: Page, pool: PoolSnapshot) -> None:
    page.clock.install()
    page.goto(LIST)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.headers.get("x-poll") == "1" else None)
    page.evaluate(HIDE, True)
    page.clock.fast_forward(120_000)
    assert [url for url in asked if "/nodes/" in url] == []
    change(pool, 0, state="unusable")
    page.evaluate(HIDE, False)
    expect(row(page, 0)).to_contain_text("Unusable")


def test_an_account_that_was_just_connected_fills_by_itself(page: Page, pool: PoolSnapshot) -> None:
    FleetReading.objects.update(read_at=None)
    pool.nodes.all().delete()
    page.goto(LIST)
    expect(page.get_by_text("have not been read yet")).to_be_visible()
    pool.nodes.create(node_id=name(1), state="starting")
    FleetReading.objects.update(read_at=timezone.now())
    expect(row(page, 1)).to_contain_text("Starting", timeout=20_000)
    expect(page.locator("select[name=state]")).to_be_visible()
