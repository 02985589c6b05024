"""Microsoft.Batch/batchAccounts."""

from datetime import datetime, timedelta
from typing import Literal

from starlette.responses import Response

from emulator import account_life, answers
from emulator.arm import account_body, auto_storage
from emulator.arm.common import account, find_account, settled_account
from emulator.arm.fields import Fields
from emulator.arm.pages import page
from emulator.call import Call
from emulator.domain import names
from emulator.domain.accounts import BatchAccount
from emulator.domain.long_running import LongRunning
from emulator.errors import ServiceError


async def create(call: Call) -> Response:
    """New accounts are made by a long-running operation; a PUT on an existing one applies what it gives."""
    name = call.parameters["accountName"]
    names.check_account(name)
    fields = Fields(await call.json_object())
    location = _region(fields.required_text("location"))
    existing = account_life.find(call.services, name, call.now)
    if existing is not None:
        return _create_again(call, existing, location, fields)
    _check_quota(call, location)
    created = _new(call, name, location)
    account_body.apply_create(created, fields)
    account_body.apply(call, created, fields)
    operation = _begin(call, "create_account", created)
    with call.services.store.transaction():
        call.services.repositories.accounts.put("", name, created)
        call.services.repositories.operations.put("", operation.id, operation)
    return _accepted(call, operation, f"{created.id}/operationResults/{operation.id}")


async def get(call: Call) -> Response:
    return answers.json(account_body.body(call, account(call)))


async def update(call: Call) -> Response:
    fields = Fields(await call.json_object())
    found = settled_account(call)
    account_body.apply(call, found, fields)
    _save(call, found)
    return answers.json(account_body.body(call, found))


async def delete(call: Call) -> Response:
    found = find_account(call)
    if found is None:
        return answers.empty(204)
    operation = _begin(call, "delete_account", found)
    found.gone_at = operation.done_at
    call.services.repositories.operations.put("", operation.id, operation)
    _save(call, found)
    account_life.find(call.services, found.name, call.now)
    location = f"/subscriptions/{found.subscription}/providers/Microsoft.Batch/locations/{found.location}"
    return _accepted(call, operation, f"{location}/accountOperationResults/{found.name}-{operation.id}")


async def list_in_subscription(call: Call) -> Response:
    return page(call, [account_body.body(call, found) for found in _in_subscription(call)])


async def list_in_group(call: Call) -> Response:
    group = call.parameters["resourceGroupName"].lower()
    found = [item for item in _in_subscription(call) if item.resource_group.lower() == group]
    return page(call, [account_body.body(call, item) for item in found])


async def list_keys(call: Call) -> Response:
    return answers.json(account_body.keys(account(call)))


async def regenerate_keys(call: Call) -> Response:
    which = Fields(await call.json_object()).required_text("keyName", choices=("Primary", "Secondary"))
    found = settled_account(call)
    found.set_key("Primary" if which == "Primary" else "Secondary", call.services.ids.account_key())
    _save(call, found)
    return answers.json(account_body.keys(found))


async def sync_auto_storage_keys(call: Call) -> Response:
    found = settled_account(call)
    auto_storage.synchronise(call, found)
    _save(call, found)
    return answers.empty(204)


async def create_result(call: Call) -> Response:
    """Where the Location of a creation leads: 202 until the account is there, then the account."""
    operation = _operation(call, call.parameters["operationId"])
    if not operation.is_done(call.now):
        return _accepted(call, operation, call.path)
    return answers.json(account_body.body(call, account(call)))


async def delete_result(call: Call) -> Response:
    operation = _operation(call, call.parameters["operationId"].partition("-")[2])
    return answers.empty(200) if operation.is_done(call.now) else _accepted(call, operation, call.path)


def _create_again(call: Call, existing: BatchAccount, location: str, fields: Fields) -> Response:
    if find_account(call) is None:
        raise ServiceError("AccountAlreadyExists", f"The Batch account name {existing.name} is already taken.")
    settled_account(call)
    if existing.location != location:
        raise ServiceError(
            "InvalidResourceLocation",
            f"The Batch account {existing.name} already exists in location {existing.location}.",
        )
    account_body.apply(call, existing, fields)
    _save(call, existing)
    return answers.json(account_body.body(call, existing))


def _new(call: Call, name: str, location: str) -> BatchAccount:
    ids = call.services.ids
    return BatchAccount(
        subscription=call.parameters["subscriptionId"],
        resource_group=call.parameters["resourceGroupName"],
        name=name,
        location=location,
        primary_key=ids.account_key(),
        secondary_key=ids.account_key(),
        etag=ids.etag(call.now),
        ready_at=_done_at(call),
    )


def _region(location: str) -> str:
    """``West Europe`` and ``westeurope`` are the same region."""
    return location.replace(" ", "").lower()


def _check_quota(call: Call, location: str) -> None:
    quota = call.services.settings.account_quota
    if sum(found.location == location for found in _in_subscription(call)) >= quota:
        raise ServiceError(
            "SubscriptionQuotaExceeded",
            f"The regional account quota of {quota} Batch accounts for the specified subscription has been reached.",
        )


def _in_subscription(call: Call) -> list[BatchAccount]:
    subscription = call.parameters["subscriptionId"].lower()
    accounts = account_life.all_accounts(call.services, call.now)
    return [found for found in accounts if found.subscription.lower() == subscription]


def _done_at(call: Call) -> datetime:
    return call.now + timedelta(seconds=call.services.settings.provisioning_time)


def _begin(call: Call, kind: Literal["create_account", "delete_account"], subject: BatchAccount) -> LongRunning:
    operations = call.services.repositories.operations
    for old in operations.all(""):
        if old.is_forgotten(call.now):
            operations.delete("", old.id)
    return LongRunning(
        id=call.services.ids.guid(),
        kind=kind,
        account=subject.name,
        done_at=_done_at(call),
    )


def _operation(call: Call, identifier: str) -> LongRunning:
    found = call.services.repositories.operations.get("", identifier)
    if found is None:
        raise ServiceError("OperationResultNotFound")
    return found


def _accepted(call: Call, operation: LongRunning, path: str) -> Response:
    address = f"{call.base}{path}?api-version={call.api_version}"
    return answers.empty(202, {"Location": address, "Retry-After": str(operation.retry_after(call.now))})


def _save(call: Call, found: BatchAccount) -> None:
    found.etag = call.services.ids.etag(call.now)
    call.services.repositories.accounts.put("", found.name, found)
