from typing import Any

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.crypto import EncryptedJSONField


class NodeSnapshot(models.Model):
    """A compute node as the poller saw it last. Only the poller writes here.

    Times of the service are the service's own; `read_at` of the pool's account says how old all of this is.
    """

    pool = models.ForeignKey("pools.PoolSnapshot", on_delete=models.CASCADE, related_name="nodes")
    node_id = models.CharField(max_length=128)
    state = models.CharField(max_length=24)
    state_since = models.DateTimeField(null=True)
    scheduling_state = models.CharField(max_length=12, blank=True)
    ip_address = models.CharField(max_length=45, blank=True)
    is_dedicated = models.BooleanField(default=True)
    vm_size = models.CharField(max_length=64, blank=True)
    running_tasks = models.PositiveIntegerField(default=0)
    running_slots = models.PositiveIntegerField(default=0)
    total_tasks = models.PositiveIntegerField(default=0)
    total_succeeded = models.PositiveIntegerField(default=0)
    allocated = models.DateTimeField(null=True)
    last_boot = models.DateTimeField(null=True)
    agent_version = models.CharField(max_length=40, blank=True)
    image_version = models.CharField(max_length=60, blank=True)
    # running, completed or "" (none, or not begun); result success or failure
    start_task_state = models.CharField(max_length=12, blank=True)
    start_task_result = models.CharField(max_length=12, blank=True)
    start_task_exit_code = models.IntegerField(null=True)
    start_task_retries = models.PositiveIntegerField(default=0)
    # As `Fault.as_dict` gives them: code, message, category, details (name and value)
    start_task_failure: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    errors: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    # When a change among idle and running was last recorded: those come with every task
    flipped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["node_id"]
        constraints = [models.UniqueConstraint(fields=["pool", "node_id"], name="node_once")]
        indexes = [
            models.Index(fields=["pool", "state", "node_id"]),
            models.Index(fields=["pool", "state_since"]),
            models.Index(fields=["pool", "last_boot"]),
        ]

    def __str__(self) -> str:
        return self.node_id


class NodeStateChange(models.Model):
    """A change of a node's state that the poller saw, or the node's coming (`before` "") and going (`after` "").

    `at` is the service's time of the change, and for a node that is gone the time at which that was seen. Changes that
    came and went between two polls are not there. `note` is the code of the error that came with the state, if any.
    """

    pool = models.ForeignKey("pools.PoolSnapshot", on_delete=models.CASCADE, related_name="node_changes")
    node_id = models.CharField(max_length=128)
    before = models.CharField(max_length=24, blank=True)
    after = models.CharField(max_length=24, blank=True)
    note = models.CharField(max_length=128, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["pool", "node_id", "-at"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.node_id}: {self.before} → {self.after}"


class Progress(models.TextChoices):
    """How far an operation is with one node. Only `WAITING` and `PENDING` go on."""

    PENDING = "pending", _("Pending")
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")

    @property
    def tone(self) -> str:
        return {"done": "success", "failed": "danger", "waiting": "warning"}.get(self.value, "neutral")


class NodeWork(models.Model):
    """One node in one operation: what became of it, and why. Only the operation's runner writes here."""

    operation = models.ForeignKey("operations.Operation", on_delete=models.CASCADE, related_name="nodes")
    pool_id = models.CharField(max_length=64)
    node_id = models.CharField(max_length=128)
    progress = models.CharField(max_length=8, choices=Progress, default=Progress.PENDING)
    # Why it failed or waits, as a message code with its values and the service's request id
    code = models.CharField(max_length=64, blank=True)
    values: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pool_id", "node_id"]
        constraints = [models.UniqueConstraint(fields=["operation", "pool_id", "node_id"], name="node_work_once")]
        indexes = [models.Index(fields=["operation", "progress"])]

    def __str__(self) -> str:
        return f"{self.node_id}: {self.progress}"

    @property
    def tone(self) -> str:
        return Progress(self.progress).tone


class PoolUser(models.Model):
    """A user that the portal added to nodes of a pool, as long as the service keeps it there. Never a password."""

    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="pool_users")
    pool_id = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    is_admin = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    # Empty for a user with a password
    ssh_public_key = models.TextField(blank=True)
    # Whether nodes that come later get the user too; only with a key, because no password is kept
    follows = models.BooleanField(default=False)
    actor_name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pool_id", "name"]
        constraints = [models.UniqueConstraint("account", Lower("pool_id"), "name", name="pool_user_once")]

    def __str__(self) -> str:
        return f"{self.name} on {self.pool_id}"

    @property
    def by_key(self) -> bool:
        return bool(self.ssh_public_key)


class PoolUserNode(models.Model):
    """A node that has the user, and where it is reached from outside. `address` is "" where the pool opens no port."""

    user = models.ForeignKey(PoolUser, on_delete=models.CASCADE, related_name="nodes")
    node_id = models.CharField(max_length=128)
    address = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(default=0)
    # Why there is no address, as a message code with its values
    code = models.CharField(max_length=64, blank=True)
    values: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["node_id"]
        constraints = [models.UniqueConstraint(fields=["user", "node_id"], name="pool_user_node_once")]

    def __str__(self) -> str:
        return self.node_id


class UserSecret(models.Model):
    """A password on its way from the form to the worker: encrypted, and deleted with the end of its operation.

    docs/decisions tells why it travels like this.
    """

    operation = models.OneToOneField("operations.Operation", on_delete=models.CASCADE, related_name="user_secret")
    secret = EncryptedJSONField()
    delete_after = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return "•••"
