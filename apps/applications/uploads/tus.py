"""The tus 1.0 protocol (https://tus.io/protocols/resumable-upload): core, creation, creation-with-upload, termination,
checksum and expiration. Any tus client may upload, by session (with CSRF token) or by API token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.selectors import account_get
from apps.applications.models import Upload, UploadAction
from apps.applications.ownership import team_named
from apps.applications.uploads.body import Body, bounded_silence, drain
from apps.applications.uploads.errors import (
    ExceedsError,
    OverError,
    ProtocolError,
    ProtocolVersionError,
    TooLargeError,
    WrongMediaTypeError,
)
from apps.applications.uploads.receiving import receive
from apps.applications.uploads.selectors import upload_get
from apps.applications.uploads.services import upload_cancel, upload_start
from apps.core.api import PortalApi
from apps.core.formats import size_text
from apps.operations.models import ACTIVE
from apps.people.roles import Permission

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
ALGORITHMS = ("sha1", "sha256", "md5")
MEDIA_TYPE = "application/offset+octet-stream"
# What a client may say about itself, for whoever asks later where a package came from.
KEPT_METADATA = ("build", "commit", "source")

_RESUMABLE = OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[VERSION])


class TusApi(PortalApi):
    """Every answer names the protocol version, and every request but OPTIONS must."""

    abstract: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
            raise ProtocolVersionError

    def handle_exception(self, exc: Exception) -> Response:
        drain(self.request.META)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        answer["Tus-Resumable"] = VERSION
        answer["Cache-Control"] = "no-store"
        if answer.status_code == status.HTTP_412_PRECONDITION_FAILED:
            answer["Tus-Version"] = VERSION
        return answer

    def options(self, request: Any, *_args: Any, **_kwargs: Any) -> Response:
        return Response(
            status=status.HTTP_204_NO_CONTENT,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(settings.UPLOAD_MAX_BYTES),
                "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            },
        )


class UploadListApi(TusApi):
    permission = Permission.SIGNED_IN

    @extend_schema(
        operation_id="uploads_create",
        summary="Begin an upload",
        parameters=[
            _RESUMABLE,
            OpenApiParameter("Upload-Length", int, OpenApiParameter.HEADER, required=True, description="Bytes."),
            OpenApiParameter(
                "Upload-Metadata",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description=(
                    "Comma-separated `key base64` pairs: account, application, version, filename; optional: action "
                    "(new-application, add, update; add unless given), team, display_name, sha256 (hexadecimal), "
                    "build, commit, source."
                ),
            ),
        ],
        request={MEDIA_TYPE: OpenApiTypes.BINARY},
        responses={201: OpenApiResponse(description="Location is where the bytes go.")},
    )
    def post(self, request: Request) -> Response:
        """Begin an upload; a body, if there is one, is its first part."""
        length = header_number(request, "Upload-Length")
        if length > settings.UPLOAD_MAX_BYTES:
            raise TooLargeError(size=size_text(length), limit=size_text(settings.UPLOAD_MAX_BYTES))
        upload = start_from_metadata(self, length, parse_metadata(request.headers.get("Upload-Metadata", "")))
        headers = {"Location": address(upload, request), "Upload-Operation": str(upload.operation_id)}
        offset = upload.offset
        if request.content_type == MEDIA_TYPE and not offset:
            offset = receive_body(request, upload, 0)
        return Response(
            status=status.HTTP_201_CREATED,
            headers={**headers, **progress_headers(upload), "Upload-Offset": str(offset)},
        )


class UploadApi(TusApi):
    permission = Permission.SIGNED_IN

    @extend_schema(
        operation_id="uploads_offset",
        summary="Read how far an upload is",
        parameters=[_RESUMABLE],
        responses={200: None},
    )
    def head(self, _request: Request, upload: uuid.UUID) -> Response:
        """How many bytes are safely with the server."""
        found = self._upload(upload)
        if found.operation.status not in ACTIVE and not found.is_complete:
            raise OverError
        return Response(
            headers={
                **progress_headers(found),
                "Upload-Offset": str(found.offset),
                "Upload-Length": str(found.length),
                "Upload-Operation": str(found.operation_id),
            }
        )

    @extend_schema(
        operation_id="uploads_append",
        summary="Append bytes to an upload",
        parameters=[
            _RESUMABLE,
            OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("Upload-Checksum", str, OpenApiParameter.HEADER, description="`sha256 base64`"),
        ],
        request={MEDIA_TYPE: OpenApiTypes.BINARY},
        responses={204: None},
    )
    def patch(self, request: Request, upload: uuid.UUID) -> Response:
        """Append bytes at the offset that the server has."""
        if request.content_type != MEDIA_TYPE:
            raise WrongMediaTypeError(expected=MEDIA_TYPE)
        found = self._upload(upload)
        offset = receive_body(request, found, header_number(request, "Upload-Offset"))
        return Response(
            status=status.HTTP_204_NO_CONTENT, headers={**progress_headers(found), "Upload-Offset": str(offset)}
        )

    @extend_schema(
        operation_id="uploads_terminate", summary="Cancel an upload", parameters=[_RESUMABLE], responses={204: None}
    )
    def delete(self, _request: Request, upload: uuid.UUID) -> Response:
        """Cancel the upload and delete its bytes."""
        upload_cancel(actor=self.actor, upload=self._upload(upload))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _upload(self, upload_id: uuid.UUID) -> Upload:
        return upload_get(actor=self.actor, upload_id=upload_id)


def receive_body(request: Request, upload: Upload, offset: int) -> int:
    """Append the request's body; returns the offset that is safe on disk."""
    environ = request._request.META  # noqa: SLF001  # the stream itself: Django's own would be cut at Content-Length 0
    body = Body(environ)
    if body.length is not None and offset + body.length > upload.length:
        raise ExceedsError(length=upload.length)
    checksum = parse_checksum(request.headers.get("Upload-Checksum", ""))
    with bounded_silence(environ):
        return receive(upload, offset, body, checksum)


def start_from_metadata(view: PortalApi, length: int, metadata: dict[str, str]) -> Upload:
    """Begin what the metadata describes, on behalf of the view's actor."""
    action = metadata.get("action") or UploadAction.ADD.value
    if action not in UploadAction.values:
        raise ProtocolError("upload-action", field="action")
    return upload_start(
        actor=view.actor,
        account=account_get(actor=view.actor, slug=required(metadata, "account")),
        action=UploadAction(action),
        application_id=required(metadata, "application"),
        version=required(metadata, "version"),
        filename=required(metadata, "filename"),
        length=length,
        sha256=metadata.get("sha256", ""),
        team=team_named(metadata.get("team", "")),
        display_name=metadata.get("display_name", ""),
        metadata={name: metadata[name][:200] for name in KEPT_METADATA if metadata.get(name)},
    )


def required(metadata: dict[str, str], name: str) -> str:
    value = metadata.get(name, "").strip()
    if not value:
        raise ProtocolError("upload-metadata", field=name, name=name)
    return value


def header_number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ProtocolError("upload-header", header=name)
    return int(text)


def parse_metadata(text: str) -> dict[str, str]:
    """`Upload-Metadata`: keys with base64 values, some of them empty. Raises `ProtocolError`."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        key, _, value = pair.strip().partition(" ")
        if not key:
            continue
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ProtocolError("upload-header", header="Upload-Metadata") from error
        if "\0" in found[key]:  # no database takes it
            raise ProtocolError("upload-header", header="Upload-Metadata")
    return found


class Expected:
    """The checksum that a request announced for its body."""

    def __init__(self, algorithm: str, digest: bytes) -> None:
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._digest = digest

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def matches(self) -> bool:
        return secrets.compare_digest(self._hash.digest(), self._digest)


def parse_checksum(text: str) -> Expected | None:
    """`Upload-Checksum`. Raises `ProtocolError` for an algorithm that the server does not have."""
    if not text:
        return None
    algorithm, _, value = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise ProtocolError("upload-checksum-algorithm")
    try:
        return Expected(algorithm, base64.b64decode(value.strip(), validate=True))
    except binascii.Error as error:
        raise ProtocolError("upload-checksum-algorithm") from error


def progress_headers(upload: Upload) -> dict[str, str]:
    """Until when the rest must have come."""
    return {} if upload.is_complete else {"Upload-Expires": http_date(upload.expires_at.timestamp())}


def address(upload: Upload, request: Request) -> str:
    return str(reverse("api-upload", kwargs={"upload": upload.pk}, request=request))
