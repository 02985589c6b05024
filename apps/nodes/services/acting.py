"""Acting on nodes: one, many, or all that match."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.urls import reverse
from django.utils.translation import ngettext

from apps.accounts.models import BatchAccount
from apps.audit.models import Outcome
from apps.audit.services import audit_record
from apps.core.exceptions import Invalid
from apps.nodes.actions import TRAITS, NodeAction, TaskOption
from apps.nodes.listing import MOST
from apps.nodes.models import NodeWork
from apps.operations.models import Kind, Operation
from apps.operations.services import operation_create
from apps.people.actors import Actor
from apps.people.roles import Permission

Target = tuple[str, str]
"""Pool id and node id."""


def nodes_act(
    *, actor: Actor, account: BatchAccount, action: str, targets: Sequence[Target], option: str = ""
) -> Operation:
    """Begin an action on nodes; `option` says what happens to their running tasks (default: requeue).

    Raises `Invalid` for an unknown action or option and for no or too many nodes, `Conflict` while the same action on
    the very same nodes is under way.
    """
    actor.require(Permission.OPERATE, account)
    if action not in NodeAction:
        raise Invalid("node-action-unknown", field="action", action=action[:40])
    chosen = NodeAction(action)
    traits = TRAITS[chosen]
    if option and option not in TaskOption:
        raise Invalid("node-option-unknown", field="option", option=option[:40])
    wanted = check_targets(targets)
    option = (option or TaskOption.REQUEUE.value) if traits.takes_option else ""
    return work_create(
        actor=actor,
        account=account,
        kind=traits.kind,
        targets=wanted,
        subject_key=f"node-{chosen.value}:{_digest(wanted)}",
        parameters={"action": chosen.value, "option": option},
        audit={"option": option} if option else {},
    )


def check_targets(targets: Sequence[Target]) -> list[Target]:
    """Each node once. Raises `Invalid` for none and for too many."""
    wanted = list(dict.fromkeys(targets))
    if not wanted:
        raise Invalid("nodes-none", field="node")
    if len(wanted) > MOST:
        raise Invalid("nodes-too-many", field="node", most=MOST)
    return wanted


def work_create(
    *,
    actor: Actor,
    account: BatchAccount,
    kind: Kind,
    targets: Sequence[Target],
    subject_key: str,
    parameters: dict[str, object],
    subject: str = "",
    subject_url: str = "",
    audit: dict[str, object] | None = None,
) -> Operation:
    """An operation with a row for each node. Raises `Conflict` while one with this `subject_key` is under way."""
    named = subject or subject_of(targets)
    with transaction.atomic():
        operation = operation_create(
            actor=actor,
            account=account,
            kind=kind,
            subject=named[:200],
            subject_key=subject_key,
            parameters=parameters,
            total=len(targets),
            unit="nodes",
        )
        operation.subject_url = subject_url or reverse(
            "nodes:work", kwargs={"account": account.slug, "operation": operation.pk}
        )
        operation.save(update_fields=["subject_url"])
        rows_create(operation, targets)
        audit_record(
            actor=actor,
            action=kind.value,
            account=account,
            resource=named[:200],
            outcome=Outcome.STARTED,
            operation=operation,
            nodes=len(targets),
            **(audit or {}),
        )
    return operation


def rows_create(operation: Operation, targets: Iterable[Target]) -> None:
    rows = [NodeWork(operation=operation, pool_id=pool, node_id=node) for pool, node in targets]
    NodeWork.objects.bulk_create(rows, batch_size=500)


def subject_of(targets: Sequence[Target]) -> str:
    """How an operation on these nodes is named in lists."""
    pools = sorted({pool for pool, _node in targets})
    if len(targets) == 1:
        return f"{pools[0]} · {targets[0][1]}"
    count = ngettext("%(count)s node", "%(count)s nodes", len(targets)) % {"count": len(targets)}
    return f"{', '.join(pools[:3])}{' …' if len(pools) > 3 else ''} · {count}"


def _digest(targets: Sequence[Target]) -> str:
    text = "\n".join(sorted(f"{pool.lower()}/{node}" for pool, node in targets))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
