"""One request and what has been found out about it on its way through the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request

from emulator.errors import Plane, ServiceError

if TYPE_CHECKING:
    from emulator.domain.accounts import BatchAccount
    from emulator.operations import Operation
    from emulator.services import Services

_BODY_LIMIT = {Plane.DATA: 1 << 20, Plane.ARM: 4 << 20, Plane.LOGIN: 1 << 16, Plane.CONTROL: 1 << 20}


@dataclass(slots=True)
class Call:
    """``path`` is the raw path behind the account prefix, ``base`` the absolute address up to and with that prefix."""

    request: Request
    services: "Services"
    request_id: str
    now: datetime
    path: str
    base: str
    plane: Plane = Plane.DATA
    operation: "Operation | None" = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    account: "BatchAccount | None" = None
    api_version: str = ""

    @property
    def batch_account(self) -> "BatchAccount":
        """The account of a data-plane request: authentication lets none through without one."""
        if self.account is None:
            raise ServiceError("ResourceNotFound", "The request names no Batch account of this service.")
        return self.account

    def query(self, name: str) -> str | None:
        """A query parameter by its name in any case."""
        wanted = name.lower()
        return next((value for key, value in self.request.query_params.items() if key.lower() == wanted), None)

    def header(self, name: str) -> str:
        return str(self.request.headers.get(name, ""))

    async def raw_body(self) -> bytes:
        """The body. Raises RequestBodyTooLarge before more than the plane's limit is held."""
        limit, size, parts = _BODY_LIMIT[self.plane], 0, []
        async for part in self.request.stream():
            size += len(part)
            if size > limit:
                raise ServiceError("RequestBodyTooLarge", values={"MaxLimit": str(limit)})
            parts.append(part)
        return b"".join(parts)

    async def json_object(self) -> dict[str, Any]:
        """The body as a JSON object, empty when there is none."""
        raw = await self.raw_body()
        code = "InvalidRequestBody" if self.plane is Plane.DATA else "InvalidRequestContent"
        try:
            found = msgspec.json.decode(raw) if raw.strip() else {}
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ServiceError(code, values={"Reason": str(error)}) from None
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise ServiceError(code, values={"Reason": "The body must be a JSON object."})
        return found
