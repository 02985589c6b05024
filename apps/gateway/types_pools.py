"""Pools, images and machine sizes as the gateway gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `token` leads to the next one; "" at the end."""

    items: tuple[T, ...]
    token: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that the service keeps with a thing (a resize, a node, a start task); `details` are name and value."""

    code: str
    message: str = ""
    details: tuple[tuple[str, str], ...] = ()
    category: str = ""

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.category:
            found["category"] = self.category
        return found | {"details": [list(pair) for pair in self.details]}


@dataclass(frozen=True, slots=True)
class SupportedImage:
    """A marketplace image with the node agent that fits it. After `end_of_support` no pool can be made from it."""

    node_agent_sku_id: str
    publisher: str
    offer: str
    sku: str
    version: str
    os_type: str
    verified: bool
    capabilities: tuple[str, ...] = ()
    end_of_support: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.publisher}/{self.offer}/{self.sku}/{self.version}".lower()


@dataclass(frozen=True, slots=True)
class VmSize:
    """A machine size that Batch offers in a region. Memory and local disk in GiB; `disk` 0: no local disk."""

    name: str
    family: str
    cores: int
    memory: float
    disk: float
    gpus: int
    spot: bool
    arm64: bool
    generations: tuple[str, ...]
    end_of_life: datetime | None = None


@dataclass(frozen=True, slots=True)
class PackageReference:
    """An application package that a pool's nodes get; without a version the application's default."""

    application_id: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class AutoScaleRun:
    """The outcome of one evaluation: `results` are (variable, value) pairs as the service wrote them."""

    at: datetime | None
    results: tuple[tuple[str, str], ...] = ()
    error: Fault | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool. `wire` is the whole answer of the service in its own names, with what no field here holds.

    It may carry secrets of its makers (environment, signed URLs), so it is neither kept nor logged. Fields that were
    not selected have their defaults.
    """

    id: str
    display_name: str = ""
    state: str = ""
    state_since: datetime | None = None
    allocation_state: str = ""
    allocation_since: datetime | None = None
    created: datetime | None = None
    last_modified: datetime | None = None
    etag: str = ""
    vm_size: str = ""
    image: str = ""
    node_agent_sku_id: str = ""
    current_dedicated: int = 0
    current_spot: int = 0
    target_dedicated: int | None = None
    target_spot: int | None = None
    auto_scale: bool = False
    formula: str = ""
    evaluation_interval: timedelta | None = None
    auto_scale_run: AutoScaleRun | None = None
    resize_timeout: timedelta | None = None
    resize_errors: tuple[Fault, ...] = ()
    task_slots: int = 1
    packages: tuple[PackageReference, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    wire: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def os_type(self) -> str:
        """windows or linux, by the node agent."""
        return "windows" if "windows" in self.node_agent_sku_id.lower() else "linux"


@dataclass(frozen=True, slots=True)
class PoolNodeCounts:
    """Nodes of one pool by state (service spelling, lower case); states with no node are left out."""

    pool_id: str
    dedicated: Mapping[str, int]
    spot: Mapping[str, int]
