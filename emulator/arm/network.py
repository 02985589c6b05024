"""What surrounds the network of an account: what nodes call, private links, perimeters.

Nothing here can be reached privately or put behind a perimeter, so of those there are none.
"""

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from emulator import answers
from emulator.arm.common import account
from emulator.arm.pages import page
from emulator.call import Call
from emulator.domain.accounts import BatchAccount
from emulator.errors import ServiceError

_ZONE = "privatelink.batch.azure.com"
_LINKS = ("batchAccount", "nodeManagement")  # sub-resources that a private endpoint can lead to


async def list_outbound(call: Call) -> Response:
    """Where nodes of the account connect to: this service, and the blob store that is linked."""
    found = account(call)
    uses = "The address of this service, for tasks that call it."
    value = [_category("Azure Batch", _endpoint(call.base, uses))]
    if (storage := _storage(call, found)) is not None:
        uses = "The linked storage account, for application packages, resource files and output files."
        value.append(_category("Azure Storage", _endpoint(storage, uses)))
    return page(call, value)


def _storage(call: Call, found: BatchAccount) -> str | None:
    name = found.auto_storage.storage_account if found.auto_storage is not None else None
    connected = (store.blob_endpoint for store in call.services.settings.storage if store.name == name)
    return next(connected, None)


def _category(name: str, *endpoints: dict[str, Any]) -> dict[str, Any]:
    return {"category": name, "endpoints": list(endpoints)}


def _endpoint(url: str, description: str) -> dict[str, Any]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"domainName": parts.hostname, "description": description, "endpointDetails": [{"port": port}]}


async def list_links(call: Call) -> Response:
    found = account(call)
    return page(call, [_link(found, name) for name in _LINKS])


async def get_link(call: Call) -> Response:
    found = account(call)
    for name in _LINKS:
        if name.lower() == call.parameters["name"].lower():
            return answers.json(_link(found, name))
    raise _absent(call, "privateLinkResources")


def _link(found: BatchAccount, name: str) -> dict[str, Any]:
    return {
        "id": f"{found.id}/privateLinkResources/{name}",
        "name": name,
        "type": "Microsoft.Batch/batchAccounts/privateLinkResources",
        "properties": {"groupId": name, "requiredMembers": [name], "requiredZoneNames": [_ZONE]},
    }


async def list_none(call: Call) -> Response:
    account(call)
    return page(call, [])


async def no_connection(call: Call) -> Response:
    account(call)
    raise _absent(call, "privateEndpointConnections")


async def delete_no_connection(call: Call) -> Response:
    account(call)
    return answers.empty(204)


async def no_perimeter(call: Call) -> Response:
    account(call)
    raise _absent(call, "networkSecurityPerimeterConfigurations")


def _absent(call: Call, kind: str) -> ServiceError:
    parameters = call.parameters
    name = f"Microsoft.Batch/batchAccounts/{parameters['accountName']}/{kind}/{parameters['name']}"
    group = parameters["resourceGroupName"]
    return ServiceError(
        "ResourceNotFound", f"The Resource '{name}' under resource group '{group}' was not found.", status=404
    )
