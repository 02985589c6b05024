"""A whole package in one request, for curl: `PUT …/packages/<version>/content` with the zip as the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.models import Upload, UploadAction
from apps.applications.ownership import team_named
from apps.applications.uploads.body import Body, bounded_silence, drain
from apps.applications.uploads.errors import ProtocolError
from apps.applications.uploads.receiving import receive
from apps.applications.uploads.services import upload_cancel, upload_start
from apps.operations.api import OperationDetailOutput, operation_wait, wait_seconds

if TYPE_CHECKING:
    from apps.core.api import PortalApi

    Base = PortalApi
else:
    Base = object

TRUE = frozenset({"1", "true", "yes"})


class ContentUpload(Base):
    """The PUT of a package's content. Mixed into the route that answers its GET."""

    @extend_schema(
        operation_id="packages_upload",
        summary="Upload a package in one request",
        parameters=[
            OpenApiParameter("account", str, OpenApiParameter.PATH),
            OpenApiParameter("application", str, OpenApiParameter.PATH),
            OpenApiParameter("version", str, OpenApiParameter.PATH),
            OpenApiParameter("create", bool, description="Make the application too; it must not exist yet."),
            OpenApiParameter("update", bool, description="Replace the version's bytes if it is Active already."),
            OpenApiParameter("team", str, description="Slug of the owning team of a new application."),
            OpenApiParameter("sha256", str, description="Activate only if the bytes have this checksum."),
            OpenApiParameter("filename", str, description="Name to show; application-version.zip unless given."),
            OpenApiParameter("wait", OpenApiTypes.NUMBER, description="Seconds to wait for the end, at most 60."),
        ],
        request={"application/zip": OpenApiTypes.BINARY, "application/octet-stream": OpenApiTypes.BINARY},
        responses={200: OperationDetailOutput, 202: OperationDetailOutput},
    )
    def put(self, request: Request, application: str, version: str, **_: Any) -> Response:
        """Upload a zip in one request. 202 with the operation; with `wait`, 200 when it has ended within that time."""
        seconds = wait_seconds(request)
        upload = self._start(request, application, version)
        self._receive(request, upload)
        operation = operation_wait(upload.operation, seconds)
        data = OperationDetailOutput(operation, context={"request": request}).data
        code = status.HTTP_202_ACCEPTED if operation.is_active else status.HTTP_200_OK
        return Response(data, status=code, headers={"Location": str(data["url"])})

    def handle_exception(self, exc: Exception) -> Response:
        if self.request.method == "PUT":
            drain(self.request.META)
        return super().handle_exception(exc)

    def _start(self, request: Request, application: str, version: str) -> Upload:
        query = request.query_params
        length = Body(request._request.META).length  # noqa: SLF001
        if length is None:
            # curl --upload-file - and others that do not know the length use tus, or say it beforehand.
            raise ProtocolError("upload-length-missing")
        return upload_start(
            actor=self.actor,
            account=self.account,
            action=_action(request),
            application_id=application,
            version=version,
            filename=query.get("filename") or f"{application}-{version}.zip",
            length=length,
            sha256=query.get("sha256", ""),
            team=team_named(query.get("team", "")),
        )

    def _receive(self, request: Request, upload: Upload) -> None:
        """Take the whole body; a request that breaks off cannot be resumed, so its upload is cancelled."""
        environ = request._request.META  # noqa: SLF001
        try:
            with bounded_silence(environ):
                safe = receive(upload, 0, Body(environ))
        except BaseException:
            upload_cancel(actor=self.actor, upload=upload)
            raise
        if safe < upload.length:
            upload_cancel(actor=self.actor, upload=upload)
            raise ProtocolError("upload-cut-off", received=safe, length=upload.length)


def _action(request: Request) -> UploadAction:
    query = request.query_params
    if query.get("create", "").lower() in TRUE:
        return UploadAction.NEW_APPLICATION
    return UploadAction.UPDATE if query.get("update", "").lower() in TRUE else UploadAction.ADD
