"""Containers of the linked storage account that the service itself writes to. Their URLs are secrets."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from apps.gateway import clients, management
from apps.gateway.errors import AutoStorageMissing
from apps.gateway.translation import BLOB, translating
from apps.gateway.types import Connection

_HOURS = 4  # a node that is told now sends for some minutes


def container_write_url(connection: Connection, container: str) -> str:
    """An URL that may write to a container for four hours; the container is made where there is none.

    Raises `AutoStorageMissing` without a linked storage account.
    """
    linked = management.account_properties(connection).auto_storage
    if linked is None:
        raise AutoStorageMissing
    account = management.storage_account_get(connection, linked.storage_account_id)
    key = management.storage_account_key(connection, linked.storage_account_id)
    service = clients.blob_service(account.blob_endpoint, account.name, key)
    with translating(BLOB), suppress(ResourceExistsError):
        service.create_container(container)
    signature = generate_container_sas(
        account.name,
        container,
        account_key=key,
        permission=ContainerSasPermissions(write=True, create=True, add=True),
        expiry=datetime.now(UTC) + timedelta(hours=_HOURS),
    )
    return f"{account.blob_endpoint.rstrip('/')}/{container}?{signature}"
