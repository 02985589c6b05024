"""Microsoft.Batch/batchAccounts/pools."""

from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, odata
from emulator.arm import pool_body
from emulator.arm.common import settled_account
from emulator.arm.fields import Fields
from emulator.arm.pages import after, max_results, page
from emulator.call import Call
from emulator.domain import pools as rules
from emulator.domain.accounts import BatchAccount
from emulator.domain.long_running import LongRunning
from emulator.domain.pools import PoolRecord
from emulator.errors import ServiceError
from emulator.nodes import requests
from emulator.odata.lexer import FilterError
from emulator.wire.base import read
from emulator.wire.common import Id
from emulator.wire.pools import AutoScale, PoolChange, PoolResize, PoolSpecification

_RETRY_AFTER = "1"  # seconds: pools here are deleted in less than the 15 of the real service


async def create(call: Call) -> Response:
    """PUT makes a pool; of one that exists it changes what it gives, as PATCH does."""
    account = settled_account(call)
    name = _pool_id(call.parameters["poolName"])
    fields = Fields(await call.json_object())
    existing = call.services.fleet.estate.pool(account.name, name)
    _check_conditions(call, existing)
    if existing is not None:
        return _changed(call, account, existing, fields)
    wanted = read(pool_body.specification(fields.raw("properties") or {}), PoolSpecification)
    record = requests.add_pool(call.services, account.name, wanted, name)
    if fields.raw("identity"):
        record.pool.identity = _identity(fields)
        call.services.fleet.estate.save_pool(account.name, record)
    return _answer(account, record)


async def get(call: Call) -> Response:
    account = settled_account(call)
    return _answer(account, _required(call, account))


async def list_all(call: Call) -> Response:
    account = settled_account(call)
    limit, start = max_results(call), after(call)
    found = [_body(account, record) for record in call.services.fleet.estate.pools_of(account.name)]
    test = _filter(call)
    rest = [item for item in found if item["name"].lower() > start and test(item)]
    last = rest[limit - 1]["name"].lower() if len(rest) > limit else None
    return page(call, rest[:limit], last)


async def update(call: Call) -> Response:
    account = settled_account(call)
    record = _required(call, account)
    _check_conditions(call, record)
    return _changed(call, account, record, Fields(await call.json_object()))


async def delete(call: Call) -> Response:
    account = settled_account(call)
    record = call.services.fleet.estate.pool(account.name, call.parameters["poolName"])
    if record is None:
        return answers.empty(204)
    call.services.fleet.delete_pool(account.name, record)
    operation = LongRunning(
        id=f"delete-{record.pool.id}-{call.services.ids.hex32()[:16]}",
        kind="delete_pool",
        account=account.name,
        done_at=call.now,
    )
    call.services.repositories.operations.put("", operation.id, operation)
    return _accepted(call, f"{account.id}/poolOperationResults/{operation.id}")


async def delete_result(call: Call) -> Response:
    """202 until the pool is gone."""
    account = settled_account(call)
    operation = call.services.repositories.operations.get("", call.parameters["operationId"])
    if operation is None or operation.account != account.name:
        raise ServiceError("OperationResultNotFound")
    pool = operation.id.removeprefix("delete-").rpartition("-")[0]
    record = call.services.fleet.estate.pool(account.name, pool)
    if record is not None and record.is_deleting:
        return _accepted(call, call.path)
    return answers.empty(200)


async def disable_auto_scale(call: Call) -> Response:
    account = settled_account(call)
    record = _required(call, account)
    requests.disable_auto_scale(call.services, account.name, record)
    return _answer(account, record)


async def stop_resize(call: Call) -> Response:
    account = settled_account(call)
    record = _required(call, account)
    call.services.fleet.stop_resize(account.name, record)
    return _answer(account, _required(call, account))


def _changed(call: Call, account: BatchAccount, record: PoolRecord, fields: Fields) -> Response:
    """Apply a body to a pool: its properties, then its scale."""
    found = pool_body.specification(fields.raw("properties") or {})
    scale = {name: found.pop(name) for name in _SCALE if found.get(name) is not None}
    for name in _SCALE:
        found.pop(name, None)
    for name in ("vmSize", "virtualMachineConfiguration"):
        if name in found and call.request.method == "PUT":
            found.pop(name)  # of an existing pool these are repeated, not changed
    requests.change_pool(call.services, account.name, record, read(found, PoolChange))
    _rescale(call, account, record, scale)
    if fields.raw("identity"):
        record.pool.identity = _identity(fields)
        call.services.fleet.estate.save_pool(account.name, record)
    return _answer(account, _required(call, account))


_SCALE = (
    "enableAutoScale",
    "autoScaleFormula",
    "autoScaleEvaluationInterval",
    "targetDedicatedNodes",
    "targetLowPriorityNodes",
    "resizeTimeout",
)


def _rescale(call: Call, account: BatchAccount, record: PoolRecord, scale: dict[str, Any]) -> None:
    if scale.pop("enableAutoScale", False):
        requests.enable_auto_scale(call.services, account.name, record, read(scale, AutoScale))
    elif scale:
        if record.pool.enable_auto_scale:
            requests.disable_auto_scale(call.services, account.name, record)
        wanted = read(scale, PoolResize)
        present = record.pool.target_dedicated_nodes, record.pool.target_low_priority_nodes
        if (wanted.target_dedicated_nodes, wanted.target_low_priority_nodes) != present:
            call.services.fleet.resize(account.name, record, wanted)


def _pool_id(name: str) -> str:
    try:
        return msgspec.convert(name, Id)
    except msgspec.ValidationError:
        raise ServiceError(
            "InvalidResourceName",
            "The pool name must have 1 to 64 characters: letters, digits, hyphens and underscores.",
        ) from None


def _identity(fields: Fields) -> dict[str, Any]:
    given = fields.fields("identity")
    kind = given.required_text("type", choices=("UserAssigned", "None"))
    users = sorted(given.raw("userAssignedIdentities") or {})
    return {"type": kind, "userAssignedIdentities": [{"resourceId": name} for name in users]}


def _required(call: Call, account: BatchAccount) -> PoolRecord:
    found = call.services.fleet.estate.pool(account.name, call.parameters["poolName"])
    if found is None:
        raise ServiceError("PoolNotFound")
    return found


def _check_conditions(call: Call, record: PoolRecord | None) -> None:
    wanted, unwanted = call.header("if-match"), call.header("if-none-match")
    tag = f'W/"{record.pool.e_tag}"' if record is not None else None
    if wanted and (tag is None or wanted not in {"*", tag}):
        raise ServiceError("ConditionNotMet")
    if unwanted == "*" and tag is not None:
        raise ServiceError("ConditionNotMet")


def _body(account: BatchAccount, record: PoolRecord) -> dict[str, Any]:
    public = rules.public(msgspec.to_builtins(record.pool))
    shown = pool_body.body(account, record, public)
    if record.pool.identity is not None:
        users: dict[str, Any] = {item["resourceId"]: {} for item in record.pool.identity["userAssignedIdentities"]}
        shown["identity"] = {"type": record.pool.identity["type"], "userAssignedIdentities": users}
    return shown


def _answer(account: BatchAccount, record: PoolRecord) -> Response:
    shown = _body(account, record)
    return answers.json(shown, headers={"ETag": shown["etag"]})


def _accepted(call: Call, path: str) -> Response:
    address = f"{call.base}{path}?api-version={call.api_version}"
    return answers.empty(202, {"Location": address, "Retry-After": _RETRY_AFTER})


def _filter(call: Call) -> odata.parser.Predicate:
    text = call.query("$filter")
    if not text:
        return lambda _: True
    try:
        return odata.parse(text, _FIELDS)
    except FilterError as error:
        raise ServiceError("InvalidQueryParameterValue", f"The filter is invalid: {error}.") from None


_PROPERTIES = (
    "provisioningState",
    "provisioningStateTransitionTime",
    "allocationState",
    "allocationStateTransitionTime",
    "creationTime",
    "lastModified",
    "vmSize",
    "interNodeCommunication",
)
_CHOICE = odata.fields.POOL["state"]
_FIELDS: odata.Fields = {
    "name": odata.fields.POOL["id"],
    **{
        f"properties/{name}": odata.fields.POOL["creationTime"]
        if name.endswith("Time") or name == "lastModified"
        else _CHOICE
        for name in _PROPERTIES
    },
}
