"""A part is away while somebody works."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.packages import APPLICATIONS, LONG, add_package, application_url, card, make_application
from tests.e2e.people import People
from tests.e2e.service import Service
from tests.e2e.zips import sha256

SOON = 2_000  # ms


def test_the_batch_service_is_away(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    """What was known is shown with its age; what was not is explained. Nobody waits."""
    page = people.page("uploader")
    make_application(page, application, "1.0", small_zip())
    page.goto(APPLICATIONS)
    expect(page.get_by_role("link", name=application)).to_be_visible()
    linked.stack.kill("emulator", signal.SIGKILL)
    page.goto(f"{APPLICATIONS}?sort=-upload", timeout=2 * SOON)
    expect(page.get_by_role("link", name=application)).to_be_visible(timeout=SOON)
    page.goto(f"{application_url(application)}?sort=size", timeout=2 * SOON)
    expect(page.locator("main")).to_contain_text(re.compile("Azure|service"), timeout=SOON)
    expect(page.locator("main")).to_contain_text(re.compile("again|last known|As of"), timeout=SOON)
    linked.stack.start("emulator")
    page.goto(application_url(application))
    expect(page.get_by_role("row", name=re.compile(r"^1\.0"))).to_contain_text("Active")


def test_blob_storage_goes_away_during_an_upload_and_comes_back(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    make_application(page, application, "1.0", small_zip())
    linked.stack.kill("azurite", signal.SIGKILL)
    file = small_zip("next.zip")
    add_package(page, application, "2.0", file)
    # The bytes are safe with the portal, whatever storage does.
    expect(card(page)).to_contain_text(re.compile("You may close this page|storage"), timeout=LONG)
    card(page).get_by_role("link", name="Details").click()
    expect(page.locator("#operation")).to_contain_text(
        re.compile("storage.*(again|away|not answer)", re.IGNORECASE | re.DOTALL), timeout=LONG
    )
    linked.stack.start("azurite")
    expect(page.locator("#operation")).to_contain_text("Succeeded", timeout=LONG)
    assert linked.states(application)["2.0"] == "Active"
    assert linked.sha256(application, "2.0") == sha256(file)
