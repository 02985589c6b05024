"""Batch accounts."""

from datetime import datetime
from typing import Any, Literal

import msgspec

AUTHENTICATION_MODES = ("SharedKey", "AAD", "TaskAuthenticationToken")

KeyName = Literal["Primary", "Secondary"]


class AutoStorage(msgspec.Struct):
    storage_account_id: str
    storage_account: str
    last_key_sync: datetime
    authentication_mode: str = "StorageKeys"
    node_identity: dict[str, Any] | None = None


class BatchAccount(msgspec.Struct):
    """``options`` are the properties of the management plane that are kept as they were given."""

    subscription: str
    resource_group: str
    name: str
    location: str
    primary_key: str
    secondary_key: str
    etag: str
    ready_at: datetime
    gone_at: datetime | None = None
    pool_allocation_mode: str = "BatchService"
    public_network_access: str = "Enabled"
    allowed_authentication_modes: list[str] = msgspec.field(default_factory=lambda: list(AUTHENTICATION_MODES))
    auto_storage: AutoStorage | None = None
    identity: dict[str, Any] | None = None
    tags: dict[str, str] | None = None
    options: dict[str, Any] = {}

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Batch/batchAccounts/{self.name}"
        )

    def is_gone(self, now: datetime) -> bool:
        return self.gone_at is not None and now >= self.gone_at

    def provisioning_state(self, now: datetime) -> str:
        if self.gone_at is not None:
            return "Deleting"
        return "Succeeded" if now >= self.ready_at else "Creating"

    def keys(self) -> tuple[str, str]:
        return self.primary_key, self.secondary_key

    def set_key(self, which: KeyName, value: str) -> None:
        if which == "Primary":
            self.primary_key = value
        else:
            self.secondary_key = value
