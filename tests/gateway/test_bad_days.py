"""Throttling, outages and hanging services: bounded, explained, counted."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from pytest_django import Settings

from apps.core.messages import message_for
from apps.gateway import batch, clients, management
from apps.gateway.calls import counted, patience, remaining
from apps.gateway.errors import GatewayError, GatewayThrottled, GatewayUnavailable
from apps.gateway.messages import MESSAGES
from apps.gateway.together import ask_together
from apps.gateway.types import Connection
from emulator.testing import Azurite, Emulator, start_emulator


def test_a_short_retry_after_is_waited_for(service: Emulator, connection: Connection) -> None:
    management.account_properties(connection)
    service.fault(operation="arm.*", status=429, code="TooManyRequests", retry_after=1, count=1)
    started = time.monotonic()
    with counted() as calls:
        assert management.account_properties(connection).name == "local"
    assert time.monotonic() - started >= 1
    assert [call.status for call in calls.calls] == [429, 200]


def test_a_long_retry_after_is_handed_to_the_caller(service: Emulator, connection: Connection) -> None:
    management.account_properties(connection)
    service.fault(operation="arm.*", status=429, code="TooManyRequests", retry_after=300)
    with counted() as calls, pytest.raises(GatewayThrottled) as refused:
        management.account_properties(connection)
    assert (refused.value.retry_after, refused.value.retryable) == (300, True)
    assert len(calls) == 1


def test_patience_bounds_retries(service: Emulator, connection: Connection) -> None:
    management.account_properties(connection)
    service.fault(operation="arm.*", status=503, code="ServerBusy", retry_after=2)
    with patience(1), counted() as calls, pytest.raises(GatewayThrottled):
        management.account_properties(connection)
    assert len(calls) == 1
    assert remaining() is None


@pytest.fixture
def silent() -> Iterator[str]:
    """A service that accepts connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_patience_bounds_a_service_that_never_answers(shared_key: Connection, settings: Settings, silent: str) -> None:
    settings.GATEWAY_PRIVATE_HOSTS = [silent]
    with patience(1), pytest.raises(GatewayUnavailable) as refused:
        batch.node_counts(replace(shared_key, batch_endpoint=f"http://{silent}"))
    assert refused.value.code == "gateway-timeout"
    assert refused.value.retryable


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"status": 500, "code": "InternalError"}, GatewayUnavailable, "gateway-service-failed"),
        ({"status": 503, "code": "ServerBusy"}, GatewayThrottled, "gateway-throttled"),
        ({"status": 502, "code": "BadGateway"}, GatewayUnavailable, "gateway-service-failed"),
        ({"status": 501, "code": "NotImplemented"}, GatewayError, "gateway-not-supported"),
        ({"reset": True}, GatewayUnavailable, "gateway-unavailable"),
    ],
)
def test_failures_keep_code_and_request_id(
    service: Emulator, connection: Connection, fault: dict[str, object], kind: type[GatewayError], code: str
) -> None:
    service.fault(operation="data.*", **fault)
    with patience(5), pytest.raises(kind) as refused:
        batch.node_counts(connection)
    assert refused.value.code == code
    if "status" in fault:
        assert refused.value.service_code == fault["code"]
        assert refused.value.request_id
        assert "RequestId" not in refused.value.service_message


def test_one_reset_connection_goes_unnoticed(service: Emulator, connection: Connection) -> None:
    service.fault(operation="data.*", reset=True, count=1)
    assert batch.node_counts(connection).pools == 0


def test_a_service_that_is_gone_and_back(
    azurite: Azurite, connection: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_emulator(storage=[azurite]) as other:
        settings.GATEWAY_PRIVATE_HOSTS = [other.netloc]
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{other.url}/_emulator/identity/token")
        clients.forget()
        there = replace(connection, arm_endpoint=other.url, batch_endpoint=other.account_url())
        assert management.check(there).ok
        other.kill()
        found = management.check(there)
        assert (found.ok, found.error_code) == (False, "gateway-unavailable")
        other.start()
        assert management.check(there).ok
        assert batch.check(there).ok


def test_calls_are_counted_without_signatures(service: Emulator, shared_key: Connection) -> None:
    with counted() as outer, counted() as inner:
        batch.node_counts(shared_key)
    assert len(outer) == len(inner) == 1
    [call] = inner.calls
    assert (call.method, call.status, call.host, call.path) == ("GET", 200, service.netloc, "/local/nodecounts")
    assert inner.seconds > 0


def test_every_code_of_the_gateway_has_words() -> None:
    values = {"service_message": "text", "service_code": "code", "action": "read", "host": "host"}
    for code, text in MESSAGES.items():
        assert message_for(code, values) == str(text) % values


def test_every_class_has_words() -> None:
    kinds: list[type[GatewayError]] = [GatewayError, *GatewayError.__subclasses__()]
    assert [kind.code for kind in kinds if kind.code not in MESSAGES] == []


def test_patience_bounds_an_identity_endpoint_that_never_answers(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{silent}/token")
    clients.forget()
    with patience(1), pytest.raises(GatewayError):
        management.account_properties(connection)
    assert remaining() is None


def test_questions_asked_together_share_patience_and_counting(service: Emulator, shared_key: Connection) -> None:
    questions = {name: (lambda: batch.node_counts(shared_key)) for name in ("one", "two", "three")}
    with counted() as calls:
        answers, errors = ask_together(questions)
    assert (set(answers), errors, len(calls)) == ({"one", "two", "three"}, {}, 3)
    with patience(0):
        answers, errors = ask_together(questions)
    assert (answers, {error.code for error in errors.values()}) == ({}, {"gateway-timeout"})
