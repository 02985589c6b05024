from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    DONE = "done", _("Done")
    STARTED = "started", _("Started")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class AuditEvent(models.Model):
    """Who did what, when, to which resource, with which outcome. Written once, never changed or deleted."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor_name = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    token = models.ForeignKey("people.ApiToken", on_delete=models.SET_NULL, null=True, related_name="+")
    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.SET_NULL, null=True, related_name="+")
    account_name = models.CharField(max_length=100, blank=True)
    action = models.CharField(max_length=64)
    resource = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.DONE)
    # Details without secrets
    values: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    operation = models.ForeignKey("operations.Operation", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["account", "-at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action} {self.resource}"
