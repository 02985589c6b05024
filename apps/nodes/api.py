"""Nodes over the API: list, read, act, users, logins, files."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import PortalApi
from apps.core.exceptions import Invalid, NotVisible
from apps.nodes.actions import NodeAction, TaskOption
from apps.nodes.files import node_file_delete, node_files
from apps.nodes.listing import MOST, SORTS, SPANS, NodeSearch, node_search
from apps.nodes.logins import Login, logins
from apps.nodes.models import NodeSnapshot, NodeStateChange, NodeWork, PoolUser, Progress
from apps.nodes.selectors import node_history, node_snapshot, pool_user_get, pool_user_list, work_get, work_rows
from apps.nodes.services.acting import nodes_act
from apps.nodes.services.users import WantedUser, pool_user_add, pool_user_remove
from apps.nodes.views.acting import reason
from apps.nodes.views.files import file_response
from apps.operations.api import OperationOutput
from apps.operations.models import Operation
from apps.people.roles import Permission
from apps.pools.polling import watch
from apps.pools.selectors import is_stale, pool_snapshot

_ACCOUNT = OpenApiParameter("account", str, OpenApiParameter.PATH)
_POOL = [_ACCOUNT, OpenApiParameter("pool", str, OpenApiParameter.PATH)]
_NODE = [*_POOL, OpenApiParameter("node", str, OpenApiParameter.PATH)]
_USER = [*_POOL, OpenApiParameter("name", str, OpenApiParameter.PATH)]
_PATH = OpenApiParameter("path", str, description="From the node's root directory, with forward slashes.")
_SEARCH = [
    OpenApiParameter("q", str, description="Words in node ID or at the beginning of the private address."),
    OpenApiParameter("state", str),
    OpenApiParameter("scheduling", str, enum=["enabled", "disabled"]),
    OpenApiParameter("kind", str, enum=["dedicated", "spot"]),
    OpenApiParameter("errors", str, enum=["yes", "no"]),
    OpenApiParameter("start_task", str, enum=["success", "failure", "running", "none"]),
    OpenApiParameter("package", str, description="Application ID, or ID:version, that the pool references."),
    OpenApiParameter("size", str),
    OpenApiParameter("agent", str),
    OpenApiParameter("stale", str, enum=["yes", "no"], description="Booted before its pool's last change."),
    OpenApiParameter("since", str, enum=list(SPANS), description="In their state for longer than this."),
    OpenApiParameter("boot", str, enum=list(SPANS), description="Booted longer ago than this."),
    OpenApiParameter("busy", str, enum=["yes", "no"], description="Whether tasks run on them now."),
    OpenApiParameter("used", str, enum=["yes", "no"], description="Whether a task ever ran on them."),
    OpenApiParameter("sort", str, enum=[*SORTS, *(f"-{name}" for name in SORTS)]),
]


class NodeOutput(serializers.ModelSerializer[NodeSnapshot]):
    """A node as the portal read it last. Times are the service's."""

    pool = serializers.CharField(source="pool.pool_id")
    kind = serializers.SerializerMethodField()
    packages = serializers.SerializerMethodField(help_text="References of the pool: application ID and version.")
    stale = serializers.SerializerMethodField(
        help_text="Whether it booted before its pool's start task, packages or what those hold changed."
    )

    class Meta:
        model = NodeSnapshot
        fields = [
            "pool",
            "node_id",
            "state",
            "state_since",
            "scheduling_state",
            "ip_address",
            "kind",
            "vm_size",
            "running_tasks",
            "running_slots",
            "total_tasks",
            "total_succeeded",
            "allocated",
            "last_boot",
            "agent_version",
            "image_version",
            "packages",
            "stale",
            "start_task_state",
            "start_task_result",
            "start_task_exit_code",
            "start_task_retries",
            "start_task_failure",
            "errors",
        ]
        read_only_fields = fields

    def get_kind(self, node: NodeSnapshot) -> str:
        return "dedicated" if node.is_dedicated else "spot"

    def get_stale(self, node: NodeSnapshot) -> bool:
        return is_stale(node)

    def get_packages(self, node: NodeSnapshot) -> list[list[str]]:
        return [[str(part) for part in pair] for pair in node.pool.packages]


class ChangeOutput(serializers.ModelSerializer[NodeStateChange]):
    class Meta:
        model = NodeStateChange
        fields = ["at", "before", "after", "note"]
        read_only_fields = fields


class NodeDetailOutput(NodeOutput):
    history = serializers.SerializerMethodField()

    class Meta(NodeOutput.Meta):
        fields = [*NodeOutput.Meta.fields, "history"]
        read_only_fields = fields

    def get_history(self, node: NodeSnapshot) -> list[dict[str, Any]]:
        found = node_history(actor=self.context["actor"], node=node)
        return [dict(one) for one in ChangeOutput(found, many=True).data]


class NodeListApi(PortalApi):
    """Nodes of the whole account."""

    permission = Permission.VIEW_ACCOUNT

    @extend_schema(
        operation_id="nodes_list",
        summary="List the nodes of an account",
        parameters=[_ACCOUNT, OpenApiParameter("pool", str), *_SEARCH],
        responses=NodeOutput(many=True),
    )
    def get(self, request: Request, **_: Any) -> Response:
        watch(self.account)
        search = NodeSearch.parse(request.query_params)
        return self.paged(node_search(actor=self.actor, account=self.account, search=search), NodeOutput)


class PoolNodeListApi(PortalApi):
    """Nodes of one pool."""

    permission = Permission.VIEW_ACCOUNT

    @extend_schema(
        operation_id="pool_nodes_list",
        summary="List the nodes of a pool",
        parameters=[*_POOL, *_SEARCH],
        responses=NodeOutput(many=True),
    )
    def get(self, request: Request, pool: str, **_: Any) -> Response:
        watch(self.account)
        found = pool_snapshot(actor=self.actor, account=self.account, pool_id=pool)
        search = NodeSearch.parse({**request.query_params.dict(), "pool": found.pool_id})
        return self.paged(node_search(actor=self.actor, account=self.account, search=search), NodeOutput)


class NodeApi(PortalApi):
    """One node, with the history of its state."""

    permission = Permission.VIEW_ACCOUNT

    @extend_schema(operation_id="nodes_get", summary="Read a node", parameters=_NODE, responses=NodeDetailOutput)
    def get(self, request: Request, pool: str, node: str, **_: Any) -> Response:
        found = node_snapshot(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        return Response(NodeDetailOutput(found, context={"request": request, "actor": self.actor}).data)


# --- Acting ---------------------------------------------------------------------------------------------------------
class NodeActionApi(PortalApi):
    """Acts on nodes of a pool: those named, or all."""

    permission = Permission.OPERATE

    class NodeActionInput(serializers.Serializer[Any]):
        action = serializers.ChoiceField(choices=NodeAction.choices)
        nodes = serializers.ListField(
            child=serializers.CharField(max_length=128), required=False, max_length=MOST, help_text="Node IDs."
        )
        all = serializers.BooleanField(required=False, help_text="All nodes of the pool, instead of `nodes`.")
        option = serializers.ChoiceField(
            choices=TaskOption.choices, required=False, help_text="What becomes of running tasks; default requeue."
        )

    @extend_schema(
        operation_id="nodes_act",
        summary="Act on nodes",
        parameters=_POOL,
        request=NodeActionInput,
        responses={202: OperationOutput},
    )
    def post(self, request: Request, pool: str, **_: Any) -> Response:
        """Starts an operation; `/operations/<id>/nodes` tells how it is with each node."""
        data = _validated(self.NodeActionInput, request)
        found = pool_snapshot(actor=self.actor, account=self.account, pool_id=pool)
        operation = nodes_act(
            actor=self.actor,
            account=self.account,
            action=data["action"],
            targets=[(found.pool_id, node) for node in _nodes(data, found)],
            option=data.get("option", ""),
        )
        return _started(operation, request)


def _nodes(data: dict[str, Any], pool: Any) -> list[str]:
    if data.get("all") and data.get("nodes"):
        raise Invalid("nodes-all-or-some", field="nodes")
    if data.get("all"):
        return list(pool.nodes.order_by("node_id").values_list("node_id", flat=True))
    return list(data.get("nodes", []))


class WorkOutput(serializers.ModelSerializer[NodeWork]):
    """How an operation is with one node."""

    pool = serializers.CharField(source="pool_id")
    message = serializers.SerializerMethodField()

    class Meta:
        model = NodeWork
        fields = ["pool", "node_id", "progress", "code", "message", "request_id", "changed_at"]
        read_only_fields = fields

    def get_message(self, row: NodeWork) -> str:
        return reason(row)


class OperationNodesApi(PortalApi):
    """The nodes of an operation on nodes."""

    permission = Permission.VIEW_ACCOUNT

    @extend_schema(
        operation_id="operations_nodes_list",
        summary="List the nodes of an operation",
        parameters=[
            _ACCOUNT,
            OpenApiParameter("operation", OpenApiTypes.UUID, OpenApiParameter.PATH),
            OpenApiParameter("progress", str, enum=Progress.values),
        ],
        responses=WorkOutput(many=True),
    )
    def get(self, request: Request, operation: Any, **_: Any) -> Response:
        found = work_get(actor=self.actor, account=self.account, operation_id=operation)
        progress = request.query_params.get("progress", "")
        return self.paged(work_rows(actor=self.actor, operation=found, progress=progress), WorkOutput)


# --- Users ----------------------------------------------------------------------------------------------------------
class PoolUserOutput(serializers.ModelSerializer[PoolUser]):
    """A user that the portal added to nodes. There is no password in it: none is kept."""

    pool = serializers.CharField(source="pool_id")
    nodes = serializers.IntegerField(source="node_count", help_text="How many nodes have the user.")

    class Meta:
        model = PoolUser
        fields = ["pool", "name", "is_admin", "ssh_public_key", "follows", "expires_at", "nodes", "actor_name"]
        read_only_fields = fields


class LoginOutput(serializers.Serializer[Login]):
    """Where a node with the user is reached; `address` is empty where it is not, and `reason` says why."""

    node_id = serializers.CharField()
    state = serializers.CharField()
    address = serializers.CharField()
    port = serializers.IntegerField()
    command = serializers.CharField()
    reason = serializers.CharField()


class PoolUserListApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {"get": Permission.VIEW_ACCOUNT, "post": Permission.OPERATE}

    class PoolUserInput(serializers.Serializer[Any]):
        name = serializers.CharField(max_length=64)
        password = serializers.CharField(
            required=False, allow_blank=True, max_length=200, trim_whitespace=False, write_only=True
        )
        ssh_public_key = serializers.CharField(required=False, allow_blank=True)
        is_admin = serializers.BooleanField(required=False)
        expires_at = serializers.DateTimeField(required=False, help_text="Default: a day ahead.")
        follows = serializers.BooleanField(required=False, help_text="Nodes that come later get the user too.")
        nodes = serializers.ListField(
            child=serializers.CharField(max_length=128),
            required=False,
            max_length=MOST,
            help_text="Node IDs; left out, all nodes of the pool.",
        )

    @extend_schema(
        operation_id="pool_users_list",
        summary="List users on nodes",
        parameters=_POOL,
        responses=PoolUserOutput(many=True),
    )
    def get(self, _request: Request, pool: str, **_: Any) -> Response:
        found = pool_snapshot(actor=self.actor, account=self.account, pool_id=pool)
        users = pool_user_list(actor=self.actor, account=self.account, pool_id=found.pool_id)
        return self.paged(users, PoolUserOutput)

    @extend_schema(
        operation_id="pool_users_add",
        summary="Add a user to nodes",
        parameters=_POOL,
        request=PoolUserInput,
        responses={202: OperationOutput},
    )
    def post(self, request: Request, pool: str, **_: Any) -> Response:
        """Starts an operation; `…/users/<name>/logins` has the addresses and commands as they come in."""
        data = _validated(self.PoolUserInput, request)
        node_ids = data.pop("nodes", None)
        wanted = WantedUser(**data, node_ids=node_ids)
        operation = pool_user_add(actor=self.actor, account=self.account, pool_id=pool, wanted=wanted)
        return _started(operation, request)


class PoolUserApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {"get": Permission.VIEW_ACCOUNT, "delete": Permission.OPERATE}

    @extend_schema(
        operation_id="pool_users_get", summary="Read a user on nodes", parameters=_USER, responses=PoolUserOutput
    )
    def get(self, _request: Request, pool: str, name: str, **_: Any) -> Response:
        found = pool_user_get(actor=self.actor, account=self.account, pool_id=pool, name=name)
        return Response(PoolUserOutput(found).data)

    @extend_schema(
        operation_id="pool_users_remove",
        summary="Remove a user from all nodes",
        parameters=_USER,
        responses={202: OperationOutput},
    )
    def delete(self, request: Request, pool: str, name: str, **_: Any) -> Response:
        """Starts an operation that removes the user from every node that the portal added it to."""
        operation = pool_user_remove(actor=self.actor, account=self.account, pool_id=pool, name=name)
        return _started(operation, request)


class PoolUserLoginsApi(PortalApi):
    """Where each node with the user is reached."""

    permission = Permission.VIEW_ACCOUNT

    @extend_schema(
        operation_id="pool_users_logins",
        summary="List how to log in",
        parameters=_USER,
        responses=LoginOutput(many=True),
    )
    def get(self, _request: Request, pool: str, name: str, **_: Any) -> Response:
        found = pool_user_get(actor=self.actor, account=self.account, pool_id=pool, name=name)
        return self.paged(logins(found), LoginOutput)


# --- Files ----------------------------------------------------------------------------------------------------------
class FileOutput(serializers.Serializer[Any]):
    path = serializers.CharField()
    is_directory = serializers.BooleanField()
    size = serializers.IntegerField(help_text="Bytes.")
    modified = serializers.DateTimeField(allow_null=True)


class FileLevelOutput(serializers.Serializer[Any]):
    files = FileOutput(many=True)
    token = serializers.CharField(help_text="Give it as `token` for what follows; empty at the end.")


class NodeFilesApi(PortalApi):
    permission: ClassVar[dict[str, Permission]] = {"get": Permission.VIEW_ACCOUNT, "delete": Permission.OPERATE}

    @extend_schema(
        operation_id="node_files_list",
        summary="List files of a node",
        parameters=[*_NODE, _PATH, OpenApiParameter("token", str)],
        responses=FileLevelOutput,
    )
    def get(self, request: Request, pool: str, node: str, **_: Any) -> Response:
        """One level: what is directly below `path`."""
        files = node_files(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        query = request.query_params
        found, token = files.level(query.get("path", ""), query.get("token", ""))
        return Response(FileLevelOutput({"files": found, "token": token}).data)

    @extend_schema(
        operation_id="node_files_delete",
        summary="Delete a file of a node",
        parameters=[*_NODE, _PATH, OpenApiParameter("recursive", bool, description="A directory with all in it.")],
        responses={204: None},
    )
    def delete(self, request: Request, pool: str, node: str, **_: Any) -> Response:
        query = request.query_params
        node_file_delete(
            actor=self.actor,
            account=self.account,
            pool_id=pool,
            node_id=node,
            path=query.get("path", ""),
            recursive=query.get("recursive", "").lower() in {"1", "true"},
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class NodeFileContentApi(PortalApi):
    permission = Permission.VIEW_ACCOUNT

    @extend_schema(
        operation_id="node_files_content",
        summary="Download a file of a node",
        parameters=[*_NODE, _PATH],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pool: str, node: str, **_: Any) -> HttpResponseBase:
        """The bytes, or those of one range (`Range: bytes=0-99`)."""
        files = node_files(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        path = request.query_params.get("path", "")
        info = files.info(path)
        if info.is_directory:
            raise NotVisible("node-file-gone", path=path)
        return file_response(request.headers.get("Range", ""), files, path, info)


def _validated(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    found = serializer(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def _started(operation: Operation, request: Request) -> Response:
    data = OperationOutput(operation, context={"request": request}).data
    return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": data["url"]})
