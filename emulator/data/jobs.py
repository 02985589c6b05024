"""Jobs."""

from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, compat, odata
from emulator.call import Call
from emulator.data import conditions, statistics
from emulator.data.common import body_of, done, resource, selectable
from emulator.data.listing import listed
from emulator.domain.jobs import JobRecord, JobRow, PreparationRecord
from emulator.errors import ServiceError
from emulator.scheduler import requests
from emulator.wire.jobs import Job, JobChange, JobDisable, JobTerminate, NewJob, PreparationAndRelease

SELECTABLE = selectable(Job)
_STATUS_SELECTABLE = selectable(PreparationAndRelease) | {"nodeUrl"}


def find(call: Call) -> JobRecord:
    """The job of the path. Raises JobNotFound."""
    found = call.services.repositories.jobs.get(call.batch_account.name, call.parameters["jobId"])
    if found is None:
        raise ServiceError("JobNotFound")
    return found


def address(call: Call, job_id: str) -> str:
    return f"{call.base}/jobs/{job_id}"


def _row(call: Call, row: JobRow, wanted: odata.Query) -> tuple[str, dict[str, Any]]:
    return str(row.job["id"]).lower(), _body(call, row.job, wanted)


def _body(call: Call, job: dict[str, Any], wanted: odata.Query) -> dict[str, Any]:
    body = {**job, "url": address(call, job["id"])}
    if wanted.expands_stats:
        body = statistics.added(body, statistics.of_job(body, statistics.usage_of_job(call, body["id"])))
    return body


def _found_for_change(call: Call) -> JobRecord:
    record = find(call)
    conditions.check(call, record.job.e_tag, record.job.last_modified)
    return record


def _done(call: Call, status: int, record: JobRecord) -> Response:
    return done(status, record.job.e_tag, record.job.last_modified, address(call, record.job.id))


async def create_job(call: Call) -> Response:
    wanted = await body_of(call, NewJob)
    record = requests.add_job(call.services.scheduler, call.batch_account.name, wanted)
    return _done(call, 201, record)


async def get_job(call: Call) -> Response:
    record = find(call)
    try:
        conditions.check(call, record.job.e_tag, record.job.last_modified)
    except conditions.NotModified:
        return conditions.not_modified(record.job.e_tag, record.job.last_modified)
    wanted = odata.query(call, known=SELECTABLE)
    return resource(call, "jobs", _body(call, msgspec.to_builtins(record.job), wanted), wanted)


async def list_jobs(call: Call) -> Response:
    account, rows = call.batch_account.name, call.services.repositories.job_rows
    wanted = odata.query(call, odata.fields.JOB, SELECTABLE)
    return await listed(
        call, "jobs", lambda after, limit: rows.page(account, after, limit), lambda row: _row(call, row, wanted), wanted
    )


async def list_jobs_from_schedule(call: Call) -> Response:
    account, repositories = call.batch_account.name, call.services.repositories
    if repositories.schedules.get(account, call.parameters["jobScheduleId"]) is None:
        raise ServiceError("JobScheduleNotFound")
    prefix = f"{call.parameters['jobScheduleId'].lower()}:"

    def read(after: str, limit: int) -> list[JobRow]:
        found = repositories.job_rows.page(account, after or prefix, limit)
        return [row for row in found if str(row.job["id"]).lower().startswith(prefix)]

    wanted = odata.query(call, odata.fields.JOB, SELECTABLE)
    return await listed(call, "jobs", read, lambda row: _row(call, row, wanted), wanted)


async def update_job(call: Call) -> Response:
    return await _change(call, replace=False)


async def replace_job(call: Call) -> Response:
    return await _change(call, replace=True)


async def _change(call: Call, *, replace: bool) -> Response:
    wanted = await body_of(call, JobChange)
    record = _found_for_change(call)
    requests.change_job(call.services.scheduler, call.batch_account.name, record, wanted, replace=replace)
    return _done(call, 200, record)


async def delete_job(call: Call) -> Response:
    record = _found_for_change(call)
    scheduler, account = call.services.scheduler, call.batch_account.name
    requests.end_job(scheduler, account, record, "delete", None, force=is_forced(call))
    return answers.empty(202)


async def disable_job(call: Call) -> Response:
    wanted = await body_of(call, JobDisable)
    record = _found_for_change(call)
    requests.disable_job(call.services.scheduler, call.batch_account.name, record, wanted.disable_tasks)
    return _done(call, 202, record)


async def enable_job(call: Call) -> Response:
    record = _found_for_change(call)
    requests.enable_job(call.services.scheduler, call.batch_account.name, record)
    return _done(call, 202, record)


async def terminate_job(call: Call) -> Response:
    wanted = await body_of(call, JobTerminate)
    record = _found_for_change(call)
    scheduler, account = call.services.scheduler, call.batch_account.name
    reason = wanted.terminate_reason or "UserTerminate"
    requests.end_job(scheduler, account, record, "complete", reason, force=is_forced(call))
    return _done(call, 202, record)


def is_forced(call: Call) -> bool:
    text = (call.query("force") or "false").lower()
    if text not in {"true", "false"}:
        raise ServiceError(
            "InvalidQueryParameterValue", values={"QueryParameterName": "force", "QueryParameterValue": text}
        )
    return text == "true"


async def get_job_task_counts(call: Call) -> Response:
    record = find(call)
    counts = call.services.scheduler.world.counts(call.batch_account.name, record.job.id)
    body = {
        "odata.metadata": f"{call.base}/$metadata#taskcountsresult/@Element",
        "taskCounts": msgspec.to_builtins(counts.tasks),
        "taskSlotCounts": msgspec.to_builtins(counts.slots),
    }
    return answers.json(compat.older(call.api_version, body), media_type=answers.DATA_JSON)


async def list_job_preparation_and_release_task_status(call: Call) -> Response:
    record = find(call)
    if record.job.job_preparation_task is None:
        raise ServiceError("JobPreparationTaskNotSpecified")
    scope, rows = f"{call.batch_account.name}/{record.job.id}", call.services.repositories.preparations
    return await listed(
        call,
        "jobpreparationandreleasetaskstatuslist",
        lambda after, limit: rows.page(scope, after, limit),
        lambda row: _status(call, row),
        odata.query(call, odata.fields.PREPARATION_AND_RELEASE, _STATUS_SELECTABLE),
    )


def _status(call: Call, row: PreparationRecord) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = msgspec.to_builtins(row.status)
    pool, node = body["poolId"], body["nodeId"]
    body["nodeUrl"] = f"{call.base}/pools/{pool}/nodes/{node}"
    for name in ("jobPreparationTaskExecutionInfo", "jobReleaseTaskExecutionInfo"):
        if (folder := body.get(name, {}).get("taskRootDirectory")) is not None:
            body[name]["taskRootDirectoryUrl"] = f"{body['nodeUrl']}/files/{folder}"
    return f"{pool}/{node}".lower(), body
