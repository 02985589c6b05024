"""What an attacker with an account of their own tries: ids of others, and answers without the content policy."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.core.routes import ARGUMENTS, QUERIES, Route
from tests.core.test_routes import ROUTES, UNSAFE, send, undone, url_of
from tests.core.world import World

# Arguments that name rows of our own, whose ids can be guessed or seen elsewhere.
KEYS = {"grant", "operation", "upload"}
CROSSED = [
    pytest.param(route, method, id=f"{route.name} {method}")
    for route in ROUTES
    if "account" in route.arguments and KEYS & set(route.arguments)
    for method in route.methods
]
READ = [pytest.param(route, id=route.name) for route in ROUTES if "GET" in route.methods]


@pytest.mark.parametrize(("route", "method"), CROSSED)
def test_ones_own_account_opens_nothing_of_another(route: Route, method: str, world: World) -> None:
    """The stranger administers the other account, and asks there for what belongs to this one."""
    values = {name: ARGUMENTS.get(f"{route.name}.{name}", ARGUMENTS[name])(world) for name in route.arguments}
    url = reverse(route.name, kwargs=values | {"account": world.cast.other_account.slug}) + QUERIES.get(route.name, "")
    with undone():
        assert send(world.client("stranger"), route, method, url).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/operations/",
        "/operations/?q=Blender",
        "/operations/?account=local",
        "/operations/bell/",
        "/search/?q=Blender",
        "/search/?q=local",
        "/batch/",
        "/batch/other/audit/?q=uploader",
        "/batch/other/audit/?account=local",
        "/batch/other/audit/?format=csv",
        "/api/v1/operations",
        "/api/v1/operations?account=local",
        "/api/v1/accounts",
        "/api/v1/accounts/other/audit-events?search=uploader",
        "/api/v1/me",
    ],
)
def test_lists_hold_nothing_of_another_account(world: World, address: str) -> None:
    def seen_by(name: str) -> str:
        response = world.client(name).get(address)
        assert response.status_code == 200
        return str(response.getvalue().decode())

    traces = (
        f"{world.application} {world.version}",
        f"{world.application} 5.0",
        "/batch/local/",
        str(world.operation.pk),
        "uploader<",
    )
    assert not [trace for trace in traces if trace in seen_by("stranger")]


@pytest.mark.parametrize("address", ["/operations/", "/search/?q=Blender", "/batch/", "/api/v1/operations"])
def test_the_same_lists_show_it_to_whoever_may_see_it(world: World, address: str) -> None:
    text = world.client("reader").get(address).getvalue().decode()
    assert world.application in text or "/batch/local/" in text


@pytest.mark.parametrize("route", READ)
@pytest.mark.parametrize("name", ["anonymous", "stranger", "portal_admin"])
def test_every_answer_carries_the_content_policy(route: Route, name: str, world: World) -> None:
    response = send(world.client(name), route, "GET", url_of(route, world))
    assert_policy(response)


@pytest.mark.parametrize(
    ("address", "options", "status"),
    [
        ("/no/such/page/", {}, 404),
        ("/accounts/login/", {"headers": {"Host": "evil.example"}}, 400),
        ("/accounts/%00/", {}, 404),
        ("/api/v1/none", {}, 404),
        ("/healthz", {"method": "OPTIONS"}, 405),
        ("/accounts/login/", {"method": "POST"}, 403),
    ],
)
def test_refusals_before_any_view_carry_it_too(db: None, address: str, options: dict[str, object], status: int) -> None:
    client = Client(enforce_csrf_checks=True)
    method = str(options.pop("method", "GET"))
    response = client.generic(method, address, **options)  # type: ignore[arg-type]
    assert response.status_code == status
    assert_policy(response)


def assert_policy(response: object) -> None:
    policy = response["Content-Security-Policy"]  # type: ignore[index]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_methods_that_write_are_the_only_unsafe_ones() -> None:
    """What the tests above call reading is all that is not in this set."""
    assert {method for route in ROUTES for method in route.methods} <= UNSAFE | {"GET", "HEAD"}
