"""Nodes of a running local Batch service, with one person per role."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.gateway import clients, pools
from apps.gateway.types import Connection
from apps.nodes.models import NodeSnapshot
from apps.operations.execution import execute
from apps.operations.models import Operation
from apps.people.actors import Actor
from apps.pools.models import PoolSnapshot
from apps.pools.polling import poll_account
from emulator.testing import Azurite, Emulator
from tests.core.world import make_account
from tests.people.factories import Cast, make_cast

IMAGE = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest"}
AGENT = "batch.node.ubuntu 22.04"
SSH_POOL = {
    "inboundNATPools": [
        {
            "name": "ssh",
            "protocol": "tcp",
            "backendPort": 22,
            "frontendPortRangeStart": 40000,
            "frontendPortRangeEnd": 40500,
        }
    ]
}


@pytest.fixture
def service(
    emulator: Emulator, azurite: Azurite, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    settings.GATEWAY_ARM_ENDPOINT = emulator.url
    settings.GATEWAY_PRIVATE_HOSTS = [emulator.netloc, azurite.url.partition("://")[2]]
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{emulator.url}/_emulator/identity/token")
    monkeypatch.setenv("IDENTITY_HEADER", "test")
    clients.forget()
    emulator.link_storage("devstoreaccount1")
    yield emulator
    clients.forget()


@pytest.fixture
def account(db: None, service: Emulator) -> BatchAccount:
    return make_account(service)


@pytest.fixture
def cast(account: BatchAccount) -> Cast:
    return make_cast(account)


@pytest.fixture
def operator(cast: Cast) -> Actor:
    return Actor(user=cast.operator)


@pytest.fixture
def connection(account: BatchAccount) -> Connection:
    return connection_for(account)


MakePool = Callable[..., PoolSnapshot]


@pytest.fixture
def make_pool(account: BatchAccount, connection: Connection) -> MakePool:
    """Make a pool and wait until its nodes have settled; `simulated=False` gives nodes with processes and SSH."""

    def make(pool_id: str = "render", nodes: int = 3, *, simulated: bool = True, **more: Any) -> PoolSnapshot:
        document: dict[str, Any] = {
            "id": pool_id,
            "vmSize": "standard_d2s_v3",
            "virtualMachineConfiguration": {"imageReference": IMAGE, "nodeAgentSKUId": AGENT},
            "targetDedicatedNodes": nodes,
            **more,
        }
        if simulated:
            document["metadata"] = [{"name": "emulator:nodes", "value": "simulated"}]
        pools.pool_create(connection, document)
        return settled(account, pool_id, nodes)

    return make


def settled(account: BatchAccount, pool_id: str, nodes: int) -> PoolSnapshot:
    """Read the account until the pool has these nodes and none is on its way to another state."""
    deadline = time.monotonic() + 30
    passing = ("creating", "starting", "waitingforstarttask", "rebooting", "reimaging", "leavingpool", "deallocating")
    found = NodeSnapshot.objects.none()
    while time.monotonic() < deadline:
        assert poll_account(account)
        pool = PoolSnapshot.objects.get(account=account, pool_id=pool_id)
        found = NodeSnapshot.objects.filter(pool=pool)
        if found.count() == nodes and not found.filter(state__in=passing).exists():
            return pool
        time.sleep(0.2)
    raise AssertionError(f"{pool_id} did not settle: {list(found.values_list('node_id', 'state'))}")


def finish(operation: Operation, rounds: int = 40) -> Operation:
    """Run an operation as workers would until it has ended; what waits for time is woken at once."""
    for _ in range(rounds):
        Operation.objects.filter(pk=operation.pk).update(not_before=None)
        execute(operation.pk)
        operation.refresh_from_db()
        if not operation.is_active:
            return operation
        poll_account(operation.account)
        time.sleep(0.1)
    raise AssertionError(f"still {operation.status}, {operation.phase}: {operation.state}")


def targets(pool: PoolSnapshot) -> list[tuple[str, str]]:
    return [(pool.pool_id, node) for node in pool.nodes.order_by("node_id").values_list("node_id", flat=True)]
