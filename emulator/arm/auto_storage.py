"""Linking a storage account to a Batch account."""

from typing import Any

from emulator import storage_accounts
from emulator.arm.fields import Fields
from emulator.call import Call
from emulator.clock import iso
from emulator.domain.accounts import AutoStorage, BatchAccount
from emulator.domain.storage_accounts import parse_id
from emulator.errors import ServiceError

_MANAGED = "BatchAccountManagedIdentity"
_MODES = ("StorageKeys", _MANAGED)


def wanted(
    call: Call, account: BatchAccount, properties: Fields, identity: dict[str, Any] | None
) -> AutoStorage | None:
    """The link after a request: the present one when it does not speak of it, None for null or an empty id."""
    if not properties.has("autoStorage"):
        return account.auto_storage
    fields = properties.fields("autoStorage")
    resource_id = fields.text("storageAccountId")
    if not resource_id:
        return None
    mode = fields.text("authenticationMode", choices=_MODES) or _MODES[0]
    if mode == _MANAGED and identity is None:
        raise ServiceError(
            "InvalidAutoStorageAccount", "BatchAccountManagedIdentity needs an identity of the Batch account."
        )
    return AutoStorage(
        storage_account_id=resource_id,
        storage_account=_usable(call, resource_id),
        last_key_sync=call.now,
        authentication_mode=mode,
        node_identity=fields.raw("nodeIdentityReference"),
    )


def synchronise(call: Call, account: BatchAccount) -> None:
    """Take over the storage account's keys as they are now."""
    if account.auto_storage is None:
        raise ServiceError("AccountNotEnabledForAutoStorage")
    _usable(call, account.auto_storage.storage_account_id)
    account.auto_storage.last_key_sync = call.now


def body(link: AutoStorage) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "storageAccountId": link.storage_account_id,
        "lastKeySync": iso(link.last_key_sync),
        "authenticationMode": link.authentication_mode,
    }
    if link.node_identity is not None:
        shape["nodeIdentityReference"] = link.node_identity
    return shape


def _usable(call: Call, resource_id: str) -> str:
    """The name of the storage account. Raises when it does not exist or cannot hold packages."""
    match = parse_id(resource_id)
    if match is None:
        raise ServiceError(
            "LinkedInvalidPropertyId",
            f"Property id '{resource_id}' at path 'properties.autoStorage.storageAccountId' is invalid."
            " Expect fully qualified resource Id of a Microsoft.Storage/storageAccounts resource.",
            status=400,
        )
    name = match["name"].lower()
    found = storage_accounts.find(call.services, resource_id, call.now)
    if found is None:
        raise _refused(name, "it does not exist")
    if problem := found.problem_as_auto_storage():
        raise _refused(name, problem)
    if call.services.blobs.connection(name) is None:
        raise _refused(name, "this emulator was started without a connection string for it")
    return name


def _refused(name: str, reason: str) -> ServiceError:
    return ServiceError(
        "InvalidAutoStorageAccount", f"The storage account {name} cannot be used as auto-storage account: {reason}."
    )
