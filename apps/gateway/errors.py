"""One exception tree for everything that Azure answers with, or does not answer."""

from __future__ import annotations

from typing import Any

from apps.core.exceptions import PortalError


class GatewayError(PortalError):
    """A call to Azure that did not do what was asked.

    `service_code` is the service's own code (for example `PoolExists`), `service_message` its text without request id
    and time, `request_id` what Microsoft's support asks for. `retryable` says whether the same call may succeed later;
    `retry_after` is the service's own wish in seconds. `service_values` are what the data plane names besides, for
    example `PropertyName` and `Reason`, or the application ids of `InvalidApplicationPackageReferences`.
    """

    code = "gateway-error"
    status = 502
    retryable = False

    def __init__(
        self,
        code: str = "",
        *,
        service_code: str = "",
        service_message: str = "",
        request_id: str = "",
        http_status: int | None = None,
        retry_after: float | None = None,
        service_values: tuple[tuple[str, str], ...] = (),
        **values: Any,
    ) -> None:
        self.service_code = service_code
        self.service_message = service_message
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.service_values = service_values
        super().__init__(
            code, reference=request_id, service_code=service_code, service_message=service_message, **values
        )


class GatewayNotFound(GatewayError):
    code = "gateway-not-found"
    status = 404


class GatewayConflict(GatewayError):
    """The service refuses in the present state (409, 412)."""

    code = "gateway-conflict"
    status = 409


class AutoStorageMissing(GatewayConflict):
    """No storage account is linked: `AccountNotEnabledForAutoStorage`."""

    code = "gateway-auto-storage-missing"


class GatewayInvalid(GatewayError):
    """The service refuses the input (400)."""

    code = "gateway-invalid"
    status = 422


class GatewayDenied(GatewayError):
    """Azure knows the portal's identity and gives it no right, or does not know it (401, 403)."""

    code = "gateway-denied"


class GatewayThrottled(GatewayError):
    """429, or 503 ServerBusy."""

    code = "gateway-throttled"
    status = 503
    retryable = True


class GatewayUnavailable(GatewayError):
    """No answer: connection refused or reset, timeout, 5xx."""

    code = "gateway-unavailable"
    status = 503
    retryable = True


class ManagementPlaneMissing(GatewayError):
    """The account is connected by shared key, which reaches the data plane alone."""

    code = "gateway-management-plane-missing"
    status = 409


class EndpointRefused(GatewayError):
    """An endpoint outside the allow-list, or one that resolves to a private address; nothing was sent."""

    code = "gateway-endpoint-refused"
    status = 422
