"""The upload as background work, and what a cancelled or failed one leaves behind: nothing."""

from __future__ import annotations

import logging

from django.utils import timezone

from apps.accounts.selectors import connection_for
from apps.applications.models import ApplicationOwner, Upload
from apps.applications.names import name_key
from apps.applications.snapshot import snapshot_forget
from apps.applications.uploads import services
from apps.applications.uploads.pipeline import Pipeline
from apps.applications.uploads.steps import Step, is_reached
from apps.gateway import management
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types import Connection
from apps.operations.models import Operation, OperationEvent, Status
from apps.operations.runners import Kind, Later, Outcome, Run, runner
from apps.people.roles import Permission

logger = logging.getLogger(__name__)

# The same bytes would fail in the same way, so they are not kept for another try.
FINAL_CODES = ("upload-zip-", "upload-sha256-mismatch", "upload-expired", "upload-staged-gone")


def upload_of(operation: Operation) -> Upload:
    return Upload.objects.select_related("account", "team").get(operation=operation)


def can_retry(operation: Operation) -> bool:
    upload = Upload.objects.filter(operation=operation).first()
    return upload is not None and services.can_take_over(upload)


def cleanup(run: Run, status: Status) -> None:
    """Put the service back to what it was, and delete bytes that no retry can use."""
    upload = upload_of(run.operation)
    state = run.state
    touched = is_reached(state, Step.VERSION_SEEN) or is_reached(state, Step.NEW_APPLICATION)
    if touched and not is_reached(state, Step.ACTIVATED):
        _undo_version(run, upload, connection_for(upload.account))
        snapshot_forget(upload.account)
        run.checkpoint(undone=True)
    ending = state.get("_ending", {})
    useless = str(ending.get("code", "")).startswith(FINAL_CODES)
    if status is Status.CANCELLED or useless or not upload.is_complete:
        services.upload_forget_bytes(upload)
    else:
        run.event("upload-staged-kept", until=f"{timezone.localtime(upload.expires_at):%Y-%m-%d %H:%M %Z}")


def _undo_version(run: Run, upload: Upload, connection: Connection) -> None:
    state = run.state
    try:
        package = management.package_get(connection, upload.application_id, upload.version)
    except GatewayNotFound:
        package = None
    if package is not None and not package.is_active:
        if state.get("new_version"):
            management.package_delete(connection, upload.application_id, upload.version)
            run.event("upload-undone", OperationEvent.Level.WARNING)
        elif state.get("was_active"):
            management.package_activate(connection, upload.application_id, upload.version)
            run.event("upload-kept-active", OperationEvent.Level.WARNING)
    if is_reached(state, Step.NEW_APPLICATION):
        _undo_application(upload, connection)


def _undo_application(upload: Upload, connection: Connection) -> None:
    """Remove the application that this upload made, unless somebody has put a package into it since."""
    try:
        if list(management.package_list(connection, upload.application_id)):
            return
        management.application_delete(connection, upload.application_id)
    except GatewayNotFound:
        pass
    owners = ApplicationOwner.objects.filter(account=upload.account)
    owners.filter(application_key=name_key(upload.application_id)).delete()


@runner(
    Kind.PACKAGE_UPLOAD,
    permission=Permission.UPLOAD_PACKAGES,
    cleanup=cleanup,
    can_retry=can_retry,
    prepare_retry=services.upload_take_over,
)
def run_upload(run: Run) -> Outcome | Later:
    return Pipeline(run, upload_of(run.operation)).proceed()
