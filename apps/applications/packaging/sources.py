"""Reading a zip by ranges, from a local file or from anywhere else."""

import io
import os
import threading
from typing import BinaryIO, Protocol, runtime_checkable

from .findings import Code, refused


@runtime_checkable
class RangedSource(Protocol):
    """Something of a known size in bytes that can be read anywhere.

    `read_at` gives `length` bytes from `offset`, fewer only at the end. It is called from several
    threads at once when the checks run with more than one worker. Its own errors pass through.
    """

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes: ...


class FileSource:
    """A seekable binary file as ranges; does not close it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._descriptor = _plain_descriptor(file)
        self._size = file.seek(0, io.SEEK_END)

    @property
    def size(self) -> int:
        """Bytes in the file when it was opened here."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer at the end of the file."""
        if self._descriptor is not None:
            return _pread(self._descriptor, offset, length)
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)


class BufferedSource:
    """Serves small neighbouring reads from one window, so that few ranges are asked for."""

    def __init__(self, source: RangedSource, window: int) -> None:
        self.source = source
        self.size = source.size
        self._window = window
        self._start = 0
        self._data = b""

    def load(self, offset: int, length: int) -> None:
        """Makes the window this range."""
        self._data = read_exactly(self.source, offset, length)
        self._start = offset

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes. ZipRefusedError (truncated) when the file ends before."""
        place = offset - self._start
        if place < 0 or place + length > len(self._data):
            self.load(offset, max(length, min(self._window, self.size - offset)))
            place = 0
        return self._data[place : place + length]


def as_source(source: BinaryIO | RangedSource) -> RangedSource:
    """The source itself, or the file as one."""
    return source if isinstance(source, RangedSource) else FileSource(source)


def read_exactly(source: RangedSource, offset: int, length: int) -> bytes:
    """These bytes, all of them. ZipRefusedError (truncated) when the source ends before."""
    data = source.read_at(offset, length)
    if len(data) != length:
        raise refused(Code.TRUNCATED)
    return data


def _plain_descriptor(file: BinaryIO) -> int | None:
    """The descriptor if reading it equals reading the file: no wrapper, no pending writes."""
    raw = file.raw if isinstance(file, io.BufferedReader) else file
    return raw.fileno() if isinstance(raw, io.FileIO) else None


def _pread(descriptor: int, offset: int, length: int) -> bytes:
    data = os.pread(descriptor, length, offset)
    while data and len(data) < length:  # a signal, or a read above the 2 GiB the kernel gives at once
        more = os.pread(descriptor, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
