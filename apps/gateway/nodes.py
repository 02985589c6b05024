"""Compute nodes, their users and their files (data plane). Every function raises `GatewayError` subclasses.

What begins something (`node_reboot` and the like) returns as soon as the service took it; states tell how it goes on.
All functions may be called from many threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from apps.gateway import clients, nodes_read
from apps.gateway.translation import DATA, translated, translating
from apps.gateway.types import Connection
from apps.gateway.types_nodes import LogUpload, Node, NodeFile, NodeUser, RemoteLogin
from apps.gateway.types_pools import Page
from apps.gateway.wire import document, document_page, page, post, send

PAGE = 1000

# What lists and the poller need; recent tasks and start tasks are asked for one node at a time.
LIST_FIELDS = (
    "id",
    "state",
    "schedulingState",
    "stateTransitionTime",
    "lastBootTime",
    "allocationTime",
    "ipAddress",
    "vmSize",
    "isDedicated",
    "totalTasksRun",
    "totalTasksSucceeded",
    "runningTasksCount",
    "runningTaskSlotsCount",
    "startTaskInfo",
    "errors",
    "nodeAgentInfo",
    "virtualMachineInfo",
)


# --- Reading --------------------------------------------------------------------------------------------------------
def node_page(
    connection: Connection,
    pool_id: str,
    *,
    where: str = "",
    select: Sequence[str] = LIST_FIELDS,
    size: int = 100,
    token: str = "",
) -> Page[Node]:
    """A page of a pool's nodes in the service's order. `where` is an OData filter, for example `state eq 'idle'`."""
    answer = document_page(
        connection, _nodes_path(pool_id), where=where, select=select, size=min(size, PAGE), token=token
    )
    return Page(tuple(nodes_read.node(item) for item in answer.items), answer.token)


def node_pages(
    connection: Connection,
    pool_id: str,
    *,
    where: str = "",
    select: Sequence[str] = LIST_FIELDS,
    cap: int | None = None,
) -> Iterator[list[Node]]:
    """A pool's nodes page by page (1,000 each), up to `cap` of them."""
    left, token, more = cap, "", True
    while more:
        found = node_page(
            connection, pool_id, where=where, select=select, size=PAGE if left is None else left, token=token
        )
        wanted = found.items if left is None else found.items[:left]
        yield list(wanted)
        left = None if left is None else left - len(wanted)
        token = found.token
        more = bool(token) and left != 0


def node_get(connection: Connection, pool_id: str, node_id: str) -> Node:
    """A node with everything the service tells of it. Raises `GatewayNotFound`."""
    found = document(connection, f"{{endpoint}}{_path(pool_id, node_id)}")
    return replace(nodes_read.node(found), wire=found)


# --- Acting ---------------------------------------------------------------------------------------------------------
def node_reboot(connection: Connection, pool_id: str, node_id: str, option: str = "requeue") -> None:
    """`option`: requeue, terminate or taskcompletion, what becomes of running tasks."""
    post(connection, f"{_path(pool_id, node_id)}/reboot", {"nodeRebootOption": option})


def node_reimage(connection: Connection, pool_id: str, node_id: str, option: str = "requeue") -> None:
    post(connection, f"{_path(pool_id, node_id)}/reimage", {"nodeReimageOption": option})


def node_deallocate(connection: Connection, pool_id: str, node_id: str, option: str = "requeue") -> None:
    post(connection, f"{_path(pool_id, node_id)}/deallocate", {"nodeDeallocateOption": option})


def node_start(connection: Connection, pool_id: str, node_id: str) -> None:
    """Start a deallocated node."""
    post(connection, f"{_path(pool_id, node_id)}/start")


def node_disable_scheduling(connection: Connection, pool_id: str, node_id: str, option: str = "requeue") -> None:
    """Raises `GatewayConflict` (`NodeAlreadyInTargetSchedulingState`) where it is off already."""
    post(connection, f"{_path(pool_id, node_id)}/disablescheduling", {"nodeDisableSchedulingOption": option})


def node_enable_scheduling(connection: Connection, pool_id: str, node_id: str) -> None:
    post(connection, f"{_path(pool_id, node_id)}/enablescheduling")


# --- Users ----------------------------------------------------------------------------------------------------------
def user_add(connection: Connection, pool_id: str, node_id: str, user: NodeUser) -> None:
    """Raises `GatewayConflict` where the name is taken (`NodeUserExists`), or the node is neither idle nor running."""
    post(connection, f"{_path(pool_id, node_id)}/users", _user(user) | {"name": user.name, "isAdmin": user.is_admin})


def user_update(connection: Connection, pool_id: str, node_id: str, user: NodeUser) -> None:
    """Replace password, key and expiry: what is not given is reset. Whether administrator cannot be changed."""
    send(connection, "PUT", f"{_path(pool_id, node_id)}/users/{quote(user.name, safe='')}", _user(user))


def user_delete(connection: Connection, pool_id: str, node_id: str, name: str) -> None:
    """Raises `GatewayNotFound` (`NodeUserNotFound`)."""
    send(connection, "DELETE", f"{_path(pool_id, node_id)}/users/{quote(name, safe='')}")


@translated(DATA)
def remote_login(connection: Connection, pool_id: str, node_id: str) -> RemoteLogin:
    """Raises `GatewayError` where the pool opens no port for remote login."""
    found = clients.batch(connection).get_node_remote_login_settings(pool_id, node_id)
    return RemoteLogin(
        address=str(found.remote_login_ip_address or ""),
        port=int(found.remote_login_port or 0),
        ipv6_address=str(found.ipv6_remote_login_ip_address or ""),
        ipv6_port=int(found.ipv6_remote_login_port or 0),
    )


# --- Logs and files -------------------------------------------------------------------------------------------------
@translated(DATA)
def logs_upload(
    connection: Connection,
    pool_id: str,
    node_id: str,
    *,
    container_url: str,
    start: datetime,
    end: datetime | None = None,
) -> LogUpload:
    """Have the node send its Batch logs to a container; `container_url` carries a signature that may write."""
    body: dict[str, Any] = {"containerUrl": container_url, "startTime": start.isoformat()}
    if end is not None:
        body["endTime"] = end.isoformat()
    found = clients.batch(connection).upload_node_logs(pool_id, node_id, body)  # type: ignore[arg-type]
    return LogUpload(folder=str(found.virtual_directory_name or ""), files=int(found.number_of_files_uploaded or 0))


@translated(DATA)
def file_page(
    connection: Connection,
    pool_id: str,
    node_id: str,
    *,
    under: str = "",
    recursive: bool = False,
    size: int = PAGE,
    token: str = "",
) -> Page[NodeFile]:
    """A page of files and directories directly below `under` ("": the node's root), or of all of them.

    The service filters by beginnings of names, so `under` is asked for recursively and thinned out here.
    """
    folder = f"{under.strip('/')}/" if under.strip("/") else ""
    found = clients.batch(connection).list_node_files(
        pool_id,
        node_id,
        filter=f"startswith(name, '{_odata(folder)}')" if folder else None,
        recursive=recursive or bool(folder),
        max_results=min(size, PAGE),
    )
    answer = page(connection, found, token)
    files = (_file(item) for item in answer.items)
    wanted = (file for file in files if recursive or "/" not in file.path[len(folder) :].strip("/"))
    return Page(tuple(file for file in wanted if file.path.strip("/") != folder.strip("/")), answer.token)


@translated(DATA)
def file_info(connection: Connection, pool_id: str, node_id: str, path: str) -> NodeFile:
    """Raises `GatewayNotFound` (`FileNotFound`)."""
    found = clients.batch(connection).get_node_file_properties(pool_id, node_id, path)
    return NodeFile(
        path=path,
        is_directory=bool(found.is_directory),
        size=int(found.content_length or 0),
        modified=found.last_modified,
        created=found.creation_time,
        mode=str(found.file_mode or ""),
    )


def file_stream(
    connection: Connection, pool_id: str, node_id: str, path: str, *, offset: int = 0, length: int | None = None
) -> Iterator[bytes]:
    """The bytes of a file as they arrive, from `offset` on, `length` of them or all."""
    with translating(DATA):
        wanted = f"bytes={offset}-{'' if length is None else offset + length - 1}"
        options: Any = {"ocp_range": wanted} if offset or length is not None else {}
        stream: Any = clients.batch(connection).download_node_file(pool_id, node_id, path, **options)
    with closing(stream):
        while True:
            with translating(DATA):
                chunk = next(stream, None)
            if chunk is None:
                return
            yield chunk


def file_read(
    connection: Connection, pool_id: str, node_id: str, path: str, *, offset: int = 0, length: int = 64 * 1024
) -> bytes:
    """`length` bytes from `offset` on, fewer at the end. Raises `GatewayError` (`InvalidRange`) beyond it."""
    return b"".join(file_stream(connection, pool_id, node_id, path, offset=offset, length=length))[:length]


@translated(DATA)
def file_delete(connection: Connection, pool_id: str, node_id: str, path: str, *, recursive: bool = False) -> None:
    """Delete a file, or with `recursive` a directory with all in it."""
    clients.batch(connection).delete_node_file(pool_id, node_id, path, recursive=recursive)


# --- Wire -----------------------------------------------------------------------------------------------------------
def _nodes_path(pool_id: str) -> str:
    return f"/pools/{quote(pool_id, safe='')}/nodes"


def _path(pool_id: str, node_id: str) -> str:
    return f"{_nodes_path(pool_id)}/{quote(node_id, safe='')}"


def _odata(value: str) -> str:
    return value.replace("'", "''")


def _user(user: NodeUser) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if user.expires is not None:
        body["expiryTime"] = user.expires.isoformat()
    if user.password:
        body["password"] = user.password
    if user.ssh_public_key:
        body["sshPublicKey"] = user.ssh_public_key
    return body


def _file(found: Any) -> NodeFile:
    known = found.properties
    return NodeFile(
        path=str(found.name or "").replace("\\", "/"),
        is_directory=bool(found.is_directory),
        size=int(known.content_length or 0) if known else 0,
        modified=known.last_modified if known else None,
        created=known.creation_time if known else None,
        mode=str(known.file_mode or "") if known else "",
    )
