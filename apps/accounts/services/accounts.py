"""Connecting, changing, testing and disconnecting Batch accounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.accounts import reading
from apps.accounts.connections import METHOD_SECRETS, connection_for
from apps.accounts.details import AMBIENT, Details, checked
from apps.accounts.models import AuthMethod, BatchAccount
from apps.accounts.snapshots import packed
from apps.audit.models import Outcome
from apps.audit.services import audit_record
from apps.core.crypto import SecretDict
from apps.core.exceptions import Conflict, NotPermitted
from apps.gateway import batch, management
from apps.gateway.errors import GatewayError
from apps.gateway.together import ask_together
from apps.gateway.types import AccountProperties, Connection, Plane, PlaneCheck
from apps.operations.models import ACTIVE
from apps.people.actors import Actor
from apps.people.roles import Permission

RESERVED_SLUGS = frozenset({"connect"})
# Where an error of the first contact belongs in the form.
_FIELDS = {
    "gateway-subscription-not-found": "subscription_id",
    "gateway-resource-group-not-found": "resource_group",
    "gateway-not-found": "name",
    "gateway-data-sign-in-refused": "shared_key",
    "gateway-shared-key-disabled": "auth_method",
    "gateway-identity-unavailable": "auth_method",
}
_SIGN_IN_FIELDS = {
    "AADSTS90002": "tenant_id",
    "AADSTS900021": "tenant_id",
    "AADSTS900023": "tenant_id",
    "AADSTS700016": "client_id",
}


@dataclass(frozen=True, slots=True)
class Connected:
    """A connected account; `warning` is why the data plane, or with `untested` anything, did not answer yet."""

    account: BatchAccount
    warning: GatewayError | None = None


def account_connect(*, actor: Actor, details: Details, untested: bool = False) -> Connected:
    """Connect an account after trying it out at both planes.

    Raises `Invalid` and `GatewayError` at the field that they concern, and `Conflict` for an account that is connected
    already. `untested` connects even where the first contact fails.
    """
    actor.require(Permission.MANAGE_PORTAL)
    details = checked(details)
    _require_new(details)
    found = _first_contact(details, untested=untested)
    account = _filled(details, found.properties)
    account.created_by = actor.user
    account.slug = _free_slug(account)
    try:
        with transaction.atomic():
            account.save()
            audit_record(actor=actor, action="account-connect", account=account, **_described(account))
    except IntegrityError as error:
        raise _taken(details) from error
    return Connected(account, found.error)


def account_update(*, actor: Actor, account: BatchAccount, details: Details, untested: bool = False) -> Connected:
    """Change how an account is signed in to. Secrets left empty stay as they are while the method stays.

    Which account it is never changes: another one is connected anew. Only a portal administrator may choose one of the
    portal's own identities.
    """
    actor.require(Permission.MANAGE_ACCOUNT, account)
    if details.auth_method in AMBIENT and _identity(details) != _identity(account):
        _require_portal(actor)
    if account.subscription_id and account.resource_group:
        details = replace(details, subscription_id=account.subscription_id, resource_group=account.resource_group)
    endpoint = details.batch_endpoint if details.auth_method == AuthMethod.SHARED_KEY else account.batch_endpoint
    kept = account.secrets if details.auth_method == account.auth_method else SecretDict()
    details = checked(replace(details, name=account.name, batch_endpoint=endpoint, secrets=_merged(details, kept)))
    found = _first_contact(details, untested=untested)
    before = _described(account)
    _overwrite(account, details, found.properties)
    try:
        with transaction.atomic():
            account.save()
            after = _described(account)
            audit_record(actor=actor, action="account-update", account=account, before=before, after=after)
    except IntegrityError as error:
        raise _taken(details) from error
    reading.forget(account)
    return Connected(account, found.error)


def account_disconnect(*, actor: Actor, account: BatchAccount) -> None:
    """Forget an account with everything the portal keeps for it; nothing changes in Azure.

    Raises `Conflict` while operations are under way.
    """
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        locked = BatchAccount.objects.select_for_update().get(pk=account.pk)
        if locked.operations.filter(status__in=ACTIVE).exists():
            raise Conflict("account-busy", account=str(account))
        audit_record(actor=actor, action="account-disconnect", account=account, **_described(account))
        locked.delete()
    reading.forget(account)


def account_test(*, actor: Actor, account: BatchAccount) -> list[PlaneCheck]:
    """Ask each plane now and say how it went; what the management plane answers refreshes the snapshot."""
    actor.require(Permission.MANAGE_ACCOUNT, account)
    reading.forget(account)
    checks = _checks(connection_for(account))
    outcome = Outcome.DONE if all(check.ok for check in checks if check.tested) else Outcome.FAILED
    codes: dict[str, Any] = {check.plane.value: check.error_code or "ok" for check in checks}
    audit_record(actor=actor, action="account-test", account=account, outcome=outcome, **codes)
    if checks[0].ok:
        snapshot_refresh(actor=actor, account=account)
    return checks


def details_test(*, actor: Actor, details: Details) -> list[PlaneCheck]:
    """The same for details that are not stored. Raises `Invalid` at the field."""
    actor.require(Permission.MANAGE_PORTAL)
    details = checked(details)
    connection = details.connection()
    management_check = management.check(connection)
    if not management_check.ok or not connection.has_management_plane:
        return [management_check, _data_check(connection)]
    properties = management.account_properties(connection)
    return [management_check, _data_check(replace(connection, batch_endpoint=properties.account_endpoint))]


def snapshot_refresh(*, actor: Actor, account: BatchAccount) -> bool:
    """Keep in the row what the management plane says now; False when it says nothing."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    if not account.has_management_plane:
        return False
    try:
        properties = management.account_properties(connection_for(account))
    except GatewayError:
        return False
    # Only the snapshot's own columns: somebody may be changing the sign-in at this moment.
    BatchAccount.objects.filter(pk=account.pk).update(
        snapshot=packed(properties), batch_endpoint=properties.account_endpoint, location=properties.location
    )
    return True


# --- First contact --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Contact:
    properties: AccountProperties | None = None
    error: GatewayError | None = None


def _first_contact(details: Details, *, untested: bool) -> _Contact:
    """Properties from the management plane, then a word from the data plane, which may come later (new roles do)."""
    connection = details.connection()
    properties = None
    try:
        if connection.has_management_plane:
            properties = management.account_properties(connection)
            connection = replace(connection, batch_endpoint=properties.account_endpoint)
        batch.probe(connection)
    except GatewayError as error:
        if untested or properties is not None:
            return _Contact(properties, error)
        error.field = _field_of(error, details)
        raise
    return _Contact(properties)


def _field_of(error: GatewayError, details: Details) -> str:
    if error.code in {"gateway-sign-in-failed", "gateway-credential-malformed"}:
        secret = next(iter(METHOD_SECRETS[details.auth_method]), "auth_method")
        return _SIGN_IN_FIELDS.get(error.service_code, secret)
    if error.code == "gateway-not-found" and details.auth_method == AuthMethod.SHARED_KEY:
        return "batch_endpoint"
    if error.code.startswith(("gateway-endpoint", "gateway-redirect")):
        return "batch_endpoint"
    return _FIELDS.get(error.code, "")


def _checks(connection: Connection) -> list[PlaneCheck]:
    questions = {Plane.MANAGEMENT: lambda: management.check(connection), Plane.DATA: lambda: _data_check(connection)}
    answers, _errors = ask_together(questions)
    return [answers[Plane.MANAGEMENT], answers[Plane.DATA]]


def _data_check(connection: Connection) -> PlaneCheck:
    return batch.check(connection)


# --- Rows -----------------------------------------------------------------------------------------------------------
def _filled(details: Details, properties: AccountProperties | None) -> BatchAccount:
    account = details.account()
    _overwrite(account, details, properties)
    return account


def _overwrite(account: BatchAccount, details: Details, properties: AccountProperties | None) -> None:
    for name in Details.__dataclass_fields__:
        setattr(account, name, getattr(details, name))
    if properties is not None:
        account.batch_endpoint, account.location = properties.account_endpoint, properties.location
        account.snapshot = packed(properties)
    elif not account.location:
        account.location = _region_of(account.batch_endpoint)


def _region_of(endpoint: str) -> str:
    """The region in `https://account.region.batch.azure.com`; nothing for other endpoints."""
    labels = (urlsplit(endpoint).hostname or "").split(".")
    return labels[1] if len(labels) > 3 and labels[2] == "batch" else ""


def _merged(details: Details, kept: SecretDict) -> SecretDict:
    """New secrets over stored ones. A new certificate comes with its own password, or none."""
    given = {name: value for name, value in details.secrets.items() if value}
    if "certificate" in given:
        kept = SecretDict({name: value for name, value in kept.items() if name != "certificate_password"})
    return SecretDict({**kept, **given})


def _require_new(details: Details) -> None:
    same = BatchAccount.objects.filter(
        name__iexact=details.name,
        subscription_id__iexact=details.subscription_id,
        resource_group__iexact=details.resource_group,
    )
    if details.auth_method == AuthMethod.SHARED_KEY:
        same = same.filter(batch_endpoint__iexact=details.batch_endpoint)
    if same.exists():
        raise _taken(details)


def _taken(details: Details) -> Conflict:
    return Conflict("account-connected-already", field="name", account=details.name)


def _free_slug(account: BatchAccount) -> str:
    stem = slugify(account.title or account.name)[:56] or account.name
    taken = set(BatchAccount.objects.filter(slug__startswith=stem).values_list("slug", flat=True)) | RESERVED_SLUGS
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return stem if stem not in taken else next(slug for slug in numbered if slug not in taken)


def _described(account: BatchAccount) -> dict[str, Any]:
    """For the audit: everything but the secrets."""
    names = (
        "name",
        "title",
        "auth_method",
        "subscription_id",
        "resource_group",
        "tenant_id",
        "client_id",
        "batch_endpoint",
    )
    return {name: getattr(account, name) for name in names}


def _identity(of: Details | BatchAccount) -> tuple[str, str, str]:
    """Which of the portal's own identities is meant: a machine may have several."""
    return of.auth_method, of.tenant_id.strip().lower(), of.client_id.strip().lower()


def _require_portal(actor: Actor) -> None:
    if not actor.may(Permission.MANAGE_PORTAL):
        raise NotPermitted("ambient-identity-portal", field="auth_method")
