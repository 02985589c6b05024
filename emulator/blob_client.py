"""Blocking calls to one storage account. Importing this imports the storage SDK, which takes its time."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import (
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContentSettings,
    LinearRetry,
    generate_blob_sas,
)

from emulator.storage import StorageConnection

__all__ = ["AzureError", "BlobClient", "container_at", "read_blob", "read_blobs", "upload_file"]

_METADATA = "x-ms-meta-"


def container_at(url: str) -> ContainerClient:
    """The container of an address with its signature."""
    return ContainerClient.from_container_url(url, retry_total=1, connection_timeout=5, read_timeout=30)


def read_blobs(container: ContainerClient, prefix: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Names and bytes of the blobs whose names begin with a prefix."""
    for found in container.list_blobs(name_starts_with=prefix or None):
        yield found.name, container.get_blob_client(found.name).download_blob(max_concurrency=1).chunks()


def read_blob(container: ContainerClient, name: str) -> Iterator[bytes]:
    return container.get_blob_client(name).download_blob(max_concurrency=1).chunks()


def upload_file(container: ContainerClient, name: str, source: Path, headers: Mapping[str, str]) -> None:
    """``headers`` are those of a Put Blob request that say what the blob contains, and its metadata."""
    given = {header.lower(): value for header, value in headers.items()}
    content = ContentSettings(
        content_type=given.get("x-ms-blob-content-type"),
        content_encoding=given.get("x-ms-blob-content-encoding"),
        content_language=given.get("x-ms-blob-content-language"),
        content_disposition=given.get("x-ms-blob-content-disposition"),
        cache_control=given.get("x-ms-blob-cache-control"),
    )
    metadata = {
        header.removeprefix(_METADATA): value for header, value in given.items() if header.startswith(_METADATA)
    }
    with source.open("rb") as file:
        container.get_blob_client(name).upload_blob(
            file, overwrite=True, max_concurrency=1, content_settings=content, metadata=metadata or None
        )


class BlobClient:
    """Methods raise AzureError when the blob store refuses or cannot be reached."""

    def __init__(self, connection: StorageConnection) -> None:
        self._connection = connection
        self._service = BlobServiceClient(
            connection.blob_endpoint,
            credential={"account_name": connection.name, "account_key": connection.key},
            # The SDK's own policy waits 15 s and more: our callers have retries of their own and want to know.
            retry_policy=LinearRetry(backoff=0, retry_total=2, random_jitter_range=0),
            connection_timeout=5,
            read_timeout=30,
        )

    def ensure_container(self, container: str) -> None:
        try:
            self._service.create_container(container)
        except ResourceExistsError:
            return

    def exists(self, container: str, blob: str) -> bool:
        """Whether the blob's bytes are committed."""
        return bool(self._service.get_blob_client(container, blob).exists())

    def delete_blob(self, container: str, blob: str) -> None:
        try:
            self._service.get_blob_client(container, blob).delete_blob()
        except ResourceNotFoundError:
            return

    def delete_container(self, container: str) -> None:
        try:
            self._service.delete_container(container)
        except ResourceNotFoundError:
            return

    def download(self, container: str, blob: str, target: Path) -> None:
        """Write a blob to a file, part by part."""
        stream = self._service.get_blob_client(container, blob).download_blob(max_concurrency=1)
        with target.open("wb") as file:
            for part in stream.chunks():
                file.write(part)

    def put(self, container: str, blob: str, source: Path) -> None:
        upload_file(self.container(container), blob, source, {})

    def container(self, name: str) -> ContainerClient:
        return self._service.get_container_client(name)

    def signed_url(self, container: str, blob: str, start: datetime, expiry: datetime) -> str:
        token = generate_blob_sas(
            self._connection.name,
            container,
            blob,
            account_key=self._connection.key,
            permission=BlobSasPermissions(read=True, write=True),
            start=start,
            expiry=expiry,
        )
        return f"{self._service.get_blob_client(container, blob).url}?{token}"
