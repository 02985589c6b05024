from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.people.roles import Role


class Theme(models.TextChoices):
    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """A person. `is_superuser` makes a portal administrator, who connects accounts and manages people."""

    email = models.EmailField(_("email address"), unique=True)
    theme = models.CharField(_("theme"), max_length=10, choices=Theme, default=Theme.SYSTEM)
    language = models.CharField(_("language"), max_length=12, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    # What the person logs in to nodes with, on one line
    ssh_public_key = models.TextField(_("SSH public key"), blank=True, default="")
    # Part of what a session proves: counting it up ends every session of the person
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_username_any_case"),
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        # Django compares this with the session's copy on every request; by default it changes with the password alone.
        return salted_hmac(
            "apps.people.models.User.session",
            f"{self.session_generation}:{self.password}",
            secret=secret or settings.SECRET_KEY,
            algorithm="sha256",
        ).hexdigest()


class Team(models.Model):
    """People who own applications together."""

    name = models.CharField(_("name"), max_length=64)
    slug = models.SlugField(max_length=64, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    members: "models.ManyToManyField[User, Any]" = models.ManyToManyField(User, related_name="teams", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="team_name_any_case")]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A role on one Batch account, given to a person or to a team; the highest of a person's grants counts."""

    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants", null=True, blank=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="grants", null=True, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, team__isnull=True)
                | models.Q(user__isnull=True, team__isnull=False),
                name="grant_user_or_team",
            ),
            models.UniqueConstraint(fields=["account", "user"], name="grant_once_per_user"),
            models.UniqueConstraint(fields=["account", "team"], name="grant_once_per_team"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.role} on {self.account}"


class ApiToken(models.Model):
    """A key for scripts. Only a SHA-256 of the secret is kept; the secret is shown once, when it is made.

    A token never does more than its owner may: `role` caps what the owner's own grants allow.
    """

    name = models.CharField(_("name"), max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens", null=True, blank=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="tokens", null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, related_name="+", null=True)
    role = models.CharField(_("role"), max_length=20, choices=Role)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, team__isnull=True)
                | models.Q(user__isnull=True, team__isnull=False),
                name="token_user_or_team",
            ),
            # A double click or a reload makes one token, not two.
            models.UniqueConstraint(
                "user", Lower("name"), condition=models.Q(revoked_at__isnull=True), name="token_name_once_per_user"
            ),
            models.UniqueConstraint(
                "team", Lower("name"), condition=models.Q(revoked_at__isnull=True), name="token_name_once_per_team"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()
