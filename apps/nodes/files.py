"""Files of nodes: levels of the tree, pieces of files. Nothing is ever read whole."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.core.exceptions import Invalid, NotVisible
from apps.gateway import nodes as gateway
from apps.gateway.errors import GatewayError, GatewayInvalid, GatewayNotFound
from apps.gateway.types_nodes import NodeFile
from apps.people.actors import Actor
from apps.people.roles import Permission

LEVEL_SIZE = 200
PIECE = 64 * 1024  # bytes that one look at a text reads
_MOST_PAGES = 5  # pages of the service behind one page of a level


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """A node whose files the actor may read. Make it by `node_files`."""

    account: BatchAccount
    pool_id: str
    node_id: str

    def level(self, under: str = "", token: str = "") -> tuple[list[NodeFile], str]:
        """Files and directories directly below `under`, and the token of what follows ("" at the end).

        Raises `NotVisible` (`node-gone`), `GatewayError`.
        """
        connection = connection_for(self.account)
        found: list[NodeFile] = []
        for _ in range(_MOST_PAGES):
            try:
                page = gateway.file_page(
                    connection, self.pool_id, self.node_id, under=clean_path(under), size=LEVEL_SIZE, token=token
                )
            except GatewayNotFound as error:
                raise self._gone(error, under) from error
            found += page.items
            token = page.token
            if not token or len(found) >= LEVEL_SIZE:
                break
        return found, token

    def info(self, path: str) -> NodeFile:
        """Raises `NotVisible` (`node-file-gone`)."""
        path = clean_path(path)
        try:
            return gateway.file_info(connection_for(self.account), self.pool_id, self.node_id, path)
        except GatewayNotFound as error:
            raise self._gone(error, path) from error

    def piece(self, path: str, offset: int = 0, length: int = PIECE) -> bytes:
        """At most `length` bytes from `offset` on; none beyond the end."""
        path = clean_path(path)
        try:
            return gateway.file_read(
                connection_for(self.account), self.pool_id, self.node_id, path, offset=offset, length=length
            )
        except GatewayNotFound as error:
            raise self._gone(error, path) from error
        except GatewayInvalid as error:
            if error.http_status == 416 or error.service_code == "InvalidRange":
                return b""
            raise

    def stream(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes as they arrive."""
        return gateway.file_stream(
            connection_for(self.account), self.pool_id, self.node_id, clean_path(path), offset=offset, length=length
        )

    def _gone(self, error: GatewayError, path: str) -> NotVisible:
        """Whether the file is gone or the whole node: an answer to HEAD does not say which."""
        if not error.service_code:
            try:
                gateway.node_get(connection_for(self.account), self.pool_id, self.node_id)
            except GatewayNotFound:
                return NotVisible("node-gone")
            except GatewayError:
                pass
        return _gone(error, path)


def node_files(*, actor: Actor, account: BatchAccount, pool_id: str, node_id: str) -> NodeFiles:
    actor.require(Permission.VIEW_ACCOUNT, account)
    return NodeFiles(account, pool_id, node_id)


def node_file_delete(
    *, actor: Actor, account: BatchAccount, pool_id: str, node_id: str, path: str, recursive: bool = False
) -> None:
    """Delete a file, or with `recursive` a directory. Raises `NotVisible` where there is none, `GatewayError`."""
    actor.require(Permission.OPERATE, account)
    path = clean_path(path)
    if not path:
        raise Invalid("node-file-path", field="path")
    try:
        gateway.file_delete(connection_for(account), pool_id, node_id, path, recursive=recursive)
    except GatewayNotFound as error:
        raise _gone(error, path) from error
    with transaction.atomic():
        audit_record(
            actor=actor,
            action="node-file-delete",
            account=account,
            resource=f"{pool_id}/{node_id}"[:200],
            path=path,
        )


def clean_path(path: str) -> str:
    """A path from the node's root, with forward slashes. Raises `Invalid` for one that leads out of it."""
    text = path.replace("\\", "/").strip("/")
    if not text:
        return ""
    if "\x00" in text or len(text) > 1024 or posixpath.normpath(text) != text or text.startswith(".."):
        raise Invalid("node-file-path", field="path")
    return text


def _gone(error: GatewayError, path: str) -> NotVisible:
    if error.service_code in {"NodeNotFound", "PoolNotFound"}:
        return NotVisible("node-gone")
    return NotVisible("node-file-gone", path=path)
