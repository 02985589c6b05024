"""What pools can be made from: images and machine sizes as the service offers them, kept for a while, and searched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from apps.accounts import reading
from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.accounts.reading import Reading
from apps.accounts.selectors import account_properties
from apps.applications.snapshot import snapshot_read
from apps.gateway import pools as gateway
from apps.gateway.errors import GatewayError
from apps.gateway.types import AccountProperties, ActiveApplication
from apps.gateway.types_pools import SupportedImage, VmSize
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.pools.flaws import Facts
from apps.pools.models import PoolSnapshot
from apps.pools.rules_machine import ENDS_SOON

__all__ = ["ActiveApplication", "SupportedImage", "VmSize"]  # what the pickers show

IMAGES_FRESH = timedelta(hours=1)
SIZES_FRESH = timedelta(hours=12)


def images(*, actor: Actor, account: BatchAccount, again: bool = False) -> Reading[tuple[SupportedImage, ...]]:
    """Every image the service supports at present; the last known list while it gives no answer."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    connection = connection_for(account)
    return reading.read(
        account, "pool-images", lambda: tuple(gateway.image_list(connection)), again=again, fresh_for=IMAGES_FRESH
    )


def sizes(*, actor: Actor, account: BatchAccount, again: bool = False) -> Reading[tuple[VmSize, ...]]:
    """Every machine size of the account's region; nothing where the account is connected to the data plane alone."""
    actor.require(Permission.VIEW_ACCOUNT, account)
    if not account.has_management_plane or not account.location:
        return Reading()
    connection, location = connection_for(account), account.location
    return reading.read(
        account,
        "pool-sizes",
        lambda: tuple(gateway.vm_size_list(connection, location)),
        again=again,
        fresh_for=SIZES_FRESH,
    )


def facts(*, actor: Actor, account: BatchAccount) -> Facts:
    """What a document is checked against. What the service does not tell now is not checked."""
    packages, defaults = _packages(account)
    return Facts(
        images=images(actor=actor, account=account).value,
        sizes=sizes(actor=actor, account=account).value,
        packages=packages,
        defaults=defaults,
        signs_in_by_key=not account.has_management_plane,
    )


def applications(*, actor: Actor, account: BatchAccount) -> tuple[ActiveApplication, ...]:
    """Applications with their active versions, to choose from; none while the service does not tell them."""
    actor.require(Permission.VIEW_APPLICATIONS, account)
    try:
        return snapshot_read(account=account).active or ()
    except GatewayError:
        return ()


def _packages(account: BatchAccount) -> tuple[dict[str, frozenset[str]] | None, frozenset[str]]:
    try:
        found = snapshot_read(account=account)
    except GatewayError:
        return None, frozenset()
    if found.active is None:
        return None, frozenset()
    versions = {one.id.lower(): frozenset(version.lower() for version in one.versions) for one in found.active}
    if found.managed is None:
        return versions, frozenset(versions)  # defaults are not known there; the service decides
    return versions, frozenset(one.id.lower() for one in found.managed if one.default_version)


# --- Searching ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ImageSearch:
    words: str = ""
    os: str = ""
    capability: str = ""
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """An image in the picker. `ends_soon` and `over` tell of the end of Batch's support."""

    image: SupportedImage
    value: str
    ends_soon: bool
    over: bool


def image_value(image: SupportedImage) -> str:
    """How a form names an image."""
    return f"{image.publisher}/{image.offer}/{image.sku}/{image.version}"


def image_choices(found: Iterable[SupportedImage], search: ImageSearch) -> list[ImageChoice]:
    """Images that match, those with the longest support first within publisher and offer."""
    now = timezone.now()
    wanted = [image for image in found if _image_matches(image, search)]
    wanted.sort(key=lambda image: (not image.verified, image.os_type, image.publisher, image.offer, image.sku))
    return [_choice(image, now) for image in wanted]


def _choice(image: SupportedImage, now: datetime) -> ImageChoice:
    end = image.end_of_support
    return ImageChoice(image, image_value(image), bool(end and now < end <= now + ENDS_SOON), bool(end and end <= now))


def _image_matches(image: SupportedImage, search: ImageSearch) -> bool:
    text = f"{image.key} {image.node_agent_sku_id}".lower()
    return (
        (search.unverified or image.verified)
        and (not search.os or image.os_type == search.os)
        and (not search.capability or search.capability in image.capabilities)
        and all(word in text for word in search.words.lower().split())
    )


def capabilities(found: Iterable[SupportedImage]) -> list[str]:
    return sorted({name for image in found for name in image.capabilities})


@dataclass(frozen=True, slots=True)
class SizeSearch:
    """`least_cores` and `least_memory` (GiB) are minima; `order` is a key of `SIZE_SORTS`, with - for descending."""

    words: str = ""
    least_cores: int = 0
    least_memory: int = 0
    gpu: bool = False
    disk: bool = False
    spot: bool = False
    order: str = ""


@dataclass(frozen=True, slots=True)
class SizeChoice:
    """A size in the picker. `cores_left` is what its family's quota leaves, None where none is enforced or known."""

    size: VmSize
    cores_left: int | None
    over: bool
    ends_soon: bool


SIZE_SORTS = {
    "name": lambda size: size.name.lower(),
    "cores": lambda size: (size.cores, size.memory, size.name.lower()),
    "memory": lambda size: (size.memory, size.cores, size.name.lower()),
    "disk": lambda size: (size.disk, size.name.lower()),
}


def size_choices(found: Iterable[VmSize], search: SizeSearch, left: dict[str, int]) -> list[SizeChoice]:
    """Sizes that match; `left` is cores by family in lower case."""
    now = timezone.now()
    wanted = [size for size in found if _size_matches(size, search)]
    key = SIZE_SORTS.get(search.order.removeprefix("-"), SIZE_SORTS["cores"])
    wanted.sort(key=key, reverse=search.order.startswith("-"))
    return [
        SizeChoice(
            size,
            left.get(size.family.lower()),
            over=bool(size.end_of_life and size.end_of_life <= now),
            ends_soon=bool(size.end_of_life and now < size.end_of_life <= now + ENDS_SOON),
        )
        for size in wanted
    ]


def _size_matches(size: VmSize, search: SizeSearch) -> bool:
    text = f"{size.name} {size.family}".lower()
    return (
        size.cores >= search.least_cores
        and size.memory >= search.least_memory
        and (not search.gpu or size.gpus > 0)
        and (not search.disk or size.disk > 0)
        and (not search.spot or size.spot)
        and all(word in text for word in search.words.lower().split())
    )


def cores_left(*, actor: Actor, account: BatchAccount, found: Iterable[VmSize]) -> dict[str, int]:
    """Dedicated cores that each family's quota leaves, by family in lower case; empty where quotas are not by family.

    Counted from the nodes that the poller saw.
    """
    properties: AccountProperties | None = account_properties(actor=actor, account=account).value
    if properties is None or not properties.per_family_enforced:
        return {}
    by_name = {size.name.lower(): size for size in found}
    used: dict[str, int] = {}
    for pool in PoolSnapshot.objects.filter(account=account):
        size = by_name.get(pool.vm_size)
        if size:
            used[size.family.lower()] = used.get(size.family.lower(), 0) + size.cores * pool.current_dedicated
    return {
        family.lower(): max(0, quota - used.get(family.lower(), 0))
        for family, quota in properties.core_quota_per_family.items()
    }
