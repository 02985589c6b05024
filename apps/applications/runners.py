"""Work on applications and packages that runs in the background.

Deleting is repeatable as it is: what is gone already counts as deleted, and only the versions that the person saw are
ever deleted.
"""

from __future__ import annotations

from apps.accounts.connections import connection_for
from apps.applications.blobs import blob_of
from apps.applications.contents import read_contents
from apps.applications.models import ApplicationOwner, PackageRecord
from apps.applications.names import name_key
from apps.applications.ownership import require_owner
from apps.applications.records import records_forget
from apps.applications.selectors import package_of
from apps.applications.snapshot import snapshot_forget
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict
from apps.gateway import management
from apps.gateway.errors import GatewayConflict, GatewayNotFound
from apps.gateway.types import BlobInfo, Connection, Package
from apps.operations.models import Operation
from apps.operations.runners import Kind, Outcome, Run, runner
from apps.people.actors import Actor
from apps.people.roles import Permission


def _check_owner(_ended: Operation, again: Operation, actor: Actor) -> None:
    """A retry is for those who may change the application now."""
    require_owner(actor=actor, account=again.account, application_id=again.parameters["application_id"])


@runner(Kind.PACKAGE_DELETE, permission=Permission.UPLOAD_PACKAGES, prepare_retry=_check_owner)
def run_package_delete(run: Run) -> Outcome:
    account, parameters = run.operation.account, run.operation.parameters
    application_id, version = parameters["application_id"], parameters["version"]
    run.phase("deleting")
    _delete(run, connection_for(account), application_id, version)
    code = "default-package-deleted" if parameters.get("was_default") else "package-deleted"
    return Outcome(code, {"application": application_id, "version": version})


@runner(Kind.APPLICATION_DELETE, permission=Permission.UPLOAD_PACKAGES, prepare_retry=_check_owner)
def run_application_delete(run: Run) -> Outcome:
    account, parameters = run.operation.account, run.operation.parameters
    application_id, versions = parameters["application_id"], parameters["versions"]
    connection = connection_for(account)
    run.phase("deleting", total=len(versions) + 1, unit="packages")
    for number, version in enumerate(versions):
        run.check()
        _delete(run, connection, application_id, version)
        run.progress(number + 1)
    _delete_application(run, connection, application_id)
    return Outcome("application-deleted", {"application": application_id, "packages": len(versions)})


@runner(Kind.PACKAGE_ACTIVATE, permission=Permission.UPLOAD_PACKAGES, prepare_retry=_check_owner)
def run_package_activate(run: Run) -> Outcome:
    """Activate bytes that are in blob storage already, once they can be read as a zip at all."""
    account, parameters = run.operation.account, run.operation.parameters
    application_id, version = parameters["application_id"], parameters["version"]
    connection = connection_for(account)
    package = package_of(account=account, application_id=application_id, version=version)
    run.phase("checking")
    blob = _readable_blob(run, package)
    if not package.is_active:
        run.phase("activating")
        package = management.package_activate(connection, application_id, version)
        snapshot_forget(account)
    if not package.is_active:
        raise Conflict("package-not-activated", application=application_id, version=version, state=package.state)
    _settle_record(run, package, blob)
    return Outcome("package-activated", {"application": application_id, "version": version})


def _delete(run: Run, connection: Connection, application_id: str, version: str) -> None:
    account = run.operation.account
    try:
        management.package_delete(connection, application_id, version)
    except GatewayNotFound:
        run.event("package-was-gone", application=application_id, version=version)
    with run.transaction():
        records_forget(account=account, application_id=application_id, version=version)
        _audit(run, "package.delete", f"{application_id} {version}")
    snapshot_forget(account)


def _delete_application(run: Run, connection: Connection, application_id: str) -> None:
    account = run.operation.account
    try:
        management.application_delete(connection, application_id)
    except GatewayNotFound:
        run.event("application-was-gone", application=application_id)
    except GatewayConflict as error:
        if left := _versions_left(connection, application_id):
            raise Conflict("application-not-empty", application=application_id, versions=left) from error
        raise
    with run.transaction():
        ApplicationOwner.objects.filter(account=account, application_key=name_key(application_id)).delete()
        records_forget(account=account, application_id=application_id)
        _audit(run, "application.delete", application_id)
    snapshot_forget(account)


def _versions_left(connection: Connection, application_id: str) -> str:
    return ", ".join(sorted(one.version for one in management.package_list(connection, application_id)))


def _readable_blob(run: Run, package: Package) -> BlobInfo:
    """The package's blob. Raises `NotVisible` where there is none, `ZipUnreadable` where it is no zip."""
    source = blob_of(run.operation.account, package)
    read_contents(source)
    return source.info


def _settle_record(run: Run, package: Package, blob: BlobInfo) -> None:
    """Keep the record of the bytes only where they are the ones it describes."""
    records = PackageRecord.objects.filter(
        account=run.operation.account,
        application_key=name_key(package.application_id),
        version_key=name_key(package.version),
    )
    with run.transaction():
        records.exclude(blob_etag=blob.etag).delete()
        records.filter(blob_etag=blob.etag).update(activated_at=package.last_activation_time)
        _audit(run, "package.activate", f"{package.application_id} {package.version}")


def _audit(run: Run, action: str, resource: str) -> None:
    account = run.operation.account
    audit_record(actor=run.actor, action=action, account=account, resource=resource, operation=run.operation)
