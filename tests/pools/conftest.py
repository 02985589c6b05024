"""Pools against a running local Batch service whose nodes are simulated, with one person per role."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.gateway import pools
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types import Connection
from apps.operations.execution import execute
from apps.operations.models import Operation
from apps.pools.models import PoolSnapshot
from apps.pools.polling import poll_account
from emulator.testing import Azurite, Emulator
from tests.core.world import make_account
from tests.people.factories import Cast, make_cast
from tests.support.service import reaching

IMAGE = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
AGENT = "batch.node.ubuntu 24.04"
SIZE = "standard_d2s_v5"
SIMULATED = {"name": "emulator:nodes", "value": "simulated"}
PATIENCE = 30  # seconds


def document(pool_id: str = "linux", **more: Any) -> dict[str, Any]:
    """What makes a small pool of simulated nodes."""
    return {
        "id": pool_id,
        "vmSize": SIZE,
        "virtualMachineConfiguration": {"imageReference": dict(IMAGE), "nodeAgentSKUId": AGENT},
        "metadata": [SIMULATED],
        **more,
    }


@pytest.fixture
def service(
    emulator: Emulator, azurite: Azurite, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    with reaching(emulator, azurite, settings, monkeypatch) as running:
        yield running


@pytest.fixture
def account(db: None, service: Emulator) -> BatchAccount:
    return make_account(service)


@pytest.fixture
def cast(account: BatchAccount) -> Cast:
    return make_cast(account)


@pytest.fixture
def connection(account: BatchAccount) -> Connection:
    return connection_for(account)


def until(what: Callable[[], bool]) -> None:
    """Wait for something of the service to become true."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "It did not come true in time."
        time.sleep(0.05)


def ready(connection: Connection, pool_id: str, nodes: int) -> None:
    """Wait until a pool is steady with this many idle nodes."""

    def done() -> bool:
        steady = pools.pool_get(connection, pool_id).allocation_state == "steady"
        idle = sum(found.dedicated.get("idle", 0) for found in pools.pool_node_counts(connection, pool_id))
        return steady and idle == nodes

    until(done)


def is_gone(connection: Connection, pool_id: str) -> bool:
    try:
        pools.pool_get(connection, pool_id)
    except GatewayNotFound:
        return True
    return False


MakePool = Callable[..., PoolSnapshot]


@pytest.fixture
def make_pool(account: BatchAccount, connection: Connection) -> MakePool:
    """Make a pool straight at the service, wait for its nodes, and let the poller see it."""

    def make(pool_id: str = "linux", *, nodes: int = 0, more: Mapping[str, Any] | None = None) -> PoolSnapshot:
        pools.pool_create(connection, document(pool_id, targetDedicatedNodes=nodes, **(more or {})))
        ready(connection, pool_id, nodes)
        assert poll_account(account)
        return PoolSnapshot.objects.get(account=account, pool_id=pool_id)

    return make


def finish(operation: Operation) -> Operation:
    """Run an operation as workers would, as often as it asks to be called again."""

    def over() -> bool:
        Operation.objects.filter(pk=operation.pk).update(not_before=timezone.now())
        execute(operation.pk)
        operation.refresh_from_db()
        return not operation.is_active

    until(over)
    return operation
