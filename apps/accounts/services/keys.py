"""The Batch account's shared keys. They are read from Azure when somebody asks and kept nowhere."""

from __future__ import annotations

from typing import Any, Literal

from apps.accounts import reading
from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.audit.models import Outcome
from apps.audit.services import audit_record
from apps.core.exceptions import Invalid
from apps.gateway import management
from apps.gateway.errors import GatewayError
from apps.people.actors import Actor
from apps.people.roles import Permission

KeyName = Literal["Primary", "Secondary"]


def account_key_reveal(*, actor: Actor, account: BatchAccount, key: KeyName) -> str:
    """One key in clear text, written down in the audit. Raises `GatewayError`."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    try:
        keys = management.account_keys(connection_for(account))
    except GatewayError as error:
        _audit(actor, account, "account-key-reveal", key, error)
        raise
    _audit(actor, account, "account-key-reveal", key)
    return keys.primary if key == "Primary" else keys.secondary


def account_key_regenerate(*, actor: Actor, account: BatchAccount, key: KeyName, typed: str) -> None:
    """Make a new key; the old one stops working at once. `typed` is the account's name as the person confirmed it."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    if typed.strip() != account.name:
        raise Invalid("account-confirm-mismatch", field="confirm", name=account.name)
    try:
        management.account_key_regenerate(connection_for(account), key)
    except GatewayError as error:
        _audit(actor, account, "account-key-regenerate", key, error)
        raise
    _audit(actor, account, "account-key-regenerate", key)
    reading.forget(account)


def _audit(actor: Actor, account: BatchAccount, action: str, key: KeyName, error: GatewayError | None = None) -> None:
    outcome = Outcome.FAILED if error else Outcome.DONE
    values: dict[str, Any] = {"error": error.code} if error else {}
    audit_record(actor=actor, action=action, account=account, resource=key, outcome=outcome, **values)
