from typing import Any

from django.db import models


class NodeSnapshot(models.Model):
    """A compute node as the poller saw it last. Only `apps.pools.polling` writes here.

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
