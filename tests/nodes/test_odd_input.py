"""Input that nobody means, in the forms and addresses of nodes: no page breaks, and what was typed stays."""

from __future__ import annotations

import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.nodes.models import PoolUser
from apps.operations.models import Operation
from tests.nodes.conftest import MakePool
from tests.nodes.test_pages import fleet_of
from tests.people.factories import Cast, signed_in

LIST = "/batch/local/nodes/"
ODD = [
    "",
    " ",
    "²",
    "-1",
    "9" * 19,
    "9" * 5000,
    "é" * 65,
    "../..",
    "a/b/c",
    "\x00",
    "%00",
    "<b>x</b>",
    "🛠️",
    "' OR 1=1 --",
]
KEYS = (
    *("q", "pool", "state", "scheduling", "kind", "errors", "start_task", "package", "size", "agent", "stale", "since"),
    *("boot", "busy", "used", "sort", "page"),
)


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(cast.operator)


@pytest.mark.parametrize("value", ODD)
def test_the_list_bears_odd_addresses(account: BatchAccount, client: Client, value: str) -> None:
    fleet_of(account, 3)
    assert client.get(LIST, dict.fromkeys(KEYS, value)).status_code == 200
    assert client.get(f"{LIST}nodes.csv", dict.fromkeys(KEYS, value)).status_code == 200
    for key in KEYS:
        assert client.get(LIST, {key: value}).status_code == 200


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("action", ["reboot", "remove"])
def test_actions_bear_odd_selections(account: BatchAccount, client: Client, action: str, value: str) -> None:
    fleet_of(account, 3)
    url = f"{LIST}+act/{action}/"
    for sent in ({"node": value}, {"all": value, "query": value}, {"all": "1", "query": f"page={quote(value)}"}):
        confirmed = {"confirmed": value, "expected": value, "confirm": value, "option": value}
        assert client.get(url, sent).status_code in {200, 422}
        assert client.post(url, {**sent, **confirmed}).status_code in {200, 409, 422}
    assert not Operation.objects.exists()


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["pool", "name", "password", "expires_at", "token", "way", "ssh_public_key"])
def test_the_form_of_a_user_keeps_what_was_typed(account: BatchAccount, client: Client, field: str, value: str) -> None:
    fleet_of(account, 2)
    good = {
        "pool": "big",
        "name": "guest",
        "way": "key" if field == "ssh_public_key" else "password",
        "password": "short" if field != "password" else "",
        "expires_at": (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        "token": str(uuid.uuid4()),
    }
    answer = client.post(f"{LIST}+users/+add/", {**good, field: value})
    assert answer.status_code in ({404, 422} if field == "pool" else {200, 422})
    if answer.status_code == 422 and field in {"name", "expires_at"} and value.strip():
        assert answer.context["form"][field].value() == value
    # Only an empty password is good: the portal makes one then.
    assert PoolUser.objects.exists() == (field == "password" and value == "")


@pytest.mark.parametrize("value", [one for one in ODD if one and "/" not in one and one != " "])
def test_addresses_of_what_is_not_there_are_not_found(account: BatchAccount, client: Client, value: str) -> None:
    fleet_of(account, 1)
    part = quote(value)
    for path in (f"{part}/{part}/", f"+users/big/{part}/", f"+users/{part}/guest/remove/", f"+act/{part}/"):
        assert client.get(f"{LIST}{path}").status_code == 404, path


@pytest.mark.parametrize("value", ODD)
def test_files_and_logs_bear_odd_values(make_pool: MakePool, client: Client, value: str) -> None:
    node = make_pool(nodes=1).nodes.get().node_id
    base = f"{LIST}render/{node}/"
    for name in ("level", "file", "piece", "download"):
        answer = client.get(f"{base}files/{name}/", {"path": value, "from": value, "token": value})
        assert answer.status_code in {200, 400, 404, 409, 416, 422}, (name, answer.status_code)
    sent = {"container": value or "No", "start": value, "end": value}
    assert client.post(f"{base}logs/", sent).status_code == 422
