"""Linking a storage account to a Batch account. The work itself is in `apps.accounts.runners`."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.accounts.rules import clean_storage_account_id
from apps.audit.models import Outcome
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, Invalid
from apps.gateway import management
from apps.gateway.errors import GatewayNotFound, ManagementPlaneMissing
from apps.gateway.types import StorageAccount
from apps.operations.models import Kind, Operation
from apps.operations.services import operation_create
from apps.people.actors import Actor
from apps.people.roles import Permission

SUBJECT_KEY = "storage"


def storage_link(*, actor: Actor, account: BatchAccount, storage_account_id: str) -> Operation:
    """Start linking, or changing to, a storage account.

    Raises `Invalid` at `storage_account_id` for one that cannot serve or does not exist, and `Conflict` while other
    work on the link is under way.
    """
    _require(actor, account)
    storage = fit_storage_account(account=account, storage_account_id=clean_storage_account_id(storage_account_id))
    return _start(actor, account, Kind.STORAGE_LINK, storage.name, storage_account_id=storage.id)


def storage_unlink(*, actor: Actor, account: BatchAccount) -> Operation:
    """Start unlinking. Raises `Conflict` when none is linked."""
    _require(actor, account)
    return _start(actor, account, Kind.STORAGE_UNLINK, linked_name(account=account))


def storage_sync_keys(*, actor: Actor, account: BatchAccount) -> Operation:
    """Let the Batch account fetch the storage account's keys again. Raises `Conflict` when none is linked."""
    _require(actor, account)
    return _start(actor, account, Kind.STORAGE_SYNC_KEYS, linked_name(account=account))


def fit_storage_account(*, account: BatchAccount, storage_account_id: str) -> StorageAccount:
    """The storage account, asked of Azure now. Raises `Invalid` with the reason when it cannot serve."""
    try:
        storage = management.storage_account_get(connection_for(account), storage_account_id)
    except GatewayNotFound as error:
        raise Invalid("storage-account-gone", field="storage_account_id") from error
    if storage.unfit:
        raise Invalid(storage.unfit, field="storage_account_id")
    return storage


def linked_name(*, account: BatchAccount) -> str:
    linked = management.account_properties(connection_for(account)).auto_storage
    if linked is None:
        raise Conflict("storage-not-linked")
    return linked.name


def _require(actor: Actor, account: BatchAccount) -> None:
    actor.require(Permission.MANAGE_ACCOUNT, account)
    if not account.has_management_plane:
        raise ManagementPlaneMissing


def _start(actor: Actor, account: BatchAccount, kind: Kind, name: str, **parameters: str) -> Operation:
    with transaction.atomic():
        operation = operation_create(
            actor=actor,
            account=account,
            kind=kind,
            subject=name,
            subject_key=SUBJECT_KEY,
            subject_url=reverse("accounts:storage", kwargs={"account": account.slug}),
            parameters=parameters,
        )
        audit_record(
            actor=actor,
            action=kind.value,
            account=account,
            resource=name,
            outcome=Outcome.STARTED,
            operation=operation,
        )
    return operation
