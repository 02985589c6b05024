"""Signatures: the strings that are accepted, and what the service says to the others."""

import base64
import hashlib
import hmac
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

import pytest
from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError

from emulator.auth.shared_key import strings_to_sign, verify
from emulator.errors import ServiceError
from emulator.testing import Emulator
from tests.emulator.conftest import batch_client
from tests.emulator.helpers import code

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = base64.b64encode(b"k" * 64).decode()


def sign(text: str, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()


def check(
    text: str,
    *,
    method: str = "GET",
    path: str = "/local/pools",
    query: str = "api-version=2025-06-01",
    headers: Mapping[str, str] | None = None,
) -> None:
    verify(
        account="local",
        signature=sign(text),
        keys=[KEY],
        method=method,
        path=path,
        query=query,
        headers={"ocp-date": format_datetime(NOW, usegmt=True)} | dict(headers or {}),
        now=NOW,
    )


DATE = f"ocp-date:{format_datetime(NOW, usegmt=True)}\n"
GET = "GET" + "\n" * 11


def test_a_plain_get() -> None:
    check(f"{GET}\n{DATE}/local/local/pools\napi-version:2025-06-01")


def test_the_camel_case_query_of_the_sdk_and_the_lower_case_of_the_reference() -> None:
    for name in ("timeOut", "timeout"):
        check(
            f"{GET}\n{DATE}/local/local/pools\napi-version:2025-06-01\n{name}:30",
            query="timeOut=30&api-version=2025-06-01",
        )


def test_values_are_decoded_and_empty_ones_left_out() -> None:
    check(
        f"{GET}\n{DATE}/local/local/pools\n$filter:state eq 'active'\napi-version:2025-06-01",
        query="$filter=state%20eq%20%27active%27&api-version=2025-06-01&$select=",
    )


@pytest.mark.parametrize("signed", ["/pools/p/nodes/n/files/a%2Fb%5cc", "/pools/p/nodes/n/files/a/b/c"])
def test_the_path_as_sent_and_with_its_separators_decoded(signed: str) -> None:
    check(
        f"{GET}\n{DATE}/local{signed}\napi-version:2025-06-01",
        path="/pools/p/nodes/n/files/a%2Fb%5cc",
    )


@pytest.mark.parametrize("length", ["0", ""])
def test_an_empty_body_may_be_signed_as_nothing_or_zero(length: str) -> None:
    for headers in ({}, {"content-length": "0"}):
        check(
            f"POST\n\n\n{length}\n\n\n\n\n\n\n\n\n{DATE}/local/local/pools\napi-version:2025-06-01",
            method="POST",
            headers=headers,
        )


def test_a_body_is_signed_with_its_length_and_type() -> None:
    headers = {"content-length": "12", "content-type": "application/json", "if-match": "0x1", "ocp-range": "bytes=0-1"}
    text = f"PATCH\n\n\n12\n\napplication/json\n\n\n0x1\n\n\n\n{DATE}ocp-range:bytes=0-1\n/local/local/pools"
    check(f"{text}\napi-version:2025-06-01", method="PATCH", headers=headers)
    with pytest.raises(ServiceError):
        check(f"{text}\napi-version:2025-06-01", method="PATCH", headers=headers | {"content-length": "13"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"PUT{GET[3:]}\n{DATE}/local/local/pools\napi-version:2025-06-01",
        f"{GET}\n{DATE}/other/local/pools\napi-version:2025-06-01",
        f"{GET}\n{DATE}/local/local/jobs\napi-version:2025-06-01",
        f"{GET}\n{DATE}/local/local/pools\napi-version:2024-02-01.19.0",
        f"{GET}\n{DATE}/local/local/pools",
    ],
)
def test_a_signature_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ServiceError) as caught:
        check(text)
    assert (caught.value.code, caught.value.status) == ("AuthenticationFailed", 403)
    assert "string to sign" in caught.value.values["AuthenticationErrorDetail"]


def test_every_form_is_distinct() -> None:
    forms = list(
        strings_to_sign(account="a", method="POST", path="/x%2Fy", query="timeOut=1", headers={"content-length": "0"})
    )
    assert len(forms) == len(set(forms)) == 8


@pytest.mark.parametrize("minutes", [-16, 16, 60 * 24])
def test_a_date_more_than_15_minutes_off_is_refused(minutes: int) -> None:
    sent = format_datetime(NOW + timedelta(minutes=minutes), usegmt=True)
    with pytest.raises(ServiceError, match="AuthenticationFailed") as caught:
        check("whatever", headers={"ocp-date": sent})
    assert "15 minutes" in caught.value.values["AuthenticationErrorDetail"]


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_date_is_needed(date: str) -> None:
    with pytest.raises(ServiceError) as caught:
        check("whatever", headers={"ocp-date": date})
    assert "Date" in caught.value.values["AuthenticationErrorDetail"]


def test_the_date_header_does_without_ocp_date() -> None:
    date = format_datetime(NOW, usegmt=True)
    text = f"GET\n\n\n\n\n\n{date}\n\n\n\n\n\n/local/local/pools\napi-version:2025-06-01"
    check(text, headers={"ocp-date": "", "date": date})


class Answer(NamedTuple):
    status: int
    body: str
    challenge: str | None


def send(url: str, authorization: str | None) -> Answer:
    request = urllib.request.Request(url, headers={"Authorization": authorization} if authorization else {})
    try:
        with urllib.request.urlopen(request) as response:
            return Answer(response.status, response.read().decode(), None)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), error.headers["WWW-Authenticate"])


@pytest.mark.parametrize(
    ("authorization", "status", "expected"),
    [
        (None, 401, "InvalidAuthenticationInfo"),
        ("SharedKey", 400, "InvalidAuthenticationInfo"),
        ("SharedKey local", 400, "InvalidAuthenticationInfo"),
        ("Basic bG9jYWw6eA==", 400, "InvalidAuthenticationInfo"),
        ("Bearer", 400, "InvalidAuthenticationInfo"),
        ("SharedKey local:bm8=", 403, "AuthenticationFailed"),
        ("SharedKey nosuch:bm8=", 403, "AuthenticationFailed"),
        ("Bearer anything", 200, "value"),
    ],
)
def test_what_the_header_may_hold(emulator: Emulator, authorization: str | None, status: int, expected: str) -> None:
    answer = send(f"{emulator.account_url()}/pools?api-version=2025-06-01", authorization)
    assert answer.status == status
    assert expected in answer.body


def test_a_missing_header_is_answered_with_a_challenge(emulator: Emulator) -> None:
    challenge = send(f"{emulator.account_url()}/pools?api-version=2025-06-01", None).challenge
    assert challenge is not None
    assert challenge.startswith(f'Bearer authorization_uri="{emulator.url}/')


def test_the_sdk_is_let_in_with_either_key(emulator: Emulator, batch: BatchClient) -> None:
    assert list(batch.list_pools()) == []
    secondary = str(emulator.arm("POST", f"{emulator.account_id()}/listKeys")["secondary"])
    with batch_client(emulator, key=secondary) as second:
        assert list(second.list_pools(service_timeout=30, filter="state eq 'active'")) == []


def test_the_sdk_with_a_wrong_key_is_told_what_was_signed(emulator: Emulator) -> None:
    with batch_client(emulator, key=KEY) as client, pytest.raises(HttpResponseError) as caught:
        list(client.list_pools())
    assert code(caught.value)[0] == 403
    assert "AuthenticationFailed" in str(caught.value)


def test_a_clock_that_is_off_is_refused(emulator: Emulator, batch: BatchClient) -> None:
    emulator.clock(skew=16 * 60)
    with pytest.raises(HttpResponseError, match="15 minutes"):
        list(batch.list_pools())
    emulator.clock(skew=14 * 60)
    assert list(batch.list_pools()) == []


def test_virtual_time_does_not_lock_clients_out(emulator: Emulator, batch: BatchClient) -> None:
    emulator.clock(advance="P7D")
    assert list(batch.list_pools()) == []


def test_an_account_can_refuse_keys_or_tokens(emulator: Emulator, batch: BatchClient) -> None:
    only = {"properties": {"allowedAuthenticationModes": ["AAD"]}}
    emulator.arm("PATCH", emulator.account_id(), only)
    with pytest.raises(HttpResponseError) as caught:
        list(batch.list_pools())
    assert caught.value.status_code == 403
    url = f"{emulator.account_url()}/pools?api-version=2025-06-01"
    assert send(url, "Bearer x").status == 200
    emulator.arm("PATCH", emulator.account_id(), {"properties": {"allowedAuthenticationModes": ["SharedKey"]}})
    assert send(url, "Bearer x").status == 403
    assert list(batch.list_pools()) == []
