"""Targets, automatic scaling, and the end of a pool."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, Invalid
from apps.gateway import pools as gateway
from apps.gateway.errors import GatewayConflict, GatewayError
from apps.gateway.types_pools import AutoScaleRun, Pool
from apps.operations.models import Kind, Operation
from apps.operations.services import operation_create
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.pools import rules
from apps.pools.services.creating import PoolRefused, pool_key, pool_url, service_refusal
from apps.pools.services.noting import audit_record_pool

DEALLOCATIONS = ("requeue", "terminate", "taskcompletion")


def pool_resize(
    *,
    actor: Actor,
    account: BatchAccount,
    pool_id: str,
    dedicated: int,
    spot: int,
    timeout: timedelta | None = None,
    deallocation: str = "requeue",
) -> Operation:
    """Bring a pool to fixed targets, as an operation. `deallocation` is what becomes of tasks on nodes that go.

    Raises `PoolRefused` at a target or the timeout, `Conflict` while the pool is being resized or scales by itself.
    """
    actor.require(Permission.OPERATE, account)
    document = {"targetDedicatedNodes": dedicated, "targetLowPriorityNodes": spot}
    span = {"resizeTimeout": f"PT{int(timeout.total_seconds())}S"} if timeout else {}
    if broken := list(rules.targets(document | span)):
        raise PoolRefused(broken)
    if deallocation not in DEALLOCATIONS:
        raise Invalid("pool-deallocation-unknown", field="deallocation")
    pool = gateway.pool_get(connection_for(account), pool_id)
    _require_resizable(pool)
    parameters = {
        "pool": pool.id,
        "dedicated": dedicated,
        "spot": spot,
        "timeout": int(timeout.total_seconds()) if timeout else None,
        "deallocation": deallocation,
    }
    change = abs(dedicated - pool.current_dedicated) + abs(spot - pool.current_spot)
    with transaction.atomic():
        operation = operation_create(
            actor=actor,
            account=account,
            kind=Kind.POOL_RESIZE,
            subject=pool.id,
            subject_key=pool_key(pool.id),
            subject_url=pool_url(account, pool.id),
            parameters=parameters,
            total=change,
            unit="nodes",
        )
        audit_record(
            actor=actor,
            action="pool-resize",
            account=account,
            resource=pool.id,
            operation=operation,
            dedicated=dedicated,
            spot=spot,
            deallocation=deallocation,
        )
    return operation


def _require_resizable(pool: Pool) -> None:
    if pool.auto_scale:
        raise Conflict("pool-scales-itself", pool=pool.id)
    if pool.state == "deleting":
        raise Conflict("pool-being-deleted", pool=pool.id)
    if pool.allocation_state != "steady":
        raise Conflict("pool-being-resized", pool=pool.id)


def resize_stop(*, actor: Actor, account: BatchAccount, pool_id: str) -> None:
    """Stop the resize that is under way; the pool keeps the nodes it has by then."""
    actor.require(Permission.OPERATE, account)
    gateway.pool_stop_resize(connection_for(account), pool_id)
    audit_record_pool(actor=actor, account=account, pool_id=pool_id, action="pool-resize-stop")


# --- Automatic scaling ----------------------------------------------------------------------------------------------
def auto_scale_enable(
    *, actor: Actor, account: BatchAccount, pool_id: str, formula: str, interval: timedelta | None = None
) -> None:
    """Scale by a formula from now on, or by another one.

    Raises `PoolRefused` at the formula or interval, `Conflict` (`pool-auto-scale-often`) within 30 s of the last time.
    """
    actor.require(Permission.OPERATE, account)
    _require_formula(formula, interval)
    try:
        gateway.auto_scale_enable(connection_for(account), pool_id, formula, interval)
    except GatewayError as error:
        raise _formula_refusal(error) from error
    audit_record_pool(actor=actor, account=account, pool_id=pool_id, action="pool-auto-scale")


def auto_scale_disable(*, actor: Actor, account: BatchAccount, pool_id: str) -> None:
    """Back to fixed targets: those that the formula gave last."""
    actor.require(Permission.OPERATE, account)
    gateway.auto_scale_disable(connection_for(account), pool_id)
    audit_record_pool(actor=actor, account=account, pool_id=pool_id, action="pool-auto-scale-off")


def auto_scale_evaluate(*, actor: Actor, account: BatchAccount, pool_id: str, formula: str) -> AutoScaleRun:
    """What a formula gives now, without following it.

    The service evaluates only for pools that scale by a formula. For one with fixed targets, a formula that holds these
    very targets is set for the moment and taken away again, so nothing grows or shrinks.
    """
    actor.require(Permission.OPERATE, account)
    _require_formula(formula, None)
    connection = connection_for(account)
    try:
        pool = gateway.pool_get(connection, pool_id)
        if pool.auto_scale:
            return gateway.auto_scale_evaluate(connection, pool_id, formula)
        _require_resizable(pool)
        gateway.auto_scale_enable(connection, pool_id, holding_formula(pool))
        try:
            return gateway.auto_scale_evaluate(connection, pool_id, formula)
        finally:
            gateway.auto_scale_disable(connection, pool_id)
    except GatewayError as error:
        raise _formula_refusal(error) from error


def holding_formula(pool: Pool) -> str:
    """The formula that changes nothing."""
    return f"$TargetDedicatedNodes = {pool.target_dedicated or 0};\n$TargetLowPriorityNodes = {pool.target_spot or 0};"


def _require_formula(formula: str, interval: timedelta | None) -> None:
    document: dict[str, str] = {"autoScaleFormula": formula}
    if interval is not None:
        document["autoScaleEvaluationInterval"] = f"PT{int(interval.total_seconds())}S"
    if broken := list(rules.auto_scale(document)):
        raise PoolRefused(broken)


def _formula_refusal(error: GatewayError) -> Exception:
    if error.service_code == "TooManyEnableAutoScaleRequests":
        return Conflict("pool-auto-scale-often")
    if "scal" in error.service_code.lower() and not isinstance(error, GatewayConflict):
        return Invalid("pool-formula-refused", field="formula", message=error.service_message)
    return service_refusal(error)


# --- Deleting -------------------------------------------------------------------------------------------------------
def pool_delete(*, actor: Actor, account: BatchAccount, pool_id: str) -> Operation:
    """Delete a pool with all its nodes, as an operation. Its tasks go back to their jobs."""
    actor.require(Permission.OPERATE, account)
    with transaction.atomic():
        operation = operation_create(
            actor=actor,
            account=account,
            kind=Kind.POOL_DELETE,
            subject=pool_id,
            subject_key=f"{pool_key(pool_id)}:delete",
            subject_url=pool_url(account, pool_id),
            parameters={"pool": pool_id},
            unit="nodes",
        )
        audit_record(actor=actor, action="pool-delete", account=account, resource=pool_id, operation=operation)
    return operation
