"""The bytes inside a zip: inflated, counted and summed while they pass by.

zlib gives up Python's lock while it works on a block, so other threads (sending the same file to blob
storage, say) run meanwhile. Sizes in headers are only ever used as a bound.
"""

import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from .directory import Directory, Entry
from .findings import Code, refused
from .layout import HEADER, LOCAL_SIGNATURE
from .limits import MIB
from .records import ENCRYPTED_FLAGS, METHODS, STORED
from .sources import RangedSource, as_source, read_exactly

BLOCK = MIB
_RAW_DEFLATE = -15


class Span(NamedTuple):
    """The data of one entry: where it lies, and what must come out of it; all in bytes."""

    name: bytes
    method: int
    start: int
    compressed: int
    size: int
    crc: int


def span_of(directory: Directory, index: int, start: int) -> Span:
    """The span of an entry whose data starts at this offset."""
    return Span(
        directory.name(index),
        directory.methods[index],
        start,
        directory.compressed[index],
        directory.sizes[index],
        directory.crcs[index],
    )


def open_entry(source: BinaryIO | RangedSource, entry: Entry, block: int = BLOCK) -> Iterator[bytes]:
    """The uncompressed bytes of one entry, in blocks of at most 1 MiB, asking for `block` bytes at a time.

    ZipRefusedError as soon as the data is damaged or longer than the directory says, and after the last
    block when its length or CRC-32 is wrong: who passes blocks on must break off then.
    """
    ranged = as_source(source)
    return filter(None, plain_blocks(ranged, _located(ranged, entry), block))


def plain_blocks(source: RangedSource, span: Span, block: int = BLOCK) -> Iterator[bytes]:
    """The uncompressed bytes of a span, with empty blocks where data expands to none; errors as in `open_entry`."""
    raw = _raw_blocks(source, span, block)
    size = crc = 0
    for data in raw if span.method == STORED else _inflated(raw, span.name):
        size += len(data)
        if size > span.size:
            raise refused(Code.WRONG_SIZE, span.name, size_bytes=span.size)
        crc = zlib.crc32(data, crc)
        yield data
    if size != span.size:
        raise refused(Code.WRONG_SIZE, span.name, size_bytes=span.size)
    if crc != span.crc:
        raise refused(Code.CRC, span.name, expected=f"{span.crc:08x}", found=f"{crc:08x}")


def _raw_blocks(source: RangedSource, span: Span, block: int) -> Iterator[bytes]:
    end = span.start + span.compressed
    for place in range(span.start, end, block):
        yield read_exactly(source, place, min(block, end - place))


def _inflated(raw: Iterator[bytes], name: bytes) -> Iterator[bytes]:
    engine = zlib.decompressobj(_RAW_DEFLATE)
    for block in raw:
        if engine.eof:
            raise refused(Code.DATA_AFTER_END, name)
        yield from _inflated_block(engine, block, name)
    if not engine.eof:
        raise refused(Code.DATA_ENDS_EARLY, name)


def _inflated_block(engine: "zlib._Decompress", block: bytes, name: bytes) -> Iterator[bytes]:
    """What one block expands to, never more than 1 MiB of it at a time."""
    while True:
        try:
            data = engine.decompress(block, BLOCK)
        except zlib.error as error:
            raise refused(Code.DATA_DAMAGED, name) from error
        if engine.unused_data:
            raise refused(Code.DATA_AFTER_END, name)
        yield data
        block = engine.unconsumed_tail
        if not block and len(data) < BLOCK:
            return


def _located(source: RangedSource, entry: Entry) -> Span:
    """The entry's span, from its local header. ZipRefusedError when there is none or it cannot be read."""
    name = entry.name.encode("utf-8", "surrogatepass")
    if entry.offset + HEADER.size > source.size:
        raise refused(Code.LOCAL_HEADER, name)
    head = HEADER.unpack(read_exactly(source, entry.offset, HEADER.size))
    if head[0] != LOCAL_SIGNATURE or head[3] != entry.method:
        raise refused(Code.LOCAL_HEADER, name)
    if head[2] & ENCRYPTED_FLAGS:
        raise refused(Code.ENCRYPTED, name)
    if entry.method not in METHODS:
        raise refused(Code.METHOD, name, method=str(entry.method))
    start = entry.offset + HEADER.size + head[9] + head[10]
    if start + entry.compressed_size > source.size:
        raise refused(Code.TRUNCATED)
    return Span(name, entry.method, start, entry.compressed_size, entry.size, entry.crc)
