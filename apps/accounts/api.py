"""Batch accounts over the API: list, read, test, and the storage link."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import BatchAccount
from apps.accounts.presentation import plane_rows
from apps.accounts.reading import Reading
from apps.accounts.selectors import account_properties, account_search, storage_accounts
from apps.accounts.services.accounts import account_test
from apps.accounts.services.storage import storage_link, storage_sync_keys, storage_unlink
from apps.core.api import PortalApi
from apps.core.messages import message_for
from apps.operations.api import OperationOutput
from apps.operations.models import Operation
from apps.people.roles import Permission


class AccountOutput(serializers.ModelSerializer[BatchAccount]):
    """`slug` names the account in all other addresses. Secrets are never part of an answer."""

    role = serializers.SerializerMethodField()
    title = serializers.CharField(source="__str__", read_only=True)

    class Meta:
        model = BatchAccount
        fields = [
            "slug",
            "title",
            "name",
            "subscription_id",
            "resource_group",
            "location",
            "batch_endpoint",
            "auth_method",
            "has_management_plane",
            "role",
            "created_at",
        ]
        read_only_fields = fields

    def get_role(self, account: BatchAccount) -> str | None:
        role = self.context["actor"].role_on(account)
        return role.value if role else None


class ProblemOutput(serializers.Serializer[Any]):
    """Why Azure gave no newer answer."""

    code = serializers.CharField()
    message = serializers.CharField()
    service_code = serializers.CharField()
    request_id = serializers.CharField()


class AutoStorageOutput(serializers.Serializer[Any]):
    storage_account_id = serializers.CharField()
    name = serializers.CharField()
    authentication_mode = serializers.CharField()
    last_key_sync = serializers.DateTimeField(allow_null=True)


class PropertiesOutput(serializers.Serializer[Any]):
    """What the management plane says. Quotas of cores are null where Azure enforces none."""

    location = serializers.CharField()
    account_endpoint = serializers.CharField()
    node_management_endpoint = serializers.CharField()
    provisioning_state = serializers.CharField()
    pool_allocation_mode = serializers.CharField()
    public_network_access = serializers.CharField()
    dedicated_core_quota = serializers.IntegerField(allow_null=True)
    low_priority_core_quota = serializers.IntegerField(allow_null=True)
    pool_quota = serializers.IntegerField()
    active_job_quota = serializers.IntegerField()
    authentication_modes = serializers.ListField(child=serializers.CharField())
    auto_storage = AutoStorageOutput(allow_null=True)


class AccountDetailsOutput(AccountOutput):
    """`properties` are as of `read_at`, null while nothing is known; `problem` says why they are not newer."""

    properties = PropertiesOutput(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    problem = ProblemOutput(allow_null=True)

    class Meta(AccountOutput.Meta):
        fields = [*AccountOutput.Meta.fields, "properties", "read_at", "problem"]
        read_only_fields = fields


class PlaneOutput(serializers.Serializer[Any]):
    """`milliseconds` is how long the answer took; `code` and `request_id` are the service's."""

    plane = serializers.CharField(source="label")
    status = serializers.CharField()
    ok = serializers.SerializerMethodField()
    milliseconds = serializers.IntegerField()
    message = serializers.CharField(source="text")
    code = serializers.CharField()
    request_id = serializers.CharField()

    def get_ok(self, row: Any) -> bool:
        return bool(row.tone == "success")


class StorageAccountOutput(serializers.Serializer[Any]):
    """`unfit` is empty for one that can be linked, else the reason why not."""

    id = serializers.CharField()
    name = serializers.CharField()
    resource_group = serializers.CharField()
    location = serializers.CharField()
    kind = serializers.CharField()
    sku = serializers.CharField()
    unfit = serializers.SerializerMethodField()

    def get_unfit(self, storage: Any) -> str:
        return message_for(storage.unfit, {}) if storage.unfit else ""


class StorageCandidatesOutput(serializers.Serializer[Any]):
    """`results` are as of `read_at`; `problem` says why they are not newer."""

    results = StorageAccountOutput(many=True)
    read_at = serializers.DateTimeField(allow_null=True)
    problem = ProblemOutput(allow_null=True)


class StorageOutput(serializers.Serializer[Any]):
    linked = AutoStorageOutput(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    problem = ProblemOutput(allow_null=True)


class StorageLinkInput(serializers.Serializer[Any]):
    storage_account_id = serializers.CharField(max_length=400, help_text="Full resource ID of the storage account.")


class AccountListApi(PortalApi):
    permission = Permission.SIGNED_IN
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="accounts_list",
        summary="List Batch accounts",
        parameters=[OpenApiParameter("q", str, description="Words in name, title, subscription, group, endpoint.")],
        responses=AccountOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        found = account_search(actor=self.actor, words=request.query_params.get("q", "")[:200])
        return self.paged(found, AccountOutput)


class AccountApi(PortalApi):
    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head", "options"]

    @extend_schema(operation_id="accounts_get", summary="Read a Batch account", responses=AccountDetailsOutput)
    def get(self, request: Request, account: str) -> Response:
        reading = account_properties(actor=self.actor, account=self.account)
        plain = AccountOutput(self.account, context={"actor": self.actor}).data
        properties = PropertiesOutput(reading.value).data if reading.value else None
        return Response({**plain, "properties": properties, **_age(reading)})


class AccountTestApi(PortalApi):
    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="accounts_test", summary="Test both planes", request=None, responses=PlaneOutput(many=True)
    )
    def post(self, request: Request, account: str) -> Response:
        rows = plane_rows(account_test(actor=self.actor, account=self.account))
        return Response(PlaneOutput(rows, many=True).data)


class StorageApi(PortalApi):
    """The linked storage account. Linking and unlinking answer 202 with the operation that does it."""

    permission: ClassVar[dict[str, Permission]] = {
        "get": Permission.VIEW_ACCOUNT,
        "put": Permission.MANAGE_ACCOUNT,
        "delete": Permission.MANAGE_ACCOUNT,
    }
    http_method_names = ["get", "head", "put", "delete", "options"]

    @extend_schema(operation_id="storage_get", summary="Read the storage link", responses=StorageOutput)
    def get(self, request: Request, account: str) -> Response:
        reading = account_properties(actor=self.actor, account=self.account)
        linked = reading.value.auto_storage if reading.value else None
        return Response({"linked": AutoStorageOutput(linked).data if linked else None, **_age(reading)})

    @extend_schema(
        operation_id="storage_link",
        summary="Link or change the storage account",
        request=StorageLinkInput,
        responses={202: OperationOutput},
    )
    def put(self, request: Request, account: str) -> Response:
        asked = StorageLinkInput(data=request.data)
        asked.is_valid(raise_exception=True)
        return _accepted(request, storage_link(actor=self.actor, account=self.account, **asked.validated_data))

    @extend_schema(
        operation_id="storage_unlink", summary="Unlink the storage account", responses={202: OperationOutput}
    )
    def delete(self, request: Request, account: str) -> Response:
        return _accepted(request, storage_unlink(actor=self.actor, account=self.account))


class StorageSyncApi(PortalApi):
    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="storage_sync", summary="Synchronise storage keys", request=None, responses={202: OperationOutput}
    )
    def post(self, request: Request, account: str) -> Response:
        return _accepted(request, storage_sync_keys(actor=self.actor, account=self.account))


class StorageCandidatesApi(PortalApi):
    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="storage_candidates",
        summary="List storage accounts of the subscription",
        responses=StorageCandidatesOutput,
    )
    def get(self, request: Request, account: str) -> Response:
        reading = storage_accounts(actor=self.actor, account=self.account)
        return Response({"results": StorageAccountOutput(reading.value or (), many=True).data, **_age(reading)})


def _age(reading: Reading[Any]) -> dict[str, Any]:
    problem = ProblemOutput(reading.problem).data if reading.problem else None
    return {"read_at": reading.read_at, "problem": problem}


def _accepted(request: Request, operation: Operation) -> Response:
    found = OperationOutput(operation, context={"request": request}).data
    return Response(found, status=status.HTTP_202_ACCEPTED, headers={"Location": found["url"]})
