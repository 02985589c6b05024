"""What may be entered for a connection: the service's own rules. Each raises `Invalid` at its field."""

from __future__ import annotations

import re
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from apps.core.exceptions import Invalid

_ACCOUNT_NAME = re.compile(r"[a-z0-9]{3,24}")
_RESOURCE_GROUP = re.compile(r"[-\w._()]{1,90}")
_TENANT = re.compile(r"[0-9A-Za-z.-]{1,64}")
_STORAGE_ID = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[-\w._()]{1,90}"
    r"/providers/Microsoft\.Storage/storageAccounts/[a-z0-9]{3,24}",
    re.IGNORECASE,
)
_KEY = re.compile(r"[A-Za-z0-9+/]{43,}={0,2}")


def clean_account_name(text: str) -> str:
    """3 to 24 lower-case letters and digits (Microsoft.Batch/batchAccounts)."""
    text = text.strip()
    if not text:
        raise Invalid("account-name-missing", field="name")
    if not _ACCOUNT_NAME.fullmatch(text):
        raise Invalid("account-name-invalid", field="name")
    return text


def clean_subscription_id(text: str) -> str:
    return _clean_guid(text, "subscription_id", "subscription-id-invalid")


def clean_client_id(text: str) -> str:
    return _clean_guid(text, "client_id", "client-id-invalid")


def clean_tenant_id(text: str) -> str:
    """A GUID or a domain of the tenant, as Entra ID takes both."""
    text = text.strip()
    if not _TENANT.fullmatch(text):
        raise Invalid("tenant-id-invalid", field="tenant_id")
    return text


def clean_resource_group(text: str) -> str:
    """At most 90 letters, digits and ( ) - _ . without a dot at the end."""
    text = text.strip()
    if not _RESOURCE_GROUP.fullmatch(text) or text.endswith("."):
        raise Invalid("resource-group-invalid", field="resource_group")
    return text


def clean_shared_key(text: str) -> str:
    """64 bytes in Base64: 88 characters; shorter ones of other services' kind are let through to the service."""
    text = "".join(text.split())
    if not _KEY.fullmatch(text) or len(text) % 4:
        raise Invalid("shared-key-invalid", field="shared_key")
    return text


def clean_certificate(pem: str, password: str) -> str:
    """A PEM with a certificate and its private key, which the password opens."""
    text = pem.strip() + "\n"
    if "-----BEGIN" not in text:
        raise Invalid("certificate-not-pem", field="certificate")
    try:
        x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        raise Invalid("certificate-missing", field="certificate") from None
    _check_private_key(text.encode(), password)
    return text


def _check_private_key(pem: bytes, password: str) -> None:
    try:
        load_pem_private_key(pem, password.encode() if password else None)
    except TypeError:
        # Encrypted and no password, or a password for a key that needs none.
        code = "certificate-password-superfluous" if password else "certificate-password-missing"
        raise Invalid(code, field="certificate_password") from None
    except ValueError:
        if password and b"ENCRYPTED" in pem:
            raise Invalid("certificate-password-wrong", field="certificate_password") from None
        raise Invalid("certificate-key-missing", field="certificate") from None


def clean_storage_account_id(text: str) -> str:
    """A full resource id of a storage account; it becomes part of requests to Azure."""
    text = text.strip()
    if not _STORAGE_ID.fullmatch(text):
        raise Invalid("storage-account-id-invalid", field="storage_account_id")
    return text


def _clean_guid(text: str, field: str, code: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise Invalid(code, field=field) from None
