"""The bytes of a package in blob storage, for reading. The URL carries a signature and never leaves the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.selectors import check_address, package_of, require_management_plane
from apps.core.exceptions import NotVisible
from apps.gateway import blobs
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types import BlobInfo, Package
from apps.people.actors import Actor
from apps.people.roles import Permission

CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BlobSource:
    """A blob that is read by ranges, all of one state: a replaced blob raises `GatewayConflict`."""

    url: str = field(repr=False)
    info: BlobInfo

    @property
    def size(self) -> int:
        return self.info.size

    @property
    def etag(self) -> str:
        return self.info.etag

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end."""
        return blobs.blob_read(self.url, offset, length, etag=self.info.etag)

    def stream(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of a range (by default all), one piece of 4 MiB in memory."""
        end = self.size if length is None else min(self.size, offset + length)
        for place in range(offset, end, CHUNK_BYTES):
            yield self.read_at(place, min(CHUNK_BYTES, end - place))


@dataclass(frozen=True, slots=True)
class PackageBlob:
    package: Package
    source: BlobSource


def package_blob(*, actor: Actor, account: BatchAccount, application_id: str, version: str) -> PackageBlob:
    """Where the bytes of a package are. Raises `NotVisible` without a package or without bytes, `GatewayError`."""
    actor.require(Permission.VIEW_APPLICATIONS, account)
    check_address(application_id, version)
    require_management_plane(account)
    package = package_of(account=account, application_id=application_id, version=version)
    return PackageBlob(package, blob_of(account, package))


def blob_of(account: BatchAccount, package: Package) -> BlobSource:
    """The blob of a package. Raises `NotVisible` (`package-without-bytes`) where none was uploaded."""
    try:
        url = blobs.blob_read_url(connection_for(account), package)
        return BlobSource(url, blobs.blob_info(url))
    except GatewayNotFound as error:
        raise NotVisible(
            "package-without-bytes", application=package.application_id, version=package.version
        ) from error
