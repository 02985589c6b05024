"""Finding accounts as they are now: one whose deletion has ended is gone with all it held."""

from datetime import datetime

from emulator.domain.accounts import BatchAccount
from emulator.services import Services


def find(services: Services, name: str, now: datetime) -> BatchAccount | None:
    account = services.repositories.accounts.get("", name)
    if account is not None and account.is_gone(now):
        forget(services, account)
        return None
    return account


def all_accounts(services: Services, now: datetime) -> list[BatchAccount]:
    return [account for account in services.repositories.accounts.all("") if not account.is_gone(now)]


def forget(services: Services, account: BatchAccount) -> None:
    """Remove the account and everything in it. Blobs stay: they belong to the storage account."""
    services.fleet.forget_account(account.name)
    with services.store.transaction():
        services.repositories.packages.delete_scope(account.name)
        services.repositories.applications.delete_scope(account.name)
        services.scheduler.forget_account(account.name)
        services.repositories.accounts.delete("", account.name)
