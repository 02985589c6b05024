"""Rules for image, size, disks and containers of a pool."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from apps.gateway.types_pools import SupportedImage
from apps.pools.flaws import Document, Facts, Flaw

_VM = "virtualMachineConfiguration"
_OWN_IMAGES = ("virtualMachineImageId", "sharedGalleryImageId", "communityGalleryImageId")
ENDS_SOON = timedelta(days=180)


def check(document: Document, facts: Facts) -> Iterator[Flaw]:
    yield from _size(document, facts)
    machine = document.get(_VM)
    if not machine:
        yield Flaw(f"{_VM}.imageReference", "pool-image-missing")
        return
    reference = machine.get("imageReference") or {}
    own = next((name for name in _OWN_IMAGES if reference.get(name)), "")
    if own:
        yield from _own_image(reference, own, machine, facts)
    else:
        yield from _market_image(reference, machine, document, facts)
    yield from _disks(machine)
    yield from _containers(machine, None if own else facts.image(reference))


def _size(document: Document, facts: Facts) -> Iterator[Flaw]:
    name = document.get("vmSize")
    if not name:
        yield Flaw("vmSize", "pool-size-missing")
        return
    if facts.sizes is None:
        yield Flaw("vmSize", "pool-size-unchecked", warning=True)
        return
    size = facts.size(name)
    if size is None:
        yield Flaw("vmSize", "pool-size-unknown", {"size": name})
        return
    if size.end_of_life and size.end_of_life <= facts.now:
        yield Flaw("vmSize", "pool-size-over", {"size": size.name, "date": size.end_of_life.date().isoformat()})
    elif size.end_of_life and size.end_of_life - facts.now < ENDS_SOON:
        values = {"size": size.name, "date": size.end_of_life.date().isoformat()}
        yield Flaw("vmSize", "pool-size-ends", values, warning=True)
    if document.get("targetLowPriorityNodes") and not size.spot:
        yield Flaw("targetLowPriorityNodes", "pool-size-no-spot", {"size": size.name})


def _own_image(reference: Document, own: str, machine: Document, facts: Facts) -> Iterator[Flaw]:
    if not str(reference[own]).startswith("/"):
        yield Flaw(f"{_VM}.imageReference.{own}", "pool-image-id-invalid")
    if facts.signs_in_by_key and own != "communityGalleryImageId":
        yield Flaw(f"{_VM}.imageReference.{own}", "pool-image-needs-entra")
    agent = str(machine.get("nodeAgentSKUId") or "")
    if not agent:
        yield Flaw(f"{_VM}.nodeAgentSKUId", "pool-agent-missing")
    elif facts.images is not None and agent not in {image.node_agent_sku_id for image in facts.images}:
        yield Flaw(f"{_VM}.nodeAgentSKUId", "pool-agent-unknown", {"agent": agent})


def _market_image(reference: Document, machine: Document, document: Document, facts: Facts) -> Iterator[Flaw]:
    if not all(reference.get(name) for name in ("publisher", "offer", "sku")):
        yield Flaw(f"{_VM}.imageReference", "pool-image-missing")
        return
    if not machine.get("nodeAgentSKUId"):
        yield Flaw(f"{_VM}.nodeAgentSKUId", "pool-agent-missing")
    if facts.images is None:
        return
    image = facts.image(reference)
    if image is None:
        yield Flaw(f"{_VM}.imageReference", "pool-image-unknown")
        return
    yield from _image_life(image, facts)
    if machine.get("nodeAgentSKUId") and machine["nodeAgentSKUId"] != image.node_agent_sku_id:
        yield Flaw(f"{_VM}.nodeAgentSKUId", "pool-agent-unfit", {"agent": image.node_agent_sku_id})
    size = facts.size(document.get("vmSize"))
    if size and size.arm64 != image.node_agent_sku_id.lower().endswith("arm64"):
        yield Flaw("vmSize", "pool-size-processor", {"size": size.name})


def _image_life(image: SupportedImage, facts: Facts) -> Iterator[Flaw]:
    path = f"{_VM}.imageReference"
    if not image.verified:
        yield Flaw(path, "pool-image-unverified", warning=True)
    end = image.end_of_support
    if end and end <= facts.now:
        yield Flaw(path, "pool-image-over", {"date": end.date().isoformat()})
    elif end and end - facts.now < ENDS_SOON:
        yield Flaw(path, "pool-image-ends", {"date": end.date().isoformat()}, warning=True)


def _disks(machine: Document) -> Iterator[Flaw]:
    luns: set[Any] = set()
    for index, disk in enumerate(machine.get("dataDisks") or ()):
        at = f"{_VM}.dataDisks[{index}]"
        lun = disk.get("lun")
        if not isinstance(lun, int) or not 0 <= lun <= 63:
            yield Flaw(f"{at}.lun", "pool-disk-lun")
        elif lun in luns:
            yield Flaw(f"{at}.lun", "pool-disk-lun-twice")
        luns.add(lun)
        if not isinstance(disk.get("diskSizeGB"), int) or disk["diskSizeGB"] < 1:
            yield Flaw(f"{at}.diskSizeGB", "pool-disk-size")
    os_size = (machine.get("osDisk") or {}).get("diskSizeGB")
    if os_size is not None and (not isinstance(os_size, int) or os_size < 1):
        yield Flaw(f"{_VM}.osDisk.diskSizeGB", "pool-disk-size")


def _containers(machine: Document, image: SupportedImage | None) -> Iterator[Flaw]:
    found = machine.get("containerConfiguration")
    if not found:
        return
    at = f"{_VM}.containerConfiguration"
    if found.get("type") not in {"dockerCompatible", "criCompatible"}:
        yield Flaw(f"{at}.type", "pool-container-type")
    if image is not None and "DockerCompatible" not in image.capabilities:
        yield Flaw(f"{at}.type", "pool-container-image")
    for index, registry in enumerate(found.get("containerRegistries") or ()):
        by_name = bool(registry.get("username") and registry.get("password"))
        if not by_name and not registry.get("identityReference"):
            yield Flaw(f"{at}.containerRegistries[{index}].username", "pool-registry-credentials")
