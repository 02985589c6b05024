"""Package bytes in blob storage, by URLs that carry their signature. Such URLs are secrets: never log or show them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobProperties,
    BlobSasPermissions,
    BlobServiceClient,
    ContentSettings,
    generate_blob_sas,
)

from apps.gateway import clients, management
from apps.gateway.errors import AutoStorageMissing, GatewayNotFound
from apps.gateway.translation import BLOB, translated, translating
from apps.gateway.types import BlobInfo, Connection, Package, PackageBytes

_READ_HOURS = 1
_CONTAINER = "app-{application}-"
_CONTAINER_HASH = re.compile(r"[0-9a-f]{32}")
_PACKAGE_CONTAINER = re.compile(r"app-.+-[0-9a-f]{32}")
_MOST_CONTAINERS = 300  # each is one more request


def block_id(index: int) -> str:
    """The same id for the same block on every try; all ids of a blob must have one length."""
    return f"block-{index:08d}"


@translated(BLOB)
def blocks_staged(url: str) -> dict[str, int]:
    """Uncommitted blocks by id with their sizes in bytes; empty when there are none."""
    try:
        _committed, uncommitted = clients.blob(url).get_block_list("uncommitted")
    except ResourceNotFoundError:
        return {}
    return {str(block.id): int(block.size) for block in uncommitted}


@translated(BLOB)
def block_stage(url: str, block: str, data: bytes | memoryview | IO[bytes], length: int) -> None:
    """Stage one block of `length` bytes. A file-like body must be seekable, so that a try can be repeated."""
    body: Any = data if isinstance(data, bytes) or hasattr(data, "read") else bytes(data)
    clients.blob(url).stage_block(block, body, length=length)


@translated(BLOB)
def blocks_commit(
    url: str, ids: Sequence[str], *, content_md5: bytes | None = None, metadata: Mapping[str, str] | None = None
) -> BlobInfo:
    """Make the blob of exactly these staged blocks, in this order, in place of what was there."""
    client = clients.blob(url)
    client.commit_block_list(
        [BlobBlock(block_id=block) for block in ids],
        content_settings=ContentSettings(
            content_type="application/zip", content_md5=bytearray(content_md5) if content_md5 else None
        ),
        metadata=dict(metadata or {}),
    )
    return _blob_info(client.get_blob_properties())


@translated(BLOB)
def blob_info(url: str) -> BlobInfo:
    """Raises `GatewayNotFound` when there is no blob."""
    return _blob_info(clients.blob(url).get_blob_properties())


@translated(BLOB)
def blob_read(url: str, offset: int, length: int, *, etag: str = "") -> bytes:
    """Up to `length` bytes from `offset`; fewer at the end. With `etag`, `GatewayConflict` from a replaced blob."""
    try:
        data: bytes = clients.blob(url).download_blob(offset=offset, length=length, **_only_if(etag)).readall()
    except HttpResponseError as error:
        if error.status_code == 416:  # nothing lies at or behind the offset
            return b""
        raise
    return data


def blob_read_url(connection: Connection, package: Package) -> str:
    """An URL that reads a package's blob.

    The service's own when it gives one with a signature; otherwise one signed here for an hour with a key of the linked
    storage account. Raises `AutoStorageMissing` without a linked account and `GatewayNotFound` without a container.
    """
    if package.storage_url and urlsplit(package.storage_url).query:
        return package.storage_url
    linked = management.account_properties(connection).auto_storage
    if linked is None:
        raise AutoStorageMissing
    account = management.storage_account_get(connection, linked.storage_account_id)
    key = management.storage_account_key(connection, linked.storage_account_id)
    container, blob = _blob_path(account.blob_endpoint, account.name, key, package)
    signature = generate_blob_sas(
        account.name,
        container,
        blob,
        account_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=_READ_HOURS),
    )
    return f"{account.blob_endpoint.rstrip('/')}/{container}/{blob}?{signature}"


def package_bytes(connection: Connection, storage_account_id: str) -> PackageBytes:
    """What the package containers of a storage account hold, of whichever Batch account they are."""
    account = management.storage_account_get(connection, storage_account_id)
    key = management.storage_account_key(connection, storage_account_id)
    with translating(BLOB):
        return _counted(clients.blob_service(account.blob_endpoint, account.name, key))


def _counted(service: BlobServiceClient) -> PackageBytes:
    packages = size = 0
    for number, container in enumerate(service.list_containers(name_starts_with="app-")):
        if number >= _MOST_CONTAINERS:
            return PackageBytes(packages, size, complete=False)
        if not _PACKAGE_CONTAINER.fullmatch(str(container.name)):
            continue
        for blob in service.get_container_client(str(container.name)).list_blobs():
            packages += 1
            size += int(blob.size or 0)
    return PackageBytes(packages, size, complete=True)


@translated(BLOB)
def _blob_path(endpoint: str, name: str, key: str, package: Package) -> tuple[str, str]:
    """Container and blob: from the unsigned URL where there is one, else by the service's naming of containers."""
    if package.storage_url:
        parts = unquote(urlsplit(package.storage_url).path).split("/")
        return parts[-2], parts[-1]
    start = _CONTAINER.format(application=package.application_id.lower())
    service = clients.blob_service(endpoint, name, key)
    names = [str(found.name) for found in service.list_containers(name_starts_with=start)]
    # An account that was unlinked and linked again may hold more than one; the newest bytes are the ones in use.
    written = {
        container: found
        for container in names
        if _CONTAINER_HASH.fullmatch(container.removeprefix(start))
        and (found := _written_at(service.get_blob_client(container, package.version)))
    }
    if not written:
        raise GatewayNotFound
    return max(written, key=lambda container: written[container]), package.version


def _written_at(client: BlobClient) -> datetime | None:
    try:
        return client.get_blob_properties().last_modified
    except ResourceNotFoundError:
        return None


def _blob_info(found: BlobProperties) -> BlobInfo:
    md5 = found.content_settings.content_md5 if found.content_settings else None
    return BlobInfo(
        size=int(found.size or 0),
        etag=str(found.etag or "").strip('"'),
        last_modified=found.last_modified,
        md5=bytes(md5) if md5 else None,
    )


def _only_if(etag: str) -> dict[str, Any]:
    return {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified} if etag else {}
