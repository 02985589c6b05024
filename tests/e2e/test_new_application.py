"""The form of a new application, while the page is still loading."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.e2e.packages import APPLICATIONS
from tests.e2e.people import People
from tests.e2e.service import Service


def test_names_typed_before_the_scripts_came_are_explained(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path]
) -> None:
    page = people.page("uploader")
    held: list[Route] = []
    page.route(re.compile(r"\.js$"), lambda route: held.append(route))  # noqa: PLW0108  # a bound method of a list takes no attributes
    page.goto(f"{APPLICATIONS}+new/", wait_until="commit")
    page.get_by_label("Application ID").fill(application)
    page.get_by_label("Version").fill("1.0")
    for route in held:
        route.continue_()
    variable = f"AZ_BATCH_APP_PACKAGE_{application.replace('-', '_')}_1_0"
    expect(page.get_by_text(variable)).to_be_visible()
