"""The upload client against a tus server that can fail on demand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.frontend import urls

Visit = Callable[..., Page]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A file of several chunks."""
    file = tmp_path / "blender.zip"
    file.write_bytes(os.urandom(1_200_000))
    return file


def send(page: Page, package: Path, version: str = "4.2") -> None:
    page.get_by_label("Version").fill(version)
    page.locator("[data-upload-form] input[type=file]").set_input_files(package)
    page.get_by_role("button", name="Upload").click()


def only_upload() -> urls.Stored:
    (stored,) = urls.uploads.values()
    return stored


def hold(page: Page) -> list[Route]:
    """Hold every second and later chunk back, as a slow line does; the routes can be released."""
    held: list[Route] = []

    def decide(route: Route) -> None:
        if route.request.headers.get("upload-offset", "0") == "0":
            route.continue_()
        else:
            held.append(route)

    page.route(
        lambda address: "/upload/" in address,
        lambda route: decide(route) if route.request.method == "PATCH" else route.fallback(),
    )
    return held


def test_a_file_arrives_and_the_operation_takes_over(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    send(page, package)
    expect(page.get_by_text("The package is active.")).to_be_visible()
    assert only_upload().content == package.read_bytes()
    assert page.evaluate("localStorage.getItem('batchportal.uploads')") == "{}"


def test_errors_stand_at_their_fields_and_nothing_is_lost(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    send(page, package, version=".9")
    expect(page.get_by_text("A version does not begin with a dot.")).to_be_visible()
    expect(page.get_by_text("Look at the version.")).to_be_visible()
    expect(page.get_by_label("Version")).to_be_focused()
    expect(page.get_by_label("Version")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Version")).to_have_value(".9")
    page.get_by_label("Version").fill("0.9")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("The package is active.")).to_be_visible()
    expect(page.get_by_text("does not begin")).to_be_hidden()


def test_a_double_click_makes_one_upload(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    page.get_by_label("Version").fill("4.2")
    page.locator("[data-upload-form] input[type=file]").set_input_files(package)
    page.get_by_role("button", name="Upload").dblclick()
    expect(page.get_by_text("The package is active.")).to_be_visible()
    assert len(urls.created) == 1


def test_pause_and_resume(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    hold(page)
    send(page, package)
    expect(page.get_by_text("Keep this page open")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-progress-phase]")).to_have_text("Paused")
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("The package is active.")).to_be_visible()
    assert only_upload().content == package.read_bytes()


def test_a_server_that_fails_for_a_while_is_tried_again(visit: Visit, package: Path) -> None:
    urls.refusals += [(503, ""), (502, "")]
    page = visit("/upload/")
    send(page, package)
    expect(page.get_by_text("The package is active.")).to_be_visible(timeout=15_000)
    assert only_upload().content == package.read_bytes()


def test_a_refusal_says_why_and_ends(visit: Visit, package: Path) -> None:
    urls.refusals.append((413, "The package is larger than 1 MiB."))
    page = visit("/upload/")
    send(page, package)
    expect(page.get_by_text("The package is larger than 1 MiB.")).to_be_visible()
    assert page.evaluate("localStorage.getItem('batchportal.uploads')") == "{}"


def test_the_network_goes_and_comes_back(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    hold(page)
    send(page, package)
    expect(page.get_by_text("Keep this page open")).to_be_visible()
    page.context.set_offline(True)
    page.unroute_all(behavior="ignoreErrors")
    expect(page.get_by_text("The network is away.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("The package is active.")).to_be_visible()
    assert only_upload().content == package.read_bytes()


def test_a_reload_goes_on_with_the_same_file(visit: Visit, package: Path, tmp_path: Path) -> None:
    page = visit("/upload/")
    hold(page)
    send(page, package)
    expect(page.get_by_text("Keep this page open")).to_be_visible()
    expect(page.locator("[data-first-text]")).not_to_have_text("0 %")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute_all(behavior="ignoreErrors")
    received = len(only_upload().content)
    assert 0 < received < package.stat().st_size
    expect(page.get_by_text("This upload stopped when its page was closed.")).to_be_visible()
    other = tmp_path / "other.zip"
    other.write_bytes(b"other")
    chooser = page.locator("[data-upload-file]")
    chooser.set_input_files(other)
    expect(page.get_by_text("That is another file")).to_be_visible()
    chooser.set_input_files(package)
    expect(page.get_by_text("The package is active.")).to_be_visible()
    assert only_upload().content == package.read_bytes()


def test_leaving_asks_only_while_bytes_are_in_the_browser(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    hold(page)
    send(page, package)
    expect(page.get_by_text("Keep this page open")).to_be_visible()
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    page.goto("/gallery/")
    assert asked == ["beforeunload"]
    page.goto("/upload/")
    assert len(asked) == 1


def test_cancel_removes_it_from_the_server(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    hold(page)
    send(page, package)
    expect(page.get_by_text("Keep this page open")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-progress-phase]")).to_have_text("Cancelled")
    assert not urls.uploads
    assert page.evaluate("localStorage.getItem('batchportal.uploads')") == "{}"


def test_several_at_once(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    send(page, package, "1")
    expect(page.locator("#uploads > *")).to_have_count(1)
    send(page, package, "2")
    expect(page.get_by_text("The package is active.")).to_have_count(2)
    assert len(urls.uploads) == 2


def test_an_upload_the_server_has_dropped_is_not_offered_again(visit: Visit, package: Path) -> None:
    page = visit("/upload/")
    hold(page)
    send(page, package)
    # What it has taken is what it drops: before, the page would hear of it while it still sends.
    expect(page.locator("[data-first-text]")).not_to_have_text("0 %")
    page.on("dialog", lambda dialog: dialog.accept())
    urls.uploads.clear()
    with page.expect_response(lambda response: response.request.method == "HEAD"):
        page.goto("/upload/")
    expect(page.locator("#uploads > *")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('batchportal.uploads')") == "{}"
