"""Reading bodies and answering with resources, for jobs, schedules and tasks."""

from typing import Any, TypeVar

from starlette.responses import Response

from emulator import answers, compat
from emulator.call import Call
from emulator.clock import http_date
from emulator.odata import Query
from emulator.wire import times
from emulator.wire.base import Shape, read

S = TypeVar("S", bound=Shape)


async def body_of(call: Call, shape: type[S]) -> S:
    """The request's body. Raises the error that names what is wrong in it."""
    return read(compat.newest(call.api_version, await call.json_object()), shape)


def resource(call: Call, metadata: str, body: dict[str, Any], wanted: Query) -> Response:
    """One resource, selected and in the version that was asked for."""
    shown = compat.older(call.api_version, dict(wanted.select(body)))
    shape = {"odata.metadata": f"{call.base}/$metadata#{metadata}/@Element", **shown}
    return answers.json(shape, media_type=answers.DATA_JSON, headers=stamps(body["eTag"], body["lastModified"]))


def stamps(etag: str, modified: str) -> dict[str, str]:
    return {"ETag": etag, "Last-Modified": http_date(times.moment(modified))}


def done(status: int, etag: str, modified: str, address: str) -> Response:
    """An empty answer about a resource at ``address``; one that was created has its location too."""
    headers = {**stamps(etag, modified), "DataServiceId": address}
    if status == 201:
        headers["Location"] = address
    return answers.empty(status, headers)


def selectable(shape: type[Shape]) -> frozenset[str]:
    """Names that ``$select`` may have."""
    return frozenset(shape.__struct_encode_fields__) | {"url", "stats"}
