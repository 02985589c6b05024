"""The resource menu: what stands at the left of every blade."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from apps.people.roles import REQUIRED_ROLE, Permission, Role

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Entry:
    """A blade in the menu. `route` is its URL name; an account's routes take the slug as `account`.

    The entry is marked on every page below its address, except those at and below the routes in `except_below`.
    """

    label: StrOrPromise
    icon: str
    route: str
    permission: Permission = Permission.VIEW_ACCOUNT
    except_below: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """An entry as a page shows it."""

    label: StrOrPromise
    icon: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Section:
    """Items under one heading; the first section has none."""

    label: StrOrPromise
    items: list[Item] = field(default_factory=list)


ACCOUNT_MENU: list[tuple[StrOrPromise, list[Entry]]] = [
    ("", [Entry(_("Overview"), icon="layout-dashboard", route="accounts:overview")]),
    (
        _("Features"),
        [
            Entry(_("Applications"), icon="package", route="applications:list"),
            Entry(_("Pools"), icon="server-2", route="pools:list"),
            Entry(_("Nodes"), icon="cpu", route="nodes:list"),
            Entry(_("Jobs"), icon="list-check", route="jobs:list"),
            Entry(_("Job schedules"), icon="calendar-clock", route="jobs:schedules"),
        ],
    ),
    (
        _("Settings"),
        [
            Entry(_("Storage account"), icon="database", route="accounts:storage"),
            Entry(_("Keys"), icon="key", route="accounts:keys", permission=Permission.MANAGE_ACCOUNT),
            Entry(_("Connection"), icon="plug-connected", route="accounts:edit", permission=Permission.MANAGE_ACCOUNT),
            Entry(_("Roles"), icon="users", route="people:roles", permission=Permission.MANAGE_ACCOUNT),
        ],
    ),
    (
        _("Monitoring"),
        [
            Entry(_("Operations"), icon="activity", route="operations:account"),
            Entry(_("Audit"), icon="history", route="audit:list", permission=Permission.MANAGE_ACCOUNT),
        ],
    ),
]
PORTAL_MENU: list[tuple[StrOrPromise, list[Entry]]] = [
    (
        "",
        [
            Entry(_("Batch accounts"), icon="stack-2", route="accounts:list", permission=Permission.SIGNED_IN),
            Entry(_("Operations"), icon="activity", route="operations:list", permission=Permission.SIGNED_IN),
        ],
    ),
    (
        _("Administration"),
        [
            Entry(
                _("People"),
                icon="user",
                route="people:users",
                permission=Permission.MANAGE_PORTAL,
                except_below=("people:profile",),
            ),
            Entry(_("Teams"), icon="users-group", route="people:teams", permission=Permission.MANAGE_PORTAL),
            Entry(_("Audit"), icon="history", route="audit:portal", permission=Permission.MANAGE_PORTAL),
        ],
    ),
    (
        _("Automation"),
        [
            Entry(_("API tokens"), icon="key", route="people:tokens", permission=Permission.SIGNED_IN),
            Entry(_("API documentation"), icon="api", route="api-docs", permission=Permission.SIGNED_IN),
        ],
    ),
]


def route_url(route: str, slug: str = "") -> str:
    """The address of a route, with the account's slug where it takes one; empty where no such route exists."""
    try:
        return reverse(route, kwargs={"account": slug} if slug else {})
    except NoReverseMatch:
        return ""


def may_see(entry: Entry, role: Role | None, portal_administrator: bool) -> bool:
    """Whether the entry leads somewhere for this visitor; the view itself decides again."""
    if entry.permission is Permission.SIGNED_IN or portal_administrator:
        return True
    needed = REQUIRED_ROLE.get(entry.permission)
    return role is not None and needed is not None and role.covers(needed)


def current_url(path: str, entries: list[tuple[Entry, str]]) -> str:
    """The address of the entry that a page belongs to, or nothing."""

    def covers(entry: Entry, url: str) -> bool:
        others = (route_url(route) for route in entry.except_below)
        return bool(url) and path.startswith(url) and not any(other and path.startswith(other) for other in others)

    # The overview's address begins that of every other blade, so the longest one that fits is the current.
    return max((url for entry, url in entries if covers(entry, url)), key=len, default="")


def menu_sections(path: str, *, slug: str, role: Role | None, portal_administrator: bool) -> list[Section]:
    """The menu for a page at `path`: the account's when `slug` is given, else the portal's."""
    found = []
    for label, entries in ACCOUNT_MENU if slug else PORTAL_MENU:
        allowed = [entry for entry in entries if may_see(entry, role, portal_administrator)]
        found.append((label, [(entry, route_url(entry.route, slug)) for entry in allowed]))
    current = current_url(path, [pair for _label, pairs in found for pair in pairs])
    sections = []
    for label, pairs in found:
        items = [Item(entry.label, entry.icon, url, url == current) for entry, url in pairs if url]
        if items:
            sections.append(Section(label, items))
    return sections
