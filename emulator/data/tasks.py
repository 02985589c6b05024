"""Tasks and subtasks."""

from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, compat, odata
from emulator.call import Call
from emulator.data import conditions, jobs, statistics
from emulator.data.common import body_of, done, resource, selectable
from emulator.data.listing import listed
from emulator.data.pages import page
from emulator.domain.tasks import TaskRecord, TaskRow
from emulator.errors import Plane, ServiceError
from emulator.errors import body as error_body
from emulator.scheduler import requests
from emulator.wire.base import invalid, read
from emulator.wire.tasks import NewTask, Subtask, Task, TaskChange

MOST_IN_COLLECTION = 100

SELECTABLE = selectable(Task)
_SUBTASK_SELECTABLE = selectable(Subtask)


def find(call: Call) -> TaskRecord:
    """The task of the path. Raises JobNotFound or TaskNotFound."""
    job = jobs.find(call)
    found = call.services.scheduler.world.task(call.batch_account.name, job.job.id, call.parameters["taskId"])
    if found is None:
        raise ServiceError("TaskNotFound")
    return found


def _found_for_change(call: Call) -> TaskRecord:
    record = find(call)
    conditions.check(call, record.task.e_tag, record.task.last_modified)
    return record


def address(call: Call, job_id: str, task_id: str) -> str:
    return f"{call.base}/jobs/{job_id}/tasks/{task_id}"


def _done(call: Call, status: int, record: TaskRecord, job_id: str) -> Response:
    task = record.task
    return done(status, task.e_tag, task.last_modified, address(call, job_id, task.id))


def _body(call: Call, job_id: str, task: dict[str, Any]) -> dict[str, Any]:
    body = {**task, "url": address(call, job_id, task["id"])}
    if "nodeInfo" in body:
        body["nodeInfo"] = node_body(call, body["nodeInfo"])
    return body


def node_body(call: Call, info: dict[str, Any]) -> dict[str, Any]:
    url = f"{call.base}/pools/{info['poolId']}/nodes/{info['nodeId']}"
    body = {**info, "nodeUrl": url}
    if "taskRootDirectory" in body:
        body["taskRootDirectoryUrl"] = f"{url}/files/{body['taskRootDirectory']}"
    return body


async def create_task(call: Call) -> Response:
    wanted = await body_of(call, NewTask)
    job = jobs.find(call)
    record = requests.add_task(call.services.scheduler, call.batch_account.name, job, wanted)
    return _done(call, 201, record, job.job.id)


async def create_task_collection(call: Call) -> Response:
    """A task that cannot be added fails alone; a body that cannot be read fails as a whole."""
    body = compat.newest(call.api_version, await call.json_object())
    wanted = _collection(body)
    job = jobs.find(call)
    results = requests.add_tasks(call.services.scheduler, call.batch_account.name, job, wanted)
    value = [_result(call, job.job.id, task.id, result) for task, result in zip(wanted, results, strict=True)]
    shape = {"odata.metadata": f"{call.base}/$metadata#taskaddresult", "value": value}
    return answers.json(shape, media_type=answers.DATA_JSON)


def _collection(body: dict[str, Any]) -> list[NewTask]:
    given = body.get("value")
    if not isinstance(given, list):
        raise ServiceError("MissingRequiredProperty", values={"PropertyName": "value"})
    if unknown := set(body) - {"value", "odata.metadata"}:
        raise ServiceError("InvalidRequestBody", values={"PropertyName": min(unknown)})
    if len(given) > MOST_IN_COLLECTION:
        raise ServiceError("RequestBodyTooLarge", values={"MaxLimit": str(MOST_IN_COLLECTION)})
    return [_member(number, task) for number, task in enumerate(given)]


def _member(number: int, task: object) -> NewTask:
    """Raises the error of the task with the name of the property in the whole body."""
    if not isinstance(task, dict):
        raise invalid(f"value[{number}]", "Expected `object`")
    try:
        return read(task, NewTask)
    except ServiceError as error:
        error.values["PropertyName"] = f"value[{number}].{error.values.get('PropertyName', '')}"
        raise


def _result(call: Call, job_id: str, task_id: str, result: TaskRecord | ServiceError) -> dict[str, Any]:
    if isinstance(result, ServiceError):
        shape = error_body(
            result, plane=Plane.DATA, base=call.base, request_id=call.request_id, now=call.services.clock.now()
        )
        shape.pop("odata.metadata")
        return {"status": "clienterror", "taskId": task_id, "error": shape}
    return {
        "status": "success",
        "taskId": result.task.id,
        "eTag": result.task.e_tag,
        "lastModified": result.task.last_modified,
        "location": address(call, job_id, result.task.id),
    }


async def get_task(call: Call) -> Response:
    record = find(call)
    try:
        conditions.check(call, record.task.e_tag, record.task.last_modified)
    except conditions.NotModified:
        return conditions.not_modified(record.task.e_tag, record.task.last_modified)
    wanted = odata.query(call, known=SELECTABLE)
    body = _body(call, jobs.find(call).job.id, msgspec.to_builtins(record.task))
    if wanted.expands_stats:
        body = statistics.added(body, statistics.of_task(body, record.used))
    return resource(call, "tasks", body, wanted)


async def list_tasks(call: Call) -> Response:
    job_id = jobs.find(call).job.id
    scope, rows = f"{call.batch_account.name}/{job_id}", call.services.repositories.task_rows

    wanted = odata.query(call, odata.fields.TASK, SELECTABLE)

    def present(row: TaskRow) -> tuple[str, dict[str, Any] | None]:
        if not wanted.matches(row.task):
            return str(row.task["id"]).lower(), None
        body = _body(call, job_id, row.task)
        if wanted.expands_stats:
            body = statistics.added(body, statistics.of_task(body, row.used))
        return str(body["id"]).lower(), body

    return await listed(call, "tasks", lambda after, limit: rows.page(scope, after, limit), present, wanted)


async def replace_task(call: Call) -> Response:
    wanted = await body_of(call, TaskChange)
    record, job = _found_for_change(call), jobs.find(call)
    requests.change_task(call.services.scheduler, call.batch_account.name, job, record, wanted)
    return _done(call, 200, record, job.job.id)


async def delete_task(call: Call) -> Response:
    record, job = _found_for_change(call), jobs.find(call)
    requests.delete_task(call.services.scheduler, call.batch_account.name, job, record)
    return answers.empty(200)


async def terminate_task(call: Call) -> Response:
    record, job = _found_for_change(call), jobs.find(call)
    requests.terminate_task(call.services.scheduler, call.batch_account.name, job, record)
    return _done(call, 204, record, job.job.id)


async def reactivate_task(call: Call) -> Response:
    record, job = _found_for_change(call), jobs.find(call)
    requests.reactivate_task(call.services.scheduler, call.batch_account.name, job, record)
    return _done(call, 204, record, job.job.id)


async def list_subtasks(call: Call) -> Response:
    """All subtasks but the primary, which is the task itself. One page: there are as many as nodes in a pool."""
    record, job = find(call), jobs.find(call)
    scope = f"{call.batch_account.name}/{job.job.id}/{record.task.id}"
    wanted = odata.query(call, known=_SUBTASK_SELECTABLE)
    found = call.services.repositories.subtasks.all(scope)
    return page(call, "subtasks", [_subtask(call, subtask, wanted) for subtask in found if subtask.id], None)


def _subtask(call: Call, subtask: Subtask, wanted: odata.Query) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(subtask)
    if "nodeInfo" in body:
        body["nodeInfo"] = node_body(call, body["nodeInfo"])
    return compat.older(call.api_version, dict(wanted.select(body)))
