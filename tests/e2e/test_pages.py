"""Every page, wide and narrow, light and dark: accessible, quiet, light in weight, and nothing sticks out.

With E2E_PICTURES=<folder> each page is also photographed into that folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.core.routes import Route, walk
from tests.e2e.estate import FACES
from tests.e2e.pages import FILES, LEADING_ON, PARTS, SECOND_FACTOR, Place, address, is_for_strangers, pages
from tests.e2e.people import People
from tests.e2e.place import make_place
from tests.support.stack import Stack

LIMIT = 150 * 1024  # bytes over the wire with an empty cache
# What loads by itself is there.
READY = """() => document.readyState === "complete" && !document.querySelector(".bp-skeleton, .htmx-request")
    && (!document.querySelector("#api-docs") || document.querySelector("#api-docs .opblock"))"""
# The command bar has folded itself, and colours have arrived at those of the theme.
SETTLED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    .then(() => Promise.allSettled(document.getAnimations().map((one) => one.finished)))
    .then(() => undefined)"""
# Swagger UI, an application of its own that axe has no say in; it is looked at around it.
HEAVIER = {"api-docs": 800 * 1024}
ROUTES = [pytest.param(route, id=route.name) for route in pages()]


@pytest.fixture(scope="module")
def place(shared_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_place(shared_stack, tmp_path_factory.mktemp("place"))


class Eye:
    """A page that counts what comes over the wire and keeps what the browser complains about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bytes = 0
        self.complaints: list[str] = []
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.loadingFinished", self._count)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type in {"error", "warning"}:
            self.complaints.append(f"{line.type}: {line.text}")

    def _count(self, event: dict[str, float]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def open(self, address: str) -> int:
        """Show a page wide and light; the answer's status."""
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.goto("about:blank")
        self.bytes = 0
        self.complaints.clear()
        answer = self.page.goto(address)
        assert answer
        self.page.wait_for_function(READY)
        return answer.status

    def look(self, width: int, scheme: str, *rules: str) -> list[str]:
        """What axe finds in this size and theme, by all its rules or by some, and what sticks out."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        self.page.evaluate(SETTLED)
        options: dict[str, object] = {"resultTypes": ["violations"]}
        if rules:
            options["runOnly"] = list(rules)
        report = Axe().run(self.page, context={"exclude": [["#api-docs"]]}, options=options).response
        found = [f"{one['id']}: {node['html'][:160]}" for one in report["violations"] for node in one["nodes"]]
        if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append("the page scrolls sideways")
        return [f"{width} {scheme}: {line}" for line in found]

    def photograph(self, name: str) -> None:
        if folder := os.environ.get("E2E_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def administrator(shared_stack: Stack, browser: Browser) -> Iterator[Eye]:
    people = People(shared_stack, browser)
    yield Eye(people.page("administrator"))
    people.leave()


@pytest.fixture(scope="module")
def visitor(shared_stack: Stack, browser: Browser) -> Iterator[Eye]:
    people = People(shared_stack, browser)
    yield Eye(people.visitor())
    people.leave()


def problems(eye: Eye, name: str) -> list[str]:
    """What is wrong with the page that is shown."""
    found = list(eye.complaints)
    if eye.bytes > HEAVIER.get(name, LIMIT):
        found.append(f"{eye.bytes} bytes")
    found += eye.look(1440, "light")
    eye.photograph(f"{name}-1440-light")
    found += eye.look(1440, "dark", "color-contrast")
    found += eye.look(390, "dark")
    eye.photograph(f"{name}-390-dark")
    found += eye.look(390, "light", "color-contrast")
    return found


@pytest.mark.parametrize("route", ROUTES)
def test_page(route: Route, place: Place, administrator: Eye, visitor: Eye) -> None:
    eye = visitor if is_for_strangers(route) else administrator
    status = eye.open(address(route, place, reverse))
    assert status == 200, status
    assert not problems(eye, route.name)


@pytest.mark.parametrize("face", FACES)
def test_page_on_another_day(face: str, place: Place, administrator: Eye) -> None:
    """The same pages with something broken on them, or with nothing at all."""
    assert administrator.open(place.faces[face]) == 200
    assert not problems(administrator, face)


def test_pages_of_refusal(place: Place, administrator: Eye) -> None:
    """What somebody sees who follows an old link; Chromium itself remarks on the status."""
    assert administrator.open("/batch/no-such-account/") == 404
    administrator.complaints.clear()
    assert not problems(administrator, "not-found")


def test_the_lists_of_what_is_no_page_name_no_route_that_is_gone() -> None:
    assert {route.name for route in walk()} >= PARTS | FILES | LEADING_ON | SECOND_FACTOR
