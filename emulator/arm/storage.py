"""Microsoft.Storage/storageAccounts, as deep as linking one to a Batch account needs.

Accounts put here without a connected blob store have metadata alone: they show what a client makes of an account that
cannot serve. Their list of keys is empty.
"""

import re
from typing import Any

from starlette.responses import Response

from emulator import answers, storage_accounts
from emulator.arm.fields import Fields
from emulator.arm.pages import page
from emulator.call import Call
from emulator.clock import iso
from emulator.domain.storage_accounts import StorageAccount, resource_id
from emulator.errors import ServiceError

_NAME = re.compile(r"[a-z0-9]{3,24}")
_KINDS = ("Storage", "StorageV2", "BlobStorage", "BlockBlobStorage", "FileStorage")


async def list_in_subscription(call: Call) -> Response:
    found = storage_accounts.in_subscription(call.services, call.parameters["subscriptionId"], call.now)
    return page(call, [_body(call, account) for account in found])


async def list_in_group(call: Call) -> Response:
    group = call.parameters["resourceGroupName"].lower()
    found = storage_accounts.in_subscription(call.services, call.parameters["subscriptionId"], call.now)
    return page(call, [_body(call, account) for account in found if account.resource_group.lower() == group])


async def get(call: Call) -> Response:
    return answers.json(_body(call, _required(call)))


async def put(call: Call) -> Response:
    fields = Fields(await call.json_object())
    name = call.parameters["storageAccountName"]
    if not _NAME.fullmatch(name):
        raise ServiceError("AccountNameInvalid", f"{name} is not a valid storage account name.", status=400)
    _check_free(call, name)
    account = StorageAccount(
        subscription=call.parameters["subscriptionId"],
        resource_group=call.parameters["resourceGroupName"],
        name=name,
        location=fields.required_text("location"),
        created=iso(call.now),
        kind=fields.required_text("kind", choices=_KINDS),
        sku=fields.fields("sku").required_text("name"),
    )
    _apply(account, fields)
    call.services.repositories.storage_accounts.put("", name, account)
    return answers.json(_body(call, account))


async def patch(call: Call) -> Response:
    fields = Fields(await call.json_object())
    account = _required(call)
    account.kind = fields.text("kind", choices=_KINDS) or account.kind
    account.sku = fields.fields("sku").text("name") or account.sku
    _apply(account, fields)
    call.services.repositories.storage_accounts.put("", account.name, account)
    return answers.json(_body(call, account))


async def delete(call: Call) -> Response:
    """Deletes what was recorded; a connected blob store itself stays."""
    found = _find(call)
    if found is None or not call.services.repositories.storage_accounts.delete("", found.name):
        return answers.empty(204)
    return answers.empty(200)


async def list_keys(call: Call) -> Response:
    account = _required(call)
    connection = call.services.blobs.connection(account.name)
    keys = []
    if connection is not None:
        keys = [{"keyName": name, "value": connection.key, "permissions": "FULL"} for name in ("key1", "key2")]
    return answers.json({"keys": keys})


def _find(call: Call) -> StorageAccount | None:
    place = call.parameters
    wanted = resource_id(place["subscriptionId"], place["resourceGroupName"], place["storageAccountName"])
    return storage_accounts.find(call.services, wanted, call.now)


def _required(call: Call) -> StorageAccount:
    found = _find(call)
    if found is None:
        name, group = call.parameters["storageAccountName"], call.parameters["resourceGroupName"]
        raise ServiceError(
            "ResourceNotFound",
            f"The Resource 'Microsoft.Storage/storageAccounts/{name}' under resource group '{group}' was not found.",
        )
    return found


def _check_free(call: Call, name: str) -> None:
    taken = call.services.repositories.storage_accounts.get("", name)
    if taken is not None and _find(call) is None:
        raise ServiceError(
            "StorageAccountAlreadyTaken", f"The storage account named {name} is already taken.", status=409
        )


def _apply(account: StorageAccount, fields: Fields) -> None:
    properties = fields.fields("properties")
    if (tags := fields.table("tags")) is not None:
        account.tags = tags
    if (hierarchical := properties.boolean("isHnsEnabled")) is not None:
        account.hierarchical_namespace = hierarchical
    if (rules := properties.raw("networkAcls")) is not None:
        account.network_acls = rules
    account.public_network_access = (
        properties.text("publicNetworkAccess", choices=("Enabled", "Disabled", "SecuredByPerimeter"))
        or account.public_network_access
    )


def _body(call: Call, account: StorageAccount) -> dict[str, Any]:
    connection = call.services.blobs.connection(account.name)
    blob = connection.blob_endpoint if connection else f"https://{account.name}.blob.core.windows.net"
    rules = {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"}
    return {
        "id": account.id,
        "name": account.name,
        "type": "Microsoft.Storage/storageAccounts",
        "location": account.location,
        "tags": account.tags,
        "kind": account.kind,
        "sku": {"name": account.sku, "tier": account.sku.partition("_")[0]},
        "properties": {
            "provisioningState": "Succeeded",
            "creationTime": account.created,
            "primaryLocation": account.location,
            "statusOfPrimary": "available",
            "primaryEndpoints": {"blob": f"{blob}/"},
            "isHnsEnabled": account.hierarchical_namespace,
            "networkAcls": rules | account.network_acls,
            "publicNetworkAccess": account.public_network_access,
            "supportsHttpsTrafficOnly": blob.startswith("https"),
            "allowSharedKeyAccess": True,
        },
    }
