"""Every error the service can answer, and the only place that makes error bodies.

A ``ServiceError`` is neutral: handlers and the domain raise it without knowing the plane. The plane of the request
decides the shape: the data plane's OData error, Azure Resource Manager's ``{"error": {...}}``, or OAuth's.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from emulator.clock import iso


class Plane(StrEnum):
    ARM = "arm"
    DATA = "data"
    LOGIN = "login"
    CONTROL = "control"


# code → (HTTP status, default message)
CATALOGUE: Mapping[str, tuple[int, str]] = {
    # Requests
    "InvalidRequestBody": (400, "The specified Request Body is not syntactically valid."),
    "InvalidRequestContent": (400, "The request content was invalid and could not be deserialized."),
    "MissingRequiredProperty": (400, "A required property was not specified in the request body."),
    "InvalidPropertyValue": (400, "The value provided for one of the properties in the request body is invalid."),
    "InvalidResourceName": (400, "The name of the resource is invalid."),
    "InvalidQueryParameterValue": (400, "Value for one of the query parameters specified in the request is invalid."),
    "OutOfRangeQueryParameterValue": (
        400,
        "A query parameter specified in the request URI is outside the permissible range.",
    ),
    "UnsupportedQueryParameter": (400, "One of the query parameters specified in the request URI is not supported."),
    "MissingRequiredQueryParameter": (400, "A query parameter that's mandatory for this request is not specified."),
    "UnsupportedRequestVersion": (400, "The request version is not supported."),
    "MissingApiVersionParameter": (
        400,
        "The api-version query parameter (?api-version=) is required for all requests.",
    ),
    "InvalidApiVersionParameter": (400, "The api-version is invalid."),
    "InvalidUri": (400, "The requested URI does not represent any resource on the server."),
    "RequestBodyTooLarge": (413, "The size of the request body exceeds the maximum permissible limit."),
    "UnsupportedHttpVerb": (405, "The resource doesn't support the specified HTTP verb."),
    "MethodNotAllowed": (405, "The requested resource does not support the HTTP method."),
    "NotImplemented": (501, "The local Batch service does not implement this operation yet."),
    # Authentication
    "InvalidAuthenticationInfo": (
        400,
        "Server failed to authenticate the request. The Authorization header is malformed or missing.",
    ),
    "AuthenticationFailed": (
        403,
        "Server failed to authenticate the request. Make sure that the Authorization header is formed correctly.",
    ),
    "AuthenticationModeNotAllowed": (
        403,
        "The authentication mode of the request is not allowed for this Batch account.",
    ),
    "InvalidAuthenticationToken": (401, "The access token is invalid."),
    "InvalidAuthenticationTokenAudience": (
        401,
        "The access token has been obtained for the wrong audience or resource.",
    ),
    "ExpiredAuthenticationToken": (401, "The access token expiry is in the past."),
    # Resources
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "SubscriptionNotFound": (404, "The subscription could not be found."),
    "ResourceGroupNotFound": (404, "The resource group could not be found."),
    "ApplicationNotFound": (404, "The specified application does not exist."),
    "ApplicationPackageNotFound": (404, "The specified application package does not exist."),
    "OperationResultNotFound": (404, "The specified operation does not exist."),
    # Accounts
    "AccountAlreadyExists": (409, "A Batch account with this name already exists."),
    "AccountOperationInProgress": (409, "Another operation on the Batch account is in progress."),
    "SubscriptionQuotaExceeded": (409, "The regional account quota of the subscription has been reached."),
    "InvalidResourceLocation": (409, "The resource already exists in another location."),
    "InvalidAutoStorageAccount": (400, "The specified storage account cannot be used as auto-storage account."),
    "AccountNotEnabledForAutoStorage": (
        409,
        "The specified account has no auto-storage account: link a storage account to the Batch account first.",
    ),
    "AutoStorageUnavailable": (503, "The linked storage account did not answer."),
    # Applications
    "ApplicationQuotaReached": (409, "The account has reached its quota of applications."),
    "ApplicationPackageQuotaReached": (409, "The application has reached its quota of application packages."),
    "ApplicationPackagesNotEmpty": (409, "The application still has application packages: delete them first."),
    "ApplicationPackageUpdateNotAllowed": (
        409,
        "The application package already exists and updates are not allowed for the application.",
    ),
    "ApplicationPackageBlobNotFound": (
        409,
        "The application package has no uploaded content: no blob exists at its storage URL.",
    ),
    "RequestedDefaultVersionNotActive": (409, "The requested default version is not an active application package."),
    # Conditions
    "InvalidHeaderValue": (400, "The value provided for one of the HTTP headers was not in the correct format."),
    "MultipleConditionHeadersNotSupported": (
        400,
        "Multiple condition headers are not supported.",
    ),
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    # Pools and nodes
    "PoolNotFound": (404, "The specified pool does not exist."),
    "PoolExists": (409, "The specified pool already exists."),
    "PoolBeingDeleted": (409, "The specified pool is being deleted."),
    "PoolBeingResized": (409, "The specified pool is being resized."),
    "PoolQuotaReached": (409, "The account has reached its quota of pools."),
    "InvalidApplicationPackageReferences": (409, "One or more application package references could not be satisfied."),
    "NodeAgentSKUNotFound": (404, "The specified node agent SKU does not exist."),
    "TooManyEnableAutoScaleRequests": (503, "Automatic scaling was enabled on the pool less than 30 seconds ago."),
    "NodeNotFound": (404, "The specified node does not exist."),
    "NodeBeingCreated": (409, "The specified node is being created."),
    "NodeBeingStarted": (409, "The specified node is being started."),
    "NodeBeingRebooted": (409, "The specified node is being rebooted."),
    "NodeBeingReimaged": (409, "The specified node is being reimaged."),
    "NodeStateUnusable": (409, "The specified node is unusable."),
    "NodeAlreadyInTargetSchedulingState": (409, "The specified node is already in the target scheduling state."),
    "NodeUserExists": (409, "The specified node user already exists."),
    "NodeUserNotFound": (404, "The specified node user does not exist."),
    "VMExtensionNotFound": (404, "The specified extension does not exist on the node."),
    "FileNotFound": (404, "The specified file does not exist."),
    "DirectoryNotEmpty": (409, "The directory is not empty: delete it recursively."),
    "InvalidRange": (416, "The specified range is invalid for the current size of the file."),
    # Certificates, for old versions
    "CertificateNotFound": (404, "The specified certificate does not exist."),
    "CertificateExists": (409, "The specified certificate already exists."),
    "CertificateBeingDeleted": (409, "The specified certificate is being deleted."),
    "CertificateStateActive": (409, "The specified certificate is active: no deletion of it has failed."),
    # Jobs, job schedules and tasks
    "OperationInvalidForCurrentState": (409, "The operation is not valid for the current state of the resource."),
    "ActiveJobAndScheduleQuotaReached": (409, "The account has reached its quota of active jobs and job schedules."),
    "JobNotFound": (404, "The specified job does not exist."),
    "JobExists": (409, "The specified job already exists."),
    "JobWithSameIdExists": (409, "The specified id is used by a job: jobs and job schedules share their ids."),
    "JobCompleted": (409, "The specified job is already in a completed state."),
    "JobBeingTerminated": (409, "The specified job is being terminated."),
    "JobBeingDeleted": (409, "The specified job is being deleted."),
    "JobPreparationTaskNotSpecified": (404, "The specified job has no preparation task."),
    "JobScheduleNotFound": (404, "The specified job schedule does not exist."),
    "JobScheduleExists": (409, "The specified job schedule already exists."),
    "JobScheduleWithSameIdExists": (
        409,
        "The specified id is used by a job schedule: jobs and job schedules share their ids.",
    ),
    "JobScheduleCompleted": (409, "The specified job schedule is already in a completed state."),
    "JobScheduleBeingTerminated": (409, "The specified job schedule is being terminated."),
    "JobScheduleBeingDeleted": (409, "The specified job schedule is being deleted."),
    "TaskNotFound": (404, "The specified task does not exist."),
    "TaskExists": (409, "The specified task already exists."),
    "TaskCompleted": (409, "The specified task is already in a completed state."),
    "TaskNotCompleted": (409, "The specified task is not completed."),
    "TaskSucceeded": (409, "The specified task has completed successfully."),
    "TaskFilesUnavailable": (409, "The task files are unavailable: the task has not run on a node that is there."),
    "TaskFilesCleanedup": (409, "The task files were removed from the node."),
    "TaskDependenciesNotSpecifiedOnJob": (
        400,
        "The task has dependencies, but its job was not created with usesTaskDependencies.",
    ),
    "TaskIdSameAsJobPreparationTask": (409, "The task has the id of the job's preparation task."),
    "TaskIdSameAsJobReleaseTask": (409, "The task has the id of the job's release task."),
    # Service
    "ServerBusy": (503, "The server is busy. Please retry your request."),
    "InternalError": (500, "Server encountered an internal error. Please try again after some time."),
}


class ServiceError(Exception):
    """An answer other than success.

    ``values`` become the data plane's key/value details; ``status`` overrides the catalogue's, for injected faults.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        values: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        known_status, known_message = CATALOGUE.get(code, (status or 500, code))
        self.code = code
        self.status = status or known_status
        self.message = message or known_message
        self.values = dict(values or {})
        self.headers = dict(headers or {})
        super().__init__(f"{self.code}: {self.message}")


def body(error: ServiceError, *, plane: Plane, base: str, request_id: str, now: datetime) -> dict[str, Any]:
    trace = f"\nRequestId:{request_id}\nTime:{iso(now)}"
    if plane is Plane.DATA:
        return _data_plane(error, base, trace)
    if plane is Plane.LOGIN:
        return _oauth(error, request_id, now)
    return _arm(error, trace)


def _data_plane(error: ServiceError, base: str, trace: str) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "odata.metadata": f"{base}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element",
        "code": error.code,
        "message": {"lang": "en-US", "value": error.message + trace},
    }
    if error.values:
        shape["values"] = [{"key": key, "value": value} for key, value in error.values.items()]
    return shape


def _arm(error: ServiceError, trace: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"code": error.code, "message": error.message + trace, "target": "BatchAccount"}
    if error.values:
        shape["details"] = [{"code": key, "message": value} for key, value in error.values.items()]
    return {"error": shape}


def _oauth(error: ServiceError, request_id: str, now: datetime) -> dict[str, Any]:
    return {
        "error": error.code,
        "error_description": error.message,
        "timestamp": now.strftime("%Y-%m-%d %H:%M:%SZ"),
        "trace_id": request_id,
        "correlation_id": request_id,
    }
