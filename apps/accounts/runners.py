"""Work on the storage link. Each step may be repeated: linking again, or unlinking again, changes nothing."""

from __future__ import annotations

from apps.accounts import reading
from apps.accounts.connections import connection_for
from apps.accounts.services.accounts import snapshot_refresh
from apps.accounts.services.storage import fit_storage_account
from apps.applications.snapshot import snapshot_forget
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict
from apps.gateway import management
from apps.operations.runners import Kind, Outcome, Run, runner
from apps.people.actors import system_actor
from apps.people.roles import Permission


@runner(Kind.STORAGE_LINK, permission=Permission.MANAGE_ACCOUNT)
def run_storage_link(run: Run) -> Outcome:
    connection = connection_for(run.operation.account)
    wanted = run.operation.parameters["storage_account_id"]
    run.phase("storage-checking")
    fit_storage_account(account=run.operation.account, storage_account_id=wanted)
    run.check()
    run.phase("storage-linking")
    management.auto_storage_link(connection, wanted)
    _forget(run)
    run.phase("storage-verifying")
    linked = management.account_properties(connection).auto_storage
    if linked is None or linked.storage_account_id.lower() != wanted.lower():
        raise Conflict("storage-link-not-kept", name=run.operation.subject)
    return _done(run, "storage-linked")


@runner(Kind.STORAGE_UNLINK, permission=Permission.MANAGE_ACCOUNT)
def run_storage_unlink(run: Run) -> Outcome:
    run.phase("storage-unlinking")
    management.auto_storage_unlink(connection_for(run.operation.account))
    _forget(run)
    return _done(run, "storage-unlinked")


@runner(Kind.STORAGE_SYNC_KEYS, permission=Permission.MANAGE_ACCOUNT)
def run_storage_sync_keys(run: Run) -> Outcome:
    run.phase("storage-synchronising")
    management.auto_storage_sync_keys(connection_for(run.operation.account))
    _forget(run)
    return _done(run, "storage-keys-synchronised")


def _forget(run: Run) -> None:
    """Readers see the change from now on, whatever becomes of the operation."""
    reading.forget(run.operation.account)
    snapshot_forget(run.operation.account)


def _done(run: Run, code: str) -> Outcome:
    operation = run.operation
    snapshot_refresh(actor=system_actor(), account=operation.account)
    with run.transaction():
        audit_record(
            actor=run.actor,
            action=operation.kind,
            account=operation.account,
            resource=operation.subject,
            operation=operation,
        )
    return Outcome(code, {"name": operation.subject, "account": str(operation.account)})
