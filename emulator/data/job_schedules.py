"""Job schedules."""

from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, odata
from emulator.call import Call
from emulator.data import conditions, statistics
from emulator.data.common import body_of, done, resource, selectable, stamps
from emulator.data.jobs import is_forced
from emulator.data.listing import listed
from emulator.domain.schedules import ScheduleRecord, ScheduleRow
from emulator.errors import ServiceError
from emulator.odata import Query
from emulator.scheduler import requests
from emulator.wire.schedules import NewSchedule, Schedule, ScheduleChange

SELECTABLE = selectable(Schedule)


def _find(call: Call) -> ScheduleRecord:
    found = call.services.repositories.schedules.get(call.batch_account.name, call.parameters["jobScheduleId"])
    if found is None:
        raise ServiceError("JobScheduleNotFound")
    return found


def _found_for_change(call: Call) -> ScheduleRecord:
    record = _find(call)
    conditions.check(call, record.schedule.e_tag, record.schedule.last_modified)
    return record


def _address(call: Call, name: str) -> str:
    return f"{call.base}/jobschedules/{name}"


def _body(call: Call, schedule: dict[str, Any], wanted: Query) -> dict[str, Any]:
    body = {**schedule, "url": _address(call, schedule["id"])}
    info: dict[str, Any] = body["executionInfo"]
    if (recent := info.get("recentJob")) is not None:
        body["executionInfo"] = {**info, "recentJob": {**recent, "url": f"{call.base}/jobs/{recent['id']}"}}
    if wanted.expands_stats:
        body = statistics.added(body, statistics.of_job(body, statistics.usage_of_schedule(call, body["id"])))
    return body


def _row(call: Call, row: ScheduleRow, wanted: Query) -> tuple[str, dict[str, Any]]:
    return str(row.schedule["id"]).lower(), _body(call, row.schedule, wanted)


def _done(call: Call, status: int, record: ScheduleRecord) -> Response:
    schedule = record.schedule
    return done(status, schedule.e_tag, schedule.last_modified, _address(call, schedule.id))


async def create_job_schedule(call: Call) -> Response:
    wanted = await body_of(call, NewSchedule)
    record = requests.add_schedule(call.services.scheduler, call.batch_account.name, wanted)
    return _done(call, 201, record)


async def job_schedule_exists(call: Call) -> Response:
    record = _find(call)
    try:
        conditions.check(call, record.schedule.e_tag, record.schedule.last_modified)
    except conditions.NotModified:
        return conditions.not_modified(record.schedule.e_tag, record.schedule.last_modified)
    return answers.empty(200, stamps(record.schedule.e_tag, record.schedule.last_modified))


async def get_job_schedule(call: Call) -> Response:
    record = _find(call)
    try:
        conditions.check(call, record.schedule.e_tag, record.schedule.last_modified)
    except conditions.NotModified:
        return conditions.not_modified(record.schedule.e_tag, record.schedule.last_modified)
    wanted = odata.query(call, known=SELECTABLE)
    return resource(call, "jobschedules", _body(call, msgspec.to_builtins(record.schedule), wanted), wanted)


async def list_job_schedules(call: Call) -> Response:
    account, rows = call.batch_account.name, call.services.repositories.schedule_rows
    wanted = odata.query(call, odata.fields.SCHEDULE, SELECTABLE)
    return await listed(
        call,
        "jobschedules",
        lambda after, limit: rows.page(account, after, limit),
        lambda row: _row(call, row, wanted),
        wanted,
    )


async def update_job_schedule(call: Call) -> Response:
    return await _change(call, replace=False)


async def replace_job_schedule(call: Call) -> Response:
    return await _change(call, replace=True)


async def _change(call: Call, *, replace: bool) -> Response:
    wanted = await body_of(call, ScheduleChange)
    record = _found_for_change(call)
    requests.change_schedule(call.services.scheduler, call.batch_account.name, record, wanted, replace=replace)
    return _done(call, 200, record)


async def disable_job_schedule(call: Call) -> Response:
    record = _found_for_change(call)
    requests.disable_schedule(call.services.scheduler, call.batch_account.name, record)
    return _done(call, 204, record)


async def enable_job_schedule(call: Call) -> Response:
    record = _found_for_change(call)
    requests.enable_schedule(call.services.scheduler, call.batch_account.name, record)
    return _done(call, 204, record)


async def terminate_job_schedule(call: Call) -> Response:
    record = _found_for_change(call)
    requests.end_schedule(call.services.scheduler, call.batch_account.name, record, "complete", force=is_forced(call))
    return _done(call, 202, record)


async def delete_job_schedule(call: Call) -> Response:
    record = _found_for_change(call)
    requests.end_schedule(call.services.scheduler, call.batch_account.name, record, "delete", force=is_forced(call))
    return answers.empty(202)
