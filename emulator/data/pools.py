"""Pools."""

from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, compat, odata
from emulator.call import Call
from emulator.clock import iso
from emulator.data import conditions, statistics
from emulator.data.common import body_of, done, resource, selectable
from emulator.data.listing import listed
from emulator.data.pages import page, sliced
from emulator.domain import pools as rules
from emulator.domain.pools import PoolRecord, PoolRow
from emulator.errors import ServiceError
from emulator.nodes import requests, usage
from emulator.wire import times
from emulator.wire.pools import (
    AutoScale,
    Evaluation,
    NewPool,
    NodeRemoval,
    Pool,
    PoolChange,
    PoolReplacement,
    PoolResize,
)

SELECTABLE = selectable(Pool)

_STATES = (
    "creating",
    "idle",
    "offline",
    "preempted",
    "rebooting",
    "reimaging",
    "running",
    "starting",
    "startTaskFailed",
    "leavingPool",
    "unknown",
    "unusable",
    "waitingForStartTask",
    "deallocated",
    "deallocating",
    "upgradingOS",
)


def find(call: Call) -> PoolRecord:
    """The pool of the path. Raises PoolNotFound."""
    return call.services.fleet.pool(call.batch_account.name, call.parameters["poolId"])


def address(call: Call, pool_id: str) -> str:
    return f"{call.base}/pools/{pool_id}"


def _found_for_change(call: Call) -> PoolRecord:
    record = find(call)
    conditions.check(call, record.pool.e_tag, record.pool.last_modified)
    return record


def _done(call: Call, status: int, record: PoolRecord) -> Response:
    return done(status, record.pool.e_tag, record.pool.last_modified, address(call, record.pool.id))


def _body(call: Call, pool: dict[str, Any]) -> dict[str, Any]:
    return {**rules.public(pool), "url": address(call, pool["id"])}


async def create_pool(call: Call) -> Response:
    wanted = await body_of(call, NewPool)
    return _done(call, 201, requests.add_pool(call.services, call.batch_account.name, wanted))


async def pool_exists(call: Call) -> Response:
    record = find(call)
    try:
        conditions.check(call, record.pool.e_tag, record.pool.last_modified)
    except conditions.NotModified:
        return conditions.not_modified(record.pool.e_tag, record.pool.last_modified)
    return answers.empty(200, conditions.stamps(record.pool.e_tag, record.pool.last_modified))


async def get_pool(call: Call) -> Response:
    record = find(call)
    try:
        conditions.check(call, record.pool.e_tag, record.pool.last_modified)
    except conditions.NotModified:
        return conditions.not_modified(record.pool.e_tag, record.pool.last_modified)
    wanted = odata.query(call, known=SELECTABLE)
    body = _body(call, msgspec.to_builtins(record.pool))
    if wanted.expands_stats:
        body = statistics.added(body, statistics.of_pool(call, record))
    return resource(call, "pools", body, wanted)


async def list_pools(call: Call) -> Response:
    account, rows = call.batch_account.name, call.services.repositories.pool_rows
    wanted = odata.query(call, odata.fields.POOL, SELECTABLE)

    def present(row: PoolRow) -> tuple[str, dict[str, Any]]:
        body = _body(call, row.pool)
        if wanted.expands_stats:
            body = statistics.added(body, statistics.of_pool(call, call.services.fleet.pool(account, body["id"])))
        return str(body["id"]).lower(), body

    return await listed(call, "pools", lambda after, limit: rows.page(account, after, limit), present, wanted)


async def update_pool(call: Call) -> Response:
    wanted = await body_of(call, PoolChange)
    record = _found_for_change(call)
    requests.change_pool(call.services, call.batch_account.name, record, wanted)
    return _done(call, 200, record)


async def replace_pool_properties(call: Call) -> Response:
    wanted = await body_of(call, PoolReplacement)
    record = find(call)
    requests.replace_properties(call.services, call.batch_account.name, record, wanted)
    return _done(call, 204, record)


async def delete_pool(call: Call) -> Response:
    record = _found_for_change(call)
    call.services.fleet.delete_pool(call.batch_account.name, record)
    return answers.empty(202)


async def resize_pool(call: Call) -> Response:
    wanted = await body_of(call, PoolResize)
    record = _found_for_change(call)
    call.services.fleet.resize(call.batch_account.name, record, wanted)
    return _done(call, 202, record)


async def stop_pool_resize(call: Call) -> Response:
    record = _found_for_change(call)
    call.services.fleet.stop_resize(call.batch_account.name, record)
    return _done(call, 202, record)


async def remove_nodes(call: Call) -> Response:
    wanted = await body_of(call, NodeRemoval)
    record = _found_for_change(call)
    call.services.fleet.remove_nodes(call.batch_account.name, record, wanted)
    return _done(call, 202, record)


async def enable_pool_auto_scale(call: Call) -> Response:
    wanted = await body_of(call, AutoScale)
    record = _found_for_change(call)
    requests.enable_auto_scale(call.services, call.batch_account.name, record, wanted)
    return _done(call, 200, record)


async def disable_pool_auto_scale(call: Call) -> Response:
    record = find(call)
    requests.disable_auto_scale(call.services, call.batch_account.name, record)
    return _done(call, 200, record)


async def evaluate_pool_auto_scale(call: Call) -> Response:
    wanted = await body_of(call, Evaluation)
    record = find(call)
    run = requests.evaluate(call.services, call.batch_account.name, record, wanted.auto_scale_formula)
    shape = {"odata.metadata": f"{call.base}/$metadata#autoscaleruns/@Element", **msgspec.to_builtins(run)}
    headers = {**conditions.stamps(record.pool.e_tag, record.pool.last_modified)}
    headers["DataServiceId"] = f"{address(call, record.pool.id)}/evaluateautoscale"
    return answers.json(compat.older(call.api_version, shape), media_type=answers.DATA_JSON, headers=headers)


async def list_pool_node_counts(call: Call) -> Response:
    account, rows = call.batch_account.name, call.services.repositories.pool_rows
    wanted = odata.query(call, odata.fields.NODE_COUNTS)

    def present(row: PoolRow) -> tuple[str, dict[str, Any]]:
        name = str(row.pool["id"])
        return name.lower(), _counts(call, name)

    return await listed(call, "poolnodecounts", lambda after, limit: rows.page(account, after, limit), present, wanted)


def _counts(call: Call, pool_id: str) -> dict[str, Any]:
    counts = call.services.fleet.estate.counts((call.batch_account.name, pool_id))
    sides = {}
    for name, kind in (("dedicated", True), ("lowPriority", False)):
        side = {state: counts[kind, state.lower()] for state in _STATES}
        sides[name] = {**side, "total": sum(side.values())}
    return {"poolId": pool_id, **sides}


async def list_pool_usage_metrics(call: Call) -> Response:
    """By pool and half hour; without times those of the last half hour that is over."""
    wanted = odata.query(call, odata.fields.USAGE_METRICS)
    start, end = _span(call)
    found = []
    for record in call.services.fleet.estate.pools_of(call.batch_account.name):
        usage.meter(record, call.now)
        found += [body for body in _usage(record, start, end) if wanted.matches(body)]
    value, last = sliced(found, call, lambda body: f"{body['poolId'].lower()}/{body['startTime']}")
    return page(call, "poolusagemetrics", value, last)


def _usage(record: PoolRecord, start: datetime, end: datetime) -> list[dict[str, Any]]:
    return [
        {
            "poolId": record.pool.id,
            "startTime": iso(begin),
            "endTime": iso(stop),
            "vmSize": record.pool.vm_size,
            "totalCoreHours": round(hours, 6),
        }
        for begin, stop, hours in usage.between(record, start, end)
    ]


def _span(call: Call) -> tuple[datetime, datetime]:
    start, end = usage.last_interval(call.now)
    given = {name: _time(call, name) for name in ("startTime", "endTime")}
    start, end = given["startTime"] or start, given["endTime"] or end
    if end < start or end > call.now:
        raise ServiceError("InvalidQueryParameterValue", values={"QueryParameterName": "endTime"})
    return start, end


def _time(call: Call, name: str) -> datetime | None:
    text = call.query(name)
    try:
        return times.moment(text) if text else None
    except ValueError:
        values = {"QueryParameterName": name, "QueryParameterValue": text or ""}
        raise ServiceError("InvalidQueryParameterValue", values=values) from None
