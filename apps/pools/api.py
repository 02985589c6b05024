"""Pools over the API. A pool is made from the service's own JSON, and errors name the path of what breaks a rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, NoReturn

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api import started, validated
from apps.core.api import PortalApi
from apps.operations.api import OperationOutput
from apps.people.roles import Permission
from apps.pools import catalogue
from apps.pools.document import exported, masked
from apps.pools.models import PoolSnapshot
from apps.pools.selectors import SORTS, AutoScaleRun, PoolSearch, pool_live, pool_search, pool_snapshot
from apps.pools.services.changing import metadata_change, packages_change, start_task_change
from apps.pools.services.creating import PoolRefused, pool_create
from apps.pools.services.scaling import (
    DEALLOCATIONS,
    auto_scale_disable,
    auto_scale_enable,
    auto_scale_evaluate,
    pool_delete,
    pool_resize,
    resize_stop,
)

_ACCOUNT = [OpenApiParameter("account", str, OpenApiParameter.PATH)]
_POOL = [*_ACCOUNT, OpenApiParameter("pool", str, OpenApiParameter.PATH)]
_ACTS: dict[str, Permission] = {"get": Permission.VIEW_ACCOUNT, "post": Permission.OPERATE}


class PoolOutput(serializers.ModelSerializer[PoolSnapshot]):
    """A pool as the portal saw it last."""

    id = serializers.CharField(source="pool_id", read_only=True)
    packages = serializers.SerializerMethodField(help_text="Application and version; an empty version is the default.")
    nodes_by_state = serializers.DictField(source="by_state", child=serializers.IntegerField(), read_only=True)
    resize_errors = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = PoolSnapshot
        fields = [
            "id",
            "display_name",
            "state",
            "allocation_state",
            "vm_size",
            "image",
            "node_agent_sku_id",
            "current_dedicated",
            "target_dedicated",
            "current_spot",
            "target_spot",
            "auto_scale",
            "task_slots",
            "packages",
            "nodes_by_state",
            "resize_errors",
            "has_start_task",
            "start_task_changed",
            "packages_changed",
            "contents_changed",
            "created",
        ]
        read_only_fields = fields

    def get_packages(self, pool: PoolSnapshot) -> list[dict[str, str]]:
        return [{"application": application, "version": version} for application, version in pool.packages]


class PoolDetailOutput(serializers.Serializer[Any]):
    pool = PoolOutput()
    document = serializers.DictField(
        help_text="What creates a pool like this one. Without the role operator, secrets in it are hidden."
    )


class MadeOutput(serializers.Serializer[Any]):
    id = serializers.CharField()
    operation = serializers.UUIDField(allow_null=True, help_text="Follows the coming of its nodes; null without any.")


class PoolListApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = _ACTS

    @extend_schema(
        operation_id="pools_list",
        summary="List pools",
        parameters=[
            *_ACCOUNT,
            OpenApiParameter(
                "q", str, description="Words in ID or display name; a word with * at its end begins the ID."
            ),
            OpenApiParameter("state", str, enum=["steady", "resizing", "stopping", "deleting"]),
            OpenApiParameter("scale", str, enum=["fixed", "auto"]),
            OpenApiParameter(
                "trouble",
                str,
                enum=["resize", "auto", "stale", "nodes"],
                description="Errors of a resize, of automatic scaling; nodes without the last change, broken nodes.",
            ),
            OpenApiParameter("size", str),
            OpenApiParameter("package", str, description="Application ID, or ID:version, that the pool references."),
            OpenApiParameter("sort", str, enum=[*SORTS, *(f"-{name}" for name in SORTS)]),
        ],
        responses=PoolOutput(many=True),
    )
    def get(self, request: Request, **_more: Any) -> Response:
        search = PoolSearch.parse(request.query_params)
        return self.paged(pool_search(actor=self.actor, account=self.account, search=search), PoolOutput)

    @extend_schema(
        operation_id="pools_create", parameters=_ACCOUNT, request=OpenApiTypes.OBJECT, responses={201: MadeOutput}
    )
    def post(self, request: Request, **_more: Any) -> Response:
        """A pool from the document that `az batch pool create --json-file` takes.

        Errors name the path of each property that breaks a rule of the service.
        """
        document: Any = request.data
        try:
            operation = pool_create(actor=self.actor, account=self.account, document=document)
        except PoolRefused as refused:
            _refuse(refused)
        made = {"id": document["id"], "operation": operation.pk if operation else None}
        return Response(MadeOutput(made).data, status=status.HTTP_201_CREATED)


class PoolUpdateInput(serializers.Serializer[Any]):
    start_task = serializers.DictField(
        required=False, allow_null=True, help_text="In the service's names; null takes it away."
    )
    packages = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        required=False,
        help_text="applicationId and, unless the default is meant, version.",
    )
    metadata = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField(allow_blank=True)),
        required=False,
        help_text="name and value.",
    )


class PoolApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {
        "get": Permission.VIEW_ACCOUNT,
        "patch": Permission.OPERATE,
        "delete": Permission.OPERATE,
    }

    @extend_schema(operation_id="pools_get", summary="Read a pool", parameters=_POOL, responses=PoolDetailOutput)
    def get(self, _request: Request, pool: str, **_more: Any) -> Response:
        snapshot = pool_snapshot(actor=self.actor, account=self.account, pool_id=pool)
        document = exported(pool_live(actor=self.actor, account=self.account, pool_id=pool).wire)
        if not self.actor.may(Permission.OPERATE, self.account):
            document = masked(document, values_too=True)
        return Response(PoolDetailOutput({"pool": snapshot, "document": document}).data)

    @extend_schema(operation_id="pools_update", parameters=_POOL, request=PoolUpdateInput, responses={204: None})
    def patch(self, request: Request, pool: str, **_more: Any) -> Response:
        """Changes what is given. Nodes take a start task and packages at their next reboot or reimage."""
        data = validated(PoolUpdateInput, request)
        shared: dict[str, Any] = {"actor": self.actor, "account": self.account, "pool_id": pool}
        try:
            if "start_task" in data:
                start_task_change(**shared, task=data["start_task"])
            if "packages" in data:
                packages_change(**shared, references=data["packages"])
            if "metadata" in data:
                metadata_change(**shared, items=data["metadata"])
        except PoolRefused as refused:
            _refuse(refused)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="pools_delete", parameters=_POOL, responses={202: OperationOutput})
    def delete(self, request: Request, pool: str, **_more: Any) -> Response:
        """Starts an operation that deletes the pool with all its nodes."""
        return started(pool_delete(actor=self.actor, account=self.account, pool_id=pool), request)


class PoolResizeInput(serializers.Serializer[Any]):
    dedicated = serializers.IntegerField(min_value=0, max_value=1_000_000)
    spot = serializers.IntegerField(min_value=0, max_value=1_000_000, default=0)
    timeout_minutes = serializers.IntegerField(min_value=5, max_value=100_000, required=False)
    deallocation = serializers.ChoiceField(choices=DEALLOCATIONS, default="requeue")


class PoolResizeApi(PortalApi):
    permission = Permission.OPERATE

    @extend_schema(
        operation_id="pools_resize", parameters=_POOL, request=PoolResizeInput, responses={202: OperationOutput}
    )
    def post(self, request: Request, pool: str, **_more: Any) -> Response:
        """Starts an operation that brings the pool to fixed targets."""
        data = validated(PoolResizeInput, request)
        minutes = data.pop("timeout_minutes", None)
        operation = pool_resize(
            actor=self.actor,
            account=self.account,
            pool_id=pool,
            timeout=timedelta(minutes=minutes) if minutes else None,
            **data,
        )
        return started(operation, request)


class PoolStopResizeApi(PortalApi):
    permission = Permission.OPERATE

    @extend_schema(operation_id="pools_stop_resize", parameters=_POOL, request=None, responses={204: None})
    def post(self, _request: Request, pool: str, **_more: Any) -> Response:
        """Stops the resize that is under way; the pool keeps the nodes it has by then."""
        resize_stop(actor=self.actor, account=self.account, pool_id=pool)
        return Response(status=status.HTTP_204_NO_CONTENT)


class FormulaInput(serializers.Serializer[Any]):
    formula = serializers.CharField(max_length=8192, trim_whitespace=False)
    interval_minutes = serializers.IntegerField(min_value=5, max_value=168 * 60, required=False)


class RunOutput(serializers.Serializer[AutoScaleRun]):
    at = serializers.DateTimeField(allow_null=True)
    results = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    def get_results(self, run: AutoScaleRun) -> dict[str, str]:
        return dict(run.results)

    def get_error(self, run: AutoScaleRun) -> dict[str, Any] | None:
        return run.error.as_dict() if run.error else None


class PoolAutoScaleApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {"put": Permission.OPERATE, "delete": Permission.OPERATE}

    @extend_schema(operation_id="pools_auto_scale", parameters=_POOL, request=FormulaInput, responses={204: None})
    def put(self, request: Request, pool: str, **_more: Any) -> Response:
        """Scales the pool by a formula from now on."""
        data = validated(FormulaInput, request)
        minutes = data.get("interval_minutes")
        try:
            auto_scale_enable(
                actor=self.actor,
                account=self.account,
                pool_id=pool,
                formula=data["formula"],
                interval=timedelta(minutes=minutes) if minutes else None,
            )
        except PoolRefused as refused:
            _refuse(refused)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="pools_auto_scale_off", parameters=_POOL, responses={204: None})
    def delete(self, _request: Request, pool: str, **_more: Any) -> Response:
        """Turns automatic scaling off; the pool keeps its targets."""
        auto_scale_disable(actor=self.actor, account=self.account, pool_id=pool)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PoolEvaluateApi(PortalApi):
    permission = Permission.OPERATE

    @extend_schema(operation_id="pools_evaluate", parameters=_POOL, request=FormulaInput, responses=RunOutput)
    def post(self, request: Request, pool: str, **_more: Any) -> Response:
        """What a formula gives now, without following it."""
        data = validated(FormulaInput, request)
        try:
            run = auto_scale_evaluate(actor=self.actor, account=self.account, pool_id=pool, formula=data["formula"])
        except PoolRefused as refused:
            _refuse(refused)
        return Response(RunOutput(run).data)


class ImageOutput(serializers.Serializer[Any]):
    publisher = serializers.CharField()
    offer = serializers.CharField()
    sku = serializers.CharField()
    version = serializers.CharField()
    node_agent_sku_id = serializers.CharField()
    os_type = serializers.CharField()
    verified = serializers.BooleanField()
    capabilities = serializers.ListField(child=serializers.CharField())
    end_of_support = serializers.DateTimeField(allow_null=True)


class ImageListApi(PortalApi):
    permission = Permission.VIEW_ACCOUNT

    @extend_schema(
        operation_id="pool_images_list", summary="List images", parameters=_ACCOUNT, responses=ImageOutput(many=True)
    )
    def get(self, _request: Request, **_more: Any) -> Response:
        """The marketplace images that the service supports at present."""
        return self.paged(catalogue.images(actor=self.actor, account=self.account).value or (), ImageOutput)


class SizeOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    family = serializers.CharField()
    cores = serializers.IntegerField()
    memory = serializers.FloatField(help_text="GiB.")
    disk = serializers.FloatField(help_text="Local disk in GiB; 0: none.")
    gpus = serializers.IntegerField()
    spot = serializers.BooleanField()
    arm64 = serializers.BooleanField()
    end_of_life = serializers.DateTimeField(allow_null=True)


class SizeListApi(PortalApi):
    permission = Permission.VIEW_ACCOUNT

    @extend_schema(
        operation_id="vm_sizes_list", summary="List VM sizes", parameters=_ACCOUNT, responses=SizeOutput(many=True)
    )
    def get(self, _request: Request, **_more: Any) -> Response:
        """The machine sizes of the account's region; empty where only the data plane is connected."""
        return self.paged(catalogue.sizes(actor=self.actor, account=self.account).value or (), SizeOutput)


class RulesBroken(serializers.ValidationError):
    """Understood, and refused by the rules of the service."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


def _refuse(refused: PoolRefused) -> NoReturn:
    found: dict[str, list[str]] = {}
    for flaw in refused.flaws:
        found.setdefault(flaw.path or "non_field_errors", []).append(flaw.message)
    raise RulesBroken(found) from refused
