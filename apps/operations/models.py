import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    ERRORED = "errored", _("Error in the portal")
    CANCELLED = "cancelled", _("Cancelled")
    LOST = "lost", _("Lost")


ACTIVE = frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED})
TERMINAL = frozenset(Status) - ACTIVE


class Kind(models.TextChoices):
    PACKAGE_UPLOAD = "package-upload", _("Upload package")
    PACKAGE_DELETE = "package-delete", _("Delete package")
    PACKAGE_ACTIVATE = "package-activate", _("Activate package")
    APPLICATION_DELETE = "application-delete", _("Delete application")
    STORAGE_LINK = "storage-link", _("Link storage account")
    STORAGE_UNLINK = "storage-unlink", _("Unlink storage account")
    STORAGE_SYNC_KEYS = "storage-sync-keys", _("Synchronise storage keys")
    POOL_RESIZE = "pool-resize", _("Resize pool")
    POOL_DELETE = "pool-delete", _("Delete pool")
    NODE_REBOOT = "node-reboot", _("Reboot nodes")
    NODE_REIMAGE = "node-reimage", _("Reimage nodes")
    NODE_DEALLOCATE = "node-deallocate", _("Deallocate nodes")
    NODE_START = "node-start", _("Start nodes")
    NODE_DISABLE = "node-disable-scheduling", _("Disable scheduling on nodes")
    NODE_ENABLE = "node-enable-scheduling", _("Enable scheduling on nodes")
    NODE_REMOVE = "node-remove", _("Remove nodes")
    NODE_USER_ADD = "node-user-add", _("Add user to nodes")
    NODE_USER_REMOVE = "node-user-remove", _("Remove user from nodes")


class Operation(models.Model):
    """One long-running piece of work; this row is its truth, whatever happens to workers and brokers.

    queued → running → succeeded | failed | errored | cancelled; paused while it waits for a person (an upload whose
    browser went away); lost when it was re-driven too often. A worker owns a running operation while `lease_until`
    lies ahead, and writes only under the `fence` it claimed with: a late worker with an older fence changes nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32, choices=Kind)
    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="operations")
    # What it is about, for lists and for "one at a time": e.g. "blender 2.7" and "package:blender:2.7" (lower case)
    subject = models.CharField(max_length=200)
    subject_key = models.CharField(max_length=200)
    subject_url = models.CharField(max_length=400, blank=True)
    # Input of the work, never secrets
    parameters: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    # What the steps recorded on their way (remote ids, prior state); a resumed run starts from here
    state: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="operations"
    )
    token = models.ForeignKey("people.ApiToken", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    phase = models.CharField(max_length=32, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    unit = models.CharField(max_length=12, blank=True)
    # Units per second, smoothed; 0 while unknown
    rate = models.BigIntegerField(default=0)
    # Work in two legs (bytes come to us, then go on to blob storage): how far the first one is, of the same total
    received = models.BigIntegerField(null=True, blank=True)
    received_rate = models.BigIntegerField(default=0)
    message_code = models.CharField(max_length=64, blank=True)
    message_values: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    reference = models.CharField(max_length=64, blank=True)
    retry_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="retries")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    # When a worker was last told of it; in the future for a message that is to be delivered then
    dispatched_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["account", "-created_at"]),
            models.Index(fields=["user", "-created_at"]),
            models.Index(fields=["status", "lease_until"]),
        ]
        constraints = [
            # Two people changing the same thing at once: the second one gets a conflict.
            models.UniqueConstraint(
                fields=["account", "subject_key"],
                condition=Q(status__in=sorted(ACTIVE)),
                name="operation_one_active_per_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


class OperationEvent(models.Model):
    """A line of an operation's log, as code and values, so that it reads in everybody's language."""

    class Level(models.TextChoices):
        INFO = "info", _("Information")
        WARNING = "warning", _("Warning")
        ERROR = "error", _("Error")

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    code = models.CharField(max_length=64)
    values: "models.JSONField[Any, Any]" = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.code}"
