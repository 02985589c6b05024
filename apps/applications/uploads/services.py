"""Starting, ending and expiring uploads."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.accounts.selectors import connection_for
from apps.applications.conflicts import package_key, require_idle
from apps.applications.models import Upload, UploadAction
from apps.applications.names import clean_application_id, clean_display_name, clean_version, name_key
from apps.applications.ownership import may_touch, owner_of, require_owner, team_for_new
from apps.applications.selectors import require_management_plane
from apps.applications.services import require_free_name
from apps.applications.uploads import staging
from apps.applications.uploads.errors import TooLargeError
from apps.applications.uploads.steps import Step, is_reached
from apps.audit.models import Outcome
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, Invalid, NotPermitted
from apps.core.formats import size_text
from apps.gateway import management
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types import Application
from apps.operations.dispatch import dispatch_on_commit
from apps.operations.leases import wake
from apps.operations.models import ACTIVE, Kind, Operation
from apps.operations.services import operation_cancel, operation_create
from apps.people.actors import Actor
from apps.people.models import Team
from apps.people.roles import Permission

_SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_FILENAME = 255


@dataclass(frozen=True, slots=True)
class Wanted:
    """An upload as somebody asked for it, with clean names."""

    action: UploadAction
    application_id: str
    version: str
    filename: str
    length: int
    sha256: str
    display_name: str

    @property
    def subject(self) -> str:
        return f"{self.application_id} {self.version}"

    @property
    def subject_key(self) -> str:
        return package_key(self.application_id, self.version)


def upload_start(
    *,
    actor: Actor,
    account: BatchAccount,
    action: UploadAction,
    application_id: str,
    version: str,
    filename: str,
    length: int,
    sha256: str = "",
    team: Team | None = None,
    display_name: str = "",
    metadata: dict[str, Any] | None = None,
) -> Upload:
    """Admit an upload and make its operation; the bytes come afterwards. Asking twice for the same gives the same one.

    Raises `Invalid`, `TooLargeError` and `NoSpaceError` at a field (`application_id`, `version`, `file`, `team`,
    `sha256`), `Conflict` where the version or application exists, is gone, or is being changed, `NotPermitted`, and
    `GatewayError` when the service cannot be asked.
    """
    actor.require(Permission.UPLOAD_PACKAGES, account)
    wanted = _clean(Wanted(action, application_id, version, filename, length, sha256, display_name))
    owner = _permitted_team(actor, account, wanted, team)
    if known := _same_upload(actor, account, wanted):
        return known
    require_management_plane(account)
    _require_idle(account, wanted)
    wanted = _checked_with_service(account, wanted)
    staging.require_space(wanted.length)
    return _create(actor, account, wanted, owner, metadata or {})


def _clean(wanted: Wanted) -> Wanted:
    cleaned = replace(
        wanted,
        action=UploadAction(wanted.action),
        application_id=clean_application_id(wanted.application_id),
        version=clean_version(wanted.version),
        # Browsers of old send a path; only the name is kept.
        filename=_file_name(wanted.filename),
        sha256=wanted.sha256.strip().lower(),
        display_name=clean_display_name(wanted.display_name),
    )
    _check_file(cleaned)
    if cleaned.sha256 and not _SHA256.fullmatch(cleaned.sha256):
        raise Invalid("upload-sha256-malformed", field="sha256")
    return cleaned


def _file_name(text: str) -> str:
    """The last part of what may be a path, as browsers of old sent it, without what cannot be shown."""
    name = text.replace("\\", "/").rsplit("/", 1)[-1].strip()
    return "".join(one if one.isprintable() else "_" for one in name)[-MAX_FILENAME:]


def _check_file(wanted: Wanted) -> None:
    if wanted.length <= 0 or not wanted.filename:
        raise Invalid("upload-file-missing", field="file")
    if not wanted.filename.lower().endswith(".zip"):
        raise Invalid("upload-not-a-zip", field="file", filename=wanted.filename)
    if wanted.length > settings.UPLOAD_MAX_BYTES:
        limit = size_text(settings.UPLOAD_MAX_BYTES)
        raise TooLargeError(field="file", size=size_text(wanted.length), limit=limit)


def _permitted_team(actor: Actor, account: BatchAccount, wanted: Wanted, team: Team | None) -> Team | None:
    """The team of a new application; None for an existing one, which the actor may touch."""
    if wanted.action is not UploadAction.NEW_APPLICATION:
        try:
            require_owner(actor=actor, account=account, application_id=wanted.application_id)
        except NotPermitted:
            if account.has_management_plane:
                _application_of(account, wanted)  # nobody owns what is not there, and saying so helps more
            raise
        return None
    return team_for_new(actor=actor, account=account, application_id=wanted.application_id, team=team)


def _same_upload(actor: Actor, account: BatchAccount, wanted: Wanted) -> Upload | None:
    """The upload that a second click, or a client that saw no answer, has started already."""
    owner = actor.user or (actor.token.user if actor.token else None)
    uploads = Upload.objects.filter(
        account=account,
        operation__status__in=ACTIVE,
        operation__cancel_requested_at=None,
        operation__subject_key=wanted.subject_key,
        operation__user=owner,
        operation__token=actor.token,
        action=wanted.action,
        filename=wanted.filename,
        length=wanted.length,
        expected_sha256=wanted.sha256,
    )
    return uploads.select_related("operation", "account").first()


def _require_idle(account: BatchAccount, wanted: Wanted) -> None:
    whole = wanted.action is UploadAction.NEW_APPLICATION
    require_idle(account=account, application_id=wanted.application_id, version="" if whole else wanted.version)


def _checked_with_service(account: BatchAccount, wanted: Wanted) -> Wanted:
    """Refuse now what the service would refuse after the bytes have come; names in the service's own spelling."""
    if wanted.action is UploadAction.NEW_APPLICATION:
        require_free_name(account=account, application_id=wanted.application_id)
        return wanted
    application = _application_of(account, wanted)
    found_packages = management.package_list(connection_for(account), application.id)
    packages = {name_key(one.version): one for one in found_packages}
    found = packages.get(name_key(wanted.version))
    if found is None:
        if len(packages) >= settings.APPLICATION_PACKAGE_QUOTA:
            raise Conflict("upload-package-quota", field="version", limit=settings.APPLICATION_PACKAGE_QUOTA)
        return replace(wanted, application_id=application.id)
    require_replaceable(application, found.version, is_active=found.is_active, action=wanted.action)
    return replace(wanted, application_id=application.id, version=found.version)


def _application_of(account: BatchAccount, wanted: Wanted) -> Application:
    try:
        return management.application_get(connection_for(account), wanted.application_id)
    except GatewayNotFound as error:
        name = wanted.application_id
        raise Conflict("upload-application-missing", field="application_id", application=name) from error


def require_replaceable(application: Application, version: str, *, is_active: bool, action: UploadAction) -> None:
    """Raise `Conflict` where the bytes of an existing version may not be replaced by this action."""
    if not application.allow_updates:
        raise Conflict("application-updates-off", field="version", application=application.id)
    if is_active and action is not UploadAction.UPDATE:
        raise Conflict("upload-version-exists", field="version", application=application.id, version=version)


def _create(actor: Actor, account: BatchAccount, wanted: Wanted, team: Team | None, metadata: dict[str, Any]) -> Upload:
    with transaction.atomic():
        try:
            operation = operation_create(
                actor=actor,
                account=account,
                kind=Kind.PACKAGE_UPLOAD,
                subject=wanted.subject,
                subject_key=wanted.subject_key,
                subject_url=_address(account, wanted.application_id),
                parameters={"action": wanted.action.value, "display_name": wanted.display_name},
                total=wanted.length,
                unit="bytes",
                received=0,
            )
        except Conflict:
            # The other half of a double click came first; anybody else's upload stays a conflict.
            if known := _same_upload(actor, account, wanted):
                return known
            raise
        upload = _row(account, operation, wanted, team, metadata)
        audit_record(
            actor=actor,
            action="package.upload",
            account=account,
            resource=wanted.subject,
            outcome=Outcome.STARTED,
            operation=operation,
            filename=wanted.filename,
            size=wanted.length,
            kind=wanted.action.value,
        )
    return upload


def _row(
    account: BatchAccount, operation: Operation, wanted: Wanted, team: Team | None, metadata: dict[str, Any]
) -> Upload:
    return Upload.objects.create(
        operation=operation,
        account=account,
        action=wanted.action,
        application_id=wanted.application_id,
        version=wanted.version,
        team=team,
        filename=wanted.filename,
        length=wanted.length,
        expected_sha256=wanted.sha256,
        expires_at=timezone.now() + timedelta(hours=settings.UPLOAD_EXPIRES_HOURS),
        staged_name=f"{uuid.uuid4().hex}.part",
        metadata=metadata,
    )


def _address(account: BatchAccount, application_id: str) -> str:
    return reverse("applications:detail", kwargs={"account": account.slug, "application": application_id})


def upload_cancel(*, actor: Actor, upload: Upload) -> None:
    """End the upload and delete its bytes; one that has ended stays as it is."""
    if upload.operation.status in ACTIVE:
        operation_cancel(actor=actor, operation=upload.operation)


def upload_take_over(ended: Operation, again: Operation, actor: Actor) -> None:
    """For a retry: the new operation gets an upload of its own with the bytes that are staged already.

    Raises `Conflict` where they are gone, and what `require_owner` raises.
    """
    old = Upload.objects.select_for_update().select_related("account").get(operation=ended)
    _require_still_permitted(actor, old)
    if not can_take_over(old):
        raise Conflict("upload-staged-gone")
    Upload.objects.create(
        operation=again,
        account=old.account,
        action=old.action,
        application_id=old.application_id,
        version=old.version,
        team=old.team,
        filename=old.filename,
        length=old.length,
        offset=old.offset,
        bytes_at=old.bytes_at,
        received_at=old.received_at,
        expected_sha256=old.expected_sha256,
        expires_at=timezone.now() + timedelta(hours=settings.UPLOAD_EXPIRES_HOURS),
        staged_name=old.staged_name,
        metadata=old.metadata,
    )
    # What went beyond the point of no return is finished, not begun anew.
    kept = ended.state if is_reached(ended.state, Step.COMMITTING) and "undone" not in ended.state else {}
    Operation.objects.filter(pk=again.pk).update(received=old.offset, state=kept)
    Upload.objects.filter(pk=old.pk).update(staged_name="")


def _require_still_permitted(actor: Actor, upload: Upload) -> None:
    known = owner_of(account=upload.account, application_id=upload.application_id)
    if known is not None or upload.action != UploadAction.NEW_APPLICATION:
        require_owner(actor=actor, account=upload.account, application_id=upload.application_id)
    elif not may_touch(actor=actor, account=upload.account, team_id=upload.team_id):
        raise NotPermitted("team-not-yours", team=str(upload.team or ""))


def can_take_over(upload: Upload) -> bool:
    """Whether the bytes of an ended upload are still there, all of them."""
    if not upload.staged_name or upload.staged_removed_at or not upload.is_complete:
        return False
    path = staging.path_of(upload)
    return path.is_file() and path.stat().st_size == upload.length


def uploads_expire() -> int:
    """End uploads whose bytes stopped coming long ago, and delete the bytes of those that ended; returns how many."""
    late = Upload.objects.filter(expires_at__lte=timezone.now()).exclude(staged_name="").select_related("operation")
    count = 0
    for upload in late:
        if upload.operation.status not in ACTIVE:
            upload_forget_bytes(upload)
            count += 1
        elif not upload.is_complete:
            # Its own runner ends and tidies it up.
            with transaction.atomic():
                if wake(upload.operation_id):
                    dispatch_on_commit(upload.operation_id)
            count += 1
    for path in staging.orphans():
        path.unlink(missing_ok=True)
    return count


def upload_forget_bytes(upload: Upload) -> None:
    """Delete the staged file."""
    staging.remove(upload)
    Upload.objects.filter(pk=upload.pk).update(staged_name="", staged_removed_at=timezone.now(), destination={})
