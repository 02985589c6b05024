"""Making pools."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.urls import reverse

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.core.exceptions import Invalid
from apps.gateway import pools as gateway
from apps.gateway.errors import GatewayError, GatewayInvalid
from apps.operations.models import Kind, Operation
from apps.operations.services import operation_create
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.pools import catalogue, polling, rules
from apps.pools.flaws import Flaw, whole
from apps.pools.models import PoolSnapshot


class PoolRefused(Invalid):
    """A document breaks rules: `flaws` say which, at which path."""

    code = "pool-refused"

    def __init__(self, flaws: list[Flaw]) -> None:
        self.flaws = flaws
        super().__init__(count=len(flaws))


def document_check(*, actor: Actor, account: BatchAccount, document: Any) -> list[Flaw]:
    """Every broken rule and every warning, without making anything."""
    actor.require(Permission.OPERATE, account)
    flaws = rules.check(document, catalogue.facts(actor=actor, account=account))
    taken = isinstance(document, dict) and _is_taken(account, str(document.get("id") or ""))
    return [*flaws, *([Flaw("id", "pool-id-taken")] if taken else [])]


def _is_taken(account: BatchAccount, pool_id: str) -> bool:
    return bool(pool_id) and PoolSnapshot.objects.filter(account=account, pool_id__iexact=pool_id).exists()


def pool_create(*, actor: Actor, account: BatchAccount, document: Any) -> Operation | None:
    """Make a pool from a document; the operation that follows its nodes' coming, None for a pool without nodes.

    Raises `PoolRefused` for what breaks a rule, ours or the service's, and `GatewayError` for what else goes wrong.
    """
    actor.require(Permission.OPERATE, account)
    broken = [flaw for flaw in document_check(actor=actor, account=account, document=document) if not flaw.warning]
    if broken:
        raise PoolRefused(broken)
    try:
        gateway.pool_create(connection_for(account), document)
    except GatewayError as error:
        raise service_refusal(error) from error
    pool_id = str(document["id"])
    with transaction.atomic():
        audit_record(actor=actor, action="pool-create", account=account, resource=pool_id, size=document["vmSize"])
        polling.poll_soon(account)
        return _follow(actor, account, document) if _grows(document) else None


def _grows(document: dict[str, Any]) -> bool:
    return any((whole(document.get(name)) or 0) > 0 for name in ("targetDedicatedNodes", "targetLowPriorityNodes"))


def _follow(actor: Actor, account: BatchAccount, document: dict[str, Any]) -> Operation:
    pool_id = str(document["id"])
    dedicated, spot = (whole(document.get(name)) or 0 for name in ("targetDedicatedNodes", "targetLowPriorityNodes"))
    return operation_create(
        actor=actor,
        account=account,
        kind=Kind.POOL_RESIZE,
        subject=pool_id,
        subject_key=pool_key(pool_id),
        subject_url=pool_url(account, pool_id),
        parameters={"pool": pool_id, "dedicated": dedicated, "spot": spot, "asked": True},
        total=dedicated + spot,
        unit="nodes",
    )


def pool_key(pool_id: str) -> str:
    """What work on a pool excludes other work by."""
    return f"pool:{pool_id.lower()}"


def pool_url(account: BatchAccount, pool_id: str) -> str:
    return reverse("pools:detail", kwargs={"account": account.slug, "pool": pool_id})


def service_refusal(error: GatewayError) -> Exception:
    """The service's refusal at the place it names, where it names one."""
    values = dict(error.service_values)
    if error.service_code == "PoolExists":
        return PoolRefused([Flaw("id", "pool-id-taken")])
    if error.service_code == "InvalidApplicationPackageReferences":
        reason = "; ".join(f"{name}: {reason}" for name, reason in error.service_values)
        return _refused("applicationPackageReferences", error, reason)
    if isinstance(error, GatewayInvalid) and values.get("PropertyName"):
        path = re.sub(r"^(body|pool)\.?", "", values["PropertyName"])
        return _refused(path, error, values.get("Reason", ""))
    if place := _place(error.service_code):
        return _refused(place, error)
    return error


def _refused(path: str, error: GatewayError, reason: str = "") -> PoolRefused:
    values = {
        "message": reason or error.service_message,
        "service_code": error.service_code or "–",
        "request_id": error.request_id or "–",
    }
    return PoolRefused([Flaw(path, "pool-service-refuses", values)])


def _place(code: str) -> str:
    """The part of a pool that a code of the service is about, whatever else it says; "" for none."""
    lower = code.lower()
    if lower.startswith(("autoscal", "invalidautoscal")):
        return "autoScaleFormula"
    return "metadata" if "metadata" in lower else ""
