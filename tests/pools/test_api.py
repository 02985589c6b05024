"""Pools over the API, by token."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import BatchAccount
from apps.gateway import pools
from apps.gateway.types import Connection
from apps.operations.models import Operation, Status
from apps.people.roles import Role
from apps.pools.polling import poll_account
from tests.people.factories import Cast, bearer, make_token
from tests.pools.conftest import SIMULATED, MakePool, document, finish, is_gone, ready

BASE = "/api/v1/accounts/local/pools"


class Api:
    def __init__(self, token: str) -> None:
        self._options: dict[str, Any] = {**bearer(token), "content_type": "application/json"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        call = getattr(Client(), method)
        return call(path, *([] if body is None else [body]), **self._options)


@pytest.fixture
def operator(cast: Cast) -> Api:
    return Api(make_token(cast.operator, Role.OPERATOR)[1])


@pytest.fixture
def reader(cast: Cast) -> Api:
    return Api(make_token(cast.reader, Role.READER)[1])


def test_a_pool_is_made_listed_read_and_deleted(operator: Api, account: BatchAccount, connection: Connection) -> None:
    made = operator("post", BASE, document(targetDedicatedNodes=1))
    assert (made.status_code, made.json()["id"]) == (201, "linux")
    assert finish(Operation.objects.get(pk=made.json()["operation"])).status == Status.SUCCEEDED
    ready(connection, "linux", 1)
    assert poll_account(account)
    [found] = operator("get", BASE).json()["results"]
    assert (found["id"], found["nodes_by_state"], found["current_dedicated"]) == ("linux", {"idle": 1}, 1)
    whole = operator("get", f"{BASE}/linux").json()
    assert whole["document"]["metadata"] == [SIMULATED]
    deleted = operator("delete", f"{BASE}/linux")
    assert deleted.status_code == 202
    assert finish(Operation.objects.get(pk=deleted.json()["id"])).status == Status.SUCCEEDED
    assert is_gone(connection, "linux")


def test_each_broken_rule_is_named_by_its_path(operator: Api) -> None:
    answer = operator("post", BASE, document(id="a b", startTask={"commandLine": ""}))
    assert answer.status_code == 422
    assert set(answer.json()["error"]["fields"]) == {"id", "startTask.commandLine"}


def test_what_is_no_document_is_refused(operator: Api) -> None:
    assert operator("post", BASE, []).status_code == 422
    assert operator("post", BASE, {"cloudServiceConfiguration": {}, "id": "x"}).status_code == 422


def test_start_task_packages_and_metadata_are_changed(
    make_pool: MakePool, operator: Api, connection: Connection
) -> None:
    make_pool()
    body = {"start_task": {"commandLine": "/bin/true"}, "metadata": [{"name": "team", "value": "render"}]}
    assert operator("patch", f"{BASE}/linux", body).status_code == 204
    found = pools.pool_get(connection, "linux")
    assert (found.metadata, found.wire["startTask"]["commandLine"]) == ((("team", "render"),), "/bin/true")
    assert operator("patch", f"{BASE}/linux", {"start_task": None}).status_code == 204
    assert "startTask" not in pools.pool_get(connection, "linux").wire
    answer = operator("patch", f"{BASE}/linux", {"start_task": {"commandLine": ""}})
    assert answer.json()["error"]["fields"] == {"startTask.commandLine": ["Enter the command line."]}


def test_a_pool_is_resized(make_pool: MakePool, operator: Api, connection: Connection) -> None:
    make_pool()
    answer = operator("post", f"{BASE}/linux/resize", {"dedicated": 2})
    assert answer.status_code == 202
    assert finish(Operation.objects.get(pk=answer.json()["id"])).status == Status.SUCCEEDED
    assert pools.pool_get(connection, "linux").current_dedicated == 2
    assert operator("post", f"{BASE}/linux/stop-resize").status_code == 409


def test_a_pool_scales_by_a_formula(make_pool: MakePool, operator: Api, connection: Connection) -> None:
    make_pool()
    formula = {"formula": "$TargetDedicatedNodes = 0;", "interval_minutes": 5}
    assert operator("put", f"{BASE}/linux/auto-scale", formula).status_code == 204
    run = operator("post", f"{BASE}/linux/auto-scale/evaluate", {"formula": "$TargetDedicatedNodes = 3;"})
    assert run.json()["results"]["$TargetDedicatedNodes"] == "3"
    assert operator("post", f"{BASE}/linux/resize", {"dedicated": 2}).status_code == 409
    assert operator("delete", f"{BASE}/linux/auto-scale").status_code == 204
    assert not pools.pool_get(connection, "linux").auto_scale


def test_readers_read_and_change_nothing(make_pool: MakePool, reader: Api) -> None:
    make_pool(more={"startTask": {"commandLine": "x", "environmentSettings": [{"name": "A", "value": "hidden"}]}})
    assert "hidden" not in str(reader("get", f"{BASE}/linux").json())
    assert reader("post", BASE, document("other")).status_code == 403
    assert reader("delete", f"{BASE}/linux").status_code == 403
    assert reader("get", f"{BASE}/nope").status_code == 404


def test_images_and_sizes_are_listed(reader: Api, account: BatchAccount) -> None:
    images = reader("get", "/api/v1/accounts/local/images").json()["results"]
    assert {"publisher", "node_agent_sku_id", "end_of_support"} <= set(images[0])
    sizes = reader("get", "/api/v1/accounts/local/vm-sizes").json()["results"]
    assert next(size["cores"] for size in sizes if size["name"] == "Standard_D2s_v5") == 2
