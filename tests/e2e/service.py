"""The Batch service as Microsoft's own SDK tells it, with nothing of the portal in between."""

from __future__ import annotations

import hashlib
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import ApplicationPackage
from azure.storage.blob import BlobClient

from emulator.testing import Emulator
from tests.support.stack import Stack

ACCOUNT = "local"
STORAGE = "localstorage"


class PlainBearer(SansIOHTTPPolicy[Any, Any]):
    """A token over plain http, which the SDK's own policy refuses."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer test"


class NoCredential:
    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("test", 1 << 33)


def management(batch: Emulator) -> BatchManagementClient:
    return BatchManagementClient(
        NoCredential(), batch.subscription, base_url=batch.url, authentication_policy=PlainBearer()
    )


class Service:
    """The demo's Batch account."""

    def __init__(self, stack: Stack, client: BatchManagementClient) -> None:
        self.stack = stack
        self.client = client
        self.place = (stack.batch.resource_group, ACCOUNT)

    def link(self) -> None:
        self.stack.batch.link_storage(STORAGE)

    @property
    def linked(self) -> str:
        """Name of the linked storage account; empty when there is none."""
        found = self.client.batch_account.get(*self.place).properties
        storage = found.auto_storage if found else None
        return storage.storage_account_id.rpartition("/")[2] if storage else ""

    def package(self, application: str, version: str) -> ApplicationPackage:
        """Raises `ResourceNotFoundError` where there is none."""
        return self.client.application_package.get(*self.place, application, version)

    def states(self, application: str) -> dict[str, str]:
        """State of each version; nothing where the application does not exist."""
        try:
            packages = list(self.client.application_package.list(*self.place, application))
        except ResourceNotFoundError:
            return {}
        return {package.name or "": package.properties.state or "" for package in packages if package.properties}

    def default_version(self, application: str) -> str | None:
        found = self.client.application.get(*self.place, application).properties
        return found.default_version if found else None

    def sha256(self, application: str, version: str) -> str:
        """Of the blob that the service names, read with its SAS."""
        properties = self.package(application, version).properties
        assert properties
        assert properties.storage_url
        digest = hashlib.sha256()
        with BlobClient.from_blob_url(properties.storage_url) as blob:
            for part in blob.download_blob(max_concurrency=2).chunks():
                digest.update(part)
        return digest.hexdigest()

    def remove(self, application: str) -> None:
        """Delete an application with its packages, if there is one."""
        self.link()
        versions = self.states(application)
        if not versions and application not in {one.name for one in self.client.application.list(*self.place)}:
            return
        self.stack.batch.arm(
            "PATCH",
            f"{self.stack.batch.account_id()}/applications/{application}",
            {"properties": {"allowUpdates": True}},
        )
        for version in versions:
            self.client.application_package.delete(*self.place, application, version)
        self.client.application.delete(*self.place, application)
