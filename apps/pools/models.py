from typing import Any

from django.db import models
from django.db.models.functions import Lower


class FleetReading(models.Model):
    """When an account's pools and nodes were read last, by whom they are being read, and when they are due again.

    One poller per account, whoever looks: it holds the row while `lease_until` lies ahead.
    """

    account = models.OneToOneField("accounts.BatchAccount", on_delete=models.CASCADE, related_name="fleet")
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    # Why the last reading failed, as a message code with its values; "" when it did not
    problem_code = models.CharField(max_length=64, blank=True)
    problem_values: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    failures = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.account}: {self.read_at}"


class PoolSnapshot(models.Model):
    """A pool as the poller saw it last. Only the poller writes here.

    Start tasks may carry secrets, so of them only a digest is kept: enough to see that they changed.
    """

    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="pools")
    pool_id = models.CharField(max_length=64)
    display_name = models.CharField(max_length=1024, blank=True)
    state = models.CharField(max_length=12)
    state_since = models.DateTimeField(null=True)
    allocation_state = models.CharField(max_length=12, blank=True)
    allocation_since = models.DateTimeField(null=True)
    created = models.DateTimeField(null=True)
    last_modified = models.DateTimeField(null=True)
    vm_size = models.CharField(max_length=64, blank=True)
    image = models.CharField(max_length=300, blank=True)
    node_agent_sku_id = models.CharField(max_length=100, blank=True)
    current_dedicated = models.PositiveIntegerField(default=0)
    current_spot = models.PositiveIntegerField(default=0)
    target_dedicated = models.PositiveIntegerField(null=True)
    target_spot = models.PositiveIntegerField(null=True)
    auto_scale = models.BooleanField(default=False)
    auto_scale_error: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    task_slots = models.PositiveIntegerField(default=1)
    # [[application id, version or ""]], [[name, value]], {state: nodes}, and Fault.as_dict() each
    packages: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    metadata: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    dedicated_by_state: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    spot_by_state: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    resize_errors: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    has_start_task = models.BooleanField(default=False)
    start_task_digest = models.CharField(max_length=64, blank=True)
    packages_digest = models.CharField(max_length=64, blank=True)
    # When each changed last, in the service's time; null while the portal has seen no change. Nodes that booted before
    # have not taken it.
    start_task_changed = models.DateTimeField(null=True)
    packages_changed = models.DateTimeField(null=True)
    # What the references mean now, as `Content.as_dict` gives it, and when the latest of that changed
    contents: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    contents_changed = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pool_id"]
        constraints = [models.UniqueConstraint("account", Lower("pool_id"), name="pool_once")]

    def __str__(self) -> str:
        return self.pool_id

    @property
    def current_nodes(self) -> int:
        return self.current_dedicated + self.current_spot

    @property
    def by_state(self) -> dict[str, int]:
        """Nodes by state, dedicated and Spot together."""
        states = {**self.dedicated_by_state, **self.spot_by_state}
        return {state: self.dedicated_by_state.get(state, 0) + self.spot_by_state.get(state, 0) for state in states}

    @property
    def is_windows(self) -> bool:
        return "windows" in self.node_agent_sku_id.lower()

    @property
    def node_config_changed(self) -> Any:
        """When something that nodes take at their boot changed last."""
        times = (self.start_task_changed, self.packages_changed, self.contents_changed)
        return max(filter(None, times), default=None)


class PoolSample(models.Model):
    """How many nodes a pool had in which state, for charts: written when that changes, and every five minutes."""

    pool = models.ForeignKey(PoolSnapshot, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    by_state: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    target = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["at"]
        indexes = [models.Index(fields=["pool", "at"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.pool} {self.at:%H:%M:%S}"


class VmPrice(models.Model):
    """What an hour of a machine size costs, as an administrator entered it: Batch itself knows no prices."""

    account = models.ForeignKey("accounts.BatchAccount", on_delete=models.CASCADE, related_name="vm_prices")
    # Lower case, as the data plane gives sizes
    vm_size = models.CharField(max_length=64)
    dedicated = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    spot = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ["vm_size"]
        constraints = [models.UniqueConstraint(fields=["account", "vm_size"], name="vm_price_once")]

    def __str__(self) -> str:
        return f"{self.vm_size}: {self.dedicated} {self.currency}"
