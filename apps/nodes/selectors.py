"""Nodes, work on them, and the users that the portal added to them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Case, Count, QuerySet, When
from django.utils import timezone

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.core.exceptions import NotVisible
from apps.gateway import nodes as gateway
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types_nodes import Node
from apps.nodes.models import NodeSnapshot, NodeStateChange, NodeWork, PoolUser, PoolUserNode, Progress
from apps.nodes.rules import user_key
from apps.operations.models import ACTIVE, Operation
from apps.operations.selectors import operation_get
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.pools.selectors import node_list


def node_snapshot(*, actor: Actor, account: BatchAccount, pool_id: str, node_id: str) -> NodeSnapshot:
    """Raises `NotVisible` (`node-unknown`) for one that the poller has not seen, or not any longer."""
    found = node_list(actor=actor, account=account).filter(pool__pool_id__iexact=pool_id, node_id=node_id).first()
    if found is None:
        raise NotVisible("node-unknown", pool=pool_id, node=node_id)
    return found


def node_live(*, actor: Actor, account: BatchAccount, pool_id: str, node_id: str) -> Node:
    """A node as the service tells of it now. Raises `NotVisible` for one that is gone, `GatewayError`."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    try:
        return gateway.node_get(connection_for(account), pool_id, node_id)
    except GatewayNotFound as error:
        raise NotVisible("node-pool-gone" if error.service_code == "PoolNotFound" else "node-gone") from error


def node_history(*, actor: Actor, node: NodeSnapshot, most: int = 100) -> list[NodeStateChange]:
    """The last changes of a node's state, newest first."""
    actor.require(Permission.VIEW_ACCOUNT, node.pool.account)
    return list(NodeStateChange.objects.filter(pool=node.pool, node_id=node.node_id)[:most])


# --- Work -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class WorkCounts:
    """Nodes of an operation by how far it is with them."""

    pending: int = 0
    waiting: int = 0
    done: int = 0
    failed: int = 0


def work_get(*, actor: Actor, account: BatchAccount, operation_id: uuid.UUID) -> Operation:
    """An operation on nodes of this account. Raises `NotVisible`."""
    found = operation_get(actor=actor, operation_id=operation_id)
    if found.account_id != account.pk or not found.kind.startswith("node-"):
        raise NotVisible
    return found


def work_rows(*, actor: Actor, operation: Operation, progress: str = "") -> QuerySet[NodeWork]:
    """Its nodes: failed and waiting ones first."""
    actor.require(Permission.VIEW_ACCOUNT, operation.account)
    rows = operation.nodes.filter(progress=progress) if progress in Progress else operation.nodes.all()
    over = Case(When(progress=Progress.DONE, then=1), default=0)
    return rows.annotate(over=over).order_by("over", "progress", "pool_id", "node_id")


def work_counts(operation: Operation) -> WorkCounts:
    counted = operation.nodes.order_by().values("progress").annotate(count=Count("pk"))
    return WorkCounts(**{row["progress"]: row["count"] for row in counted})


# --- Users ----------------------------------------------------------------------------------------------------------
def pool_user_list(*, actor: Actor, account: BatchAccount, pool_id: str = "") -> QuerySet[PoolUser]:
    """Users that have not expired, with `node_count`."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    users = PoolUser.objects.filter(account=account, expires_at__gt=timezone.now())
    if pool_id:
        users = users.filter(pool_id__iexact=pool_id)
    return users.annotate(node_count=Count("nodes")).order_by("pool_id", "name")


def pool_user_get(*, actor: Actor, account: BatchAccount, pool_id: str, name: str) -> PoolUser:
    """Raises `NotVisible` (`node-user-gone`)."""
    found = pool_user_list(actor=actor, account=account, pool_id=pool_id).filter(name=name).first()
    if found is None:
        raise NotVisible("node-user-gone", name=name, pool=pool_id)
    return found


def pool_users_of_node(*, actor: Actor, node: NodeSnapshot) -> QuerySet[PoolUser]:
    """Users that the portal added to a node and that have not expired."""
    found = pool_user_list(actor=actor, account=node.pool.account, pool_id=node.pool.pool_id)
    return found.filter(pk__in=PoolUserNode.objects.filter(node_id=node.node_id).values("user"))


def user_operation(user: PoolUser) -> Operation | None:
    """The work on a user that is under way, or ended last."""
    found = Operation.objects.filter(account=user.account, subject_key=user_key(user.pool_id, user.name))
    return found.filter(status__in=ACTIVE).first() or found.first()
