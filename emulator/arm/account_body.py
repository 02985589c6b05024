"""A Batch account's body: reading it from requests and writing it in answers."""

import uuid
from typing import Any

from emulator import answers
from emulator.arm import auto_storage
from emulator.arm.fields import Fields
from emulator.call import Call
from emulator.catalogue.vm_sizes import FAMILIES
from emulator.domain.accounts import AUTHENTICATION_MODES, BatchAccount
from emulator.errors import ServiceError
from emulator.settings import Settings

ACTIVE_JOBS = 300  # seen on live accounts

_IDENTITIES = ("SystemAssigned", "UserAssigned", "None")
_NETWORK_ACCESS = ("Enabled", "Disabled", "SecuredByPerimeter")


def apply_create(account: BatchAccount, fields: Fields) -> None:
    """The properties that only creation takes."""
    properties = fields.fields("properties")
    mode = properties.text("poolAllocationMode", choices=("BatchService", "UserSubscription")) or "BatchService"
    vault = properties.raw("keyVaultReference")
    if mode == "UserSubscription" and vault is None:
        raise ServiceError(
            "MissingRequiredProperty", "An account of the UserSubscription mode needs a keyVaultReference."
        )
    account.pool_allocation_mode = mode
    if vault is not None:
        account.options["keyVaultReference"] = vault


def apply(call: Call, account: BatchAccount, fields: Fields) -> None:
    """The properties that creation and update take; what is absent stays. Raises before anything is changed."""
    properties = fields.fields("properties")
    tags = fields.table("tags")
    identity = _identity(call, account, fields)
    access = properties.text("publicNetworkAccess", choices=_NETWORK_ACCESS)
    modes = properties.texts("allowedAuthenticationModes", choices=AUTHENTICATION_MODES)
    options = {name: value for name in ("networkProfile", "encryption") if (value := properties.raw(name)) is not None}
    linked = auto_storage.wanted(call, account, properties, identity)
    account.tags = account.tags if tags is None else tags
    account.identity = identity
    account.public_network_access = access or account.public_network_access
    account.allowed_authentication_modes = account.allowed_authentication_modes if modes is None else modes
    account.options = {**account.options, **options}
    account.auto_storage = linked


def _identity(call: Call, account: BatchAccount, fields: Fields) -> dict[str, Any] | None:
    if fields.raw("identity") is None:
        return account.identity
    given = fields.fields("identity")
    kind = given.required_text("type", choices=_IDENTITIES)
    if kind == "None":
        return None
    if kind == "SystemAssigned":
        principal = (account.identity or {}).get("principalId") or call.services.ids.guid()
        return {"type": kind, "principalId": principal, "tenantId": call.services.settings.tenant}
    users = given.raw("userAssignedIdentities") or {}
    return {"type": kind, "userAssignedIdentities": {name: _assigned(name) for name in users}}


def _assigned(resource_id: str) -> dict[str, str]:
    folded = resource_id.lower()
    return {
        "principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, folded)),
        "clientId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{folded}/client")),
    }


def body(call: Call, account: BatchAccount) -> dict[str, Any]:
    return answers.without_none(
        {
            "id": account.id,
            "name": account.name,
            "type": "Microsoft.Batch/batchAccounts",
            "location": account.location,
            "tags": account.tags,
            "identity": account.identity or {"type": "None"},
            "properties": _properties(call, account),
        }
    )


def _properties(call: Call, account: BatchAccount) -> dict[str, Any]:
    host = call.request.url.netloc
    endpoint = call.services.settings.account_endpoint
    properties = {
        "accountEndpoint": endpoint.format(host=host, account=account.name, region=account.location),
        "nodeManagementEndpoint": host,
        "provisioningState": account.provisioning_state(call.now),
        "poolAllocationMode": account.pool_allocation_mode,
        "publicNetworkAccess": account.public_network_access,
        "privateEndpointConnections": [],
        "encryption": {"keySource": "Microsoft.Batch"},
        "poolQuota": call.services.settings.pool_quota,
        "activeJobAndJobScheduleQuota": ACTIVE_JOBS,
        "allowedAuthenticationModes": account.allowed_authentication_modes,
        **_core_quotas(call.services.settings, account),
        **account.options,
    }
    if account.auto_storage is not None:
        properties["autoStorage"] = auto_storage.body(account.auto_storage)
    return properties


def _core_quotas(settings: Settings, account: BatchAccount) -> dict[str, Any]:
    """Accounts that allocate in the user's subscription have the subscription's quotas instead."""
    if account.pool_allocation_mode == "UserSubscription":
        return {"dedicatedCoreQuotaPerVMFamilyEnforced": False}
    return {
        "dedicatedCoreQuota": settings.dedicated_core_quota,
        "lowPriorityCoreQuota": settings.low_priority_core_quota,
        "dedicatedCoreQuotaPerVMFamily": [{"name": name, "coreQuota": settings.family_core_quota} for name in FAMILIES],
        "dedicatedCoreQuotaPerVMFamilyEnforced": True,
    }


def keys(account: BatchAccount) -> dict[str, str]:
    return {"accountName": account.name, "primary": account.primary_key, "secondary": account.secondary_key}
