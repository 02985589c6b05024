"""The way of every request, in order. This is the one place that states it."""

import logging
import time
import traceback

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulator import answers, errors, versions
from emulator.auth.gate import authenticate
from emulator.call import Call
from emulator.errors import Plane, ServiceError
from emulator.faults import ConnectionCutError, Connections
from emulator.locate import locate
from emulator.operations import OperationTable
from emulator.services import Services

log = logging.getLogger("emulator")

# Parameters of every data-plane request, in lower case.
_COMMON_QUERY = frozenset({"api-version", "timeout"})


class Pipeline:
    def __init__(self, services: Services, tables: dict[Plane, OperationTable], connections: Connections) -> None:
        self._services = services
        self._tables = tables
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive)
        call = locate(request, self._services)
        status = 0
        try:
            response = await self._answer(call)
            _common_headers(call, response)
            status = response.status_code
            await response(scope, receive, send)
        except ConnectionCutError:
            self._connections.reset(scope["client"])
        except ClientDisconnect:
            log.info("%s %s: the client left", request.method, call.path)
        finally:
            if call.plane is not Plane.CONTROL:
                self._services.request_log.add(call, status, time.perf_counter() - started)

    async def _answer(self, call: Call) -> Response:
        try:
            self._identify(call)
            _check_version(call)
            authenticate(call)
            await self._suffer(call)
            return await self._dispatch(call)
        except ServiceError as error:
            return _refusal(call, error)
        except (ConnectionCutError, ClientDisconnect):
            raise
        except Exception:  # noqa: BLE001 - a bug here must answer a 500 with a request id, not cut the connection
            log.error("%s %s failed\n%s", call.request.method, call.path, traceback.format_exc())
            return _refusal(call, ServiceError("InternalError"))

    def _identify(self, call: Call) -> None:
        """Name the operation early: faults and the request log go by it. What is unknown is refused at dispatch."""
        try:
            found = self._tables[call.plane].resolve(call.request.method, call.path)
        except ServiceError:
            return
        if found is not None and not versions.is_past(call.query("api-version"), found[0].last):
            call.operation, call.parameters = found

    async def _suffer(self, call: Call) -> None:
        if call.operation is not None and call.plane is not Plane.CONTROL:
            await self._services.faults.strike(call.operation.name)

    async def _dispatch(self, call: Call) -> Response:
        operation = call.operation
        if operation is None:
            self._tables[call.plane].resolve(call.request.method, call.path)
            raise ServiceError("InvalidUri" if call.plane is Plane.DATA else "ResourceNotFound", status=404)
        _check_query(call)
        if operation.handler is None:
            raise ServiceError(
                "NotImplemented",
                f"The local Batch service does not implement {operation.name} yet.",
                values={"Operation": operation.name},
            )
        return await operation.handler(call)


def _check_version(call: Call) -> None:
    if call.plane not in {Plane.ARM, Plane.DATA}:
        return
    version = call.query("api-version")
    if call.plane is Plane.DATA:
        if version is None:
            raise ServiceError("MissingRequiredQueryParameter", values={"QueryParameterName": "api-version"})
        if not versions.knows_data_plane(version):
            raise ServiceError(
                "UnsupportedRequestVersion",
                values={"QueryParameterName": "api-version", "QueryParameterValue": version},
            )
    elif version is None:
        raise ServiceError("MissingApiVersionParameter")
    elif not versions.knows_management(version, call.path):
        raise ServiceError(
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. Supported are: {', '.join(versions.BATCH_MANAGEMENT)}.",
        )
    call.api_version = version


def _check_query(call: Call) -> None:
    """The data plane refuses parameters an operation does not have; the management plane lets them pass."""
    if call.plane is not Plane.DATA or call.operation is None:
        return
    # Only links of our own making carry $skiptoken, so no client's list of parameters names it.
    known = _COMMON_QUERY | call.operation.query | ({"$skiptoken"} if "maxresults" in call.operation.query else set())
    for name, value in call.request.query_params.items():
        if name.lower() not in known:
            raise ServiceError(
                "UnsupportedQueryParameter", values={"QueryParameterName": name, "QueryParameterValue": value}
            )


def _refusal(call: Call, error: ServiceError) -> Response:
    shape = errors.body(error, plane=call.plane, base=call.base, request_id=call.request_id, now=call.now)
    media_type = answers.DATA_JSON if call.plane is Plane.DATA else answers.ARM_JSON
    response = answers.json(shape, status=error.status, media_type=media_type, headers=error.headers)
    if call.plane is Plane.ARM:
        response.headers["x-ms-failure-cause"] = "service"
    return response


def _common_headers(call: Call, response: Response) -> None:
    if call.plane is Plane.DATA:
        response.headers["request-id"] = call.request_id
        response.headers["DataServiceVersion"] = "3.0"
        if call.header("return-client-request-id").lower() == "true":
            response.headers["client-request-id"] = call.header("client-request-id")
    else:
        response.headers["x-ms-request-id"] = call.request_id
        response.headers["x-ms-correlation-request-id"] = call.header("x-ms-correlation-request-id") or call.request_id
        response.headers["Cache-Control"] = "no-cache"
        if call.header("x-ms-client-request-id"):
            response.headers["x-ms-client-request-id"] = call.header("x-ms-client-request-id")
