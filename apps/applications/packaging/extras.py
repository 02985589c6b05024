"""Extra fields of a header that change what an entry is called, how long it is, or what it is.

APPNOTE 4.5.3 (zip64), 4.6.9 (Info-ZIP Unicode path); ASi Unix and "xl" as written by Info-ZIP and
libarchive. Fields that only carry times or owners are left alone.
"""

import struct
import zlib
from typing import NamedTuple

from .ending import U16, U32
from .findings import Code, refused

ZIP64 = 0x0001
_STRONG_ENCRYPTION = 0x0017
_AES = 0x9901
_UNICODE_PATH = 0x7075
_ASI_UNIX = 0x756E
_LIBARCHIVE = 0x6C78
_SINGULAR = (ZIP64, _UNICODE_PATH, _ASI_UNIX, _LIBARCHIVE)
_HEAD = struct.Struct("<2H")

Extras = dict[int, bytes]
NONE: Extras = {}


class Sizes(NamedTuple):
    """Numbers of a header that zip64 widens, in the order of the zip64 field."""

    size: int
    compressed: int
    offset: int
    disk: int


def parse_extras(extra: bytes, name: bytes) -> Extras:
    """The fields by their tag. ZipRefusedError when they do not fill the space they claim.

    Up to three bytes left over are padding, as alignment tools write it.
    """
    if not extra:
        return NONE
    fields: Extras = {}
    place = 0
    while place + _HEAD.size <= len(extra):
        tag, length = _HEAD.unpack_from(extra, place)
        place += _HEAD.size
        if place + length > len(extra) or (tag in _SINGULAR and tag in fields):
            raise refused(Code.EXTRA_FIELD, name)
        fields[tag] = extra[place : place + length]
        place += length
    return fields


def widened(narrow: Sizes, extras: Extras, name: bytes) -> Sizes:
    """The sizes with each full 32-bit number (16-bit disk) replaced by its zip64 one.

    Readers differ in whether they believe a zip64 number that is not asked for, so one is accepted
    only if it repeats what the header says. ZipRefusedError otherwise, or when a number is missing.
    """
    field = extras.get(ZIP64)
    if field is None:
        return narrow
    full = Sizes(U32, U32, U32, U16)
    asked = [part for part, top in zip(narrow, full, strict=True) if part == top]
    form = "<" + "".join("Q" if top == U32 else "I" for top in asked)
    length = struct.calcsize(form)
    if len(field) < length:
        raise refused(Code.ZIP64_EXTRA, name)
    values = iter(struct.unpack_from(form, field))
    wide = Sizes(*(next(values) if part == top else part for part, top in zip(narrow, full, strict=True)))
    if len(field) > length and not _repeats(field, wide):
        raise refused(Code.ZIP64_EXTRA, name)
    return wide


def _repeats(field: bytes, wide: Sizes) -> bool:
    return any(field == struct.pack(form, *wide[:count]) for form, count in _FULL_FIELDS)


_FULL_FIELDS = (("<2Q", 2), ("<3Q", 3), ("<3QI", 4))


def unicode_path_differs(extras: Extras, name: bytes) -> bool:
    """Whether a Unicode path field gives a second name, which some tools use instead of the first.

    The field holds its version, the CRC-32 of the first name, and the second name.
    """
    field = extras.get(_UNICODE_PATH)
    return field is not None and field != struct.pack("<BI", 1, zlib.crc32(name)) + name


def says_encrypted(extras: Extras) -> bool:
    """Whether a field announces strong or AES encryption."""
    return _STRONG_ENCRYPTION in extras or _AES in extras


def extra_mode(extras: Extras) -> int:
    """The Unix file mode an extra field gives, 0 when none does."""
    if not extras:
        return 0
    asi = extras.get(_ASI_UNIX, b"")
    if len(asi) >= 6:
        return int.from_bytes(asi[4:6], "little")
    return _libarchive_mode(extras.get(_LIBARCHIVE, b""))


def _libarchive_mode(field: bytes) -> int:
    """A bit map, then: made by (2 bytes), internal (2) and external attributes (4)."""
    if not field or not field[0] & 4:
        return 0
    place = 1 + (2 if field[0] & 1 else 0) + (2 if field[0] & 2 else 0)
    return int.from_bytes(field[place + 2 : place + 4], "little")
