"""Where the entries lie in the file, and whether their local headers say what the directory says.

Some tools believe the central directory, others read the file from its start. They see the same files
only if the entries, with their local headers and data descriptors, fill the file up to the directory
without gap or overlap, and if every header agrees. Layout: APPNOTE 4.3.7 to 4.3.9.
"""

import struct
from array import array
from collections.abc import Callable
from typing import NamedTuple

from .directory import Directory, Offsets
from .ending import U32
from .extras import ZIP64, Extras, Sizes, extra_mode, parse_extras, says_encrypted, unicode_path_differs, widened
from .findings import Code, Findings, ZipRefusedError, refused
from .sources import RangedSource, read_exactly

HEADER = struct.Struct("<4s5H3I2H")
LOCAL_SIGNATURE = b"PK\x03\x04"
_EXTRA_GUESS = 64
_DESCRIPTOR_FLAG = 1 << 3
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_FORMAT = 0xF000
# Bits that change how data or names are read: encryption, descriptor, patch, strong encryption, UTF-8, masked.
_FLAGS = 1 << 0 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 11 | 1 << 13
# With or without signature, with sizes of 32 or 64 bits; writers do not keep to one rule which.
_DESCRIPTORS = {12: "<3I", 16: "<4x3I", 20: "<I2Q", 24: "<4xI2Q"}


class _Local(NamedTuple):
    name: bytes
    flags: int
    method: int
    crc: int
    sizes: Sizes
    unasked: bytes | None
    extras: Extras
    data: int


def check_layout(
    source: RangedSource,
    directory: Directory,
    directory_start: int,
    findings: Findings,
    tick: Callable[[], None],
) -> Offsets:
    """Offset of the data of each entry, by its index in the directory; what is wrong goes to `findings`.

    The offsets are only of use when nothing was found. Calls `tick` now and then.
    """
    starts = array("Q", bytes(8 * len(directory)))
    order = directory.by_offset()
    if directory.offsets[order[0]]:
        first = order[0]
        findings.add(Code.PREPENDED_DATA, extra_bytes=directory.offsets[first])
    for place, index in enumerate(order):
        if findings.full:
            break
        if place % 1024 == 0:
            tick()
        following = order[place + 1] if place + 1 < len(order) else None
        end = directory_start if following is None else directory.offsets[following]
        try:
            starts[index] = _check_entry(source, directory, index, (following, end))
        except ZipRefusedError as refusal:
            findings.keep(refusal.finding)
    return starts


def _check_entry(source: RangedSource, directory: Directory, index: int, follower: tuple[int | None, int]) -> int:
    """Offset of the entry's data. ZipRefusedError for the first thing wrong with it."""
    following, end = follower
    name = directory.name(index)
    offset = directory.offsets[index]
    if offset + HEADER.size + len(name) > source.size:
        raise refused(Code.LOCAL_HEADER, name)
    local = _read_local(source, offset, name)
    _compare(local, directory, index)
    gap = end - local.data - directory.compressed[index]
    if gap < 0 and following is None:
        raise refused(Code.OVERLAPS_DIRECTORY, name)
    if gap < 0 and following is not None:
        raise refused(Code.OVERLAP, name, other=directory.entry(following).name)
    if local.flags & _DESCRIPTOR_FLAG:
        _check_descriptor(source, directory, index, end - gap, gap)
    elif gap:
        raise refused(Code.HIDDEN_DATA, name, extra_bytes=gap)
    return local.data


def _read_local(source: RangedSource, offset: int, name: bytes) -> _Local:
    """The local header that should carry this name. ZipRefusedError when there is none or its extras are damaged."""
    guess = min(HEADER.size + len(name) + _EXTRA_GUESS, source.size - offset)
    block = read_exactly(source, offset, guess)
    head = HEADER.unpack_from(block)
    name_end = HEADER.size + head[9]
    length = name_end + head[10]
    if head[0] != LOCAL_SIGNATURE or offset + length > source.size:
        raise refused(Code.LOCAL_HEADER, name)
    if length > guess:
        block = read_exactly(source, offset, length)
    extras = parse_extras(block[name_end:length], name)
    sizes, unasked = Sizes(head[8], head[7], 0, 0), extras.get(ZIP64)
    if U32 in sizes:
        sizes, unasked = widened(sizes, extras, name), None
    return _Local(block[HEADER.size : name_end], head[2], head[3], head[6], sizes, unasked, extras, offset + length)


def _compare(local: _Local, directory: Directory, index: int) -> None:
    name = directory.name(index)
    if local.name != name:
        raise _differs(name, "name")
    if (local.flags ^ directory.flags[index]) & _FLAGS:
        raise _differs(name, "flags")
    if local.method != directory.methods[index]:
        raise _differs(name, "method")
    if says_encrypted(local.extras):
        raise refused(Code.ENCRYPTED, name)
    if unicode_path_differs(local.extras, name):
        raise refused(Code.UNICODE_PATH, name)
    _compare_mode(local, name)
    _compare_numbers(local, directory, index)


def _compare_mode(local: _Local, name: bytes) -> None:
    """Only the local header carries the mode that libarchive reads when it cannot seek."""
    form = extra_mode(local.extras) & _FORMAT
    if form and form != (0x4000 if name.endswith(b"/") else 0x8000):
        raise _differs(name, "mode")


def _compare_numbers(local: _Local, directory: Directory, index: int) -> None:
    """CRC and sizes; where a descriptor follows the data, the header may leave them 0."""
    zero_allowed = local.flags & _DESCRIPTOR_FLAG
    pairs = (
        ("crc", local.crc, directory.crcs[index]),
        ("compressed size", local.sizes.compressed, directory.compressed[index]),
        ("size", local.sizes.size, directory.sizes[index]),
    )
    for field, found, expected in pairs:
        if found != expected and not (zero_allowed and found == 0):
            raise _differs(directory.name(index), field)
    _compare_unasked(local, directory, index)


def _compare_unasked(local: _Local, directory: Directory, index: int) -> None:
    """A zip64 field beside sizes that need none: empty where a descriptor follows, else a repetition."""
    if local.unasked is None:
        return
    expected = struct.pack("<2Q", directory.sizes[index], directory.compressed[index])
    empty = bytes(16) if local.flags & _DESCRIPTOR_FLAG else expected
    if local.unasked not in (expected, empty):
        raise refused(Code.ZIP64_EXTRA, directory.name(index))


def _check_descriptor(source: RangedSource, directory: Directory, index: int, start: int, length: int) -> None:
    name = directory.name(index)
    form = _DESCRIPTORS.get(length)
    if form is None:
        code = Code.HIDDEN_DATA if length > max(_DESCRIPTORS) else Code.DESCRIPTOR
        raise refused(code, name, extra_bytes=length)
    data = read_exactly(source, start, length)
    signed = length in (16, 24)
    if signed and not data.startswith(_DESCRIPTOR_SIGNATURE):
        raise refused(Code.DESCRIPTOR, name, extra_bytes=length)
    expected = directory.crcs[index], directory.compressed[index], directory.sizes[index]
    if struct.unpack(form, data) != expected:
        raise refused(Code.DESCRIPTOR, name, extra_bytes=length)


def _differs(name: bytes, field: str) -> ZipRefusedError:
    return refused(Code.LOCAL_DIFFERS, name, field=field)
