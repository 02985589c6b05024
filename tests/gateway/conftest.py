"""The gateway against a running local Batch service and Azurite, through Microsoft's own SDKs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django import Settings

from apps.gateway import management
from apps.gateway.types import Connection, Package
from emulator.testing import Azurite, Emulator
from tests.support.service import reaching


@pytest.fixture
def service(
    emulator: Emulator, azurite: Azurite, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    """The service as new, and a portal that may reach it and its blob store."""
    with reaching(emulator, azurite, settings, monkeypatch) as running:
        yield running


@pytest.fixture
def connection(service: Emulator) -> Connection:
    """To the account `local` by managed identity, at both planes."""
    return Connection(
        account_name="local",
        auth_method="managed-identity",
        arm_endpoint=service.url,
        batch_endpoint=service.account_url(),
        subscription_id=service.subscription,
        resource_group=service.resource_group,
    )


@pytest.fixture
def shared_key(service: Emulator, connection: Connection) -> Connection:
    """To the data plane alone."""
    return replace(connection, auth_method="shared-key", secrets=(("shared_key", service.account_key()),))


@pytest.fixture
def package(service: Emulator, connection: Connection) -> Package:
    """A Pending package of an application, with somewhere to put its bytes."""
    service.link_storage("devstoreaccount1")
    management.application_create(connection, "Blender")
    return management.package_create(connection, "Blender", "2.7")
