"""What a new data folder begins with."""

from emulator.domain.accounts import BatchAccount
from emulator.services import Services
from emulator.settings import DEFAULT_GROUP, DEFAULT_SUBSCRIPTION


def prepare(services: Services) -> None:
    """Create the accounts of the command line that do not exist yet, without a linked storage account."""
    for name in services.settings.accounts:
        if services.repositories.accounts.get("", name) is None:
            services.repositories.accounts.put("", name, new_account(services, name))


def new_account(services: Services, name: str) -> BatchAccount:
    now = services.clock.now()
    return BatchAccount(
        subscription=DEFAULT_SUBSCRIPTION,
        resource_group=DEFAULT_GROUP,
        name=name,
        location=services.settings.location,
        primary_key=services.ids.account_key(),
        secondary_key=services.ids.account_key(),
        etag=services.ids.etag(now),
        ready_at=now,
    )
