"""Start task, application packages and metadata of a pool that exists, and what its nodes cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict
from apps.gateway import pools as gateway
from apps.gateway.errors import GatewayConflict, GatewayError
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.pools import catalogue, rules, rules_task
from apps.pools.flaws import Flaw
from apps.pools.models import VmPrice
from apps.pools.services.creating import PoolRefused, service_refusal
from apps.pools.services.noting import audit_record_pool

Items = Sequence[Mapping[str, Any]]


def start_task_change(
    *, actor: Actor, account: BatchAccount, pool_id: str, task: Mapping[str, Any] | None, etag: str = ""
) -> None:
    """Give a pool another start task, or with None take it away. Nodes take it at their next reboot or reimage."""
    actor.require(Permission.OPERATE, account)
    _require(list(rules_task.start_task(task)) if task is not None else [])
    if task is not None:
        _patch(account, pool_id, {"startTask": dict(task)}, etag)
        audit_record_pool(actor=actor, account=account, pool_id=pool_id, action="pool-start-task")
        return
    connection = connection_for(account)
    # Only replacing all three can take it away; what another tool changed meanwhile would be lost without a look.
    pool = gateway.pool_get(connection, pool_id)
    if etag and pool.etag != etag:
        raise Conflict("pool-changed-meanwhile", pool=pool_id)
    gateway.pool_replace(
        connection,
        pool_id,
        packages=list(pool.wire.get("applicationPackageReferences") or ()),
        metadata=list(pool.wire.get("metadata") or ()),
        start_task=None,
    )
    audit_record_pool(actor=actor, account=account, pool_id=pool_id, action="pool-start-task-remove")


def packages_change(*, actor: Actor, account: BatchAccount, pool_id: str, references: Items, etag: str = "") -> None:
    """Refer to other application packages. Nodes take them at their next reboot or reimage."""
    actor.require(Permission.OPERATE, account)
    facts = catalogue.facts(actor=actor, account=account)
    _require(list(rules.packages(list(references), facts)))
    changes = {"applicationPackageReferences": [dict(reference) for reference in references]}
    _patch(account, pool_id, changes, etag)
    audit_record_pool(actor=actor, account=account, pool_id=pool_id, action="pool-packages")


def metadata_change(*, actor: Actor, account: BatchAccount, pool_id: str, items: Items, etag: str = "") -> None:
    """Replace the metadata. It belongs to the pool alone, so it holds at once."""
    actor.require(Permission.OPERATE, account)
    _require(list(rules.metadata(list(items))))
    _patch(account, pool_id, {"metadata": [dict(item) for item in items]}, etag)
    audit_record_pool(actor=actor, account=account, pool_id=pool_id, action="pool-metadata")


def _require(flaws: list[Flaw]) -> None:
    if flaws:
        raise PoolRefused(flaws)


def _patch(account: BatchAccount, pool_id: str, changes: Mapping[str, Any], etag: str) -> None:
    try:
        gateway.pool_patch(connection_for(account), pool_id, changes, etag=etag)
    except GatewayError as error:
        if isinstance(error, GatewayConflict) and error.http_status == 412:
            raise Conflict("pool-changed-meanwhile", pool=pool_id) from error
        raise service_refusal(error) from error


# --- Prices ---------------------------------------------------------------------------------------------------------
def price_set(
    *,
    actor: Actor,
    account: BatchAccount,
    vm_size: str,
    currency: str,
    dedicated: Decimal | None,
    spot: Decimal | None,
) -> None:
    """Note what an hour of a size costs; without any price forget it."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    size = vm_size.strip().lower()
    with transaction.atomic():
        if dedicated is None and spot is None:
            VmPrice.objects.filter(account=account, vm_size=size).delete()
        else:
            values = {"dedicated": dedicated, "spot": spot, "currency": currency.upper()}
            VmPrice.objects.update_or_create(account=account, vm_size=size, defaults=values)
        audit_record(actor=actor, action="vm-price", account=account, resource=size, currency=currency.upper())
