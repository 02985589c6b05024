"""The central directory: read record by record, kept as columns.

Record layout: APPNOTE 4.3.12. A hundred thousand entries as Python objects would take some hundred
MiB, so `Directory` keeps each field in an array and gives out `Entry` objects one at a time.
"""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, NamedTuple, TypeAlias

from .ending import Ending, locate_directory
from .extras import Extras, Sizes, parse_extras, widened
from .findings import Code, refused
from .limits import MIB, Limits
from .sources import BufferedSource, RangedSource, as_source

_RECORD = struct.Struct("<4s6H3I5H2I")
_SIGNATURE = b"PK\x01\x02"
_RANGE = 4 * MIB

Offsets: TypeAlias = "array[int]"


class Record(NamedTuple):
    """One central directory record, with zip64 numbers in place; sizes and offset in bytes."""

    name: bytes
    version: int
    flags: int
    method: int
    clock: int
    crc: int
    compressed: int
    size: int
    disk: int
    attributes: int
    offset: int
    extras: Extras


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or directory of a zip; sizes and offset (of its local header) in bytes.

    `name` is for display where it is not valid UTF-8. `modified` is the local time of the machine
    that packed, without zone, or None where the zip holds no date.
    """

    name: str
    size: int
    compressed_size: int
    method: int
    crc: int
    modified: datetime | None
    offset: int
    is_dir: bool


class Directory:
    """All entries, in the order of the central directory."""

    def __init__(self) -> None:
        self.offsets = array("Q")
        self.compressed = array("Q")
        self.sizes = array("Q")
        self.crcs = array("I")
        self.clocks = array("I")
        self.methods = array("H")
        self.flags = array("H")
        self._names = bytearray()
        self._name_ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[Entry]:
        return map(self.entry, range(len(self)))

    def add(self, record: Record) -> None:
        """Appends one entry."""
        self.offsets.append(record.offset)
        self.compressed.append(record.compressed)
        self.sizes.append(record.size)
        self.crcs.append(record.crc)
        self.clocks.append(record.clock)
        self.methods.append(record.method)
        self.flags.append(record.flags)
        self._names += record.name
        self._name_ends.append(len(self._names))

    def name(self, index: int) -> bytes:
        """The raw name of an entry."""
        return bytes(self._names[self._name_ends[index] : self._name_ends[index + 1]])

    def entry(self, index: int) -> Entry:
        """The entry at this place of the directory. IndexError outside."""
        name = self.name(index)
        return Entry(
            name=name.decode("utf-8", "backslashreplace"),
            size=self.sizes[index],
            compressed_size=self.compressed[index],
            method=self.methods[index],
            crc=self.crcs[index],
            modified=_moment(self.clocks[index]),
            offset=self.offsets[index],
            is_dir=name.endswith(b"/"),
        )

    def by_offset(self) -> range | list[int]:
        """Indexes in the order in which the entries lie in the file."""
        offsets = self.offsets
        if all(offsets[i] <= offsets[i + 1] for i in range(len(offsets) - 1)):
            return range(len(offsets))
        return sorted(range(len(offsets)), key=offsets.__getitem__)


def read_directory(source: BinaryIO | RangedSource, limits: Limits | None = None) -> Directory:
    """The contents of a zip, asking for its last 64 KiB first and then for ranges of 4 MiB.

    Checks what must hold to list a zip at all; names are given as they are, so whoever unpacks must
    check them. ZipRefusedError when the records at the end or in the directory are damaged or above the
    limits.
    """
    limits = limits or Limits()
    buffered = BufferedSource(as_source(source), _RANGE)
    directory = Directory()
    for record in read_records(buffered, locate_directory(buffered, limits)):
        directory.add(record)
    return directory


def read_records(source: BufferedSource, ending: Ending) -> Iterator[Record]:
    """The records one by one. ZipRefusedError when they do not fill the directory exactly."""
    place = ending.offset
    end = ending.offset + ending.length
    for number in range(ending.entries):
        if place + _RECORD.size > end:
            raise refused(Code.ENTRY_COUNT, entries=ending.entries, found=number)
        head = _RECORD.unpack(source.read(place, _RECORD.size))
        lengths = head[10:13]
        body = sum(lengths)
        place += _RECORD.size
        if head[0] != _SIGNATURE or place + body > end:
            raise refused(Code.DIRECTORY_DAMAGED, number=number + 1)
        yield _record(head, source.read(place, body))
        place += body
    if place != end:
        raise refused(Code.ENTRY_COUNT, entries=ending.entries, found=f"{ending.entries}+")


def _record(head: tuple[int, ...], body: bytes) -> Record:
    """`head` as unpacked, with the signature (bytes, not looked at here) in its first place."""
    name_length, extra_length = head[10], head[11]
    name = body[:name_length]
    extras = parse_extras(body[name_length : name_length + extra_length], name)
    wide = widened(Sizes(head[9], head[8], head[16], head[13]), extras, name)
    return Record(
        name,
        head[2] & 0xFF,
        head[3],
        head[4],
        head[6] << 16 | head[5],
        head[7],
        wide.compressed,
        wide.size,
        wide.disk,
        head[15],
        wide.offset,
        extras,
    )


def _moment(clock: int) -> datetime | None:
    """An MS-DOS date and time (APPNOTE 4.4.6): years from 1980, steps of two seconds."""
    # The zone is not in the zip, so the moment stays without one.
    day, time = clock >> 16, clock & 0xFFFF
    try:
        date = 1980 + (day >> 9), day >> 5 & 15, day & 31
        return datetime(*date, time >> 11, time >> 5 & 63, (time & 31) * 2)  # noqa: DTZ001
    except ValueError:
        return None
