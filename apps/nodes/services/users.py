"""Users on nodes: adding them to some or all nodes of a pool, and taking them away again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.core.crypto import SecretDict
from apps.core.exceptions import Invalid, NotVisible
from apps.nodes.models import PoolUser, UserSecret
from apps.nodes.rules import clean_password, clean_user_name, user_key
from apps.nodes.services.acting import check_targets, work_create
from apps.operations.models import Kind, Operation
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.people.ssh_keys import clean_public_key
from apps.pools.models import PoolSnapshot
from apps.pools.selectors import pool_snapshot

LIFETIME = timedelta(days=1)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class WantedUser:
    """What the form or the API asks for. `node_ids` None means all nodes of the pool; `expires_at` None a day ahead.

    `follows`: nodes that come later get the user too, until it expires.
    """

    name: str
    password: str = field(default="", repr=False)
    ssh_public_key: str = ""
    is_admin: bool = False
    expires_at: datetime | None = None
    node_ids: Sequence[str] | None = None
    follows: bool = False


def pool_user_add(*, actor: Actor, account: BatchAccount, pool_id: str, wanted: WantedUser) -> Operation:
    """Begin to add a user to nodes; one of this name that is there already is updated.

    Raises `Invalid` at the field whose rule is broken, `NotVisible` for an unknown pool, and `Conflict` while work on
    this user is under way.
    """
    actor.require(Permission.OPERATE, account)
    pool = pool_snapshot(actor=actor, account=account, pool_id=pool_id)
    user = check_user(wanted, pool)
    nodes = list(pool.nodes.order_by("node_id").values_list("node_id", flat=True))
    if user.node_ids is not None:
        chosen = set(user.node_ids)
        nodes = [node for node in nodes if node in chosen]
    targets = check_targets([(pool.pool_id, node) for node in nodes])
    with transaction.atomic():
        before = PoolUser.objects.filter(account=account, pool_id__iexact=pool.pool_id, name=user.name).first()
        operation = work_create(
            actor=actor,
            account=account,
            kind=Kind.NODE_USER_ADD,
            targets=targets,
            subject=f"{user.name} · {pool.pool_id}",
            subject_key=user_key(pool.pool_id, user.name),
            subject_url=user_url(account, pool.pool_id, user.name),
            parameters={
                "pool": pool.pool_id,
                "name": user.name,
                "by_key": bool(user.ssh_public_key),
                "was_admin": before.is_admin if before and before.expires_at > timezone.now() else None,
                "wait_until": _wait_until(user).isoformat(),
            },
            audit={"user": user.name, "administrator": user.is_admin, "key": bool(user.ssh_public_key)},
        )
        _remember(actor, account, pool, user)
        if user.password:
            UserSecret.objects.create(
                operation=operation,
                secret=SecretDict(password=user.password),  # type: ignore[misc]
                delete_after=timezone.now() + timedelta(seconds=2 * settings.NODE_USER_WAIT_SECONDS + 3600),
            )
    return operation


def check_user(wanted: WantedUser, pool: PoolSnapshot) -> WantedUser:
    """The user with every rule checked. Raises `Invalid`."""
    windows = pool.is_windows
    name = clean_user_name(wanted.name, windows=windows)
    if wanted.password and wanted.ssh_public_key:
        raise Invalid("node-user-both", field="password")
    if windows and not wanted.password:
        raise Invalid("node-user-windows-password", field="password")
    if not wanted.password and not wanted.ssh_public_key:
        raise Invalid("node-user-neither", field="password")
    if wanted.follows and not wanted.ssh_public_key:
        raise Invalid("node-user-follows-key", field="follows")
    return WantedUser(
        name=name,
        password=clean_password(wanted.password, windows=windows) if wanted.password else "",
        ssh_public_key=clean_public_key(wanted.ssh_public_key).text if wanted.ssh_public_key else "",
        is_admin=wanted.is_admin,
        expires_at=_expiry(wanted.expires_at),
        node_ids=wanted.node_ids,
        follows=wanted.follows,
    )


def _expiry(wanted: datetime | None) -> datetime:
    now = timezone.now()
    found = wanted or now + LIFETIME
    if found <= now:
        raise Invalid("node-user-expired", field="expires_at")
    if found > now + LONGEST:
        raise Invalid("node-user-expires-late", field="expires_at", days=LONGEST.days)
    return found


def _wait_until(user: WantedUser) -> datetime:
    """How long nodes that cannot take the user yet are waited for: a password is not kept for longer."""
    until = timezone.now() + timedelta(seconds=settings.NODE_USER_WAIT_SECONDS)
    return min(until, user.expires_at or until)


def _remember(actor: Actor, account: BatchAccount, pool: PoolSnapshot, user: WantedUser) -> PoolUser:
    values = {
        "is_admin": user.is_admin,
        "expires_at": user.expires_at,
        "ssh_public_key": user.ssh_public_key,
        "follows": user.follows,
        "actor_name": actor.name,
        "created_at": timezone.now(),
    }
    known = PoolUser.objects.filter(account=account, pool_id__iexact=pool.pool_id, name=user.name)
    if known.update(**values):
        return known.get()
    return PoolUser.objects.create(account=account, pool_id=pool.pool_id, name=user.name, **values)


def pool_user_remove(*, actor: Actor, account: BatchAccount, pool_id: str, name: str) -> Operation:
    """Begin to remove a user from every node it was added to. Raises `NotVisible`, `Conflict`."""
    actor.require(Permission.OPERATE, account)
    user = PoolUser.objects.filter(account=account, pool_id__iexact=pool_id, name=name).first()
    if user is None:
        raise NotVisible("node-user-gone", name=name, pool=pool_id)
    targets = [(user.pool_id, node) for node in user.nodes.values_list("node_id", flat=True)]
    with transaction.atomic():
        PoolUser.objects.filter(pk=user.pk).update(follows=False)
        return work_create(
            actor=actor,
            account=account,
            kind=Kind.NODE_USER_REMOVE,
            targets=targets,
            subject=f"{user.name} · {user.pool_id}",
            subject_key=user_key(user.pool_id, user.name),
            parameters={
                "pool": user.pool_id,
                "name": user.name,
                "wait_until": (timezone.now() + timedelta(seconds=settings.NODE_USER_WAIT_SECONDS)).isoformat(),
            },
            audit={"user": user.name},
        )


def user_url(account: BatchAccount, pool_id: str, name: str) -> str:
    return reverse("nodes:user", kwargs={"account": account.slug, "pool": pool_id, "name": name})
