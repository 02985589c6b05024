"""Zips made byte by byte, so that any of their fields can lie."""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

U32 = 0xFFFFFFFF
DESCRIPTORS = {12: "<3I", 16: "<4s3I", 20: "<I2Q", 24: "<4sI2Q"}


@dataclass
class Part:
    """One entry. `local` and `central` override fields of its two headers; `payload` the bytes as stored."""

    name: bytes = b"a.txt"
    data: bytes = b"hello"
    method: int = 0
    flags: int = 0
    made_by: int = 0x031E
    attributes: int = 0o100644 << 16
    payload: bytes | None = None
    descriptor: int = 0
    descriptor_values: tuple[int, int, int] | None = None
    padding: bytes = b""
    local_extra: bytes = b""
    central_extra: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)

    def stored(self) -> bytes:
        """The bytes between the headers."""
        if self.payload is not None:
            return self.payload
        return deflated(self.data) if self.method == 8 else self.data

    def fields(self) -> dict[str, Any]:
        """The truth, from which both headers are made."""
        flags = self.flags | (8 if self.descriptor else 0)
        return {
            "name": self.name,
            "version": 20,
            "flags": flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "compressed": len(self.stored()),
            "size": len(self.data),
        }


def deflated(data: bytes) -> bytes:
    """A raw deflate stream."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def extra(tag: int, data: bytes) -> bytes:
    """One extra field."""
    return struct.pack("<2H", tag, len(data)) + data


def build(
    *parts: Part,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    after_directory: bytes = b"",
    comment: bytes = b"",
    suffix: bytes = b"",
    end: dict[str, int] | None = None,
    zip64: dict[str, int] | None = None,
) -> bytes:
    """The zip. `end` and `zip64` override fields of the end records; zip64 ones exist only if `zip64` is given."""
    body = bytearray(prefix)
    offsets = []
    for part in parts:
        offsets.append(len(body))
        body += _local(part)
    body += before_directory
    start = len(body)
    for part, offset in zip(parts, offsets, strict=True):
        body += _central(part, offset)
    body += after_directory
    truth = {"disk": 0, "start_disk": 0, "here": len(parts), "total": len(parts), "length": len(body) - start}
    truth["offset"] = start
    return bytes(body) + _ending(truth, len(body), end or {}, zip64, comment) + suffix


def _local(part: Part) -> bytes:
    v = part.fields() | ({"crc": 0, "compressed": 0, "size": 0} if part.descriptor else {}) | part.local
    head = struct.pack("<4s2H", v.get("signature", b"PK\3\4"), v["version"], v["flags"])
    head += struct.pack("<H2H", v["method"], 0x6000, 0x5A21)
    head += struct.pack("<3I2H", v["crc"], v["compressed"], v["size"], len(v["name"]), len(part.local_extra))
    name: bytes = v["name"]
    return head + name + part.local_extra + part.stored() + _descriptor(part) + part.padding


def _descriptor(part: Part) -> bytes:
    if not part.descriptor:
        return b""
    v = part.fields()
    values = part.descriptor_values or (v["crc"], v["compressed"], v["size"])
    signature = (b"PK\7\x08",) if part.descriptor in (16, 24) else ()
    return struct.pack(DESCRIPTORS[part.descriptor], *signature, *values)


def _central(part: Part, offset: int) -> bytes:
    v = part.fields() | {"disk": 0, "offset": offset, "comment": b""} | part.central
    head = struct.pack("<4s4H", v.get("signature", b"PK\1\2"), part.made_by, v["version"], v["flags"], v["method"])
    head += struct.pack("<2H3I", 0x6000, 0x5A21, v["crc"], v["compressed"], v["size"])
    head += struct.pack("<4H", len(v["name"]), len(part.central_extra), len(v["comment"]), v["disk"])
    head += struct.pack("<H2I", 0, part.attributes, v["offset"])
    name, comment = bytes(v["name"]), bytes(v["comment"])
    return head + name + part.central_extra + comment


def _ending(truth: dict[str, int], place: int, end: dict[str, int], zip64: dict[str, int] | None, note: bytes) -> bytes:
    wide = b""
    if zip64 is not None:
        v = {"record": 44, "place": place, "disks": 1, "locator_disk": 0} | truth | zip64
        wide = struct.pack("<4sQ2H2I", b"PK\6\6", v["record"], 45, 45, v["disk"], v["start_disk"])
        wide += struct.pack("<4Q", v["here"], v["total"], v["length"], v["offset"])
        wide += struct.pack("<4sIQI", b"PK\6\7", v["locator_disk"], v["place"], v["disks"])
        truth = truth | {"here": 0xFFFF, "total": 0xFFFF, "length": U32, "offset": U32}
    v = {"comment": len(note)} | truth | end
    numbers = (v["disk"], v["start_disk"], v["here"], v["total"], v["length"], v["offset"], v["comment"])
    return wide + struct.pack("<4s4H2IH", b"PK\5\6", *numbers) + note
