"""Taking bytes of an upload from a request and putting them safely on disk.

The offset that a client is told never lies: it is written down only after the bytes before it were flushed. While the
socket is read, no transaction is open and no database lock is held; a lease keeps other writers away.
"""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.applications.models import Upload
from apps.applications.uploads import staging
from apps.applications.uploads.errors import BusyError, ChecksumError, ExceedsError, OffsetError, OverError
from apps.operations.dispatch import dispatch
from apps.operations.leases import wake
from apps.operations.models import ACTIVE, Operation, Status
from apps.operations.run import with_database

MOST_BYTES = 1024 * 1024
LEAST_BYTES = 16 * 1024
QUICK_SECONDS = 0.25
FLUSH_SECONDS = 1.0
FLUSH_BYTES = 64 * 1024 * 1024
# Longer than a request may wait for its client (`body.STALL_SECONDS`), so that only a dead writer loses the lease.
WRITER_LEASE = timedelta(seconds=20)
# A worker is called when this many blocks wait, so that a slow line does not call one for every block.
BLOCKS_PER_CALL = 4


class Source(Protocol):
    """A request's body; `read` gives fewer bytes than asked for only at its end."""

    def read(self, size: int) -> bytes: ...


class Checksum(Protocol):
    """A running hash and what it must come to."""

    def update(self, data: bytes) -> None: ...

    def matches(self) -> bool: ...


def receive(upload: Upload, offset: int, source: Source, checksum: Checksum | None = None) -> int:
    """Append the body to the upload; returns the offset that is safe on disk.

    Raises `OffsetError` (409), `BusyError` (423), `OverError` (410), `ExceedsError` (413), `NoSpaceError` (507) and
    `ChecksumError` (460); what was flushed before stays, except that a body with a wrong checksum counts for nothing.
    """
    writer = Writer(upload, offset, keep_back=checksum is not None)
    writer.acquire()
    try:
        with staging.opened_for_writing(staging.path_of(upload)) as descriptor:
            _copy(writer, descriptor, source, checksum)
    except OSError as error:
        if error.errno in staging.FULL:
            raise staging.no_space(upload.length - writer.safe, staging.free_bytes()) from error
        raise
    finally:
        writer.release()
    return writer.safe


def _copy(writer: Writer, descriptor: int, source: Source, checksum: Checksum | None) -> None:
    length = writer.upload.length
    try:
        pace = Pace()
        while data := pace.read(source, length - writer.position):
            if writer.position == length:
                raise ExceedsError(length=length)
            writer.write(descriptor, data)
            if checksum is not None:
                checksum.update(data)
    finally:
        if checksum is None:
            writer.flush(descriptor)
    if checksum is not None:
        if not checksum.matches():
            raise ChecksumError
        writer.keep_back = False
        writer.flush(descriptor)


class Pace:
    """Reads as much at once as the line brings in a moment, so that a slow one holds up neither flush nor lease."""

    def __init__(self) -> None:
        self._size = 4 * LEAST_BYTES

    def read(self, source: Source, left: int) -> bytes:
        """Up to `left` bytes; one, to see whether more come than should, when none are left."""
        started = time.monotonic()
        data = source.read(min(self._size, left) or 1)
        quick = time.monotonic() - started < QUICK_SECONDS
        self._size = min(MOST_BYTES, self._size * 2) if quick else max(LEAST_BYTES, self._size // 2)
        return data


class Writer:
    """The one request that writes. `position` is where it is, `safe` what has been flushed and written down."""

    def __init__(self, upload: Upload, offset: int, *, keep_back: bool) -> None:
        self.upload = upload
        self.position = self.safe = self._called = offset
        self.keep_back = keep_back
        self._unflushed = 0
        self._id = uuid.uuid4()
        self._flushed_at = time.monotonic()
        self._held_until = 0.0
        self._rate = 0

    def acquire(self) -> None:
        """Take the lease at this offset."""
        self._require_open()
        now = timezone.now()
        free = Q(writer=None) | Q(writer_until__lt=now)

        def take() -> int:
            mine = Upload.objects.filter(free, pk=self.upload.pk, offset=self.position).exclude(staged_name="")
            return mine.update(writer=self._id, writer_until=now + WRITER_LEASE)

        if not with_database(take):
            self.upload.refresh_from_db()
            if self.upload.offset != self.position:
                raise OffsetError(offset=self.upload.offset)
            raise BusyError
        self._hold()

    def _require_open(self) -> None:
        operation = self.upload.operation
        gone = not self.upload.staged_name or self.upload.expires_at <= timezone.now()
        if gone or operation.status not in ACTIVE or operation.cancel_requested_at is not None:
            raise OverError

    def _hold(self) -> None:
        self._held_until = time.monotonic() + WRITER_LEASE.total_seconds()

    def write(self, descriptor: int, data: bytes) -> None:
        if time.monotonic() > self._held_until:
            raise BusyError  # this process slept through its lease; another writer may be at work
        staging.write_at(descriptor, data, self.position)
        self.position += len(data)
        self._unflushed += len(data)
        if self._is_flush_due():
            self.flush(descriptor)
            if staging.free_bytes() < settings.UPLOAD_KEEP_FREE_BYTES and self.position < self.upload.length:
                raise staging.no_space(self.upload.length - self.position, staging.free_bytes())

    def _is_flush_due(self) -> bool:
        # The first block goes at once, so that a worker begins with it; from then on time counts.
        most = FLUSH_BYTES if self.safe else settings.UPLOAD_BLOCK_BYTES
        late = time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        return late or self._unflushed >= most or self.position == self.upload.length

    def flush(self, descriptor: int) -> None:
        """Make what was written safe, write its offset down, and have a worker called when that is worth it."""
        self._unflushed = 0
        if self.keep_back:
            with_database(self._renew)
            return
        if self.position == self.safe:
            return
        staging.flush(descriptor)
        self._measure()
        call = with_database(self._persist)
        self.safe = self.position
        self._hold()
        if call:
            dispatch(self.upload.operation_id)

    def _measure(self) -> None:
        now = time.monotonic()
        speed = (self.position - self.safe) / max(0.001, now - self._flushed_at)
        self._rate = int(speed if not self._rate else 0.7 * self._rate + 0.3 * speed)
        self._flushed_at = now

    def _renew(self) -> None:
        until = timezone.now() + WRITER_LEASE
        if not Upload.objects.filter(pk=self.upload.pk, writer=self._id).update(writer_until=until):
            raise BusyError
        self._hold()
        self._flushed_at = time.monotonic()

    def _persist(self) -> bool:
        """Returns whether a worker should be told now."""
        now = timezone.now()
        complete = self.position == self.upload.length
        with transaction.atomic():
            mine = Upload.objects.filter(pk=self.upload.pk, writer=self._id)
            written = mine.update(
                offset=self.position,
                bytes_at=now,
                received_at=now if complete else None,
                writer_until=now + WRITER_LEASE,
                expires_at=now + timedelta(hours=settings.UPLOAD_EXPIRES_HOURS),
            )
            if not written:
                raise BusyError
            self._report()
            return self._worth_a_call(complete) and wake(self.upload.operation_id)

    def _report(self) -> None:
        """Progress of the first leg. Raises `OverError` when the operation has ended or is about to be cancelled."""
        rows = Operation.objects.filter(pk=self.upload.operation_id, status__in=ACTIVE, cancel_requested_at=None)
        if not rows.update(received=self.position, received_rate=self._rate, changed_at=timezone.now()):
            raise OverError
        # Bytes came: whoever looks sees at once that it goes on.
        rows.filter(status=Status.PAUSED).update(status=Status.RUNNING, phase="receiving")

    def _worth_a_call(self, complete: bool) -> bool:
        span = BLOCKS_PER_CALL * settings.UPLOAD_BLOCK_BYTES
        begun = self._called == 0 or self._called // span != self.position // span
        if complete or begun:
            self._called = self.position
            return True
        return False

    def release(self) -> None:
        """Let the next request write."""

        def free() -> int:
            return Upload.objects.filter(pk=self.upload.pk, writer=self._id).update(writer=None, writer_until=None)

        with_database(free)
