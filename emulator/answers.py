"""Successful answers: JSON, empty, pages."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode

ARM_JSON = "application/json; charset=utf-8"
DATA_JSON = "application/json;odata=minimalmetadata"


def json(
    body: object, *, status: int = 200, media_type: str = ARM_JSON, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(_encode(body), status, dict(headers or {}), media_type)


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(b"", status, dict(headers or {}))


def without_none(body: Mapping[str, Any]) -> dict[str, Any]:
    """The service leaves out what is not set."""
    return {key: value for key, value in body.items() if value is not None}
