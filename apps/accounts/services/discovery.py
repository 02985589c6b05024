"""What the identity that is being entered can see, to pick from instead of typing."""

from __future__ import annotations

from dataclasses import replace

from apps.accounts.details import Details, checked
from apps.gateway import management
from apps.gateway.types import AccountRef, SubscriptionInfo
from apps.people.actors import Actor
from apps.people.roles import Permission

# Stand-ins for what discovery is there to find out.
_ANY_ACCOUNT, _ANY_SUBSCRIPTION, _ANY_GROUP = "any", "00000000-0000-0000-0000-000000000000", "any"


def subscriptions_discover(*, actor: Actor, details: Details) -> list[SubscriptionInfo]:
    """Subscriptions by name. Raises `Invalid` at the sign-in's fields and `GatewayError`."""
    actor.require(Permission.MANAGE_PORTAL)
    found = management.subscription_list(_ready(details).connection())
    return sorted(found, key=lambda one: (one.name.lower(), one.id))


def accounts_discover(*, actor: Actor, details: Details, subscription_id: str) -> list[AccountRef]:
    """The Batch accounts of one subscription by name."""
    actor.require(Permission.MANAGE_PORTAL)
    ready = _ready(replace(details, subscription_id=subscription_id))
    found = management.batch_account_list(ready.connection(), ready.subscription_id)
    return sorted(found, key=lambda one: one.name)


def _ready(details: Details) -> Details:
    """Checked as far as signing in goes; which account it is is not known yet."""
    return checked(
        replace(
            details,
            name=_ANY_ACCOUNT,
            subscription_id=details.subscription_id or _ANY_SUBSCRIPTION,
            resource_group=_ANY_GROUP,
        )
    )
