import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.crypto import EncryptedJSONField


class ApplicationOwner(models.Model):
    """Which team owns an application. The application itself lives in Azure Batch.

    `application_key` is the id in lower case, because the service compares ids without regard to case.
    """

    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="application_owners")
    application_id = models.CharField(max_length=64)
    application_key = models.CharField(max_length=64)
    team = models.ForeignKey("people.Team", on_delete=models.PROTECT, related_name="applications")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "application_key"], name="application_owned_once")]

    def __str__(self) -> str:
        return f"{self.application_id}: {self.team}"


class PackageRecord(models.Model):
    """What the portal knows of a package beyond the service: checksum, size, who uploaded it and from which file."""

    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="package_records")
    application_id = models.CharField(max_length=64)
    application_key = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    version_key = models.CharField(max_length=64)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    entries = models.PositiveIntegerField(default=0)
    uncompressed_size = models.BigIntegerField(default=0)
    filename = models.CharField(max_length=255)
    blob_etag = models.CharField(max_length=64, blank=True)
    # The service's lastActivationTime after this upload: a later one means that another tool replaced the bytes
    activated_at = models.DateTimeField(null=True, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    uploaded_by_name = models.CharField(max_length=200)
    uploaded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "application_key", "version_key"], name="package_recorded_once")
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.version}"


class UploadAction(models.TextChoices):
    NEW_APPLICATION = "new-application", _("New application")
    ADD = "add", _("Add package")
    UPDATE = "update", _("Update package")


class Upload(models.Model):
    """The bytes of a package on their way: staged on the volume that web and worker share.

    `offset` counts bytes that are safely on disk; it is what the client was told. Its operation carries status,
    progress and outcome. `writer` and `writer_until` admit one writing request at a time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    operation = models.OneToOneField("operations.Operation", on_delete=models.CASCADE, related_name="upload")
    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="uploads")
    action = models.CharField(max_length=16, choices=UploadAction)
    application_id = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    team = models.ForeignKey("people.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    filename = models.CharField(max_length=255)
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    expected_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    writer = models.UUIDField(null=True, blank=True)
    writer_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    bytes_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    # The file's name in UPLOAD_STAGING_DIR; a retry takes the file over, and empties the name here
    staged_name = models.CharField(max_length=40, blank=True)
    # Where the blocks go: {"url": signed URL, "expires": ISO time}
    destination = EncryptedJSONField(default=dict, blank=True)
    staged_removed_at = models.DateTimeField(null=True, blank=True)
    # Client details worth keeping: user agent, tus client, CI run
    metadata: "models.JSONField[Any, Any]" = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.application_id} {self.version} ({self.filename})"

    @property
    def is_complete(self) -> bool:
        return self.offset == self.length
