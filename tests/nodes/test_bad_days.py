"""What pages of nodes say when a node or its pool is gone, broken, or the service is busy: why, and what to do next."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import BatchAccount
from apps.gateway import nodes as gateway
from apps.gateway import pools
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types import Connection
from apps.nodes.models import NodeWork
from apps.operations.execution import execute
from apps.operations.models import Operation, Status
from emulator.testing import Emulator
from tests.nodes.conftest import MakePool, finish, settled, targets
from tests.nodes.test_pages import LIST, form
from tests.people.factories import Cast, signed_in
from tests.pools.conftest import until

HTMX = {"HX-Request": "true"}
BUSY: dict[str, Any] = {"status": 429, "code": "TooManyRequests", "retry_after": 60}


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(cast.operator)


@pytest.fixture
def gone(make_pool: MakePool, connection: Connection) -> str:
    """A node that the portal shows and that somebody else has removed."""
    node = targets(make_pool(nodes=2))[0][1]
    pools.nodes_remove(connection, "render", [node])
    until(lambda: is_gone(connection, node))
    return node


def is_gone(connection: Connection, node: str) -> bool:
    try:
        gateway.node_get(connection, "render", node)
    except GatewayNotFound:
        return True
    return False


def part(client: Client, node: str, path: str) -> str:
    answer = client.get(f"{LIST}render/{node}/{path}", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


# --- Gone meanwhile -------------------------------------------------------------------------------------------------
def test_what_is_asked_of_a_node_that_is_gone_says_so(gone: str, client: Client) -> None:
    for path in ("live/", "files/level/"):
        shown = part(client, gone, path)
        assert "The node is gone" in shown, path
        assert f'href="{LIST}"' in shown, path
    assert "The node is gone: it was removed" in part(client, gone, "output/")
    answer = client.get(f"{LIST}render/{gone}/files/file/?path=startup/stdout.txt")
    assert answer.status_code == 404
    assert "The node is gone" in answer.content.decode()
    assert client.get(f"{LIST}render/{gone}/files/piece/?path=startup/stdout.txt").status_code == 404


def test_a_pool_that_is_gone_is_named_as_the_reason(
    make_pool: MakePool, client: Client, connection: Connection
) -> None:
    node = targets(make_pool(nodes=1))[0][1]
    pools.pool_delete(connection, "render")
    until(lambda: is_gone(connection, node))
    assert "The pool of this node was deleted" in part(client, node, "live/")
    answer, _values = form(client)
    assert answer.status_code == 200
    operation = finish(Operation.objects.get())
    assert operation.status == Status.FAILED
    assert NodeWork.objects.get(operation=operation).code == "node-pool-gone"


def test_a_page_of_files_that_ran_out_begins_anew(make_pool: MakePool, client: Client) -> None:
    node = make_pool(nodes=1, simulated=False).nodes.get().node_id
    for path, token in (("", "ran-out"), ("startup", "ran-out")):
        shown = part(client, node, f"files/level/?path={path}&token={token}")
        assert "This page of the list is no longer there" in shown
        assert f'hx-get="{LIST}render/{node}/files/level/?path={path}"' in shown


# --- Broken ---------------------------------------------------------------------------------------------------------
def test_an_unusable_node_tells_its_error_and_what_helps(
    make_pool: MakePool, account: BatchAccount, client: Client, service: Emulator
) -> None:
    node = targets(make_pool(nodes=1))[0][1]
    service.disturb("render", "unusable", code="DiskFull", message="There is not enough disk space.", nodes=[node])
    settled(account, "render", 1)
    page = client.get(f"{LIST}render/{node}/").content.decode()
    assert "There is not enough disk space." in page
    assert "reimage the node; consider a larger size" in page
    assert f"+act/reimage/?node=render/{node}" in page


def test_a_user_for_an_unusable_node_waits_and_says_why(
    make_pool: MakePool, account: BatchAccount, client: Client, service: Emulator
) -> None:
    nodes = [node for _pool, node in targets(make_pool(nodes=2))]
    service.disturb("render", "unusable", nodes=nodes[:1])
    settled(account, "render", 2)
    form(client)
    operation = Operation.objects.get()

    execute(operation.pk)
    page = client.get(f"{LIST}+users/render/guest/").content.decode()
    assert "Nodes without the user" in page
    assert "The node is unusable" in page
    service.disturb("render", "recovered", nodes=nodes[:1])
    assert finish(operation).status == Status.SUCCEEDED


# --- Throttled ------------------------------------------------------------------------------------------------------
def test_a_busy_service_offers_another_try(make_pool: MakePool, client: Client, service: Emulator) -> None:
    node = targets(make_pool(nodes=1))[0][1]
    service.fault(operation="data.*", **BUSY)
    for path in ("live/", "files/level/"):
        shown = part(client, node, path)
        assert "Azure asks to slow down" in shown, path
        assert "Try again" in shown, path
    assert "Azure asks to slow down" in part(client, node, "output/")
    answer = client.get(f"{LIST}render/{node}/files/file/?path=startup/stdout.txt")
    assert answer.status_code == 503
    assert f'href="{LIST}render/{node}/files/file/?path=startup/stdout.txt"' in answer.content.decode()
    # What the portal knows by itself is there as ever.
    assert "Facts" in client.get(f"{LIST}render/{node}/").content.decode()
