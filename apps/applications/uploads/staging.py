"""Files on the volume that web and worker share: one per upload, written in place, read by ranges."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db.models import F, Sum

from apps.applications.models import Upload
from apps.applications.uploads.errors import NoSpaceError
from apps.core.formats import size_text
from apps.operations.models import ACTIVE

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# A file without a row belongs to a transaction that was never committed; younger ones may still be.
ORPHAN_SECONDS = 24 * 3600


def folder() -> Path:
    path: Path = settings.UPLOAD_STAGING_DIR
    path.mkdir(parents=True, exist_ok=True, mode=0o770)
    return path


def path_of(upload: Upload) -> Path:
    return folder() / upload.staged_name


def free_bytes() -> int:
    """What ordinary processes may still write on the volume."""
    found = os.statvfs(folder())
    return found.f_bavail * found.f_frsize


def require_space(length: int) -> None:
    """Raise `NoSpaceError` when `length` bytes do not fit beside what other uploads have announced."""
    waiting = Upload.objects.filter(operation__status__in=ACTIVE, staged_removed_at=None)
    announced = waiting.aggregate(rest=Sum(F("length") - F("offset")))["rest"] or 0
    free = free_bytes() - announced - settings.UPLOAD_KEEP_FREE_BYTES
    if free < length:
        raise no_space(length, max(0, free))


def no_space(needed: int, free: int) -> NoSpaceError:
    return NoSpaceError(field="file", needed=size_text(needed), free=size_text(free))


@contextlib.contextmanager
def opened_for_writing(path: Path) -> Iterator[int]:
    """A descriptor to write with `write_at`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data`. Raises `OSError`, with an errno of `FULL` when the volume is."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def flush(descriptor: int) -> None:
    """Return when what was written survives a power cut."""
    os.fdatasync(descriptor)


@contextlib.contextmanager
def opened_for_reading(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb", buffering=0) as file:
        yield file


class Slice(io.RawIOBase):
    """A range of a file as a file of its own; several may read one descriptor at once."""

    def __init__(self, descriptor: int, start: int, length: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._start = start
        self._length = length
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._length}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._length - self._place)
        wanted = left if size is None or size < 0 else min(size, left)
        data = os.pread(self._descriptor, wanted, self._start + self._place)
        self._place += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()


def remove(upload: Upload) -> None:
    """Delete the file; nothing happens when it is gone."""
    if upload.staged_name:
        path_of(upload).unlink(missing_ok=True)


def orphans() -> list[Path]:
    """Files that no upload knows, older than a day."""
    known = set(Upload.objects.exclude(staged_name="").values_list("staged_name", flat=True))
    before = time.time() - ORPHAN_SECONDS
    return [path for path in folder().glob("*.part") if path.name not in known and path.stat().st_mtime < before]
