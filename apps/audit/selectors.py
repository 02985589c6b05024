"""Reading the audit: of one account by its administrators, of everything by portal administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.accounts.models import BatchAccount
from apps.audit.models import AuditEvent
from apps.people.actors import Actor
from apps.people.roles import Permission

_ORDERS = {"at": ["at", "id"], "-at": ["-at", "-id"]}


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """What to look for. `search` matches actor and resource; `since` is the first moment, `until` the first after."""

    search: str = ""
    action: str = ""
    outcome: str = ""
    account: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def narrow(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        for word in self.search.split():
            events = events.filter(Q(actor_name__icontains=word) | Q(resource__icontains=word))
        exact = {"action": self.action, "outcome": self.outcome, "account__slug": self.account}
        exact |= {"at__gte": self.since, "at__lt": self.until}  # type: ignore[dict-item]
        return events.filter(**{name: value for name, value in exact.items() if value})


def event_list(
    *, actor: Actor, account: BatchAccount | None, wanted: EventFilter, order: str = "-at"
) -> QuerySet[AuditEvent]:
    """Events of one account, or of the whole portal where `account` is None."""
    actor.require(Permission.MANAGE_ACCOUNT if account else Permission.MANAGE_PORTAL, account)
    events = AuditEvent.objects.select_related("account", "user", "operation")
    if account:
        events = events.filter(account=account)
    return wanted.narrow(events).order_by(*_ORDERS.get(order, _ORDERS["-at"]))
