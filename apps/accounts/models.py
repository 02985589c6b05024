from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.crypto import EncryptedJSONField


class AuthMethod(models.TextChoices):
    """How the portal signs in to Azure Batch. Shared key reaches the data plane alone."""

    CLIENT_SECRET = "client-secret", _("Service principal with a secret")
    CLIENT_CERTIFICATE = "client-certificate", _("Service principal with a certificate")
    MANAGED_IDENTITY = "managed-identity", _("Managed identity of this machine")
    WORKLOAD_IDENTITY = "workload-identity", _("Workload identity (Kubernetes)")
    SHARED_KEY = "shared-key", _("Shared key (data plane only)")


class BatchAccount(models.Model):
    """A connected Batch account: where it is and how the portal signs in. What it holds stays in Azure."""

    slug = models.SlugField(max_length=64, unique=True)
    title = models.CharField(_("display name"), max_length=100, blank=True)
    name = models.CharField(_("Batch account"), max_length=24)
    subscription_id = models.CharField(_("subscription ID"), max_length=36, blank=True)
    resource_group = models.CharField(_("resource group"), max_length=90, blank=True)
    batch_endpoint = models.CharField(_("Batch endpoint"), max_length=255, blank=True)
    location = models.CharField(_("region"), max_length=64, blank=True)
    auth_method = models.CharField(_("sign-in"), max_length=24, choices=AuthMethod)
    tenant_id = models.CharField(_("tenant ID"), max_length=64, blank=True)
    client_id = models.CharField(_("client ID"), max_length=64, blank=True)
    # client_secret | certificate (PEM) and certificate_password | shared_key, as the method needs
    secrets = EncryptedJSONField(default=dict, blank=True)
    # What the management plane said last, for pages while it is away: {"properties": {...}, "seen_at": ISO time}
    snapshot: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["title", "name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                Lower("subscription_id"),
                Lower("resource_group"),
                Lower("batch_endpoint"),
                name="batch_account_once",
            )
        ]

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def has_management_plane(self) -> bool:
        return self.auth_method != AuthMethod.SHARED_KEY
