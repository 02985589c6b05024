"""What is in a package: its central directory, read by ranges once per state of the blob, as a tree to walk.

A hundred thousand entries are kept as columns sorted by path. A folder is then a slice: found by bisection, its size a
difference of running totals, so opening one does not touch the others.
"""

from __future__ import annotations

import hashlib
import pickle
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache

from apps.accounts.models import BatchAccount
from apps.applications.blobs import BlobSource, package_blob
from apps.applications.listing import natural_key
from apps.applications.names import name_key
from apps.applications.packaging import Entry, Limits, RangedSource, ZipRefusedError, open_entry, read_directory
from apps.applications.packaging.messages import finding_text
from apps.core.exceptions import Conflict, NotVisible
from apps.gateway.types import Package
from apps.people.actors import Actor
from apps.people.roles import Permission

KEPT_SECONDS = 24 * 3600
# The character after "/": the paths below "a/" are those from "a/" up to, not including, "a0".
_AFTER_SLASH = "0"


class Node(NamedTuple):
    """A folder (with the files below it) or a file of the tree; `size` in bytes, uncompressed.

    `path` ends in "/" for a folder; `number` is the entry of a file, for downloading it.
    """

    name: str
    path: str
    is_dir: bool
    size: int
    files: int
    number: int


class Contents:
    """All entries of one package, sorted by path."""

    def __init__(self, entries: list[Entry]) -> None:
        entries = sorted(entries, key=lambda entry: entry.name)
        self._names = [entry.name for entry in entries]
        self._offsets = array("Q", (entry.offset for entry in entries))
        self._sizes = array("Q", (entry.size for entry in entries))
        self._compressed = array("Q", (entry.compressed_size for entry in entries))
        self._crcs = array("I", (entry.crc for entry in entries))
        self._methods = array("H", (entry.method for entry in entries))
        self._count()

    def _count(self) -> None:
        self._sizes_before = array("Q", accumulate(self._sizes, initial=0))
        files = (0 if name.endswith("/") else 1 for name in self._names)
        self._files_before = array("I", accumulate(files, initial=0))

    @property
    def size(self) -> int:
        """Uncompressed bytes."""
        return self._sizes_before[-1]

    @property
    def files(self) -> int:
        return self._files_before[-1]

    def entry(self, number: int) -> Entry:
        """One entry by its number. Raises `NotVisible` where there is none, or it is a folder."""
        if not 0 <= number < len(self._names) or self._names[number].endswith("/"):
            raise NotVisible("package-entry-gone")
        return Entry(
            name=self._names[number],
            size=self._sizes[number],
            compressed_size=self._compressed[number],
            method=self._methods[number],
            crc=self._crcs[number],
            modified=None,
            offset=self._offsets[number],
            is_dir=False,
        )

    def children(self, path: str = "") -> list[Node]:
        """What lies directly in a folder ("" or a path that ends in "/"): folders first, each kind in natural order."""
        nodes = list(self._level(path))
        nodes.sort(key=lambda node: (not node.is_dir, natural_key(node.name)))
        return nodes

    def _level(self, path: str) -> Iterator[Node]:
        place, end = self._slice(path)
        while place < end:
            head, slash, _rest = self._names[place][len(path) :].partition("/")
            if slash:
                folder = f"{path}{head}/"
                after = self._slice(folder)[1]
                yield self._folder(folder, head, place, after)
                place = after
            else:
                if head:
                    yield self._file(place, head)
                place += 1

    def search(self, words: str, limit: int) -> tuple[list[Node], int]:
        """Up to `limit` files whose path holds all the words, without regard to case, and how many there are."""
        wanted = words.lower().split()
        found: list[Node] = []
        count = 0
        for number, name in enumerate(self._names):
            lower = name.lower()
            if name.endswith("/") or not all(word in lower for word in wanted):
                continue
            count += 1
            if len(found) < limit:
                found.append(self._file(number, name))
        return found, count

    def _slice(self, path: str) -> tuple[int, int]:
        if not path:
            return 0, len(self._names)
        return bisect_left(self._names, path), bisect_left(self._names, path[:-1] + _AFTER_SLASH)

    def _folder(self, path: str, name: str, start: int, end: int) -> Node:
        size = self._sizes_before[end] - self._sizes_before[start]
        return Node(name or "/", path, True, size, self._files_before[end] - self._files_before[start], -1)

    def _file(self, number: int, name: str) -> Node:
        return Node(name, self._names[number], False, self._sizes[number], 1, number)

    def packed(self) -> bytes:
        """For the cache: some hundred KiB for a hundred thousand entries."""
        columns = (self._offsets, self._sizes, self._compressed, self._crcs, self._methods)
        return zlib.compress(pickle.dumps((self._names, columns), protocol=5), level=1)

    @classmethod
    def unpacked(cls, data: bytes) -> Contents:
        self = cls.__new__(cls)
        # The cache holds what `packed` made; nothing from outside gets there.
        self._names, columns = pickle.loads(zlib.decompress(data))  # noqa: S301
        self._offsets, self._sizes, self._compressed, self._crcs, self._methods = columns
        self._count()
        return self


@dataclass(frozen=True, slots=True)
class PackageContents:
    """`etag` names the state of the blob; `size` is the zip's own in bytes. `package` is None from the cache alone."""

    contents: Contents
    etag: str
    size: int
    package: Package | None = None


def package_contents(
    *, actor: Actor, account: BatchAccount, application_id: str, version: str, etag: str = ""
) -> PackageContents:
    """What is in a package. With the `etag` of an earlier answer, remembered contents need no call to the service.

    Raises `Conflict` (`package-replaced`) when the bytes are no longer those of the etag, `NotVisible` without
    package or bytes, `ZipUnreadable` for bytes that are no zip, `GatewayError`.
    """
    actor.require(Permission.VIEW_APPLICATIONS, account)
    if etag and (known := _remembered(account, application_id, version, etag)):
        return known
    found = package_blob(actor=actor, account=account, application_id=application_id, version=version)
    if etag and found.source.etag != etag:
        raise Conflict("package-replaced", application=application_id, version=version)
    contents = _contents_of(account, application_id, version, found.source)
    return PackageContents(contents, found.source.etag, found.source.size, found.package)


@dataclass(frozen=True, slots=True)
class EntryStream:
    """One file of a package: `blocks` are checked while they pass, and break off where the data is damaged."""

    entry: Entry
    blocks: Iterator[bytes]


def entry_open(
    *, actor: Actor, account: BatchAccount, application_id: str, version: str, etag: str, number: int
) -> EntryStream:
    """Open one file of the package in the state of `etag`. Errors as of `package_contents`."""
    found = package_blob(actor=actor, account=account, application_id=application_id, version=version)
    if found.source.etag != etag:
        raise Conflict("package-replaced", application=application_id, version=version)
    entry = _contents_of(account, application_id, version, found.source).entry(number)
    return EntryStream(entry, _translated(found.source, entry))


def read_contents(source: BlobSource) -> Contents:
    """Read the central directory. Raises `ZipUnreadable` with the reason for bytes that cannot be listed."""
    limits = Limits(max_entries=settings.ZIP_MAX_ENTRIES, max_package_bytes=settings.UPLOAD_MAX_BYTES)
    try:
        return Contents(list(read_directory(source, limits)))
    except ZipRefusedError as error:
        raise ZipUnreadable(reason=finding_text(error.finding)) from error


class ZipUnreadable(Conflict):
    """Bytes that are no zip, or one whose table of contents is damaged."""

    code = "package-unreadable"


def _translated(source: RangedSource, entry: Entry) -> Iterator[bytes]:
    try:
        yield from open_entry(source, entry)
    except ZipRefusedError as error:
        raise ZipUnreadable(reason=finding_text(error.finding)) from error


def _contents_of(account: BatchAccount, application_id: str, version: str, source: BlobSource) -> Contents:
    if known := _remembered(account, application_id, version, source.etag):
        return known.contents
    contents = read_contents(source)
    cache.set(_key(account, application_id, version, source.etag), (contents.packed(), source.size), KEPT_SECONDS)
    return contents


def _remembered(account: BatchAccount, application_id: str, version: str, etag: str) -> PackageContents | None:
    kept: tuple[bytes, int] | None = cache.get(_key(account, application_id, version, etag))
    return PackageContents(Contents.unpacked(kept[0]), etag, kept[1]) if kept else None


def _key(account: BatchAccount, application_id: str, version: str, etag: str) -> str:
    names = f"{name_key(application_id)}:{name_key(version)}:{etag}"
    return f"contents:{account.pk}:{hashlib.sha256(names.encode()).hexdigest()}"
