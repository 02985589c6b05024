"""What every change of a pool leaves behind: a line in the audit, and a fresh look at the account."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import BatchAccount
from apps.audit.services import audit_record
from apps.people.actors import Actor
from apps.pools import polling


def audit_record_pool(*, actor: Actor, account: BatchAccount, pool_id: str, action: str) -> None:
    with transaction.atomic():
        audit_record(actor=actor, action=action, account=account, resource=pool_id)
        polling.poll_soon(account)
