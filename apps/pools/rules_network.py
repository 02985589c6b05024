"""Rules for network and mounts of a pool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from apps.pools.flaws import Document, Facts, Flaw, whole

_SUBNET = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/virtualNetworks/[^/]+/subnets/[^/]+", re.IGNORECASE
)
_NAT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,75}[A-Za-z0-9_])?")
_AGENT_PORTS = frozenset({29876, 29877})
_RESERVED = (50000, 55000)
_LEAST_PORTS = 40
_MOST_PORT = 65534
MOST_NAT_POOLS = 5
MOST_MOUNTS = 10
NODES_PER_ADDRESS = 100
_MOUNTS = {
    "azureBlobFileSystemConfiguration": ("accountName", "containerName"),
    "nfsMountConfiguration": ("source",),
    "cifsMountConfiguration": ("source", "username", "password"),
    "azureFileShareConfiguration": ("accountName", "azureFileUrl", "accountKey"),
}


def check(document: Document, facts: Facts) -> Iterator[Flaw]:
    network = document.get("networkConfiguration") or {}
    subnet = network.get("subnetId")
    if subnet and not _SUBNET.fullmatch(str(subnet)):
        yield Flaw("networkConfiguration.subnetId", "pool-subnet-invalid")
    elif subnet and facts.signs_in_by_key:
        yield Flaw("networkConfiguration.subnetId", "pool-subnet-needs-entra")
    yield from _addresses(document, network.get("publicIPAddressConfiguration") or {})
    endpoints = network.get("endpointConfiguration") or {}
    yield from _nat_pools(list(endpoints.get("inboundNATPools") or ()))
    yield from _mounts(list(document.get("mountConfiguration") or ()))


def _addresses(document: Document, found: Document) -> Iterator[Flaw]:
    at = "networkConfiguration.publicIPAddressConfiguration"
    kind = str(found.get("provision") or "batchmanaged").lower()
    own = found.get("ipAddressIds") or []
    if kind not in {"batchmanaged", "usermanaged", "nopublicipaddresses"}:
        yield Flaw(f"{at}.provision", "pool-addresses-kind")
    if kind == "usermanaged" and not own:
        yield Flaw(f"{at}.ipAddressIds", "pool-addresses-missing")
    if own and kind != "usermanaged":
        yield Flaw(f"{at}.ipAddressIds", "pool-addresses-unused")
    nodes = sum(whole(document.get(name)) or 0 for name in ("targetDedicatedNodes", "targetLowPriorityNodes"))
    if own and nodes > NODES_PER_ADDRESS * len(own):
        values = {"nodes": nodes, "needed": -(-nodes // NODES_PER_ADDRESS)}
        yield Flaw(f"{at}.ipAddressIds", "pool-addresses-few", values)


def _nat_pools(pools: list[Document]) -> Iterator[Flaw]:
    at = "networkConfiguration.endpointConfiguration.inboundNATPools"
    if len(pools) > MOST_NAT_POOLS:
        yield Flaw(at, "pool-nat-many", {"most": MOST_NAT_POOLS})
    names: set[str] = set()
    for index, pool in enumerate(pools):
        name = str(pool.get("name") or "")
        if not _NAT_NAME.fullmatch(name):
            yield Flaw(f"{at}[{index}].name", "pool-nat-name")
        if name.lower() in names:
            yield Flaw(f"{at}[{index}].name", "pool-nat-name-twice")
        names.add(name.lower())
        yield from _nat_ports(f"{at}[{index}]", pool)
    yield from _nat_overlaps(at, pools)


def _nat_ports(at: str, pool: Document) -> Iterator[Flaw]:
    if str(pool.get("protocol") or "").lower() not in {"tcp", "udp"}:
        yield Flaw(f"{at}.protocol", "pool-nat-protocol")
    backend = pool.get("backendPort")
    if not isinstance(backend, int) or not 1 <= backend <= 65535 or backend in _AGENT_PORTS:
        yield Flaw(f"{at}.backendPort", "pool-nat-backend")
    first, last = pool.get("frontendPortRangeStart"), pool.get("frontendPortRangeEnd")
    if not isinstance(first, int) or not 1 <= first <= _MOST_PORT:
        yield Flaw(f"{at}.frontendPortRangeStart", "pool-nat-frontend")
    elif not isinstance(last, int) or last > _MOST_PORT or last - first + 1 < _LEAST_PORTS:
        yield Flaw(f"{at}.frontendPortRangeEnd", "pool-nat-range", {"least": _LEAST_PORTS})
    elif first <= _RESERVED[1] and last >= _RESERVED[0]:
        yield Flaw(f"{at}.frontendPortRangeStart", "pool-nat-reserved")


def _nat_overlaps(at: str, pools: list[Document]) -> Iterator[Flaw]:
    ranges = sorted(
        (pool["frontendPortRangeStart"], pool["frontendPortRangeEnd"], index)
        for index, pool in enumerate(pools)
        if isinstance(pool.get("frontendPortRangeStart"), int) and isinstance(pool.get("frontendPortRangeEnd"), int)
    )
    for (_, end, _first), (start, _end, index) in pairwise(ranges):
        if start <= end:
            yield Flaw(f"{at}[{index}].frontendPortRangeStart", "pool-nat-overlap")


def _mounts(mounts: list[Document]) -> Iterator[Flaw]:
    if len(mounts) > MOST_MOUNTS:
        yield Flaw("mountConfiguration", "pool-mounts-many", {"most": MOST_MOUNTS})
    for index, mount in enumerate(mounts):
        kinds = [kind for kind in _MOUNTS if mount.get(kind)]
        at = f"mountConfiguration[{index}]"
        if len(kinds) != 1:
            yield Flaw(at, "pool-mount-kind")
            continue
        found = mount[kinds[0]]
        for name in (*_MOUNTS[kinds[0]], "relativeMountPath"):
            if not found.get(name):
                yield Flaw(f"{at}.{kinds[0]}.{name}", "pool-mount-part")
        if str(found.get("relativeMountPath") or "").startswith("/"):
            yield Flaw(f"{at}.{kinds[0]}.relativeMountPath", "pool-mount-path")
        if kinds[0] == "azureBlobFileSystemConfiguration" and not _one_credential(found):
            yield Flaw(f"{at}.{kinds[0]}.accountKey", "pool-mount-credential")


def _one_credential(found: Document) -> bool:
    return sum(bool(found.get(name)) for name in ("accountKey", "sasKey", "identityReference")) == 1
