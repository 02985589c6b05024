"""From a stored account to what the gateway needs to reach it. Imported by selectors and services, never by views."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from apps.accounts.models import AuthMethod, BatchAccount
from apps.gateway.types import Connection

# The secrets each method keeps; the ones that it can do without are last and named in OPTIONAL_SECRETS.
METHOD_SECRETS: dict[str, tuple[str, ...]] = {
    AuthMethod.CLIENT_SECRET: ("client_secret",),
    AuthMethod.CLIENT_CERTIFICATE: ("certificate", "certificate_password"),
    AuthMethod.MANAGED_IDENTITY: (),
    AuthMethod.WORKLOAD_IDENTITY: (),
    AuthMethod.SHARED_KEY: ("shared_key",),
}
OPTIONAL_SECRETS = frozenset({"certificate_password"})


def connection_for(account: BatchAccount) -> Connection:
    """Decrypted and ready for the gateway. For selectors, services and runners; its secrets go nowhere else."""
    return connection_from(account, account.secrets)


def connection_from(account: BatchAccount, secrets: Mapping[str, str]) -> Connection:
    """The same with secrets that are not stored yet, to try them out."""
    wanted = METHOD_SECRETS[account.auth_method]
    return Connection(
        account_name=account.name,
        auth_method=account.auth_method,
        arm_endpoint=settings.GATEWAY_ARM_ENDPOINT,
        batch_endpoint=account.batch_endpoint,
        subscription_id=account.subscription_id,
        resource_group=account.resource_group,
        tenant_id=account.tenant_id,
        client_id=account.client_id,
        secrets=tuple(sorted((name, secrets[name]) for name in wanted if secrets.get(name))),
    )
