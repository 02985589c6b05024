"""What is refused, where it is said, and what stays as it was."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.packages import (
    LONG,
    add_package,
    application_url,
    card,
    choose_file,
    command,
    fill_new_application,
    make_application,
    package_url,
    row,
)
from tests.e2e.people import People
from tests.e2e.service import Service
from tests.e2e.zips import hostile_zip, sha256

MAY_CLOSE = "You may close this page"


def test_bad_names_are_explained_at_their_fields_and_nothing_is_lost(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    fill_new_application(page, "blender 4/2", ".5", small_zip())
    page.get_by_label("Display name").fill("Blender, nightly")
    page.get_by_role("button", name="Create application").click()
    name, version = page.get_by_label("Application ID"), page.get_by_label("Version")
    expect(page.locator("#id_application_id_error")).to_contain_text("Not allowed:")
    expect(page.locator("#id_version_error")).to_contain_text("does not begin with a dot")
    expect(name).to_have_value("blender 4/2")
    expect(version).to_have_value(".5")
    expect(page.get_by_label("Display name")).to_have_value("Blender, nightly")
    expect(page.locator("[data-drop-name]")).to_contain_text("render.zip")
    name.fill(application)
    version.fill("5")
    page.get_by_role("button", name="Create application").click()
    expect(card(page)).to_contain_text("Succeeded", timeout=LONG)
    assert linked.states(application) == {"5": "Active"}


def test_a_hostile_zip_is_refused_by_entry_and_the_active_one_stays(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path], tmp_path: Path
) -> None:
    page = people.page("uploader")
    good = small_zip()
    make_application(page, application, "1.0", good)
    page.goto(f"{package_url(application, '1.0')}update/")
    choose_file(page, hostile_zip(tmp_path / "evil.zip"))
    page.get_by_role("button", name="Update package").click()
    expect(card(page)).to_contain_text("../../etc/cron.d/evil", timeout=LONG)
    expect(card(page)).to_contain_text("leads out of the package")
    expect(card(page)).to_contain_text("Failed")
    assert linked.states(application) == {"1.0": "Active"}
    page.goto(package_url(application, "1.0"))
    expect(page.get_by_role("main")).to_contain_text("Active")
    with page.expect_download() as download:
        command(page, "Download zip").click()
    assert hashlib.sha256(Path(download.value.path()).read_bytes()).hexdigest() == sha256(good)
    assert linked.sha256(application, "1.0") == sha256(good)


def test_two_people_on_one_version(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    """Who comes second hears who is at work, and the first is not disturbed."""
    first, second = people.page("uploader"), people.page("administrator")
    good = small_zip()
    make_application(first, application, "1.0", good)
    linked.stack.freeze("azurite")
    add_package(first, application, "2.0", good)
    expect(card(first)).to_contain_text(MAY_CLOSE, timeout=LONG)
    add_package(second, application, "2.0", small_zip("other.zip"))
    expect(second.get_by_role("alert").or_(second.locator(".bp-error")).first).to_contain_text("uploader")
    expect(second.get_by_label("Version")).to_have_value("2.0")
    linked.stack.thaw("azurite")
    expect(card(first)).to_contain_text("Succeeded", timeout=LONG)
    assert linked.sha256(application, "2.0") == sha256(good)


def test_a_double_click_makes_one_upload(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    fill_new_application(page, application, "1.0", small_zip())
    page.get_by_role("button", name="Create application").dblclick()
    expect(card(page)).to_contain_text("Succeeded", timeout=LONG)
    expect(card(page)).to_have_count(1)
    page.goto(f"/operations/?q={application}")
    expect(page.get_by_role("row")).to_have_count(2)


def test_cancel_leaves_nothing_behind(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    make_application(page, application, "1.0", small_zip())
    linked.stack.freeze("azurite")
    add_package(page, application, "2.0", small_zip("next.zip"))
    expect(card(page)).to_contain_text(MAY_CLOSE, timeout=LONG)
    card(page).get_by_role("link", name="Details").click()
    command(page, "Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop and undo").click()
    linked.stack.thaw("azurite")
    expect(page.locator("#operation")).to_contain_text("Cancelled", timeout=LONG)
    assert linked.states(application) == {"1.0": "Active"}


def test_updates_not_allowed_are_not_offered_and_refused(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    make_application(page, application, "1.0", small_zip())
    page.goto(application_url(application))
    page.get_by_label(re.compile("Allow updates")).uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Updates not allowed")).to_be_visible()
    expect(row(page, "1.0").get_by_role("link", name=re.compile("Update|Delete"))).to_have_count(0)
    page.goto(package_url(application, "1.0"))
    for name in ("Update", "Delete package"):
        expect(command(page, name)).to_have_attribute("aria-disabled", "true")
    answer = page.goto(f"{package_url(application, '1.0')}update/")
    assert answer
    assert answer.status == 409
    expect(page.locator("main")).to_contain_text(f"Updates of {application} are not allowed")
    # Adding stays possible.
    add_package(page, application, "1.1", small_zip("next.zip"))
    expect(card(page)).to_contain_text("Succeeded", timeout=LONG)
    assert linked.states(application) == {"1.0": "Active", "1.1": "Active"}


def test_deleting_the_default_version_warns_and_asks_for_its_name(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    make_application(page, application, "1.0", small_zip())
    page.goto(application_url(application))
    page.get_by_label("Default version").select_option("1.0")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "1.0")).to_contain_text("Default")
    page.wait_for_load_state()
    row(page, "1.0").get_by_role("link", name="Delete 1.0").click()
    dialog = page.get_by_role("dialog", name=re.compile("Delete package"))
    expect(dialog).to_contain_text("1.0 is the default version. It will be cleared")
    button = dialog.get_by_role("button", name="Delete package")
    expect(button).to_be_disabled()
    dialog.get_by_label(re.compile("^Type")).fill("1.0")
    button.click()
    expect(page.get_by_text("is deleted. The application has no default version now.").first).to_be_visible(
        timeout=LONG
    )
    assert linked.states(application) == {}
    assert not linked.default_version(application)
