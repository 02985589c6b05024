"""The service as a client of the linked storage account, where packages live."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

from emulator.errors import ServiceError
from emulator.storage import StorageConnection

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from emulator.blob_client import BlobClient

T = TypeVar("T")


class BlobStore:
    """The connected storage accounts by name. The SDK's calls block, so they run in threads."""

    def __init__(self, connections: Iterable[StorageConnection]) -> None:
        self._connections = {connection.name: connection for connection in connections}
        self._clients: dict[str, BlobClient] = {}

    @property
    def connections(self) -> list[StorageConnection]:
        return list(self._connections.values())

    def connection(self, account: str) -> StorageConnection | None:
        return self._connections.get(account.lower())

    async def signed_url(self, account: str, container: str, blob: str, *, start: datetime, expiry: datetime) -> str:
        """An address that may read and write (so also overwrite) this one blob."""
        return await self._call(account, lambda client: client.signed_url(container, blob, start, expiry))

    async def ensure_container(self, account: str, container: str) -> None:
        await self._call(account, lambda client: client.ensure_container(container))

    async def exists(self, account: str, container: str, blob: str) -> bool:
        return await self._call(account, lambda client: client.exists(container, blob))

    async def delete_blob(self, account: str, container: str, blob: str) -> None:
        await self._call(account, lambda client: client.delete_blob(container, blob))

    async def delete_container(self, account: str, container: str) -> None:
        await self._call(account, lambda client: client.delete_container(container))

    async def download(self, account: str, container: str, blob: str, target: Path) -> None:
        await self._call(account, lambda client: client.download(container, blob, target))

    async def put(self, account: str, container: str, blob: str, source: Path) -> None:
        await self._call(account, lambda client: client.put(container, blob, source))

    def read_container(
        self, *, url: str | None, account: str | None, container: str | None, prefix: str
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Blobs of a container: of an address, or of a connected storage account by name. Blocks.

        Raises AzureError, and LookupError when there is no such storage account.
        """
        from emulator import blob_client  # noqa: PLC0415 - only the first download pays for it

        found = self._at(url) if url is not None else self._container(account, container)
        return blob_client.read_blobs(found, prefix)

    def read_blob(self, url: str) -> Iterator[bytes] | None:
        """The blob of an address without a signature, None when it is of no connected account. Blocks.

        Raises AzureError.
        """
        from emulator import blob_client  # noqa: PLC0415 - see above

        for connection in self._connections.values():
            prefix = f"{connection.blob_endpoint}/"
            if "?" not in url and url.startswith(prefix):
                container, _, name = url.removeprefix(prefix).partition("/")
                return blob_client.read_blob(self._container(connection.name, container), unquote(name))
        return None

    def upload(self, url: str, name: str, source: Path, headers: Mapping[str, str] | None = None) -> None:
        """Put a file into the container of an address. Blocks. Raises AzureError."""
        from emulator import blob_client  # noqa: PLC0415 - only the first upload pays for it

        blob_client.upload_file(self._at(url), name, source, headers or {})

    def _at(self, url: str) -> "ContainerClient":
        """A container by its address. Without a signature it must be of a connected account: nodes have identities."""
        from emulator import blob_client  # noqa: PLC0415 - see above

        for connection in self._connections.values():
            prefix = f"{connection.blob_endpoint}/"
            if "?" not in url and url.startswith(prefix):
                return self._container(connection.name, url.removeprefix(prefix).strip("/"))
        return blob_client.container_at(url)

    def _container(self, account: str | None, container: str | None) -> "ContainerClient":
        from emulator.blob_client import BlobClient  # noqa: PLC0415 - see above

        connection = self.connection(account or "")
        if connection is None or not container:
            raise LookupError("The Batch account has no linked storage account with this container")
        if connection.name not in self._clients:
            self._clients[connection.name] = BlobClient(connection)
        return self._clients[connection.name].container(container)

    async def _call(self, account: str, action: Callable[["BlobClient"], T]) -> T:
        connection = self.connection(account)
        if connection is None:
            raise ServiceError(
                "AutoStorageUnavailable",
                f"The linked storage account {account} is not among the blob stores this emulator was started with.",
            )
        return await asyncio.to_thread(self._in_thread, connection, action)

    def _in_thread(self, connection: StorageConnection, action: Callable[["BlobClient"], T]) -> T:
        from emulator.blob_client import AzureError, BlobClient  # noqa: PLC0415 - only the first package pays for it

        if connection.name not in self._clients:
            self._clients[connection.name] = BlobClient(connection)
        try:
            return action(self._clients[connection.name])
        except AzureError as error:
            reason = getattr(error, "error_code", None) or type(error).__name__
            raise ServiceError(
                "AutoStorageUnavailable",
                f"The linked storage account {connection.name} could not be used: {reason}.",
            ) from error
