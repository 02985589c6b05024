"""Whatever is put into the fields and the address of a page: an answer that was meant, never an error of ours."""

from __future__ import annotations

import re

import pytest

from tests.core.routes import Route
from tests.core.test_routes import ROUTES, undone, url_of
from tests.core.world import World

ODD = {
    "nul": "a\0b",
    "lines": "a\r\nSet-Cookie: b=1\tc",
    "long": "x" * 3000,
    "digits": "9" * 5000,
    "negative": "-1",
    "float": "1e400",
    "nan": "nan",
    "markup": "<script>alert(1)</script>\"'",
    "template": "{{ 7 }}{% debug %}%(x)s%s",
    "letters": "ﬁ İ 𝟙 ²٣ \u202e \u0301 \U0001f4a9",
    "path": "../../etc/passwd",
    "formula": "=1+1",
    "blank": " \u00a0\u2003",
}
QUERY = ("q", "page", "sort", "status", "kind", "account", "state", "team", "action", "period", "outcome", "since",
         "path", "etag", "entry", "id", "format", "application_id", "version", "next", "wait", "pool", "node", "size",
         "location", "method", "updates", "packages", "new")  # fmt: skip
PAGES = [route for route in ROUTES if not route.is_api and route.view is not None]
FIELD = re.compile(r'name="([a-z0-9_-]+)"')
# What ends the session that the next request needs, or leads to a page of its own.
LEAVING = {"account_logout"}


def complain(status: int, name: str, complaints: list[str]) -> None:
    if status >= 500:
        complaints.append(f"{name}: {status}")


@pytest.mark.parametrize("route", [pytest.param(route, id=route.name) for route in PAGES if "GET" in route.methods])
def test_odd_queries(route: Route, world: World) -> None:
    client, url = world.client("portal_admin"), url_of(route, world).partition("?")[0]
    complaints: list[str] = []
    for name, value in ODD.items():
        with undone():
            complain(client.get(url, dict.fromkeys(QUERY, value)).status_code, name, complaints)
    assert not complaints


@pytest.mark.parametrize(
    "route",
    [pytest.param(route, id=route.name) for route in PAGES if "POST" in route.methods and route.name not in LEAVING],
)
def test_odd_forms(route: Route, world: World) -> None:
    client, url = world.client("portal_admin"), url_of(route, world)
    complaints: list[str] = []
    page = client.get(url).content.decode() if "GET" in route.methods else ""
    fields = set(FIELD.findall(page)) - {"csrfmiddlewaretoken"} | {"theme", "next", "subscription", "found"}
    for name, value in ODD.items():
        with undone():
            complain(client.post(url, dict.fromkeys(fields, value)).status_code, name, complaints)
    assert not complaints
