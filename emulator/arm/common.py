"""What the handlers of the management plane share: finding the account a path names."""

from emulator import account_life
from emulator.call import Call
from emulator.domain.accounts import AutoStorage, BatchAccount
from emulator.errors import ServiceError


def find_account(call: Call) -> BatchAccount | None:
    """The account of the path, if it exists in the path's subscription and resource group."""
    account = account_life.find(call.services, call.parameters["accountName"], call.now)
    if account is None:
        return None
    same_group = account.resource_group.lower() == call.parameters["resourceGroupName"].lower()
    same_subscription = account.subscription.lower() == call.parameters["subscriptionId"].lower()
    return account if same_group and same_subscription else None


def account(call: Call) -> BatchAccount:
    found = find_account(call)
    if found is None:
        name, group = call.parameters["accountName"], call.parameters["resourceGroupName"]
        raise ServiceError(
            "ResourceNotFound",
            f"The Resource 'Microsoft.Batch/batchAccounts/{name}' under resource group '{group}' was not found.",
        )
    return found


def settled_account(call: Call) -> BatchAccount:
    """The account, unless it is being created or deleted."""
    found = account(call)
    state = found.provisioning_state(call.now)
    if state != "Succeeded":
        raise ServiceError("AccountOperationInProgress", f"The Batch account is in the state {state}.")
    return found


def linked_account(call: Call) -> tuple[BatchAccount, AutoStorage]:
    """The account and its storage. Applications exist only with a linked storage account."""
    found = settled_account(call)
    if found.auto_storage is None:
        raise ServiceError("AccountNotEnabledForAutoStorage")
    return found, found.auto_storage
