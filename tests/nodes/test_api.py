"""The API of nodes, by token, as a script uses it."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import BatchAccount
from apps.nodes.models import NodeSnapshot, UserSecret
from apps.operations.models import Operation
from apps.people.roles import Role
from tests.nodes.conftest import SSH_POOL, MakePool, finish
from tests.people.factories import Cast, make_token

ACCOUNT = "/api/v1/accounts/local"
POOL = f"{ACCOUNT}/pools/render"


@pytest.fixture
def api(cast: Cast) -> APIClient:
    return client_of(cast, Role.OPERATOR)


def client_of(cast: Cast, role: Role) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(cast.operator, role)[1]}")
    return client


def ended(api: APIClient, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.json()
    finish(Operation.objects.get(pk=answer.json()["id"]))
    found: dict[str, Any] = api.get(answer["Location"]).json()
    return found


def test_a_user_is_added_and_its_commands_read(make_pool: MakePool, account: BatchAccount, api: APIClient) -> None:
    make_pool(nodes=3, networkConfiguration={"endpointConfiguration": SSH_POOL})
    answer = api.post(f"{POOL}/users", {"name": "guest", "password": "Tr0ub4dor&Three-Horses"}, format="json")
    assert "Tr0ub4dor" not in answer.content.decode()
    assert ended(api, answer)["status"] == "succeeded"
    logins = api.get(f"{POOL}/users/guest/logins").json()["results"]
    assert len(logins) == 3
    assert all(one["command"] == f"ssh -p {one['port']} guest@{one['address']}" for one in logins)
    assert api.get(f"{POOL}/users").json()["results"][0]["nodes"] == 3
    assert not UserSecret.objects.exists()
    assert ended(api, api.delete(f"{POOL}/users/guest"))["status"] == "succeeded"
    assert api.get(f"{POOL}/users/guest").status_code == 404


def test_what_breaks_a_rule_is_said_at_its_field(make_pool: MakePool, account: BatchAccount, api: APIClient) -> None:
    make_pool(nodes=1)
    answer = api.post(f"{POOL}/users", {"name": "guest", "password": "short"}, format="json")
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "password"


def test_nodes_are_listed_acted_on_and_told_of(make_pool: MakePool, account: BatchAccount, api: APIClient) -> None:
    make_pool(nodes=3)
    listed = api.get(f"{ACCOUNT}/nodes?state=idle&page_size=2").json()
    assert (listed["count"], len(listed["results"])) == (3, 2)
    node = listed["results"][0]["node_id"]
    assert api.get(f"{POOL}/nodes/{node}").json()["history"][0]["after"]
    answer = api.post(f"{POOL}/node-actions", {"action": "reboot", "nodes": [node, "gone"]}, format="json")
    done = ended(api, answer)
    assert done["status"] == "failed"
    nodes = api.get(f"{ACCOUNT}/operations/{done['id']}/nodes").json()["results"]
    assert {one["node_id"]: one["code"] for one in nodes} == {node: "", "gone": "node-gone"}
    both = api.post(f"{POOL}/node-actions", {"action": "reboot", "nodes": [node], "all": True}, format="json")
    assert both.status_code == 422
    assert ended(api, api.post(f"{POOL}/node-actions", {"action": "disable-scheduling", "all": True}, format="json"))


def test_files_by_the_api(make_pool: MakePool, account: BatchAccount, api: APIClient) -> None:
    task = {"commandLine": "/bin/sh -c 'echo hello'", "waitForSuccess": True}
    make_pool(nodes=1, simulated=False, startTask=task)
    base = f"{POOL}/nodes/{NodeSnapshot.objects.get().node_id}/files"
    assert "startup/stdout.txt" in {one["path"] for one in api.get(f"{base}?path=startup").json()["files"]}
    content = api.get(f"{base}/content?path=startup/stdout.txt")
    assert b"".join(content.streaming_content) == b"hello\n"  # type: ignore[attr-defined]
    assert api.delete(f"{base}?path=startup/stdout.txt").status_code == 204
    assert api.get(f"{base}/content?path=startup/stdout.txt").status_code == 404


def test_a_readers_token_looks_and_does_not_touch(make_pool: MakePool, account: BatchAccount, cast: Cast) -> None:
    make_pool(nodes=1)
    reader = client_of(cast, Role.READER)
    assert reader.get(f"{ACCOUNT}/nodes").status_code == 200
    assert reader.post(f"{POOL}/node-actions", {"action": "reboot", "all": True}, format="json").status_code == 403
    assert reader.post(f"{POOL}/users", {"name": "x"}, format="json").status_code == 403
