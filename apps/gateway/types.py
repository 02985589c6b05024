"""What the gateway takes and returns: frozen dataclasses; the SDKs' own models never leave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one Batch account. Hashable, and its `repr` shows no secret.

    `auth_method` is a value of `apps.accounts.models.AuthMethod`; `secrets` holds (name, value) pairs sorted by name.
    """

    account_name: str
    auth_method: str
    arm_endpoint: str
    batch_endpoint: str = ""
    subscription_id: str = ""
    resource_group: str = ""
    tenant_id: str = ""
    client_id: str = ""
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def has_management_plane(self) -> bool:
        return self.auth_method != "shared-key"


class Plane(StrEnum):
    MANAGEMENT = "management"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class PlaneCheck:
    """Outcome of testing one plane. `error` is a `GatewayError` code with values, for the message catalogue."""

    plane: Plane
    ok: bool
    tested: bool = True
    milliseconds: int = 0
    error_code: str = ""
    error_values: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AutoStorage:
    """The linked storage account. `authentication_mode` is StorageKeys or BatchAccountManagedIdentity."""

    storage_account_id: str
    authentication_mode: str
    last_key_sync: datetime | None

    @property
    def name(self) -> str:
        return self.storage_account_id.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class AccountProperties:
    """A Batch account as the management plane describes it. Core quotas are cores; None where not enforced."""

    id: str
    name: str
    location: str
    account_endpoint: str
    node_management_endpoint: str
    provisioning_state: str
    pool_allocation_mode: str
    public_network_access: str
    auto_storage: AutoStorage | None
    dedicated_core_quota: int | None
    low_priority_core_quota: int | None
    core_quota_per_family: Mapping[str, int]
    per_family_enforced: bool
    pool_quota: int
    active_job_quota: int
    authentication_modes: tuple[str, ...]
    encryption_key_source: str
    identity_type: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AccountKeys:
    primary: str = field(repr=False)
    secondary: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """A storage account of the subscription. `unfit` is a message code when it cannot serve packages, else ""."""

    id: str
    name: str
    resource_group: str
    location: str
    kind: str
    sku: str
    hierarchical_namespace: bool
    firewall: bool
    blob_endpoint: str
    unfit: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionInfo:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AccountRef:
    """A Batch account found in a subscription, for the connect form."""

    id: str
    name: str
    resource_group: str
    subscription_id: str
    location: str
    account_endpoint: str


@dataclass(frozen=True, slots=True)
class Application:
    """An application of the management plane. `default_version` is "" when none is set."""

    id: str
    display_name: str
    default_version: str
    allow_updates: bool
    etag: str = ""


@dataclass(frozen=True, slots=True)
class ActiveApplication:
    """What the data plane lists: applications with at least one Active version, and those versions."""

    id: str
    display_name: str
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """One version. `state` is Pending or Active; `storage_url` carries a SAS and must never be shown or logged."""

    application_id: str
    version: str
    state: str
    format: str
    last_activation_time: datetime | None
    etag: str = ""
    storage_url: str = field(default="", repr=False)
    storage_url_expiry: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.state.lower() == "active"


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A package's blob; `size` in bytes."""

    size: int
    etag: str
    last_modified: datetime | None
    md5: bytes | None


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Nodes by state (service spelling, lower case) over all pools, dedicated and Spot apart."""

    dedicated: Mapping[str, int]
    spot: Mapping[str, int]
    pools: int


@dataclass(frozen=True, slots=True)
class PackageBytes:
    """What packages occupy in a storage account. `complete` is False when counting stopped early."""

    packages: int
    size: int
    complete: bool


@dataclass(frozen=True, slots=True)
class PoolSize:
    """What a pool holds at present. `vm_size` in lower case, as the data plane gives it."""

    id: str
    vm_size: str
    dedicated: int
    spot: int
