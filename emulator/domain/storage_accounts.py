"""Storage accounts as the management plane sees them: the connected blob stores and recorded ones without bytes."""

import re
from typing import Any

import msgspec

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Storage/storageAccounts/(?P<name>[a-z0-9]{3,24})",
    re.IGNORECASE,
)

# Kinds that auto-storage takes: general purpose v1 and v2, and blob storage.
LINKABLE_KINDS = frozenset({"Storage", "StorageV2", "BlobStorage"})


class StorageAccount(msgspec.Struct):
    subscription: str
    resource_group: str
    name: str
    location: str
    created: str
    kind: str = "StorageV2"
    sku: str = "Standard_LRS"
    hierarchical_namespace: bool = False
    network_acls: dict[str, Any] = {}
    public_network_access: str = "Enabled"
    tags: dict[str, str] = {}

    @property
    def id(self) -> str:
        return resource_id(self.subscription, self.resource_group, self.name)

    def problem_as_auto_storage(self) -> str | None:
        """Why packages cannot live here, or None (application packages documentation, linking a storage account)."""
        if self.kind not in LINKABLE_KINDS:
            return f"its kind {self.kind} is not supported: use general-purpose v2, v1 or Blob storage"
        if self.hierarchical_namespace:
            return "it has a hierarchical namespace"
        if self.network_acls.get("defaultAction", "Allow") == "Deny" or self.public_network_access == "Disabled":
            return "firewall rules restrict the access to it"
        return None


def resource_id(subscription: str, group: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"


def parse_id(text: str) -> re.Match[str] | None:
    """The parts ``subscription``, ``group`` and ``name`` of a storage account's resource id."""
    return _ID.fullmatch(text)
