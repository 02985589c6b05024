"""The resource menu: what each role sees, and which entry is marked."""

from __future__ import annotations

import pytest

from apps.core.menu import Section, menu_sections
from apps.people.roles import Role


def labels(sections: list[Section]) -> list[str]:
    return [str(item.label) for section in sections for item in section.items]


def marked(path: str, slug: str = "") -> list[str]:
    sections = menu_sections(path, slug=slug, role=Role.ADMINISTRATOR, portal_administrator=True)
    return [str(item.label) for section in sections for item in section.items if item.current]


def test_an_account_administrator_sees_more_than_a_reader() -> None:
    reader = labels(menu_sections("/", slug="a", role=Role.READER, portal_administrator=False))
    administrator = labels(menu_sections("/", slug="a", role=Role.ADMINISTRATOR, portal_administrator=False))
    assert {"Overview", "Applications", "Storage account", "Operations"} <= set(reader)
    assert not {"Keys", "Connection", "Roles"} & set(reader)
    assert {"Keys", "Connection", "Roles"} <= set(administrator)


def test_the_portals_administration_is_for_its_administrators() -> None:
    assert "People" not in labels(menu_sections("/", slug="", role=None, portal_administrator=False))
    assert "People" in labels(menu_sections("/", slug="", role=None, portal_administrator=True))


@pytest.mark.parametrize(
    ("path", "slug", "label"),
    [
        ("/batch/a/", "a", "Overview"),
        ("/batch/a/applications/blender/packages/4.2/", "a", "Applications"),
        ("/batch/a/storage/link/", "a", "Storage account"),
        ("/batch/", "", "Batch accounts"),
        ("/people/7/", "", "People"),
        ("/people/teams/rendering/", "", "Teams"),
    ],
)
def test_the_blade_one_is_on_is_marked(path: str, slug: str, label: str) -> None:
    assert marked(path, slug) == [label]


def test_the_own_profile_belongs_to_no_entry() -> None:
    assert marked("/people/me/") == []
