"""The records at the end of a zip, which say where its central directory is.

Layout and names of the fields: PKWARE APPNOTE 6.3.10, sections 4.3.14 to 4.3.16. Tools differ in how
they look for the last record and in which copy of a number they believe, so everything here must
stand exactly where it belongs and every copy must agree.
"""

import struct
from typing import NamedTuple

from .findings import Code, refused
from .limits import KIB, Limits
from .sources import BufferedSource

_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_ZIP64_END = struct.Struct("<4sQ2H2I4Q")
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_ZIP64_SIGNATURE = b"PK\x06\x06"
_LOCAL_SIGNATURE = b"PK\x03\x04"
_SPLIT_SIGNATURES = (b"PK\x07\x08", b"PK00")
_MAX_COMMENT = 0xFFFF
_TAIL = 64 * KIB
U16 = 0xFFFF
U32 = 0xFFFFFFFF


class Ending(NamedTuple):
    """Where the central directory lies (bytes) and how many entries it has."""

    entries: int
    offset: int
    length: int


class _Counts(NamedTuple):
    disk: int
    directory_disk: int
    entries_here: int
    entries: int
    length: int
    offset: int


def locate_directory(source: BufferedSource, limits: Limits) -> Ending:
    """Where the central directory is. ZipRefusedError when the end of the file is not as it must be.

    Reads the last 64 KiB first, and more only for a comment of nearly that length.
    """
    if source.size == 0:
        raise refused(Code.EMPTY_FILE)
    if source.size > limits.max_package_bytes:
        raise refused(Code.PACKAGE_TOO_LARGE, size_bytes=source.size, limit_bytes=limits.max_package_bytes)
    place = _find_end(source)
    counts, directory_end = _counts(source, place)
    _check_disks(counts)
    _check_place(counts, directory_end)
    _check_limits(counts, limits)
    return Ending(counts.entries, counts.offset, counts.length)


def _find_end(source: BufferedSource) -> int:
    """Offset of the one end record, after which nothing but its own comment follows."""
    tail = _tail(source, _TAIL)
    found = tail.rfind(_END_SIGNATURE)
    if found < 0 and len(tail) < source.size:
        tail = _tail(source, _MAX_COMMENT + _END.size)
        found = tail.rfind(_END_SIGNATURE)
    if found < 0:
        raise _no_end(source)
    if len(tail) - found < _END.size:
        raise refused(Code.TRUNCATED)
    surplus = len(tail) - found - _END.size - _comment_length(tail, found)
    if surplus < 0:
        raise refused(Code.TRUNCATED)
    if surplus > 0:
        raise refused(Code.TRAILING_DATA, extra_bytes=surplus)
    _refuse_second_end(tail, found)
    return source.size - len(tail) + found


def _tail(source: BufferedSource, length: int) -> bytes:
    length = min(length, source.size)
    source.load(source.size - length, length)
    return source.read(source.size - length, length)


def _comment_length(tail: bytes, place: int) -> int:
    length: int = _END.unpack_from(tail, place)[7]
    return length


def _refuse_second_end(tail: bytes, found: int) -> None:
    """An end record whose comment holds another one: tools choose differently between the two."""
    place = tail.rfind(_END_SIGNATURE, 0, found)
    while place >= 0:
        if place + _END.size <= found and _reaches_end(tail, place):
            raise refused(Code.AMBIGUOUS_END)
        place = tail.rfind(_END_SIGNATURE, 0, place)


def _reaches_end(tail: bytes, place: int) -> bool:
    return place + _END.size + _comment_length(tail, place) == len(tail)


def _no_end(source: BufferedSource) -> Exception:
    start = source.read(0, min(4, source.size))
    if start == _LOCAL_SIGNATURE:
        return refused(Code.TRUNCATED)
    return refused(Code.MULTI_DISK if start in _SPLIT_SIGNATURES else Code.NOT_A_ZIP)


def _counts(source: BufferedSource, place: int) -> tuple[_Counts, int]:
    """The numbers of the end record, or of its zip64 twin, and the offset they must end at."""
    _, *numbers, _ = _END.unpack(source.read(place, _END.size))
    plain = _Counts(*numbers)
    locator_place = place - _LOCATOR.size
    if locator_place < 0:
        return plain, place
    signature, disk, offset, disks = _LOCATOR.unpack(source.read(locator_place, _LOCATOR.size))
    if signature != _LOCATOR_SIGNATURE:
        return plain, place
    if disk != 0 or disks > 1:
        raise refused(Code.MULTI_DISK)
    wide = _zip64_counts(source, offset, locator_place)
    _check_twins(plain, wide)
    return wide, offset


def _zip64_counts(source: BufferedSource, offset: int, locator_place: int) -> _Counts:
    if offset + _ZIP64_END.size != locator_place:
        raise refused(Code.ZIP64_RECORD)
    fields = _ZIP64_END.unpack(source.read(offset, _ZIP64_END.size))
    signature, length, _, _, *numbers = fields
    if signature != _ZIP64_SIGNATURE or length != _ZIP64_END.size - 12:
        raise refused(Code.ZIP64_RECORD)
    return _Counts(*numbers)


def _check_twins(plain: _Counts, wide: _Counts) -> None:
    full = _Counts(U16, U16, U16, U16, U32, U32)
    for name, small, large, sentinel in zip(_Counts._fields, plain, wide, full, strict=True):
        if small not in (large, sentinel):
            raise refused(Code.END_RECORDS_DIFFER, field=name)


def _check_disks(counts: _Counts) -> None:
    if counts.disk or counts.directory_disk:
        raise refused(Code.MULTI_DISK)
    if counts.entries_here != counts.entries:
        raise refused(Code.MULTI_DISK)


def _check_place(counts: _Counts, directory_end: int) -> None:
    """The directory ends where the end records begin; a gap means bytes before or in between."""
    gap = directory_end - counts.offset - counts.length
    if gap > 0:
        raise refused(Code.PREPENDED_DATA, extra_bytes=gap)
    if gap < 0:
        raise refused(Code.DIRECTORY_PLACE, missing_bytes=-gap)


def _check_limits(counts: _Counts, limits: Limits) -> None:
    if counts.entries == 0:
        raise refused(Code.NO_ENTRIES)
    if counts.entries > limits.max_entries:
        raise refused(Code.TOO_MANY_ENTRIES, entries=counts.entries, limit=limits.max_entries)
    if counts.length > limits.max_directory_bytes:
        raise refused(
            Code.DIRECTORY_TOO_LARGE,
            size_bytes=counts.length,
            limit_bytes=limits.max_directory_bytes,
        )
