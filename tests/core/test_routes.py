"""Every route, for everybody, by every method: nothing is open that is not meant to be, and reading never writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.routes import PUBLIC_ROUTES
from apps.people.roles import PORTAL_PERMISSIONS, REQUIRED_ROLE, Permission, Role
from tests.core.routes import (
    ALSO,
    ARGUMENTS,
    DEEPER,
    HEADERS,
    LIBRARY,
    MORE_THAN_A_FORM,
    OF_THE_TEAM,
    OWNERS,
    QUERIES,
    TEAM,
    WRITES_OF_GET,
    Route,
    walk,
)
from tests.core.world import World
from tests.people.factories import Cast, make_token

ROUTES = list(walk())
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
WRITE = re.compile(r"^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.IGNORECASE)
ROLES = {"reader": Role.READER, "uploader": Role.UPLOADER, "operator": Role.OPERATOR, "admin": Role.ADMINISTRATOR}
CALLS = [pytest.param(route, method, id=f"{route.name} {method}") for route in ROUTES for method in route.methods]
UNSAFE_CALLS = [call for call in CALLS if call.values[1] in UNSAFE]
API_CALLS = [call for call in CALLS if call.values[0].is_api and not call.values[0].is_public]  # type: ignore[union-attr]


# --- The list of routes ------------------------------------------------------------------------------------------


def test_every_route_has_a_name_and_values_for_its_arguments() -> None:
    unnamed = [route.pattern for route in ROUTES if not route.name]
    unknown = {name for route in ROUTES for name in route.arguments} - ARGUMENTS.keys()
    assert not unnamed, f"Name these routes: {unnamed}"
    assert not unknown, f"Give these arguments a value in tests/core/routes.py: {unknown}"


def test_every_route_states_a_permission_is_public_or_is_listed() -> None:
    for route in ROUTES:
        ways = [route.states_permission, route.is_public, route.name in LIBRARY]
        assert sum(ways) == 1, f"{route.name}: subclass PortalView or PortalApi, or list the route"


def test_the_lists_name_no_route_that_is_gone() -> None:
    names = {route.name for route in ROUTES}
    # `reset_password_from_key` and the like exist as long as allauth does; a name that is gone hides a typing mistake.
    for listed in (
        PUBLIC_ROUTES,
        DEEPER.keys(),
        OWNERS.keys(),
        LIBRARY.keys(),
        ALSO.keys(),
        WRITES_OF_GET.keys(),
        MORE_THAN_A_FORM,
    ):
        assert set(listed) <= names, f"No such route: {set(listed) - names}"


def test_a_permission_on_an_account_finds_an_account_in_the_address() -> None:
    for route in ROUTES:
        if route.states_permission:
            asked = {route.view.permission_for(method) for method in route.methods}  # type: ignore[union-attr]
            assert "account" in route.arguments or asked <= PORTAL_PERMISSIONS, route.name


# --- Who gets in -------------------------------------------------------------------------------------------------


def url_of(route: Route, world: World) -> str:
    values = {name: ARGUMENTS.get(f"{route.name}.{name}", ARGUMENTS[name])(world) for name in route.arguments}
    return reverse(route.name, kwargs=values) + QUERIES.get(route.name, "")


@contextmanager
def undone() -> Iterator[None]:
    """What one member of the cast does is not there for the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def send(client: Client, route: Route, method: str, url: str, **headers: str) -> Any:
    """A request without any input, the kind that a permitted visitor gets an explanation for."""
    kind = "application/json" if route.is_api else "application/x-www-form-urlencoded"
    return client.generic(method, url, headers={"Content-Type": kind} | HEADERS.get(route.name, {}) | headers)


def refusal(route: Route, method: str, name: str) -> int | None:
    """The status that this member of the cast must get, or None for one who may."""
    if route.is_public:
        return None
    if name == "anonymous":
        return 401 if route.is_api else 302
    if route.name in OWNERS:
        return None if name in OWNERS[route.name] else 404
    if route.name in LIBRARY:
        return None
    by_role = by_permission(route, route.permission(method), name)
    owned = {route.name, f"{route.name} {method}"} & OF_THE_TEAM
    return by_role or (403 if owned and name not in TEAM else None)


def by_permission(route: Route, permission: Permission, name: str) -> int | None:
    if name == "portal_admin":
        return None
    if permission is Permission.MANAGE_PORTAL:
        return 403
    if permission is Permission.SIGNED_IN:
        # Whatever the view asks for: an account is there only for those with a role on it.
        return 404 if name == "stranger" and "account" in route.arguments else None
    if name == "stranger":
        return 404
    return None if ROLES[name].covers(REQUIRED_ROLE[permission]) else 403


def complaint(route: Route, method: str, name: str, response: Any) -> str:
    """What is wrong with an answer; empty where nothing is."""
    wanted, got = refusal(route, method, name), response.status_code
    if wanted is not None:
        to_sign_in = got != 302 or response["Location"].startswith(reverse("account_login"))
        return "" if got == wanted and to_sign_in else f"{name}: {got} instead of {wanted}"
    allowed = ALSO.get(route.name, set()) | LIBRARY.get(route.name, {200, 201, 202, 204, 302})
    if method in UNSAFE:
        # An empty request is understood and refused for what it lacks, never for who sends it.
        allowed |= {200, 302, 400, 409, 411, 412, 415, 422}
    return "" if got in allowed else f"{name}: {got} instead of one of {sorted(allowed)}"


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_everybody_gets_what_the_route_states(route: Route, method: str, world: World) -> None:
    complaints, url = [], url_of(route, world)
    for name in Cast.NAMES:
        with undone():
            response = send(world.client(name), route, method, url)
        complaints.append(complaint(route, method, name, response))
    assert not any(complaints), f"{method} {route.pattern}: {'; '.join(filter(None, complaints))}"


FORMS = [route for route in ROUTES if {"GET", "POST"} <= set(route.methods) and not route.is_api]


@pytest.mark.parametrize("route", [pytest.param(route, id=route.name) for route in FORMS])
def test_a_form_is_shown_only_to_those_who_may_send_it(route: Route) -> None:
    """What each gets is held by the test above; this one holds that it is the same for the question and the answer."""
    shown = {name: refusal(route, "GET", name) for name in Cast.NAMES}
    sent = {name: refusal(route, "POST", name) for name in Cast.NAMES}
    assert (shown == sent) is (route.name not in MORE_THAN_A_FORM)


@pytest.mark.parametrize(("route", "method"), API_CALLS)
def test_tokens_do_what_their_owner_may_and_never_manage_the_portal(route: Route, method: str, world: World) -> None:
    complaints, url = [], url_of(route, world)
    for name in Cast.NAMES[1:]:
        person = world.cast.person(name)
        assert person is not None
        # A portal administrator's token has the roles that were given to them, and here none was.
        alike = "stranger" if name == "portal_admin" else name
        with undone():
            response = send(Client(), route, method, url, Authorization=f"Bearer {make_token(person)[1]}")
        complaints.append(complaint(route, method, alike, response))
    assert not any(complaints), f"{method} {route.pattern}: {'; '.join(filter(None, complaints))}"


@pytest.mark.parametrize(("route", "method"), API_CALLS)
def test_a_token_is_capped_by_its_role(route: Route, method: str, world: World) -> None:
    _token, text = make_token(world.cast.admin, Role.READER)
    response = send(Client(), route, method, url_of(route, world), Authorization=f"Bearer {text}")
    wrong = complaint(route, method, "reader", response)
    assert not wrong, f"{method} {route.pattern}: {wrong}"


@pytest.mark.parametrize(("route", "method"), UNSAFE_CALLS)
def test_what_writes_refuses_a_session_without_csrf_token(route: Route, method: str, world: World) -> None:
    client = world.client("portal_admin")
    client.handler.enforce_csrf_checks = True
    assert send(client, route, method, url_of(route, world)).status_code == 403


@pytest.mark.parametrize(
    "route", [pytest.param(route, id=route.name) for route in ROUTES if {"GET", "HEAD"} & set(route.methods)]
)
def test_reading_never_writes(route: Route, world: World) -> None:
    client = world.client("portal_admin")
    method = "GET" if "GET" in route.methods else "HEAD"
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = send(client, route, method, url_of(route, world))
        if response.streaming:
            b"".join(response.streaming_content)
    written = {found[1] for query in queries if (found := WRITE.match(query["sql"]))}
    assert written <= WRITES_OF_GET.get(route.name, set())
