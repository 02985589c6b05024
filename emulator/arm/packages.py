"""Microsoft.Batch/batchAccounts/applications/versions: application packages, whose bytes are real blobs."""

import asyncio
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from emulator import answers
from emulator.arm import applications
from emulator.arm.common import linked_account
from emulator.arm.fields import Fields
from emulator.arm.pages import after, max_results, page
from emulator.call import Call
from emulator.clock import iso
from emulator.domain import names
from emulator.domain.accounts import AutoStorage, BatchAccount
from emulator.domain.applications import Application, Package, check_may_change
from emulator.errors import ServiceError

# A signature begins a little in the past, so that clocks which are behind accept it.
_HEAD_START = timedelta(minutes=5)


async def create(call: Call) -> Response:
    """A place to upload to. A version that is active stays so, with its bytes, until others are committed there."""
    account, storage = linked_account(call)
    name = call.parameters["versionName"]
    names.check_version(name)
    await call.json_object()
    async with _lock(call, account):
        application = applications.required(call, account)
        package = _find(call, account)
        if package is not None:
            check_may_change(application)
        else:
            _check_quota(call, account)
            package = Package(name=name, etag="")
        await call.services.blobs.ensure_container(storage.storage_account, application.container)
        _save(call, account, package)
    return await _answer(call, account, storage, application, package)


async def get(call: Call) -> Response:
    account, storage = linked_account(call)
    application = applications.required(call, account)
    return await _answer(call, account, storage, application, _required(call, account))


async def list_all(call: Call) -> Response:
    account, _ = linked_account(call)
    application = applications.required(call, account)
    limit = max_results(call)
    found = call.services.repositories.packages.page(_scope(call, account), after(call), limit + 1)
    last = found[limit - 1].name.lower() if len(found) > limit else None
    return page(call, [_body(account, application, package) for package in found[:limit]], last)


async def activate(call: Call) -> Response:
    account, storage = linked_account(call)
    package_format = Fields(await call.json_object()).required_text("format", choices=("zip",))
    async with _lock(call, account):
        application = applications.required(call, account)
        package = _required(call, account)
        if not await call.services.blobs.exists(storage.storage_account, application.container, package.name):
            raise ServiceError("ApplicationPackageBlobNotFound")
        package.activate(package_format, call.now)
        _save(call, account, package)
    return await _answer(call, account, storage, application, package)


async def delete(call: Call) -> Response:
    """The blob goes first: should the service die in between, the version is still there to be deleted again."""
    account, storage = linked_account(call)
    async with _lock(call, account):
        application = applications.required(call, account)
        package = _find(call, account)
        if package is None:
            return answers.empty(204)
        check_may_change(application)
        await call.services.blobs.delete_blob(storage.storage_account, application.container, package.name)
        _forget(call, account, package)
    return answers.empty(200)


def _forget(call: Call, account: BatchAccount, package: Package) -> None:
    """Remove the version, and with it a default that names it."""
    with call.services.store.transaction():
        call.services.repositories.packages.delete(_scope(call, account), package.name)
        application = applications.required(call, account)
        if application.default_version == package.name:
            application.default_version = None
            applications.save(call, account, application)


def _lock(call: Call, account: BatchAccount) -> asyncio.Lock:
    """Changes of one application's packages wait for each other, since they also wait for the blob store."""
    return call.services.locks(account.name, call.parameters["applicationName"])


def _scope(call: Call, account: BatchAccount) -> str:
    return f"{account.name}/{call.parameters['applicationName']}"


def _find(call: Call, account: BatchAccount) -> Package | None:
    return call.services.repositories.packages.get(_scope(call, account), call.parameters["versionName"])


def _required(call: Call, account: BatchAccount) -> Package:
    found = _find(call, account)
    if found is None:
        raise ServiceError("ApplicationPackageNotFound")
    return found


def _check_quota(call: Call, account: BatchAccount) -> None:
    quota = call.services.settings.package_quota
    if call.services.repositories.packages.count(_scope(call, account)) >= quota:
        raise ServiceError(
            "ApplicationPackageQuotaReached", f"The application has reached its quota of {quota} application packages."
        )


def _save(call: Call, account: BatchAccount, package: Package) -> None:
    package.etag = call.services.ids.etag(call.now)
    call.services.repositories.packages.put(_scope(call, account), package.name, package)


async def _answer(
    call: Call, account: BatchAccount, storage: AutoStorage, application: Application, package: Package
) -> Response:
    """The package with a fresh address to upload to."""
    wall = call.services.clock.wall()
    expiry = wall + timedelta(seconds=call.services.settings.package_url_lifetime)
    url = await call.services.blobs.signed_url(
        storage.storage_account, application.container, package.name, start=wall - _HEAD_START, expiry=expiry
    )
    body = _body(account, application, package)
    if storage.authentication_mode == "BatchAccountManagedIdentity":
        url = url.partition("?")[0]
    body["properties"] |= {"storageUrl": url, "storageUrlExpiry": iso(expiry)}
    return answers.json(body, headers={"ETag": body["etag"]})


def _body(account: BatchAccount, application: Application, package: Package) -> dict[str, Any]:
    return {
        "id": f"{account.id}/applications/{application.name}/versions/{package.name}",
        "name": package.name,
        "type": "Microsoft.Batch/batchAccounts/applications/versions",
        "etag": f'W/"{package.etag}"',
        "properties": answers.without_none(
            {
                "state": package.state,
                "format": package.format,
                "lastActivationTime": iso(package.last_activation) if package.last_activation else None,
            }
        ),
    }
