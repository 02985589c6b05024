"""What a person does with applications and packages, step by step."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

APPLICATIONS = "/batch/local/applications/"
LONG = 60_000  # ms for work that the worker does


def application_url(application: str) -> str:
    return f"{APPLICATIONS}{application}/"


def package_url(application: str, version: str) -> str:
    return f"{application_url(application)}packages/{version}/"


def choose_file(page: Page, file: Path) -> None:
    page.get_by_label(re.compile("^Package")).set_input_files(file)


def card(page: Page) -> Locator:
    """The upload's card, whoever draws it: the page while it sends, the operation afterwards."""
    return page.locator(".bp-job")


def fill_new_application(page: Page, application: str, version: str, file: Path) -> None:
    """Fill in the form that makes an application, as far as the button."""
    page.goto(f"{APPLICATIONS}+new/")
    page.get_by_label("Application ID").fill(application)
    page.get_by_label("Version").fill(version)
    choose_file(page, file)


def make_application(page: Page, application: str, version: str, file: Path) -> None:
    """Make an application and wait for its first package."""
    fill_new_application(page, application, version, file)
    page.get_by_role("button", name="Create application").click()
    expect(card(page)).to_contain_text("Succeeded", timeout=LONG)


def add_package(page: Page, application: str, version: str, file: Path) -> None:
    """Add a version; does not wait for it."""
    page.goto(f"{application_url(application)}add/")
    page.get_by_label("Version").fill(version)
    choose_file(page, file)
    page.get_by_role("button", name="Add package").click()


def row(page: Page, name: str) -> Locator:
    """The row of a table that begins with a name."""
    return page.get_by_role("row", name=re.compile(rf"^{re.escape(name)}\b"))


def command(page: Page, name: str) -> Locator:
    """A command of the blade, out of the menu where it did not fit."""
    found = page.locator(".bp-command", has_text=re.compile(rf"^\s*{re.escape(name)}"))
    expect(found).to_be_attached()
    page.wait_for_load_state()  # a dialog is a page of its own until the scripts are there
    if not found.is_visible():
        page.get_by_role("button", name="More commands").click()
    return found
