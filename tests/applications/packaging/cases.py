"""A malformed zip for every reason to refuse one."""

import struct
from typing import NamedTuple

from apps.applications.packaging import Code, Limits

from .zipmaker import U32, Part, build, deflated, extra

DIRECTORY = 0o040755 << 16
SMALL = Limits(
    max_entries=3,
    max_directories=4,
    max_package_bytes=200_000,
    max_total_bytes=6000,
    max_entry_bytes=4000,
    max_ratio=20,
    ratio_floor_bytes=1000,
    max_name_bytes=300,
    max_depth=10,
    max_directory_bytes=700,
)
GOOD = build(Part())
TWO = (Part(b"a"), Part(b"b"))


class Case(NamedTuple):
    """The zip, why it is refused, for which entry, and what that leads to besides."""

    code: Code
    data: bytes
    entry: str | None = None
    also: tuple[Code, ...] = ()


def _named(code: Code, name: bytes, shown: str | None = None) -> Case:
    return Case(code, build(Part(name)), name.decode() if shown is None else shown)


def _ratio_parts(sizes: list[int]) -> list[Part]:
    return [Part(b"f%d" % size, bytes(size), method=8) for size in sizes]


FILE_CASES = [
    Case(Code.EMPTY_FILE, b""),
    Case(Code.NOT_A_ZIP, b"#!/bin/sh\n" * 10),
    Case(Code.NOT_A_ZIP, bytes(100_000)),
    Case(Code.NOT_A_ZIP, b"P"),
    Case(Code.TRUNCATED, GOOD[:40]),
    Case(Code.TRUNCATED, GOOD[:-1]),
    Case(Code.TRUNCATED, build(Part(), comment=b"note")[:-2]),
    Case(Code.PACKAGE_TOO_LARGE, GOOD + bytes(200_000)),
    Case(Code.TRAILING_DATA, GOOD + b"x"),
    Case(Code.TRAILING_DATA, GOOD + bytes(65_000)),
    Case(Code.PREPENDED_DATA, b"#!/bin/sh\n" + GOOD),
    Case(Code.PREPENDED_DATA, build(Part(), prefix=b"MZ stub")),
    Case(Code.AMBIGUOUS_END, build(Part(), comment=GOOD[-22:])),
    Case(Code.MULTI_DISK, b"PK\x07\x08" + GOOD[:-22]),
    Case(Code.MULTI_DISK, build(Part(), end={"disk": 1})),
    Case(Code.MULTI_DISK, build(Part(), end={"start_disk": 1})),
    Case(Code.MULTI_DISK, build(Part(), end={"here": 0})),
    Case(Code.MULTI_DISK, build(Part(), zip64={"disks": 2})),
    Case(Code.MULTI_DISK, build(Part(), zip64={"locator_disk": 1})),
    Case(Code.MULTI_DISK, build(Part(central={"disk": 1})), "a.txt"),
    Case(Code.END_RECORDS_DIFFER, build(Part(), zip64={}, end={"total": 2})),
    Case(Code.END_RECORDS_DIFFER, build(Part(), zip64={}, end={"offset": 7})),
    Case(Code.ZIP64_RECORD, build(Part(), zip64={"place": 1})),
    Case(Code.ZIP64_RECORD, build(Part(), zip64={"place": 2**63})),
    Case(Code.ZIP64_RECORD, build(Part(), zip64={"record": 45})),
]
DIRECTORY_CASES = [
    Case(Code.DIRECTORY_PLACE, build(Part(), end={"offset": 5000})),
    Case(Code.DIRECTORY_PLACE, build(Part(), end={"length": U32})),
    Case(Code.DIRECTORY_PLACE, build(Part(), zip64={"length": 2**64 - 1})),
    Case(Code.PREPENDED_DATA, build(Part(), end={"offset": 0})),
    Case(Code.DIRECTORY_DAMAGED, build(Part(central={"signature": b"PK\3\4"}))),
    Case(Code.DIRECTORY_DAMAGED, build(Part(), Part(b"b", central={"signature": b"XXXX"}))),
    Case(Code.DIRECTORY_TOO_LARGE, build(Part(central={"comment": bytes(800)}))),
    Case(Code.ENTRY_COUNT, build(*TWO, end={"here": 1, "total": 1})),
    Case(Code.ENTRY_COUNT, build(*TWO, end={"here": 3, "total": 3})),
    Case(Code.ENTRY_COUNT, build(Part(), after_directory=b"PK\5\5\0\0")),
    Case(Code.NO_ENTRIES, build()),
    Case(Code.TOO_MANY_ENTRIES, build(Part(b"a"), Part(b"b"), Part(b"c"), Part(b"d"))),
    Case(Code.TOO_MANY_DIRECTORIES, build(Part(b"a/b/c/d/e/f"))),
    Case(Code.TOTAL_TOO_LARGE, build(*[Part(b"%d" % n, bytes(3500)) for n in (1, 2)])),
    Case(Code.TOTAL_RATIO, build(*_ratio_parts([600, 601]))),
]
NAME_CASES = [
    _named(Code.NAME_EMPTY, b""),
    _named(Code.NAME_DOTS, b"."),
    _named(Code.NAME_DOTS, b"a/."),
    _named(Code.NAME_TOO_LONG, b"n" * 301, "n" * 200 + "…"),
    _named(Code.NAME_PART_TOO_LONG, b"d/" + b"n" * 256, "d/" + "n" * 198 + "…"),
    _named(Code.NAME_TOO_DEEP, b"d/" * 11 + b"f"),
    _named(Code.NAME_ENCODING, b"gr\x94\xe1e.txt", "gr\\x94\\xe1e.txt"),
    Case(Code.NAME_ENCODING, build(Part(b"\xff.txt", flags=1 << 11)), "\\xff.txt"),
    _named(Code.NAME_NUL, b"a\0.txt", "a\\x00.txt"),
    _named(Code.NAME_CONTROL, b"a\n.txt", "a\\n.txt"),
    _named(Code.NAME_CONTROL, b"a\x7f", "a\\x7f"),
    _named(Code.NAME_CONTROL, "a\u009bx".encode(), "a\\x9bx"),
    _named(Code.NAME_CONTROL, "a\u202egpj.exe".encode(), "a\\u202egpj.exe"),
    _named(Code.NAME_BACKSLASH, b"dir\\a.txt"),
    _named(Code.NAME_ABSOLUTE, b"/etc/passwd"),
    _named(Code.NAME_ABSOLUTE, b"\\windows\\x"),
    _named(Code.NAME_DRIVE, b"C:/x"),
    _named(Code.NAME_DRIVE, b"c:x"),
    _named(Code.NAME_UNC, b"\\\\server\\share"),
    _named(Code.NAME_UNC, b"//server/share"),
    _named(Code.NAME_PARENT, b"../x"),
    _named(Code.NAME_PARENT, b"a/../../x"),
    _named(Code.NAME_PARENT, b"a/.."),
    _named(Code.NAME_PARENT, b".."),
    _named(Code.NAME_PARENT, b"a\\..\\x"),
    _named(Code.NAME_DOTS, b"a/.. /x"),
    _named(Code.NAME_DOTS, b"..."),
    _named(Code.NAME_DOTS, b" /x"),
    Case(Code.NAME_DUPLICATE, build(Part(b"a"), Part(b"a")), "a"),
    Case(Code.NAME_CASE, build(Part(b"a"), Part(b"./a")), "./a"),
    Case(Code.NAME_CASE, build(Part(b"Lib/A.so"), Part(b"lib/a.SO")), "lib/a.SO"),
    Case(Code.NAME_CASE, build(Part("GRÖSSE".encode()), Part("größe".encode())), "größe"),
    Case(Code.NAME_CASE, build(Part("é".encode()), Part("e\u0301".encode())), "e\u0301"),
    Case(Code.NAME_CASE, build(Part(b"D/", b"", attributes=0), Part(b"d/", b"", attributes=0)), "d/"),
    Case(Code.FILE_AND_DIRECTORY, build(Part(b"a"), Part(b"A/b")), "A/b"),
    Case(Code.FILE_AND_DIRECTORY, build(Part(b"a/b/c"), Part(b"a")), "a"),
    Case(Code.FILE_AND_DIRECTORY, build(Part(b"a"), Part(b"a/", b"", attributes=0)), "a/"),
    Case(Code.UNICODE_PATH, build(Part(central_extra=extra(0x7075, b"\1" + bytes(4) + b"b.txt"))), "a.txt"),
    Case(Code.UNICODE_PATH, build(Part(local_extra=extra(0x7075, b"\1" + bytes(4) + b"b.txt"))), "a.txt"),
]


def _whole(code: Code, part: Part) -> Case:
    return Case(code, build(part), part.name.decode())


KIND_CASES = [
    _whole(Code.SYMBOLIC_LINK, Part(b"link", b"/etc/passwd", attributes=0o120777 << 16)),
    _whole(Code.SYMBOLIC_LINK, Part(b"link", made_by=20, attributes=0o120777 << 16)),
    _whole(Code.SYMBOLIC_LINK, Part(b"link", made_by=10 << 8, attributes=0x400)),
    _whole(Code.SYMBOLIC_LINK, Part(central_extra=extra(0x756E, bytes(4) + struct.pack("<H", 0o120777) + bytes(8)))),
    _whole(Code.SPECIAL_FILE, Part(b"pipe", attributes=0o010644 << 16)),
    _whole(Code.SPECIAL_FILE, Part(b"tty", attributes=0o020644 << 16)),
    _whole(Code.SPECIAL_FILE, Part(b"sda", attributes=0o060644 << 16)),
    _whole(Code.SPECIAL_FILE, Part(b"socket", attributes=0o140644 << 16)),
    _whole(Code.SPECIAL_FILE, Part(b"VOLUME", b"", made_by=20, attributes=0x08)),
    _whole(Code.KIND_CONFLICT, Part(b"a", attributes=DIRECTORY)),
    _whole(Code.KIND_CONFLICT, Part(b"a", made_by=20, attributes=0x10)),
    _whole(Code.KIND_CONFLICT, Part(b"a/", b"")),
    _whole(Code.DIRECTORY_WITH_DATA, Part(b"a/", attributes=DIRECTORY)),
    _whole(Code.ENCRYPTED, Part(flags=1)),
    _whole(Code.ENCRYPTED, Part(flags=1 | 1 << 6)),
    _whole(Code.ENCRYPTED, Part(flags=1 << 13)),
    _whole(Code.ENCRYPTED, Part(method=99)),
    _whole(Code.ENCRYPTED, Part(central_extra=extra(0x9901, bytes(7)))),
    _whole(Code.ENCRYPTED, Part(local_extra=extra(0x0017, bytes(7)))),
    _whole(Code.PATCH_DATA, Part(flags=1 << 5)),
    _whole(Code.METHOD, Part(method=9)),
    _whole(Code.METHOD, Part(method=12)),
    _whole(Code.METHOD, Part(method=0xFFFF)),
    _whole(Code.VERSION, Part(central={"version": 63})),
    _whole(Code.ENTRY_TOO_LARGE, Part(data=bytes(range(200)) * 21, method=8)),
    Case(Code.ENTRY_RATIO, build(Part(data=bytes(3000), method=8), Part(b"b", bytes(900))), "a.txt"),
    _whole(Code.STORED_SIZE, Part(central={"size": 6})),
    _whole(Code.EXTRA_FIELD, Part(central_extra=b"\x55\x54\xff\x00abc")),
    _whole(Code.EXTRA_FIELD, Part(central_extra=extra(0x7075, b"") * 2)),
    _whole(Code.EXTRA_FIELD, Part(local_extra=b"\x55\x54\xff\x00abc")),
    _whole(Code.ZIP64_EXTRA, Part(central={"size": U32}, central_extra=extra(1, b"1234"))),
    _whole(Code.ZIP64_EXTRA, Part(central_extra=extra(1, struct.pack("<2Q", 6, 5)))),
    _whole(Code.ZIP64_EXTRA, Part(local_extra=extra(1, struct.pack("<2Q", 6, 5)))),
    _whole(Code.ZIP64_EXTRA, Part(local={"size": U32}, local_extra=extra(1, b""))),
]
LONGER = {"compressed": 40, "size": 40}
LAYOUT_CASES = [
    _whole(Code.LOCAL_HEADER, Part(local={"signature": b"PK\1\2"})),
    Case(Code.LOCAL_HEADER, build(Part(central={"offset": 5000})), "a.txt", (Code.PREPENDED_DATA,)),
    _whole(Code.LOCAL_DIFFERS, Part(local={"name": b"b.txt"})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"name": b"longer.txt"})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"method": 8})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"flags": 1})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"flags": 1 << 11})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"crc": 1})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"crc": 0})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"compressed": 1})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"size": 1})),
    _whole(Code.LOCAL_DIFFERS, Part(local={"size": 4}, descriptor=16)),
    _whole(Code.LOCAL_DIFFERS, Part(local_extra=extra(0x6C78, b"\x05\x1e\x03" + struct.pack("<I", 0o120777 << 16)))),
    _whole(Code.DESCRIPTOR, Part(descriptor=16, descriptor_values=(1, 5, 5))),
    _whole(Code.DESCRIPTOR, Part(descriptor=24, descriptor_values=(0x3610A686, 5, 6))),
    _whole(Code.DESCRIPTOR, Part(flags=8)),
    _whole(Code.DESCRIPTOR, Part(flags=8, padding=bytes(16))),
    _whole(Code.DESCRIPTOR, Part(flags=8, padding=bytes(5))),
    Case(Code.OVERLAP, build(Part(b"a"), Part(b"b", central={"offset": 0})), "a", (Code.LOCAL_DIFFERS,)),
    Case(Code.OVERLAP, build(Part(b"a", central=LONGER, local=LONGER), Part(b"b")), "a"),
    _whole(Code.OVERLAPS_DIRECTORY, Part(central=LONGER, local=LONGER)),
    Case(Code.HIDDEN_DATA, build(Part(b"a", padding=b"xyz"), Part(b"b")), "a"),
    Case(Code.HIDDEN_DATA, build(Part(), before_directory=b"hidden"), "a.txt"),
    Case(Code.HIDDEN_DATA, build(Part(descriptor=16, padding=bytes(40))), "a.txt"),
    Case(Code.PREPENDED_DATA, build(Part(b"a"), prefix=build(Part(b"hidden"))[:41])),
]


def _payload(code: Code, payload: bytes, data: bytes = b"hello", method: int = 8) -> Case:
    return Case(code, build(Part(data=data, method=method, payload=payload)), "a.txt")


CONTENT_CASES = [
    _payload(Code.DATA_DAMAGED, b"\xff\xff\xff\xff\xff"),
    _payload(Code.DATA_ENDS_EARLY, deflated(b"hello")[:-1]),
    _payload(Code.DATA_ENDS_EARLY, b""),
    _payload(Code.DATA_AFTER_END, deflated(b"hello") + b"x"),
    _payload(Code.WRONG_SIZE, deflated(b"hello, world")),
    _payload(Code.WRONG_SIZE, deflated(b"hell")),
    _payload(Code.CRC, b"jello", method=0),
    _payload(Code.CRC, deflated(b"jello")),
]
CASES = [*FILE_CASES, *DIRECTORY_CASES, *NAME_CASES, *KIND_CASES, *LAYOUT_CASES, *CONTENT_CASES]
