"""The main journey: from a portal that was just started to a package that Batch installs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import People
from tests.e2e.service import STORAGE, Service
from tests.e2e.zips import MIB, program_zip, sha256, text_zip

LARGE = 320  # MiB


PART = r"\s*[1-9]\d? %"  # neither nothing nor all


class Line:
    """The line between a page and the portal, as slow as Chromium can be told to make it."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def carry(self, mebibytes: float = -1, *, offline: bool = False) -> None:
        """So much in a second, or as fast as it goes, or nothing at all."""
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": mebibytes * MIB}
        self.session.send("Network.emulateNetworkConditions", conditions)


@dataclass(frozen=True, slots=True)
class Variant:
    """How the journey is made, and what happens to the page on the way."""

    width: int
    dark: bool
    file: Callable[[Path], Path]
    send: Callable[[Page, Path, Line], None]
    mebibytes: float = -1  # per second

    def __str__(self) -> str:
        return f"{self.width}-{'dark' if self.dark else 'light'}"


# --- The administrator ----------------------------------------------------------------------------------------------


def unlink_storage(page: Page) -> None:
    """Begin as a new portal does: without a storage account."""
    # Others have linked it behind the portal's back: have it ask again, whatever it still holds for true.
    page.request.get("/batch/local/overview/facts/?again=1")
    page.goto("/batch/local/storage/")
    page.get_by_role("heading", name=re.compile("^(Linked storage account|No storage account is linked)$")).wait_for()
    if page.get_by_role("heading", name="No storage account is linked").is_visible():
        return
    unlink = page.get_by_role("link", name="Unlink", exact=True)
    if not unlink.is_visible():
        page.get_by_role("button", name="More commands").click()
    unlink.click()
    dialog = page.get_by_role("dialog", name=re.compile("^Unlink"))
    dialog.get_by_label(re.compile("^Type")).fill(STORAGE)
    dialog.get_by_role("button", name="Unlink").click()
    expect(page.get_by_text("Succeeded", exact=True).first).to_be_visible()


def link_storage(page: Page) -> None:
    """From the warning on the overview to the linked account, with a confirmation, an operation and a toast."""
    page.goto("/batch/local/")
    warning = page.get_by_text("No storage account is linked, so there is nowhere to keep packages.")
    expect(warning).to_be_visible()
    page.get_by_role("link", name="Link a storage account").click()
    page.get_by_role("link", name=f"Link {STORAGE}").click()
    dialog = page.get_by_role("dialog", name=f"Link {STORAGE}")
    expect(dialog).to_contain_text("as block blobs that the storage account's subscription pays for")
    dialog.get_by_role("button", name="Link").click()
    toast = page.locator("[data-toast]", has_text=STORAGE)
    expect(toast).to_contain_text("Succeeded", timeout=20_000)
    expect(toast.get_by_role("link")).to_have_attribute("href", re.compile(r"^/operations/[0-9a-f-]+/$"))
    page.goto("/batch/local/")
    expect(page.get_by_role("link", name="Link a storage account")).to_have_count(0)


# --- The uploader ---------------------------------------------------------------------------------------------------


def new_application(page: Page, application: str, file: Path) -> None:
    """Fill in the form that makes an application."""
    page.goto("/batch/local/applications/")
    page.get_by_role("link", name="New application").first.click()
    page.wait_for_url("**/+new/")
    page.get_by_label("Application ID").fill(application)
    page.get_by_label("Version").fill("1.0")
    expect(page.get_by_text(f"AZ_BATCH_APP_PACKAGE_{application.replace('-', '_')}_1_0")).to_be_visible()
    page.get_by_label(re.compile("^Package")).set_input_files(file)
    page.get_by_role("button", name="Create application").click()


def sent_in_one_go(page: Page, file: Path, line: Line) -> None:
    """Stay until the package is there."""
    card = page.locator(".bp-job")
    expect(card).to_contain_text("In blob storage")
    expect(card).to_contain_text("Succeeded", timeout=90_000)


def watched(page: Page, file: Path, line: Line) -> None:
    """See both legs of one bar move, the second before the first has ended."""
    card = page.locator(".bp-job")
    expect(card).to_contain_text(re.compile(r"MiB/s.*left", re.DOTALL))
    both = re.compile(rf"With the server {PART}.*In blob storage {PART}", re.DOTALL)
    expect(card.locator(".bp-progress-legs")).to_have_text(both, timeout=60_000)
    line.carry()
    sent_in_one_go(page, file, line)


def closed_when_allowed(page: Page, file: Path, line: Line) -> None:
    """Close the page as soon as it says that one may, and find the package from another."""
    may_close = re.compile("You may close this page|Succeeded")
    expect(page.locator(".bp-job")).to_contain_text(may_close, timeout=60_000)
    context = page.context
    page.close()
    page = context.new_page()
    page.goto("/operations/")
    expect(page.get_by_role("row", name=re.compile("render-")).first).to_contain_text("Succeeded", timeout=60_000)


def cut_off(page: Page, file: Path, line: Line) -> None:
    """Lose the network, reload, choose the file again: the upload goes on where the server stands."""
    card = page.locator(".bp-job")
    sent = card.locator("[data-first-text]")
    expect(sent).to_have_text(re.compile(PART), timeout=60_000)
    line.carry(1, offline=True)
    expect(card).to_contain_text("The network is away")
    line.carry(1)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(card).to_contain_text("Choose the same file to go on")
    expect(sent).to_have_text(re.compile(PART))
    line.carry()
    card.get_by_label("Choose the same file again").set_input_files(file)
    sent_in_one_go(page, file, line)


def downloaded_sha256(page: Page, application: str) -> str:
    """What the portal's own download gives."""
    page.goto(f"/batch/local/applications/{application}/packages/1.0/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download zip").click()
    with Path(download.value.path()).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


VARIANTS = [
    Variant(1440, False, lambda folder: program_zip(folder / "render.zip", LARGE), watched, 40),
    Variant(1440, True, lambda folder: program_zip(folder / "render.zip", 24), cut_off, 2),
    Variant(390, False, lambda folder: text_zip(folder / "render.zip"), closed_when_allowed),
    Variant(390, True, lambda folder: text_zip(folder / "render.zip"), sent_in_one_go),
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_from_nothing_to_an_active_package(
    variant: Variant, people: People, service: Service, application: str, tmp_path: Path
) -> None:
    file = variant.file(tmp_path)
    administrator = people.page("administrator", width=variant.width, dark=variant.dark)
    unlink_storage(administrator)
    link_storage(administrator)
    assert service.linked == STORAGE

    uploader = people.page("uploader", width=variant.width, dark=variant.dark)
    line = Line(uploader)
    line.carry(variant.mebibytes)
    new_application(uploader, application, file)
    variant.send(uploader, file, line)

    page = uploader if not uploader.is_closed() else uploader.context.new_page()
    page.goto(f"/batch/local/applications/{application}/")
    expect(page.get_by_role("row", name=re.compile(r"^1\.0"))).to_contain_text("Active")
    assert service.states(application) == {"1.0": "Active"}
    assert service.sha256(application, "1.0") == downloaded_sha256(page, application) == sha256(file)
