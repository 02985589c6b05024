"""A portal in this process that may reach a running local Batch service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_django import Settings

from apps.gateway import clients
from emulator.testing import Azurite, Emulator


@contextmanager
def reaching(
    emulator: Emulator, azurite: Azurite, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    """Settings and environment as `make run` gives them: both hosts private, a managed identity at the service."""
    settings.GATEWAY_ARM_ENDPOINT = emulator.url
    settings.GATEWAY_PRIVATE_HOSTS = [emulator.netloc, azurite.url.partition("://")[2]]
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{emulator.url}/_emulator/identity/token")
    monkeypatch.setenv("IDENTITY_HEADER", "test")
    clients.forget()
    yield emulator
    clients.forget()


def put_storage(emulator: Emulator, name: str, *, location: str = "westeurope", **properties: Any) -> None:
    """A storage account in the subscription, as the portal of Azure would make it; `kind` beside its properties."""
    kind = properties.pop("kind", "StorageV2")
    body = {"location": location, "kind": kind, "sku": {"name": "Standard_LRS"}, "properties": properties}
    emulator.arm("PUT", emulator.storage_id(name), body)
