"""Blocking calls to one storage account. Importing this imports the storage SDK, which takes its time."""

from datetime import datetime

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, LinearRetry, generate_blob_sas

from emulator.storage import StorageConnection

__all__ = ["AzureError", "BlobClient"]


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
