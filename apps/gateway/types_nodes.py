"""Compute nodes as the gateway gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.gateway.types_pools import Fault


@dataclass(frozen=True, slots=True)
class StartTaskInfo:
    """How the start task went on a node. `state` is running or completed, `result` success, failure or ""."""

    state: str
    result: str = ""
    exit_code: int | None = None
    retries: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    failure: Fault | None = None


@dataclass(frozen=True, slots=True)
class RecentTask:
    """A task that ran on the node lately."""

    job_id: str
    task_id: str
    state: str
    result: str = ""
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    failure: Fault | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A port of the node that can be reached from outside, at `address` or `fqdn` and `frontend_port`."""

    name: str
    protocol: str
    address: str
    fqdn: str
    frontend_port: int
    backend_port: int


@dataclass(frozen=True, slots=True)
class Node:
    """A compute node. Fields that were not selected have their defaults; `wire`, from `node_get`, is all there is."""

    id: str
    state: str = ""
    state_since: datetime | None = None
    scheduling_state: str = ""
    ip_address: str = ""
    ipv6_address: str = ""
    affinity_id: str = ""
    is_dedicated: bool = True
    vm_size: str = ""
    allocated: datetime | None = None
    last_boot: datetime | None = None
    running_tasks: int = 0
    running_slots: int = 0
    total_tasks: int = 0
    total_succeeded: int = 0
    agent_version: str = ""
    agent_updated: datetime | None = None
    image_version: str = ""
    start_task: StartTaskInfo | None = None
    recent_tasks: tuple[RecentTask, ...] = ()
    errors: tuple[Fault, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    wire: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class RemoteLogin:
    """Where SSH (or RDP on Windows) reaches a node."""

    address: str
    port: int
    ipv6_address: str = ""
    ipv6_port: int = 0


@dataclass(frozen=True, slots=True)
class NodeUser:
    """An account to make on nodes. Password and key stay out of every `repr`.

    The service sets `expires` to a day ahead where it is None. Linux takes a password, a key or both; Windows a
    password alone.
    """

    name: str
    is_admin: bool = False
    expires: datetime | None = None
    password: str = field(default="", repr=False)
    ssh_public_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A file or directory on a node; `path` from the node's root with forward slashes, `size` in bytes."""

    path: str
    is_directory: bool
    size: int = 0
    modified: datetime | None = None
    created: datetime | None = None
    mode: str = ""


@dataclass(frozen=True, slots=True)
class LogUpload:
    """What an upload of service logs began: where in the container, and how many files."""

    folder: str
    files: int
