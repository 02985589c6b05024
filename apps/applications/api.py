"""Applications and packages over the API. Uploads have routes of their own in `apps.applications.uploads`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.downloads import package_response
from apps.applications.listing import SORTS, ApplicationQuery, application_list, rows_matching
from apps.applications.names import MAX_DISPLAY_NAME_LENGTH
from apps.applications.ownership import team_named
from apps.applications.selectors import ApplicationDetails, PackageDetails, application_get
from apps.applications.services import (
    application_create,
    application_delete,
    application_update,
    owner_assign,
    package_activate,
    package_delete,
)
from apps.applications.uploads.content import ContentUpload
from apps.core.api import PortalApi
from apps.operations.api import OperationOutput
from apps.operations.models import Operation
from apps.people.roles import Permission


class PackageOutput(serializers.Serializer[PackageDetails]):
    """A version. What only the portal knows (size, checksum, uploader) is null where another tool uploaded it."""

    version = serializers.CharField()
    state = serializers.CharField(help_text="Pending or Active.")
    format = serializers.CharField()
    is_default = serializers.BooleanField()
    last_activation = serializers.DateTimeField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    sha256 = serializers.CharField(source="record.sha256", default=None, allow_null=True)
    filename = serializers.CharField(source="record.filename", default=None, allow_null=True)
    uploaded_by = serializers.CharField(source="record.uploaded_by_name", default=None, allow_null=True)
    uploaded_at = serializers.DateTimeField(source="record.uploaded_at", default=None, allow_null=True)
    entries = serializers.IntegerField(source="record.entries", default=None, allow_null=True)
    uncompressed_size = serializers.IntegerField(
        source="record.uncompressed_size", default=None, allow_null=True, help_text="Bytes."
    )
    operation = serializers.UUIDField(
        source="operation.id", default=None, allow_null=True, help_text="The operation that runs on it now."
    )


class ApplicationOutput(serializers.Serializer[ApplicationDetails]):
    """`default_version` and `allow_updates` are null where the account is connected by shared key."""

    application_id = serializers.CharField(source="id")
    display_name = serializers.CharField()
    default_version = serializers.CharField(allow_null=True, help_text="Empty when none is set.")
    allow_updates = serializers.BooleanField(allow_null=True)
    team = serializers.CharField(
        source="team.slug", default=None, allow_null=True, help_text="Slug of the owning team."
    )


class ApplicationDetailOutput(ApplicationOutput):
    packages = PackageOutput(many=True)


class ApplicationListApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {
        "get": Permission.VIEW_APPLICATIONS,
        "post": Permission.UPLOAD_PACKAGES,
    }

    class InputSerializer(serializers.Serializer[Any]):
        application_id = serializers.CharField(max_length=200)
        display_name = serializers.CharField(required=False, allow_blank=True, max_length=MAX_DISPLAY_NAME_LENGTH)
        allow_updates = serializers.BooleanField(required=False)
        team = serializers.SlugField(
            required=False, help_text="Slug of the team that will own it; needed only by members of several teams."
        )

    class OutputSerializer(ApplicationOutput):
        versions = serializers.ListField(
            child=serializers.CharField(), allow_null=True, help_text="Versions that are Active."
        )
        size = serializers.IntegerField(help_text="Bytes of the versions whose size the portal knows.")
        last_upload = serializers.DateTimeField(allow_null=True)

    @extend_schema(
        operation_id="applications_list",
        summary="List applications",
        parameters=[
            OpenApiParameter("account", str, OpenApiParameter.PATH),
            OpenApiParameter("q", str, description="Words in ID, display name, team or version."),
            OpenApiParameter("team", str, description="Slug of the owning team, or “-” for none."),
            OpenApiParameter("updates", str, enum=["yes", "no"]),
            OpenApiParameter("packages", str, enum=["some", "none"]),
            OpenApiParameter("sort", str, enum=[*SORTS, *(f"-{name}" for name in SORTS)]),
        ],
        responses=OutputSerializer(many=True),
    )
    def get(self, request: Request, **_: Any) -> Response:
        found = application_list(actor=self.actor, account=self.account)
        rows = rows_matching(found.rows, ApplicationQuery.parse(request.query_params))
        return self.paged(rows, self.OutputSerializer)

    @extend_schema(
        operation_id="applications_create",
        summary="Make an application without packages",
        parameters=[OpenApiParameter("account", str, OpenApiParameter.PATH)],
        request=InputSerializer,
        responses={201: ApplicationDetailOutput},
    )
    def post(self, request: Request, **_: Any) -> Response:
        """An application without packages; uploading its first package makes one too."""
        data = validated(self.InputSerializer, request)
        slug = data.pop("team", "")
        made = application_create(actor=self.actor, account=self.account, team=team_named(slug), **data)
        found = application_get(actor=self.actor, account=self.account, application_id=made.id)
        return Response(ApplicationDetailOutput(found).data, status=status.HTTP_201_CREATED)


_APPLICATION = [
    OpenApiParameter("account", str, OpenApiParameter.PATH),
    OpenApiParameter("application", str, OpenApiParameter.PATH),
]
_PACKAGE = [*_APPLICATION, OpenApiParameter("version", str, OpenApiParameter.PATH)]


class ApplicationApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {
        "get": Permission.VIEW_APPLICATIONS,
        "patch": Permission.UPLOAD_PACKAGES,
        "delete": Permission.UPLOAD_PACKAGES,
    }

    class InputSerializer(serializers.Serializer[Any]):
        display_name = serializers.CharField(required=False, allow_blank=True, max_length=MAX_DISPLAY_NAME_LENGTH)
        default_version = serializers.CharField(
            required=False, allow_blank=True, help_text="An Active version, or empty for none."
        )
        allow_updates = serializers.BooleanField(required=False)
        team = serializers.SlugField(
            required=False, allow_null=True, help_text="Slug of the owning team, or null; administrators only."
        )

    @extend_schema(
        operation_id="applications_get",
        summary="Read an application",
        parameters=_APPLICATION,
        responses=ApplicationDetailOutput,
    )
    def get(self, _request: Request, application: str, **_: Any) -> Response:
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        return Response(ApplicationDetailOutput(found).data)

    @extend_schema(
        operation_id="applications_update",
        summary="Change an application",
        parameters=_APPLICATION,
        request=InputSerializer,
        responses=ApplicationDetailOutput,
    )
    def patch(self, request: Request, application: str, **_: Any) -> Response:
        """Changes what is given and leaves the rest."""
        data = validated(self.InputSerializer, request)
        if "team" in data:
            team = team_named(data.pop("team") or "")
            owner_assign(actor=self.actor, account=self.account, application_id=application, team=team)
        if data:
            application_update(actor=self.actor, account=self.account, application_id=application, **data)
        return self.get(request, application)

    @extend_schema(
        operation_id="applications_delete",
        summary="Delete an application with the packages that are named",
        parameters=[
            *_APPLICATION,
            OpenApiParameter(
                "version",
                str,
                many=True,
                description="Each package that goes with it; the request is refused while it holds any other.",
            ),
        ],
        responses={202: OperationOutput},
    )
    def delete(self, request: Request, application: str, **_: Any) -> Response:
        """Starts an operation that deletes the named packages and then the application."""
        versions = request.query_params.getlist("version")
        operation = application_delete(
            actor=self.actor, account=self.account, application_id=application, versions=versions
        )
        return started(operation, request)


class PackageListApi(PortalApi):
    permission = Permission.VIEW_APPLICATIONS

    @extend_schema(
        operation_id="packages_list",
        summary="List packages",
        parameters=_APPLICATION,
        responses=PackageOutput(many=True),
    )
    def get(self, _request: Request, application: str, **_: Any) -> Response:
        """Packages of the application, newest activation first."""
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        return self.paged(found.packages, PackageOutput)


class PackageApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {
        "get": Permission.VIEW_APPLICATIONS,
        "delete": Permission.UPLOAD_PACKAGES,
    }

    @extend_schema(operation_id="packages_get", summary="Read a package", parameters=_PACKAGE, responses=PackageOutput)
    def get(self, _request: Request, application: str, version: str, **_: Any) -> Response:
        found = application_get(actor=self.actor, account=self.account, application_id=application)
        return Response(PackageOutput(found.package(version)).data)

    @extend_schema(
        operation_id="packages_delete",
        summary="Delete a package",
        parameters=_PACKAGE,
        responses={202: OperationOutput},
    )
    def delete(self, request: Request, application: str, version: str, **_: Any) -> Response:
        """Starts an operation that deletes the package; the default version is cleared when it is this one."""
        operation = package_delete(actor=self.actor, account=self.account, application_id=application, version=version)
        return started(operation, request)


class PackageActivateApi(PortalApi):
    permission = Permission.UPLOAD_PACKAGES

    @extend_schema(
        operation_id="packages_activate",
        summary="Activate a Pending package",
        parameters=_PACKAGE,
        request=None,
        responses={202: OperationOutput},
    )
    def post(self, request: Request, application: str, version: str, **_: Any) -> Response:
        """Starts an operation that activates a Pending package whose zip is in blob storage already."""
        operation = package_activate(
            actor=self.actor, account=self.account, application_id=application, version=version
        )
        return started(operation, request)


class PackageContentApi(ContentUpload, PortalApi):
    permission: ClassVar[dict[str, Permission]] = {
        "get": Permission.VIEW_APPLICATIONS,
        "put": Permission.UPLOAD_PACKAGES,
    }

    @extend_schema(
        operation_id="packages_download",
        summary="Download a package",
        parameters=[*_PACKAGE, OpenApiParameter("Range", str, OpenApiParameter.HEADER)],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (206, "application/zip"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="The ETag of If-None-Match still holds."),
            416: OpenApiResponse(description="The range lies behind the end."),
        },
    )
    def get(self, request: Request, application: str, version: str, **_: Any) -> HttpResponseBase:
        """The zip. Ranges are honoured, and `Repr-Digest` carries the SHA-256 where the portal knows it."""
        return package_response(
            request._request,  # noqa: SLF001
            actor=self.actor,
            account=self.account,
            application_id=application,
            version=version,
        )


def validated(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The request's body by the serializer's rules. Raises DRF's `ValidationError`."""
    found = serializer(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def started(operation: Operation, request: Request) -> Response:
    """202 with the operation, and where to ask for its end."""
    data = OperationOutput(operation, context={"request": request}).data
    return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": str(data["url"])})
