"""How the portal proves who it is: azure-identity for both planes, or the account's key for the data plane."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential, TokenCredential
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from django.conf import settings

from apps.gateway.errors import GatewayDenied
from apps.gateway.transport import GuardedTransport, PatientTransport
from apps.gateway.types import Connection

_RETRIES: dict[str, Any] = {"retry_total": 2, "retry_connect": 1, "retry_backoff_factor": 0.4, "retry_backoff_max": 4}
_KNOWN_AUTHORITIES = ("login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn")


@lru_cache(maxsize=64)
def token_credential(connection: Connection) -> TokenCredential:
    """The credential of a connection, with its own token cache.

    Raises `GatewayDenied` with code `gateway-credential-malformed` when what was entered cannot be one at all, such as
    a certificate without a private key.
    """
    secrets = dict(connection.secrets)
    try:
        match connection.auth_method:
            case "client-secret":
                return ClientSecretCredential(
                    connection.tenant_id, connection.client_id, secrets["client_secret"], **_options()
                )
            case "client-certificate":
                return CertificateCredential(
                    connection.tenant_id,
                    connection.client_id,
                    certificate_data=secrets["certificate"].encode(),
                    password=secrets.get("certificate_password") or None,
                    **_options(),
                )
            case "managed-identity":
                return _managed_identity(connection)
            case "workload-identity":
                return WorkloadIdentityCredential(
                    tenant_id=connection.tenant_id or None, client_id=connection.client_id or None, **_options()
                )
    except (KeyError, ValueError, TypeError) as error:
        raise GatewayDenied("gateway-credential-malformed") from error
    raise ValueError(f"{connection.auth_method} has no token.")


def named_key(connection: Connection) -> AzureNamedKeyCredential:
    return AzureNamedKeyCredential(connection.account_name, dict(connection.secrets)["shared_key"])


def _managed_identity(connection: Connection) -> TokenCredential:
    # The endpoint comes from the platform (link-local or loopback by design), never from a person: no guard here.
    return ManagedIdentityCredential(client_id=connection.client_id or None, transport=PatientTransport(), **_RETRIES)


def _options() -> dict[str, Any]:
    authority = settings.GATEWAY_AUTHORITY
    known = authority.removeprefix("https://").rstrip("/") in _KNOWN_AUTHORITIES
    # For an authority of one's own there is nobody to ask whether it is genuine.
    return {
        "authority": authority,
        "disable_instance_discovery": not known,
        "transport": GuardedTransport(),
        **_RETRIES,
    }
