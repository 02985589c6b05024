"""What a person enters to connect an account, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from apps.accounts import rules
from apps.accounts.connections import METHOD_SECRETS, OPTIONAL_SECRETS, connection_from
from apps.accounts.models import AuthMethod, BatchAccount
from apps.core.crypto import SecretDict
from apps.core.exceptions import Invalid, PortalError
from apps.gateway import endpoints
from apps.gateway.errors import EndpointRefused
from apps.gateway.types import Connection

_PLACE = {"subscription_id": True, "resource_group": True}
# Fields that each method asks for besides name and secrets, and whether it cannot do without.
METHOD_FIELDS: dict[str, dict[str, bool]] = {
    AuthMethod.CLIENT_SECRET: {"tenant_id": True, "client_id": True, **_PLACE},
    AuthMethod.CLIENT_CERTIFICATE: {"tenant_id": True, "client_id": True, **_PLACE},
    AuthMethod.MANAGED_IDENTITY: {"client_id": False, **_PLACE},
    AuthMethod.WORKLOAD_IDENTITY: {"tenant_id": False, "client_id": False, **_PLACE},
    AuthMethod.SHARED_KEY: {"batch_endpoint": True},
}
# The portal's own identities: whoever chooses one lends an account what the whole portal may.
AMBIENT = frozenset({AuthMethod.MANAGED_IDENTITY, AuthMethod.WORKLOAD_IDENTITY})


@dataclass(frozen=True, slots=True)
class Details:
    """A connection as it was entered; fields that its method does not use are empty once `checked`."""

    name: str
    auth_method: str
    title: str = ""
    subscription_id: str = ""
    resource_group: str = ""
    batch_endpoint: str = ""
    tenant_id: str = ""
    client_id: str = ""
    secrets: SecretDict = field(default_factory=SecretDict)

    def account(self) -> BatchAccount:
        """An unsaved row with these details."""
        return BatchAccount(**{name: getattr(self, name) for name in self.__dataclass_fields__})

    def connection(self) -> Connection:
        return connection_from(self.account(), self.secrets)


def _clean_endpoint(text: str) -> str:
    try:
        return endpoints.batch_endpoint(text)
    except EndpointRefused as error:
        error.field = "batch_endpoint"
        raise


_CLEANERS: dict[str, Callable[[str], str]] = {
    "subscription_id": rules.clean_subscription_id,
    "resource_group": rules.clean_resource_group,
    "tenant_id": rules.clean_tenant_id,
    "client_id": rules.clean_client_id,
    "batch_endpoint": _clean_endpoint,
}


def checked(details: Details) -> Details:
    """The details in the form they are stored in. Raises `Invalid` at the first field that breaks a rule."""
    clean, errors = examined(details)
    if errors:
        raise errors[0]
    return clean


def examined(details: Details) -> tuple[Details, list[PortalError]]:
    """The details in the form they are stored in, and every rule that is broken, each with its field."""
    if details.auth_method not in AuthMethod.values:
        return details, [Invalid("auth-method-unknown", field="auth_method")]
    errors: list[PortalError] = []
    values = {name: _attempt(errors, partial(_field, details, name)) for name in _CLEANERS}
    name = _attempt(errors, partial(rules.clean_account_name, details.name))
    secrets = SecretDict()
    for wanted in METHOD_SECRETS[details.auth_method]:
        secrets[wanted] = _attempt(errors, partial(_secret, details, wanted))
    kept = SecretDict({key: value for key, value in secrets.items() if value})
    return replace(details, **values, name=name, title=details.title.strip(), secrets=kept), errors


def _attempt(errors: list[PortalError], clean: Callable[[], str]) -> str:
    try:
        return clean()
    except PortalError as error:
        errors.append(error)
        return ""


def _field(details: Details, name: str) -> str:
    required = METHOD_FIELDS[details.auth_method].get(name)
    text = str(getattr(details, name)).strip()
    if name == "batch_endpoint" and required is None:
        return text  # not entered but read from Azure
    if required is None or (not text and not required):
        return ""
    if not text:
        raise Invalid("field-required", field=name)
    return _CLEANERS[name](text)


def _secret(details: Details, name: str) -> str:
    text = details.secrets.get(name, "")
    if not text:
        if name in OPTIONAL_SECRETS:
            return ""
        raise Invalid("field-required", field=name)
    if name == "shared_key":
        return rules.clean_shared_key(text)
    if name == "certificate":
        return rules.clean_certificate(text, details.secrets.get("certificate_password", ""))
    return text
