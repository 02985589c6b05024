"""From staged bytes to an Active package: each step is recorded when it is done and may be repeated."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.applications.models import PackageRecord, Upload, UploadAction
from apps.applications.names import name_key
from apps.applications.ownership import owner_claim
from apps.applications.packaging import ZipReport
from apps.applications.snapshot import snapshot_forget
from apps.applications.uploads import checking, sending, services, staging
from apps.applications.uploads.destination import Destination
from apps.applications.uploads.steps import Step, is_reached, reaching
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, Invalid
from apps.core.formats import size_text
from apps.gateway import blobs, management
from apps.gateway.errors import GatewayError, GatewayInvalid, GatewayNotFound
from apps.gateway.types import BlobInfo, Package
from apps.operations.runners import Later, Outcome, Run

# How long a run waits for the next block before it lets the worker go, and how long until "paused" is shown.
IDLE_SECONDS = 3.0
PAUSED_AFTER_SECONDS = 30.0
LOOK_SECONDS = 0.25


class Pipeline:
    """One run of one upload."""

    def __init__(self, run: Run, upload: Upload) -> None:
        self.run = run
        self.upload = upload
        self.destination = Destination(run, upload)
        self.connection = self.destination.connection
        size = run.state.get("block_bytes") or sending.block_bytes(upload.length)
        self.blocks = sending.Blocks(upload.staged_name, upload.length, size)

    def is_reached(self, step: Step) -> bool:
        return is_reached(self.run.state, step)

    def record(self, step: Step, **found: Any) -> None:
        """Write down that the step is reached, with what it found."""
        self.run.checkpoint(**reaching(self.run.state, step, **found))

    def proceed(self) -> Outcome | Later:
        """Go as far as the bytes that are there allow."""
        if not self.is_reached(Step.COMMITTING) and (waiting := self._until_committing()):
            return waiting
        self.run.ignore_cancelling()
        if not self.is_reached(Step.COMMITTED):
            self._commit()
        if not self.is_reached(Step.ACTIVATED):
            self._activate()
        if not self.is_reached(Step.RECORDED):
            self._write_down(self._verify())
        services.upload_forget_bytes(self.upload)
        return Outcome("upload-done", self._named())

    def _named(self) -> dict[str, str]:
        return {"application": self.upload.application_id, "version": self.upload.version}

    def _until_committing(self) -> Later | None:
        self.run.check()
        _require_bytes(self.upload)
        if self.upload.offset == 0:
            return self._wait("waiting")
        self._prepare()
        if not self.is_reached(Step.CHECKED) and (waiting := self._send_and_check()):
            return waiting
        self.run.check_now()
        self.record(Step.COMMITTING)
        return None

    def _wait(self, phase: str) -> Later:
        """Let the worker go; the next bytes wake the run. Silence shows as a pause."""
        self.upload.refresh_from_db()
        self.run.stand_still()
        last = self.upload.bytes_at or self.upload.created_at
        quiet = (timezone.now() - last).total_seconds()
        if quiet >= PAUSED_AFTER_SECONDS:
            self.run.phase("waiting")
            return Later(paused=True)
        self.run.phase(phase)
        return Later(PAUSED_AFTER_SECONDS - quiet + 1)

    # --- Application and version --------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """The application and the version exist, and there is a place to send blocks to."""
        if not self.is_reached(Step.APPLICATION_READY):
            self._prepare_application()
        if not self.is_reached(Step.VERSION_SEEN):
            self._look_at_version()
        if not self.destination.is_known:
            if self.is_reached(Step.SENDING):
                self.run.event("upload-address-renewed")
            self.destination.renew()
            snapshot_forget(self.upload.account)
        if not self.is_reached(Step.SENDING):
            self.record(Step.SENDING, block_bytes=self.blocks.size)
            self.run.event("upload-sending-begun")

    def _prepare_application(self) -> None:
        upload, run = self.upload, self.run
        exists = self._application_exists()
        if upload.action != UploadAction.NEW_APPLICATION:
            if not exists:
                raise Conflict("upload-application-gone", **self._named())
            self.record(Step.APPLICATION_READY)
            return
        if exists and not self.is_reached(Step.NEW_APPLICATION):
            raise Conflict("upload-application-exists", **self._named())
        self.record(Step.NEW_APPLICATION)
        if not exists:
            name = run.operation.parameters.get("display_name", "")
            management.application_create(self.connection, upload.application_id, display_name=name)
            snapshot_forget(upload.account)
        with run.transaction(**reaching(run.state, Step.APPLICATION_READY)):
            owner_claim(account=upload.account, application_id=upload.application_id, team=upload.team)
            self._audit("application.create", upload.application_id, team=str(upload.team or ""))
        run.event("upload-application-created", application=upload.application_id)

    def _application_exists(self) -> bool:
        try:
            management.application_get(self.connection, self.upload.application_id)
        except GatewayNotFound:
            return False
        return True

    def _look_at_version(self) -> None:
        """Remember what was there before; refuse what changed since the upload was admitted."""
        upload = self.upload
        try:
            package = management.package_get(self.connection, upload.application_id, upload.version)
        except GatewayNotFound:
            self.record(Step.VERSION_SEEN, new_version=True, was_active=False)
            return
        application = management.application_get(self.connection, upload.application_id)
        action = UploadAction(upload.action)
        services.require_replaceable(application, upload.version, is_active=package.is_active, action=action)
        self.record(Step.VERSION_SEEN, new_version=False, was_active=package.is_active)

    # --- Blocks and checks --------------------------------------------------------------------------------------

    def _send_and_check(self) -> Later | None:
        """Send blocks as they come; with the last byte here, check the zip while the rest is sent."""
        with staging.opened_for_reading(staging.path_of(self.upload)) as file:
            try:
                return self._send_from(file.fileno())
            except GatewayError as error:
                if not sending.is_stale(error) or self.run.state.get("renewed_for") == self._address_id():
                    raise
                return self._renew_and_repeat()

    def _send_from(self, descriptor: int) -> Later | None:
        staged = self._staged()
        sender = sending.Sender(descriptor, self.blocks, self.destination, staged)
        checks = Checks(self.upload, from_start=not staged)
        # A run that was let go in between counts as no attempt, so this is one after a crash.
        if staged and self.run.operation.attempts > 1:
            self.run.event("upload-resumed", sent=size_text(sender.sent))
        try:
            return self._pump(sender, checks)
        finally:
            checks.stop()
            sender.close()

    def _address_id(self) -> str:
        return str(self.upload.destination.get("expires", ""))

    def _renew_and_repeat(self) -> Later:
        """A refused signature is worth one new address; one that is refused from its beginning is an error."""
        self.run.event("upload-address-renewed")
        self.destination.renew()
        self.run.checkpoint(renewed_for=self._address_id())
        return Later(0)

    def _staged(self) -> set[int]:
        return self.blocks.staged(blobs.blocks_staged(self.destination.url()))

    def _pump(self, sender: sending.Sender, checks: Checks) -> Later | None:
        quiet_since = time.monotonic()
        while True:
            offset = self._offset()
            checks.reach(offset)
            before = sender.sent
            sender.feed(offset)
            complete = offset >= self.upload.length
            self.run.phase("sending" if complete and not sender.is_done else "checking" if complete else "receiving")
            self.run.progress(sender.sent)
            if complete and sender.is_done and checks.are_done:
                break
            if sender.sent != before or not sender.is_idle or complete:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > IDLE_SECONDS:
                return self._wait("receiving")
            self._pause(sender)
            if self.destination.is_ending:
                return self._renew_and_repeat()
        self._settle(checks)
        return None

    def _pause(self, sender: sending.Sender) -> None:
        if sender.is_idle:
            time.sleep(LOOK_SECONDS)
        else:
            sender.pause(LOOK_SECONDS)

    def _offset(self) -> int:
        """How many bytes are safe on disk; asked of the database while more are expected."""
        upload = self.upload
        if upload.offset < upload.length:
            upload.refresh_from_db(fields=["offset", "expires_at", "received_at", "bytes_at"])
            if upload.offset == upload.length:
                self.run.event("upload-received", size=size_text(upload.length))
        return upload.offset

    def _settle(self, checks: Checks) -> None:
        digest, report = checks.results()
        checking.require_sha256(digest, self.upload.expected_sha256)
        checking.require_good_zip(self.run, report)
        self.run.event(
            "upload-checked",
            entries=report.entries,
            uncompressed=size_text(report.uncompressed_bytes),
            sha256=digest,
        )
        self.record(Step.CHECKED, sha256=digest, entries=report.entries, uncompressed=report.uncompressed_bytes)

    # --- Commit, activate, verify, write down -------------------------------------------------------------------

    def _commit(self) -> None:
        """Make the blob of the blocks. Repeating it finds the same blocks, committed or not."""
        self.run.phase("committing")
        if self.destination.is_ending:
            self.destination.renew()
        found = self._commit_blocks()
        if found.size != self.upload.length:
            raise Conflict("upload-replaced", **self._named())
        self.record(Step.COMMITTED, etag=found.etag)
        self.run.event("upload-committed")

    def _commit_blocks(self) -> BlobInfo:
        metadata = {"sha256": self.run.state["sha256"]}
        for again in (False, True):
            try:
                return blobs.blocks_commit(self.destination.url(), self.blocks.ids, metadata=metadata)
            except GatewayError as error:
                # Blocks that were never committed are dropped after a week, or when another tool writes the blob.
                dropped = isinstance(error, GatewayInvalid)
                if again or not (dropped or sending.is_stale(error)):
                    raise
                if not dropped:
                    self.destination.renew()
                self._send_missing()
        raise AssertionError("unreachable")

    def _send_missing(self) -> None:
        with staging.opened_for_reading(staging.path_of(self.upload)) as file:
            sender = sending.Sender(file.fileno(), self.blocks, self.destination, self._staged())
            try:
                while not sender.is_done:
                    sender.feed(self.upload.length)
                    sender.pause(LOOK_SECONDS)
                    self.run.progress(sender.sent)
            finally:
                sender.close()

    def _activate(self) -> None:
        self.run.phase("activating")
        package = management.package_activate(self.connection, self.upload.application_id, self.upload.version)
        snapshot_forget(self.upload.account)
        at = package.last_activation_time
        self.record(Step.ACTIVATED, activated_at=at.isoformat() if at else "")
        self.run.event("upload-activated")

    def _verify(self) -> Package:
        """Ask the service and blob storage what they have now."""
        self.run.phase("verifying")
        upload = self.upload
        package = management.package_get(self.connection, upload.application_id, upload.version)
        if not package.is_active:
            raise Conflict("upload-not-active", state=package.state, **self._named())
        info = blobs.blob_info(blobs.blob_read_url(self.connection, package))
        if info.size != upload.length or info.etag != self.run.state["etag"]:
            raise Conflict("upload-replaced", **self._named())
        return package

    def _write_down(self, package: Package) -> None:
        upload, run, state = self.upload, self.run, self.run.state
        with run.transaction(**reaching(state, Step.RECORDED)):
            PackageRecord.objects.update_or_create(
                account=upload.account,
                application_key=name_key(upload.application_id),
                version_key=name_key(upload.version),
                defaults={
                    "application_id": upload.application_id,
                    "version": upload.version,
                    "size": upload.length,
                    "sha256": state["sha256"],
                    "entries": state["entries"],
                    "uncompressed_size": state["uncompressed"],
                    "filename": upload.filename,
                    "blob_etag": state["etag"],
                    "activated_at": package.last_activation_time,
                    "uploaded_by": run.operation.user,
                    "uploaded_by_name": run.operation.actor_name,
                    "uploaded_at": timezone.now(),
                },
            )
            Upload.objects.filter(pk=upload.pk).update(sha256=state["sha256"])
            self._audit("package.activate", run.operation.subject, sha256=state["sha256"], size=upload.length)

    def _audit(self, action: str, resource: str, **values: Any) -> None:
        operation = self.run.operation
        audit_record(
            actor=self.run.actor,
            action=action,
            account=operation.account,
            resource=resource,
            operation=operation,
            **values,
        )


class Checks:
    """SHA-256 and zip checks of one run.

    A run that has the bytes from the beginning hashes them as they come. One that resumes in the middle waits for the
    last byte: with a slow line there are many such runs, and each would read everything anew.
    """

    def __init__(self, upload: Upload, *, from_start: bool) -> None:
        self._length = upload.length
        self._hasher = checking.Hasher(staging.path_of(upload), upload.length)
        self._zip = checking.ZipCheck(staging.path_of(upload))
        self._early = from_start

    def reach(self, offset: int) -> None:
        complete = offset >= self._length
        if self._early or complete:
            self._hasher.reach(offset)
            _begin(self._hasher)
        if complete:
            _begin(self._zip)

    @property
    def are_done(self) -> bool:
        return not self._hasher.is_alive() and not self._zip.is_alive()

    def results(self) -> tuple[str, ZipReport]:
        return self._hasher.digest(), self._zip.result()

    def stop(self) -> None:
        self._hasher.stop()
        self._zip.stop()
        for thread in (self._hasher, self._zip):
            if thread.ident is not None:
                thread.join()


def _begin(thread: checking.Hasher | checking.ZipCheck) -> None:
    if thread.ident is None:
        thread.start()


def _require_bytes(upload: Upload) -> None:
    """Raise where the rest of the bytes will never come, or those that came are gone."""
    if not upload.is_complete and upload.expires_at <= timezone.now():
        raise Invalid("upload-expired", hours=settings.UPLOAD_EXPIRES_HOURS)
    if upload.offset and (not upload.staged_name or not staging.path_of(upload).is_file()):
        raise Conflict("upload-staged-gone")
