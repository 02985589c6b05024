"""The official SDKs pointed at a really started service with a real blob store."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AccessToken, AzureNamedKeyCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.storage.blob import BlobClient

from emulator.pytest_plugin import azurite, emulator, running_emulator
from emulator.testing import Azurite, Emulator

__all__ = ["azurite", "emulator", "running_emulator"]


class PlainBearer(SansIOHTTPPolicy[Any, Any]):
    """A token over plain http, which the SDKs' own policy refuses."""

    def __init__(self, token: str = "test") -> None:
        super().__init__()
        self.token = token

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self.token}"


class NoCredential:
    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("test", 1 << 33)


@pytest.fixture
def management(emulator: Emulator) -> Iterator[BatchManagementClient]:
    with management_client(emulator) as client:
        yield client


def management_client(emulator: Emulator, token: str = "test", **options: Any) -> BatchManagementClient:
    return BatchManagementClient(
        NoCredential(),
        emulator.subscription,
        base_url=emulator.url,
        authentication_policy=PlainBearer(token),
        retry_total=0,
        **options,
    )


@pytest.fixture
def storage_management(emulator: Emulator) -> Iterator[StorageManagementClient]:
    with StorageManagementClient(
        NoCredential(),
        emulator.subscription,
        base_url=emulator.url,
        authentication_policy=PlainBearer(),
        retry_total=0,
    ) as client:
        yield client


@pytest.fixture
def linked(emulator: Emulator, azurite: Azurite) -> Emulator:
    """The service with a storage account linked to ``local``."""
    emulator.link_storage(azurite.accounts[0])
    return emulator


@pytest.fixture
def batch(emulator: Emulator) -> Iterator[BatchClient]:
    with batch_client(emulator) as client:
        yield client


def batch_client(emulator: Emulator, account: str = "local", key: str | None = None, **options: Any) -> BatchClient:
    credential = AzureNamedKeyCredential(account, key or emulator.account_key(account))
    return BatchClient(emulator.account_url(account), credential, retry_total=0, **options)


@pytest.fixture
def upload() -> Callable[[str, bytes], None]:
    """Puts bytes where a package's storage URL says."""

    def put(url: str, content: bytes) -> None:
        with BlobClient.from_blob_url(url) as blob:
            blob.upload_blob(content, overwrite=True)

    return put
