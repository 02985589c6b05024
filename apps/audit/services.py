from typing import Any

from apps.accounts.models import BatchAccount
from apps.audit.models import AuditEvent, Outcome
from apps.operations.models import Operation
from apps.people.actors import Actor


def audit_record(
    *,
    actor: Actor,
    action: str,
    account: BatchAccount | None = None,
    resource: str = "",
    outcome: Outcome = Outcome.DONE,
    operation: Operation | None = None,
    **values: Any,
) -> AuditEvent:
    """Write down what was done. Call it inside the transaction of the change; `values` never hold secrets."""
    return AuditEvent.objects.create(
        actor_name=actor.name,
        user=actor.user or (actor.token.user if actor.token else None),
        token=actor.token,
        account=account,
        account_name=str(account) if account else "",
        action=action,
        resource=resource,
        outcome=outcome,
        operation=operation,
        values=values,
    )


def audit_record_visitor(*, action: str, resource: str, outcome: Outcome, **values: Any) -> AuditEvent:
    """Write down what somebody who has not signed in tried; the actor stays empty, for none was proven."""
    return AuditEvent.objects.create(
        actor_name="", action=action, resource=resource[:200], outcome=outcome, values=values
    )
