"""The one place that makes SDK clients. They are kept per connection, so that sockets and tokens are reused."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from azure.batch import BatchClient
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    ContentDecodePolicy,
    HeadersPolicy,
    ProxyPolicy,
    RedirectPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.storage import StorageManagementClient
from azure.storage.blob import BlobClient, BlobServiceClient, ExponentialRetry

from apps.gateway import endpoints
from apps.gateway.credentials import named_key, token_credential
from apps.gateway.errors import GatewayError, ManagementPlaneMissing
from apps.gateway.transport import BoundedRetryPolicy, GuardedTransport
from apps.gateway.types import Connection

_USER_AGENT = "batchportal"
BATCH_API_VERSION = "2025-06-01"
_KEPT = 64
# Token audiences by the end of the host name; the doubled slash of the public one is the service's.
_DATA_SCOPES = {
    ".batch.usgovcloudapi.net": "https://batch.core.usgovcloudapi.net/.default",
    ".batch.chinacloudapi.cn": "https://batch.chinacloudapi.cn/.default",
}
_PUBLIC_DATA_SCOPE = "https://batch.core.windows.net//.default"
_MANAGEMENT_SCOPES = {
    "management.usgovcloudapi.net": "https://management.core.usgovcloudapi.net/.default",
    "management.chinacloudapi.cn": "https://management.core.chinacloudapi.cn/.default",
}
_PUBLIC_MANAGEMENT_SCOPE = "https://management.azure.com/.default"


class _BearerPolicy(BearerTokenCredentialPolicy[Any, Any]):
    """Sends a token without TLS where an operator named the host for it (the local Batch service), nowhere else."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        endpoints.check_url(request.http_request.url)  # before a token is asked for, let alone sent
        if endpoints.may_be_plain(request.http_request.url):
            request.context["enforce_https"] = False
        super().on_request(request)


def _policies(authentication: Any) -> list[Any]:
    """The pipeline to the management plane: no redirects, no registering of providers (which waits for minutes)."""
    return [
        RequestIdPolicy(),
        HeadersPolicy(),
        UserAgentPolicy(_USER_AGENT),
        ProxyPolicy(),
        ContentDecodePolicy(),
        BoundedRetryPolicy(),
        authentication,
    ]


@lru_cache(maxsize=_KEPT)
def batch_management(connection: Connection) -> BatchManagementClient:
    return BatchManagementClient(
        _management_credential(connection), connection.subscription_id, **_management_options(connection)
    )


@lru_cache(maxsize=_KEPT)
def storage_management(connection: Connection, subscription_id: str) -> StorageManagementClient:
    return StorageManagementClient(
        _management_credential(connection), subscription_id, **_management_options(connection)
    )


@lru_cache(maxsize=_KEPT)
def subscriptions(connection: Connection) -> SubscriptionClient:
    return SubscriptionClient(_management_credential(connection), **_management_options(connection))


def batch_management_of(connection: Connection, subscription_id: str) -> BatchManagementClient:
    """A client for another subscription than the connection's own, for discovery; not kept."""
    return BatchManagementClient(_management_credential(connection), subscription_id, **_management_options(connection))


@lru_cache(maxsize=_KEPT)
def batch(connection: Connection) -> BatchClient:
    """The data plane. Raises `GatewayError` with code `gateway-endpoint-unknown` without an endpoint."""
    if not connection.batch_endpoint:
        raise GatewayError("gateway-endpoint-unknown")
    url = endpoints.batch_endpoint(connection.batch_endpoint)
    options: dict[str, Any] = {
        "api_version": BATCH_API_VERSION,
        "retry_policy": BoundedRetryPolicy(),
        "redirect_policy": RedirectPolicy.no_redirects(),
        "user_agent": _USER_AGENT,
        "transport": GuardedTransport(),
    }
    if not connection.has_management_plane:
        return BatchClient(url, named_key(connection), **options)
    credential = token_credential(connection)
    return BatchClient(url, credential, authentication_policy=_BearerPolicy(credential, data_scope(url)), **options)


def blob(url: str) -> BlobClient:
    """A blob by an URL that carries its own signature."""
    endpoints.check_url(url)
    return BlobClient.from_blob_url(url, **_blob_options())


def blob_service(url: str, account_name: str, key: str) -> BlobServiceClient:
    """A storage account's blobs by its key."""
    endpoints.check_url(url)
    credential: Any = {"account_name": account_name, "account_key": key}
    return BlobServiceClient(url, credential=credential, **_blob_options())


def _blob_options() -> dict[str, Any]:
    return {
        "transport": _blob_transport(),
        "permit_redirects": False,
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3, random_jitter_range=1),
        "user_agent": _USER_AGENT,
        "max_single_get_size": 4 * 1024 * 1024,
        "max_chunk_get_size": 4 * 1024 * 1024,
    }


@lru_cache(maxsize=1)
def _blob_transport() -> GuardedTransport:
    return GuardedTransport()


def data_scope(url: str) -> str:
    """The token scope for a Batch endpoint, by its cloud."""
    host = urlsplit(url).hostname or ""
    return next((scope for end, scope in _DATA_SCOPES.items() if host.endswith(end)), _PUBLIC_DATA_SCOPE)


def management_scope(arm_endpoint: str) -> str:
    """The token scope for a management endpoint, by its cloud."""
    return _MANAGEMENT_SCOPES.get(urlsplit(arm_endpoint).hostname or "", _PUBLIC_MANAGEMENT_SCOPE)


def _management_credential(connection: Connection) -> Any:
    if not connection.has_management_plane:
        raise ManagementPlaneMissing
    return token_credential(connection)


def _management_options(connection: Connection) -> dict[str, Any]:
    scope = management_scope(connection.arm_endpoint)
    return {
        "base_url": connection.arm_endpoint.rstrip("/"),
        "credential_scopes": [scope],
        "policies": _policies(_BearerPolicy(token_credential(connection), scope)),
        "transport": GuardedTransport(),
    }


def forget() -> None:
    """Drop every kept client and credential, for tests and for settings that changed."""
    for kept in (batch_management, storage_management, subscriptions, batch, token_credential, _blob_transport):
        kept.cache_clear()
