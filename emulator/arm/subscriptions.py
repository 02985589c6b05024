"""Subscriptions and resource groups: any may be named, those in use are listed."""

from typing import Any

from starlette.responses import Response

from emulator import account_life, answers
from emulator.arm.fields import Fields
from emulator.arm.pages import page
from emulator.call import Call
from emulator.domain.subscriptions import ResourceGroup
from emulator.settings import DEFAULT_GROUP, DEFAULT_SUBSCRIPTION


async def list_subscriptions(call: Call) -> Response:
    used = [account.subscription for account in account_life.all_accounts(call.services, call.now)]
    groups = [group.subscription for group in call.services.repositories.resource_groups.scan()]
    stores = [found.subscription for found in call.services.repositories.storage_accounts.all("")]
    names = dict.fromkeys(name.lower() for name in (DEFAULT_SUBSCRIPTION, *used, *groups, *stores))
    return page(call, [_subscription(call, name) for name in sorted(names)])


async def get_subscription(call: Call) -> Response:
    return answers.json(_subscription(call, call.parameters["subscriptionId"]))


async def list_tenants(call: Call) -> Response:
    tenant = call.services.settings.tenant
    return page(call, [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Local Batch service"}])


async def list_locations(call: Call) -> Response:
    subscription = call.parameters["subscriptionId"]
    return page(call, [_location(subscription, name, shown) for name, shown in LOCATIONS.items()])


async def list_resource_groups(call: Call) -> Response:
    subscription = call.parameters["subscriptionId"]
    return page(call, [_group(group) for group in _groups(call, subscription)])


async def get_resource_group(call: Call) -> Response:
    return answers.json(_group(_find_group(call)))


async def put_resource_group(call: Call) -> Response:
    fields = Fields(await call.json_object())
    group = ResourceGroup(
        subscription=call.parameters["subscriptionId"],
        name=call.parameters["resourceGroupName"],
        location=fields.required_text("location"),
        tags=fields.table("tags") or {},
    )
    call.services.repositories.resource_groups.put(group.subscription, group.name, group)
    return answers.json(_group(group))


LOCATIONS = {
    "northeurope": "North Europe",
    "westeurope": "West Europe",
    "germanywestcentral": "Germany West Central",
    "francecentral": "France Central",
    "uksouth": "UK South",
    "swedencentral": "Sweden Central",
    "eastus": "East US",
    "eastus2": "East US 2",
    "westus2": "West US 2",
    "southcentralus": "South Central US",
    "japaneast": "Japan East",
    "southeastasia": "Southeast Asia",
    "australiaeast": "Australia East",
}


def _subscription(call: Call, name: str) -> dict[str, Any]:
    local = name.lower() == DEFAULT_SUBSCRIPTION
    return {
        "id": f"/subscriptions/{name}",
        "subscriptionId": name,
        "tenantId": call.services.settings.tenant,
        "displayName": "Local Batch service" if local else f"Local Batch service {name[:8]}",
        "state": "Enabled",
        "subscriptionPolicies": {"spendingLimit": "Off", "quotaId": "Local", "locationPlacementId": "Local"},
        "authorizationSource": "RoleBased",
    }


def _location(subscription: str, name: str, shown: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}/locations/{name}",
        "name": name,
        "displayName": shown,
        "regionalDisplayName": shown,
        "type": "Region",
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    }


def _groups(call: Call, subscription: str) -> list[ResourceGroup]:
    """Recorded groups, the groups of accounts, and the one that the connected storage accounts are in."""
    repositories = call.services.repositories
    found = {group.name.lower(): group for group in repositories.resource_groups.all(subscription)}
    used = [
        (account.subscription, account.resource_group, account.location)
        for account in account_life.all_accounts(call.services, call.now)
    ]
    used += [(kept.subscription, kept.resource_group, kept.location) for kept in repositories.storage_accounts.all("")]
    used.append((subscription, DEFAULT_GROUP, call.services.settings.location))
    for owner, name, location in used:
        if owner.lower() == subscription.lower():
            found.setdefault(name.lower(), ResourceGroup(subscription, name, location))
    return [found[name] for name in sorted(found)]


def _find_group(call: Call) -> ResourceGroup:
    subscription, name = call.parameters["subscriptionId"], call.parameters["resourceGroupName"]
    for group in _groups(call, subscription):
        if group.name.lower() == name.lower():
            return group
    return ResourceGroup(subscription, name, call.services.settings.location)


def _group(group: ResourceGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": group.tags,
        "properties": {"provisioningState": "Succeeded"},
    }
