"""Having a node send the logs of its Batch agent to a container, for Microsoft's support."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.core.exceptions import Invalid
from apps.gateway import nodes as gateway
from apps.gateway.containers import container_write_url
from apps.gateway.types_nodes import LogUpload
from apps.people.actors import Actor
from apps.people.roles import Permission

_CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*")


def node_logs_upload(
    *,
    actor: Actor,
    account: BatchAccount,
    pool_id: str,
    node_id: str,
    container: str,
    start: datetime,
    end: datetime | None = None,
) -> LogUpload:
    """Begin to send the logs from `start` to `end` (None: now); the node does it by itself from then on.

    Raises `Invalid` at `container` or `end`, and `GatewayError`, among them `AutoStorageMissing`.
    """
    actor.require(Permission.OPERATE, account)
    if not _CONTAINER.fullmatch(container):
        raise Invalid("node-logs-container", field="container")
    if start >= (end or timezone.now()):
        raise Invalid("node-logs-span", field="end" if end else "start")
    connection = connection_for(account)
    url = container_write_url(connection, container)
    found = gateway.logs_upload(connection, pool_id, node_id, container_url=url, start=start, end=end)
    with transaction.atomic():
        audit_record(
            actor=actor,
            action="node-logs-upload",
            account=account,
            resource=f"{pool_id}/{node_id}"[:200],
            container=container,
            folder=found.folder,
            files=found.files,
        )
    return found
