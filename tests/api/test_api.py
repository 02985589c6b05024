"""What every API route shares: the one shape of errors, sessions with CSRF, paging, and a limit of requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.api import PortalApi
from apps.core.exceptions import Invalid
from apps.gateway.errors import GatewayThrottled
from apps.people.models import User
from apps.people.roles import Permission
from tests.people.factories import Cast, UserFactory, bearer, make_token, signed_in


class PersonOutput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["username"]


class Trouble(PortalApi):
    """Raises what the address says."""

    permission = Permission.SIGNED_IN

    def get(self, request: Request, kind: str) -> Response:
        if kind == "bug":
            raise RuntimeError("a secret of the machine room")
        if kind == "rule":
            raise Invalid("team-name-taken", field="name", name="Rendering")
        if kind == "service":
            raise GatewayThrottled(service_code="TooManyRequests", request_id="f00", retry_after=7.2)
        if kind == "input":
            raise serializers.ValidationError({"name": ["Too long."], "inner": {"a": ["Wrong."]}})
        return self.paged(User.objects.order_by("username"), PersonOutput)

    def post(self, request: Request, kind: str) -> Response:
        return Response({"by": self.actor.name, "sent": request.data if kind == "body" else None})


class NoPermissionStated(APIView):
    """A route that somebody forgot to make a PortalApi."""

    def get(self, request: Request) -> Response:
        return Response({"open": True})


class AccountPermissionWithoutAccount(PortalApi):
    permission = Permission.OPERATE

    def get(self, request: Request) -> Response:
        return Response({"open": True})


urlpatterns = [
    path("trouble/<str:kind>", Trouble.as_view()),
    path("forgotten", NoPermissionStated.as_view()),
    path("nowhere", AccountPermissionWithoutAccount.as_view()),
]


@pytest.fixture
def reader(cast: Cast, settings: Any) -> Client:
    settings.ROOT_URLCONF = __name__
    return signed_in(cast.reader)


@pytest.fixture
def as_reader(reader: Client, cast: Cast) -> Any:
    """GET with a token of the reader."""
    _token, text = make_token(cast.reader)
    return lambda address, **options: Client().get(address, **bearer(text), **options)


# --- Errors ----------------------------------------------------------------------------------------------------------


def test_an_expected_error_has_code_words_and_field(as_reader: Any) -> None:
    response = as_reader("/trouble/rule")
    words = "There is already a team called Rendering."
    assert response.status_code == 422
    assert response.json() == {"error": {"code": "team-name-taken", "message": words, "field": "name"}}


def test_an_error_of_the_service_keeps_its_code_and_request_id(as_reader: Any) -> None:
    response = as_reader("/trouble/service")
    error = response.json()["error"]
    assert (response.status_code, response["Retry-After"]) == (503, "7")
    assert (error["code"], error["service_code"], error["reference"]) == ("gateway-throttled", "TooManyRequests", "f00")


def test_input_errors_stand_at_their_fields(as_reader: Any) -> None:
    response = as_reader("/trouble/input")
    assert response.status_code == 400
    assert response.json()["error"]["fields"] == {"name": ["Too long."], "inner": ["a: Wrong."]}


def test_a_bug_tells_nothing_but_a_reference_that_stands_in_the_log(
    as_reader: Any, caplog: pytest.LogCaptureFixture
) -> None:
    response = as_reader("/trouble/bug")
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (500, "internal-error")
    assert "secret" not in response.content.decode()
    assert any(error["reference"] in record.getMessage() for record in caplog.records)


def test_an_unknown_address_answers_in_json(cast: Cast) -> None:
    for method in ("get", "post", "put", "delete"):
        response = getattr(Client(enforce_csrf_checks=True), method)("/api/v1/nothing-here")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "no-such-route")


@pytest.mark.parametrize(("method", "status"), [("put", 405), ("delete", 405), ("patch", 405)])
def test_other_methods_are_refused(reader: Client, method: str, status: int) -> None:
    response = getattr(reader, method)("/trouble/list")
    assert (response.status_code, response.json()["error"]["code"]) == (status, "method_not_allowed")


def test_a_malformed_body_is_refused(reader: Client) -> None:
    response = reader.post("/trouble/body", "{", content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "parse_error")


# --- Deny by default ---------------------------------------------------------------------------------------------


def test_a_view_that_states_no_permission_is_closed_to_everybody(reader: Client, cast: Cast) -> None:
    assert Client().get("/forgotten").status_code == 401
    assert reader.get("/forgotten").status_code == 403
    assert signed_in(cast.portal_admin).get("/forgotten").status_code == 403


def test_a_permission_on_an_account_without_an_account_is_closed(reader: Client, cast: Cast) -> None:
    for client in (reader, signed_in(cast.admin)):
        assert client.get("/nowhere").status_code == 500


def test_a_route_without_permission_cannot_be_written() -> None:
    with pytest.raises(Exception, match="states no permission"):
        type("Forgotten", (PortalApi,), {"__module__": __name__})


# --- Sessions and CSRF -------------------------------------------------------------------------------------------


def test_a_session_reads_freely_and_writes_with_a_csrf_token_alone(reader: Client, cast: Cast) -> None:
    client = signed_in(cast.reader, enforce_csrf_checks=True)
    assert client.get("/trouble/list").status_code == 200
    assert client.post("/trouble/list").status_code == 403
    client.cookies["csrftoken"] = token = "a" * 32
    response = client.post("/trouble/list", content_type="application/json", headers={"X-CSRFToken": token})
    assert (response.status_code, response.json().get("by")) == (200, "reader"), response.content


def test_a_token_needs_no_csrf_token_and_a_cookie_alone_is_nobody(reader: Client, cast: Cast) -> None:
    _token, text = make_token(cast.reader, name="ci")
    client = Client(enforce_csrf_checks=True)
    assert client.post("/trouble/list", **bearer(text)).json()["by"] == "reader · ci"
    assert client.post("/trouble/list").status_code == 401


# --- Paging and limits -------------------------------------------------------------------------------------------


def test_lists_come_in_pages_with_links(as_reader: Any) -> None:
    UserFactory.create_batch(20)
    first = as_reader("/trouble/list?page_size=10").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (26, 10, None)
    assert first["next"] == "http://testserver/trouble/list?page=2&page_size=10"
    last = as_reader("/trouble/list?page_size=10&page=3").json()
    assert (len(last["results"]), last["next"]) == (6, None)
    assert len(as_reader("/trouble/list?page_size=100000").json()["results"]) == 26
    assert as_reader("/trouble/list?page=99").status_code == 404


def test_one_token_that_runs_wild_is_slowed_and_nobody_else(as_reader: Any, cast: Cast, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    answers = [as_reader("/trouble/list") for _ in range(8)]
    # Should the minute turn in between, three more are let in.
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert 2 <= len(slowed) <= 5
    assert 1 <= int(slowed[0]["Retry-After"]) <= 60
    assert slowed[0].json()["error"]["code"] == "throttled"
    _token, other = make_token(cast.admin)
    assert Client().get("/trouble/list", **bearer(other)).status_code == 200


def test_without_redis_nobody_is_slowed(as_reader: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    monkeypatch.setattr(cache, "add", lambda *_args, **_options: False)
    monkeypatch.setattr(cache, "incr", lambda *_args, **_options: None)
    assert [as_reader("/trouble/list").status_code for _ in range(3)] == [200, 200, 200]
