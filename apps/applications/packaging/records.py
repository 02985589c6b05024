"""Checks of one central directory record that need nothing but the record."""

from collections.abc import Iterator

from .directory import Record
from .extras import extra_mode, says_encrypted, unicode_path_differs
from .findings import Code
from .limits import Limits

# Stored and deflate are what every unpacker knows. Of the rest .NET and Explorer, which Windows nodes
# use, read Deflate64 at most, and unzip on Linux has the others only where it was built with them.
STORED = 0
DEFLATED = 8
METHODS = (STORED, DEFLATED)
# unzip 6.0 leaves out entries that ask for more, though zip64 needs 45 and all else here 20.
_MAX_VERSION = 46

ENCRYPTED_FLAGS = 1 << 0 | 1 << 6 | 1 << 13
_PATCH_FLAG = 1 << 5
_AES_METHOD = 99
_FORMAT = 0xF000
_LINK = 0xA000
_REGULAR = 0x8000
_DIRECTORY = 0x4000
_SPECIAL = {0x1000, 0x2000, 0x6000, 0xC000}  # pipe, character device, block device, socket
_DOS_VOLUME = 0x08
_DOS_DIRECTORY = 0x10
_DOS_REPARSE = 0x400
_METHOD_NAMES = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "XZ",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
}
Problem = tuple[Code, dict[str, int | str]]


def record_problems(record: Record, limits: Limits) -> Iterator[Problem]:
    """Everything wrong with the kind, method and sizes of one entry."""
    if unicode_path_differs(record.extras, record.name):
        yield Code.UNICODE_PATH, {}
    if record.disk:
        yield Code.MULTI_DISK, {}
    yield from _kind_problems(record)
    yield from _method_problems(record)
    yield from _size_problems(record, limits)


def _kind_problems(record: Record) -> Iterator[Problem]:
    modes = {record.attributes >> 16 & _FORMAT, extra_mode(record.extras) & _FORMAT}
    named_directory = record.name.endswith(b"/")
    if _LINK in modes or record.attributes & _DOS_REPARSE:
        yield Code.SYMBOLIC_LINK, {}
    elif modes & _SPECIAL or record.attributes & _DOS_VOLUME:
        yield Code.SPECIAL_FILE, {}
    elif _REGULAR in modes if named_directory else _marked_directory(record, modes):
        yield Code.KIND_CONFLICT, {}
    elif named_directory and record.size:
        yield Code.DIRECTORY_WITH_DATA, {"size_bytes": record.size}


def _marked_directory(record: Record, modes: set[int]) -> bool:
    return _DIRECTORY in modes or bool(record.attributes & _DOS_DIRECTORY)


def _method_problems(record: Record) -> Iterator[Problem]:
    if record.flags & ENCRYPTED_FLAGS or record.method == _AES_METHOD or says_encrypted(record.extras):
        yield Code.ENCRYPTED, {}
    elif record.flags & _PATCH_FLAG:
        yield Code.PATCH_DATA, {}
    elif record.method not in METHODS:
        yield Code.METHOD, {"method": _METHOD_NAMES.get(record.method, str(record.method))}
    elif record.version > _MAX_VERSION:
        yield Code.VERSION, {"version": f"{record.version / 10:.1f}", "limit": f"{_MAX_VERSION / 10:.1f}"}
    elif record.method == STORED and record.size != record.compressed:
        yield Code.STORED_SIZE, {"size_bytes": record.size, "compressed_bytes": record.compressed}


def _size_problems(record: Record, limits: Limits) -> Iterator[Problem]:
    if record.size > limits.max_entry_bytes:
        yield Code.ENTRY_TOO_LARGE, {"size_bytes": record.size, "limit_bytes": limits.max_entry_bytes}
    if ratio_too_high(record.size, record.compressed, limits):
        ratio = record.size // max(record.compressed, 1)
        yield Code.ENTRY_RATIO, {"ratio": ratio, "limit": limits.max_ratio}


def ratio_too_high(size: int, compressed: int, limits: Limits) -> bool:
    """Whether so many bytes (uncompressed, compressed) are more than a package may expand to."""
    return size > limits.ratio_floor_bytes and size > limits.max_ratio * max(compressed, 1)
