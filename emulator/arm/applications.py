"""Microsoft.Batch/batchAccounts/applications."""

from typing import Any

from starlette.responses import Response

from emulator import answers
from emulator.arm.common import linked_account
from emulator.arm.fields import Fields
from emulator.arm.pages import after, max_results, page
from emulator.call import Call
from emulator.domain import names
from emulator.domain.accounts import BatchAccount
from emulator.domain.applications import Application, check_default_version, container_name
from emulator.errors import ServiceError

_DISPLAY_NAME = 1024


async def create(call: Call) -> Response:
    """A PUT on an existing application applies what it gives and leaves the rest."""
    account, _ = linked_account(call)
    name = call.parameters["applicationName"]
    names.check_application(name)
    fields = Fields(await call.json_object())
    application = call.services.repositories.applications.get(account.name, name)
    if application is None:
        _check_quota(call, account)
        application = Application(name=name, container=container_name(name, call.services.ids.hex32()), etag="")
    _apply(call, account, application, fields)
    return answers.json(body(account, application), headers={"ETag": _etag(application.etag)})


async def update(call: Call) -> Response:
    account, _ = linked_account(call)
    application = required(call, account)
    _apply(call, account, application, Fields(await call.json_object()))
    return answers.json(body(account, application), headers={"ETag": _etag(application.etag)})


async def get(call: Call) -> Response:
    account, _ = linked_account(call)
    application = required(call, account)
    return answers.json(body(account, application), headers={"ETag": _etag(application.etag)})


async def list_all(call: Call) -> Response:
    account, _ = linked_account(call)
    limit = max_results(call)
    found = call.services.repositories.applications.page(account.name, after(call), limit + 1)
    last = found[limit - 1].name.lower() if len(found) > limit else None
    return page(call, [body(account, application) for application in found[:limit]], last)


async def delete(call: Call) -> Response:
    account, storage = linked_account(call)
    name = call.parameters["applicationName"]
    async with call.services.locks(account.name, name):
        application = call.services.repositories.applications.get(account.name, name)
        if application is None:
            return answers.empty(204)
        if call.services.repositories.packages.count(f"{account.name}/{name}"):
            raise ServiceError("ApplicationPackagesNotEmpty")
        await call.services.blobs.delete_container(storage.storage_account, application.container)
        call.services.repositories.applications.delete(account.name, name)
    return answers.empty(200)


def required(call: Call, account: BatchAccount) -> Application:
    found = call.services.repositories.applications.get(account.name, call.parameters["applicationName"])
    if found is None:
        raise ServiceError("ApplicationNotFound")
    return found


def body(account: BatchAccount, application: Application) -> dict[str, Any]:
    return {
        "id": f"{account.id}/applications/{application.name}",
        "name": application.name,
        "type": "Microsoft.Batch/batchAccounts/applications",
        "etag": _etag(application.etag),
        "properties": answers.without_none(
            {
                "displayName": application.display_name,
                "allowUpdates": application.allow_updates,
                "defaultVersion": application.default_version,
            }
        ),
    }


def save(call: Call, account: BatchAccount, application: Application) -> None:
    application.etag = call.services.ids.etag(call.now)
    call.services.repositories.applications.put(account.name, application.name, application)


def _apply(call: Call, account: BatchAccount, application: Application, fields: Fields) -> None:
    properties = fields.fields("properties")
    allow_updates = properties.boolean("allowUpdates")
    display_name = properties.text("displayName", longest=_DISPLAY_NAME)
    if properties.has("defaultVersion"):
        application.default_version = _default_version(call, account, application, properties.text("defaultVersion"))
    if properties.has("displayName"):
        application.display_name = display_name
    if allow_updates is not None:
        application.allow_updates = allow_updates
    save(call, account, application)


def _default_version(call: Call, account: BatchAccount, application: Application, wanted: str | None) -> str | None:
    """The default version as its package is spelled; null and the empty string clear it."""
    if not wanted:
        return None
    package = call.services.repositories.packages.get(f"{account.name}/{application.name}", wanted)
    check_default_version(wanted, package)
    return package.name if package else None


def _check_quota(call: Call, account: BatchAccount) -> None:
    quota = call.services.settings.application_quota
    if call.services.repositories.applications.count(account.name) >= quota:
        raise ServiceError("ApplicationQuotaReached", f"The account has reached its quota of {quota} applications.")


def _etag(tag: str) -> str:
    return f'W/"{tag}"'
