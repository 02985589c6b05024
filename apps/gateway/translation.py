"""Azure's exceptions into the portal's one tree, with the service's code, its text and the request id kept."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.policies import RetryPolicy
from azure.identity import CredentialUnavailableError

from apps.gateway.errors import (
    AutoStorageMissing,
    EndpointRefused,
    GatewayConflict,
    GatewayDenied,
    GatewayError,
    GatewayInvalid,
    GatewayNotFound,
    GatewayThrottled,
    GatewayUnavailable,
)

MANAGEMENT, DATA, BLOB = "management", "data", "blob"

P = ParamSpec("P")
R = TypeVar("R")

_ACTION = re.compile(r"perform action '([^']+)'")
_SIGN_IN_CODE = re.compile(r"\b(AADSTS\d+)")
# What follows is for support desks; the request id is kept apart.
_TRACE = re.compile(r"\s*\b(RequestId|Request ID|Trace ID|Correlation ID|Timestamp|ErrorCode)\s*:", re.IGNORECASE)
_REQUEST_ID_HEADERS = ("x-ms-request-id", "request-id", "x-ms-correlation-request-id")
_BUSY_CODES = frozenset({"ServerBusy", "TooManyRequests", "OperationTimedOut", "SubscriptionRequestsThrottled"})
_SHARED_KEY_OFF = frozenset(
    {"AuthenticationModeNotAllowed", "SharedKeyAuthenticationNotAllowed", "KeyBasedAuthenticationNotPermitted"}
)


def translated(plane: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a gateway function: what Azure's SDK raises leaves it as a `GatewayError`."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with translating(plane):
                return function(*args, **kwargs)

        return wrapped

    return decorate


@contextmanager
def translating(plane: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        raise translate(error, plane) from error


def translate(error: AzureError, plane: str) -> GatewayError:
    """The portal's error for an SDK error of a plane."""
    if isinstance(error, CredentialUnavailableError):
        return GatewayDenied("gateway-identity-unavailable", service_message=_clean(error.message))
    response = getattr(error, "response", None)
    if isinstance(error, ClientAuthenticationError) and _is_sign_in(error, response):
        return _sign_in_failed(error, response)
    if isinstance(error, HttpResponseError) and response is not None:
        return _answered(error, response, plane)
    if isinstance(error, ServiceRequestTimeoutError | ServiceResponseTimeoutError):
        return GatewayUnavailable("gateway-timeout")
    return GatewayUnavailable(service_message="")


def _is_sign_in(error: ClientAuthenticationError, response: Any) -> bool:
    """Whether Entra ID, not the service, refused: no answer at all, or one of its own shape."""
    return response is None or "AADSTS" in str(error.message) or "Authentication failed:" in str(error.message)


def _sign_in_failed(error: ClientAuthenticationError, response: Any) -> GatewayDenied:
    text = str(error.message)
    found = _SIGN_IN_CODE.search(text)
    return GatewayDenied(
        "gateway-sign-in-failed",
        service_code=found.group(1) if found else "",
        service_message=_clean(text.removeprefix("Authentication failed:")),
        request_id=_request_id(response),
        http_status=getattr(response, "status_code", None),
    )


def _answered(error: HttpResponseError, response: Any, plane: str) -> GatewayError:
    status = int(response.status_code)
    code, message = _code_and_message(error, response)
    kind, name, values = _kind(status, code, message, plane)
    return kind(
        name,
        service_code=code,
        service_message=message,
        request_id=_request_id(response),
        http_status=status,
        retry_after=_retry_after(response),
        service_values=_service_values(error),
        **values,
    )


def _service_values(error: HttpResponseError) -> tuple[tuple[str, str], ...]:
    """The pairs of a data-plane error."""
    found = getattr(error.model, "error_values", None) or ()
    return tuple((str(item.key or ""), str(item.value or "")) for item in found)


def _kind(status: int, code: str, message: str, plane: str) -> tuple[type[GatewayError], str, dict[str, Any]]:
    if 300 <= status < 400:
        return EndpointRefused, "gateway-redirect-refused", {"host": ""}
    if status == 404:
        return GatewayNotFound, _not_found(code, plane), {}
    if status in {401, 403}:
        return GatewayDenied, *_denied(status, code, message, plane)
    if status == 429 or (status == 503 and code in _BUSY_CODES):
        return GatewayThrottled, "", {}
    if status == 501:
        return GatewayError, "gateway-not-supported", {}
    if status >= 500 or status == 408:
        return GatewayUnavailable, "gateway-service-failed", {}
    if status in {409, 412}:
        return _conflict(code)
    return GatewayInvalid, "", {}


def _not_found(code: str, plane: str) -> str:
    if plane == MANAGEMENT and code in {"SubscriptionNotFound", "InvalidSubscriptionId"}:
        return "gateway-subscription-not-found"
    if plane == MANAGEMENT and code == "ResourceGroupNotFound":
        return "gateway-resource-group-not-found"
    return ""


def _denied(status: int, code: str, message: str, plane: str) -> tuple[str, dict[str, Any]]:
    if code in _SHARED_KEY_OFF:
        return "gateway-shared-key-disabled", {}
    if plane == BLOB:
        return "gateway-storage-denied", {}
    if plane == MANAGEMENT:
        action = _ACTION.search(message)
        if code == "LinkedAuthorizationFailed":
            return "gateway-storage-right-missing", {}
        return ("gateway-not-signed-in" if status == 401 else "gateway-management-right-missing"), {
            "action": action.group(1) if action else "Microsoft.Batch/batchAccounts/*"
        }
    if code == "AuthenticationFailed":
        return "gateway-data-sign-in-refused", {}
    return ("gateway-not-signed-in" if status == 401 else "gateway-data-right-missing"), {}


def _conflict(code: str) -> tuple[type[GatewayError], str, dict[str, Any]]:
    if code == "AccountNotEnabledForAutoStorage":
        return AutoStorageMissing, "", {}
    if code.endswith(("QuotaReached", "QuotaExceeded")):
        return GatewayConflict, "gateway-quota-reached", {}
    if code == "MissingSubscriptionRegistration":
        return GatewayConflict, "gateway-provider-not-registered", {}
    return GatewayConflict, "", {}


def _code_and_message(error: HttpResponseError, response: Any) -> tuple[str, str]:
    """From the service's body; storage names its code in a header besides. `details` belong to the text."""
    found = error.error
    code = str(getattr(found, "code", "") or "")
    message = str(getattr(found, "message", "") or "")
    details = [f"{detail.code}: {detail.message}" for detail in getattr(found, "details", None) or () if detail.message]
    if not code:
        raw = getattr(error, "error_code", None) or response.headers.get("x-ms-error-code") or ""
        code = str(getattr(raw, "value", raw))
    text = _clean(message or (str(error.message) if code else ""))
    return code, " ".join([text, *(_clean(detail) for detail in details)]).strip()


def _clean(text: str) -> str:
    """The sentence without request ids, times and other trailers."""
    found = _TRACE.search(text)
    return " ".join((text[: found.start()] if found else text).split())


def _request_id(response: Any) -> str:
    headers = getattr(response, "headers", None) or {}
    return next((str(headers[name]) for name in _REQUEST_ID_HEADERS if headers.get(name)), "")


def _retry_after(response: Any) -> float | None:
    raw = (response.headers or {}).get("Retry-After")
    return RetryPolicy().parse_retry_after(raw) if raw else None
