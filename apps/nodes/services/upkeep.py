"""What the scheduler does about users of nodes."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.core.exceptions import PortalError
from apps.nodes.models import NodeSnapshot, NodeWork, PoolUser, Progress, UserSecret
from apps.nodes.rules import user_key
from apps.nodes.services.acting import work_create
from apps.nodes.services.users import user_url
from apps.nodes.user_runners import AT_WORK
from apps.operations.models import ACTIVE, Kind, Operation
from apps.people.actors import system_actor

logger = logging.getLogger(__name__)

FAILED_PAUSE = timedelta(minutes=10)  # before a node that refused a user is asked again


def users_expire() -> int:
    """Forget users whose time is over: the service has removed them from the nodes. How many."""
    return PoolUser.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def secrets_purge() -> int:
    """Delete passwords whose operation has ended or took too long, whatever happened to its worker."""
    over = UserSecret.objects.exclude(operation__status__in=ACTIVE)
    late = UserSecret.objects.filter(delete_after__lte=timezone.now())
    return over.delete()[0] + late.delete()[0]


def users_follow() -> list[Operation]:
    """Begin to add following users to the nodes that came since and are at work now."""
    begun = []
    users = PoolUser.objects.filter(follows=True, expires_at__gt=timezone.now()).exclude(ssh_public_key="")
    for user in users.select_related("account"):
        try:
            operation = _follow(user)
        except PortalError as error:
            logger.info("%s was not added to new nodes now: %s", user, error.code)
            continue
        if operation is not None:
            begun.append(operation)
    return begun


def _follow(user: PoolUser) -> Operation | None:
    key = user_key(user.pool_id, user.name)
    if Operation.objects.filter(account=user.account, subject_key=key, status__in=ACTIVE).exists():
        return None
    refused = NodeWork.objects.filter(
        operation__account=user.account,
        operation__subject_key=key,
        progress=Progress.FAILED,
        changed_at__gt=timezone.now() - FAILED_PAUSE,
    ).values("node_id")
    nodes = NodeSnapshot.objects.filter(
        pool__account=user.account, pool__pool_id=user.pool_id, state__in=AT_WORK
    ).exclude(node_id__in=user.nodes.values("node_id"))
    targets = [(user.pool_id, node) for node in nodes.exclude(node_id__in=refused).values_list("node_id", flat=True)]
    if not targets:
        return None
    until = min(user.expires_at, timezone.now() + timedelta(seconds=settings.NODE_USER_WAIT_SECONDS))
    return work_create(
        actor=system_actor(),
        account=user.account,
        kind=Kind.NODE_USER_ADD,
        targets=targets,
        subject=f"{user.name} · {user.pool_id}",
        subject_key=key,
        subject_url=user_url(user.account, user.pool_id, user.name),
        parameters={
            "pool": user.pool_id,
            "name": user.name,
            "by_key": True,
            "was_admin": None,
            "wait_until": until.isoformat(),
        },
        audit={"user": user.name, "follows": True},
    )
