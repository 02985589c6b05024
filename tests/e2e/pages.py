"""The pages of the live URL configuration, filled with something to look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.core.routes import Route, walk

# What a person never opens as a page: parts that a page loads into itself, files, and addresses that lead on.
PARTS = {
    "accounts:facts",
    "accounts:quotas",
    "accounts:storage-bytes",
    "accounts:storage-candidates",
    "accounts:storage-linked",
    "accounts:tile-applications",
    "accounts:tile-nodes",
    "applications:job",
    "applications:names",
    "nodes:file-piece",
    "operations:bell",
    "pools:history",
    "pools:images",
    "pools:sizes",
}
FILES = {
    "api-not-found",
    "applications:list-csv",
    "applications:package-download",
    "applications:package-file",
    "applications:packages-csv",
    "healthz",
    "mfa_download_recovery_codes",
    "nodes:file-download",
    "nodes:list-csv",
    "nodes:user-csv",
    "nodes:user-rdp",
    "nodes:user-ssh-config",
    "nodes:work-csv",
    "pools:json",
    "pools:list-csv",
    "readyz",
}
LEADING_ON = {"home", "account_logout"}
# There only for those who sign in with a second factor.
SECOND_FACTOR = {"mfa_deactivate_totp", "mfa_view_recovery_codes"}
# Asked on top of the address.
QUERIES = {
    "accounts:storage-link": "?id={storage}",
    "nodes:act": "?node={pool}/{node}",
    "nodes:file": "?path=startup/stdout.txt",
    "nodes:file-delete": "?path=startup/stdout.txt",
    "nodes:user-add": "?pool={pool}",
}


@dataclass(frozen=True, slots=True)
class Place:
    """What stands in the addresses. A value under "route.argument" holds for that route alone.

    `faces` are further addresses: of pages that look different on a bad day.
    """

    arguments: dict[str, Any]
    storage: str
    faces: dict[str, str]


def pages() -> Iterator[Route]:
    """Every route that shows a page to somebody who opens it."""
    for route in walk():
        if route.is_api or "GET" not in route.methods:
            continue
        if route.name not in PARTS | FILES | LEADING_ON | SECOND_FACTOR:
            yield route


def address(route: Route, place: Place, reverse: Callable[..., str]) -> str:
    values = {name: place.arguments.get(f"{route.name}.{name}", place.arguments[name]) for name in route.arguments}
    query = QUERIES.get(route.name, "").format(storage=place.storage, **place.arguments)
    return reverse(route.name, kwargs=values) + query


def is_for_strangers(route: Route) -> bool:
    """Pages of people who have not signed in; others are led away from them."""
    return bool(re.match(r"account_(login|signup|reset_password|inactive)|mfa_authenticate", route.name))
