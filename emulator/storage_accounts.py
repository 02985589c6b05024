"""Storage accounts by name: connected blob stores exist in every subscription, recorded ones where they were put."""

from datetime import datetime

from emulator.clock import iso
from emulator.domain.storage_accounts import StorageAccount, parse_id
from emulator.services import Services
from emulator.settings import DEFAULT_GROUP, DEFAULT_SUBSCRIPTION


def find(services: Services, resource_id: str, now: datetime) -> StorageAccount | None:
    """The account of a resource id, or None, also when the id is not one of a storage account."""
    place = parse_id(resource_id)
    if place is None:
        return None
    recorded = services.repositories.storage_accounts.get("", place["name"])
    if services.blobs.connection(place["name"]) is not None:
        account = recorded or _unrecorded(services, place["name"], now)
        account.subscription, account.resource_group = place["subscription"], place["group"]
        return account
    return recorded if recorded is not None and recorded.id.lower() == resource_id.lower() else None


def in_subscription(services: Services, subscription: str, now: datetime) -> list[StorageAccount]:
    """Recorded accounts of the subscription and every connected one, by name."""
    recorded = {found.name: found for found in services.repositories.storage_accounts.all("")}
    accounts = {name: found for name, found in recorded.items() if found.subscription.lower() == subscription.lower()}
    for connection in services.blobs.connections:
        account = recorded.get(connection.name) or _unrecorded(services, connection.name, now)
        account.subscription = subscription
        accounts[connection.name] = account
    return [accounts[name] for name in sorted(accounts)]


def _unrecorded(services: Services, name: str, now: datetime) -> StorageAccount:
    """A connected blob store of which nothing else is known."""
    return StorageAccount(
        subscription=DEFAULT_SUBSCRIPTION,
        resource_group=DEFAULT_GROUP,
        name=name.lower(),
        location=services.settings.location,
        created=iso(now),
    )
