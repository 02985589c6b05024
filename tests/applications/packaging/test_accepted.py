"""Zips as real tools write them pass, and other tools read them as we do."""

import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from apps.applications.packaging import CheckStoppedError, check_zip, open_entry, read_directory

from .agreement import assert_unzip_agrees, assert_zipfile_agrees
from .zipmaker import U32, Part, build, extra

TEXT = b"all work and no play " * 500
WIDE = struct.pack("<2Q", len(TEXT), len(TEXT))
EMPTY = bytes(16)

GOOD = {
    "stored": [Part(data=TEXT)],
    "deflated": [Part(data=TEXT, method=8)],
    "empty file": [Part(data=b""), Part(b"b", b"", method=8)],
    "descriptor 12": [Part(data=TEXT, method=8, descriptor=12)],
    "descriptor 16": [Part(data=TEXT, method=8, descriptor=16), Part(b"b")],
    "descriptor 20": [Part(data=TEXT, method=8, descriptor=20)],
    "descriptor 24": [Part(data=TEXT, method=8, descriptor=24), Part(b"b")],
    "descriptor and sizes": [Part(data=TEXT, descriptor=16, local={"size": len(TEXT), "compressed": len(TEXT)})],
    "directories": [Part(b"d/", b"", attributes=0o040755 << 16), Part(b"d/e/", b"", attributes=0), Part(b"d/e/f")],
    "directory deflated": [Part(b"d/", b"", method=8, attributes=0x10, made_by=20), Part(b"d/f")],
    "Windows attributes": [Part(made_by=20, attributes=0x20), Part(b"d/", b"", made_by=20, attributes=0x10)],
    "UTF-8 flag": [Part("größe/日本.txt".encode(), TEXT, flags=1 << 11)],
    "UTF-8 without flag": [Part("größe/日本.txt".encode(), TEXT)],
    "same Unicode path": [
        Part(central_extra=extra(0x7075, b"\1" + struct.pack("<I", zlib.crc32(b"a.txt")) + b"a.txt"))
    ],
    "times": [Part(local_extra=extra(0x5455, b"\3" + bytes(8)), central_extra=extra(0x5455, b"\3" + bytes(4)))],
    "alignment": [Part(local_extra=b"\0\0\0")],
    "libarchive": [Part(local_extra=extra(0x6C78, b"\x05\x1e\x03" + struct.pack("<I", 0o100644 << 16)))],
    "dots in names": [Part(b"..a"), Part(b"b..c/d"), Part(b".hidden/.x")],
    "zip64 local": [Part(data=TEXT, local={"size": U32, "compressed": U32}, local_extra=extra(1, WIDE))],
    "zip64 stream": [
        Part(data=TEXT, descriptor=24, local={"size": U32, "compressed": U32}, local_extra=extra(1, EMPTY))
    ],
    "zip64 spare field": [Part(data=TEXT, descriptor=24, local_extra=extra(1, EMPTY))],
    "zip64 central": [Part(data=TEXT, central={"size": U32, "compressed": U32}, central_extra=extra(1, WIDE))],
    "zip64 repeated": [Part(data=TEXT, central_extra=extra(1, WIDE), local_extra=extra(1, WIDE))],
    "zip64 all": [
        Part(
            data=TEXT,
            central={"size": U32, "compressed": U32, "offset": U32, "disk": 0xFFFF},
            central_extra=extra(1, WIDE + bytes(12)),
        )
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_accepted_and_read_alike(name: str, tmp_path: Path) -> None:
    data = build(*GOOD[name])
    report = check_zip(io.BytesIO(data))
    assert report.ok, report.findings
    assert_zipfile_agrees(data)
    assert_unzip_agrees(data, tmp_path)


@pytest.mark.parametrize("data", [build(Part(), zip64={}), build(Part(), comment=b"x" * 0xFFFF)], ids=["zip64", "note"])
def test_endings(data: bytes, tmp_path: Path) -> None:
    assert check_zip(io.BytesIO(data)).ok
    assert_zipfile_agrees(data)
    assert_unzip_agrees(data, tmp_path)


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 1, 0]])
def test_directory_in_another_order_than_the_file(order: list[int]) -> None:
    parts = [Part(b"a"), Part(b"bb", TEXT), Part(b"ccc")]
    data = build(*parts)
    start = struct.unpack_from("<I", data, len(data) - 6)[0]
    records, place = [], start
    for part in parts:
        records.append(data[place : place + 46 + len(part.name)])
        place += 46 + len(part.name)
    assert check_zip(io.BytesIO(data[:start] + b"".join(records[i] for i in order) + data[place:])).ok


class _Unseekable(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize("target", [io.BytesIO, _Unseekable])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zipfile_module(target: type[io.BytesIO], method: int, tmp_path: Path) -> None:
    buffer = target()
    with zipfile.ZipFile(buffer, "w", method) as out:
        out.writestr("bin/run.sh", TEXT)
        out.writestr("größe", b"")
        with out.open("forced", "w", force_zip64=True) as part:
            part.write(TEXT)
        out.mkdir("empty")
    report = check_zip(io.BytesIO(buffer.getvalue()))
    assert report.ok, report.findings
    assert (report.entries, report.directories) == (4, 1)
    assert_zipfile_agrees(buffer.getvalue())
    assert_unzip_agrees(buffer.getvalue(), tmp_path)


def test_python_archive_of_a_directory(tmp_path: Path) -> None:
    source = Path(zipfile.__file__).parent / "email"
    package = Path(shutil.make_archive(str(tmp_path / "email"), "zip", source))
    with package.open("rb") as file:
        report = check_zip(file, workers=2)
        assert report.ok, report.findings
        for entry in read_directory(file):
            if not entry.is_dir:
                assert b"".join(open_entry(file, entry)) == (source / entry.name).read_bytes()


def test_more_entries_than_16_bits_count(tmp_path: Path) -> None:
    package = tmp_path / "many.zip"
    with zipfile.ZipFile(package, "w") as out:
        for number in range(0x10001):
            out.writestr(zipfile.ZipInfo(f"d{number % 100}/{number}"), b"")
    with package.open("rb") as file:
        report = check_zip(file)
    assert report.ok, report.findings
    assert report.entries == 0x10001


def test_entry_above_four_gib(tmp_path: Path) -> None:
    """Stored zeros with holes: five GiB that take no room on the disk."""
    size, package = 5 << 30, tmp_path / "large.zip"
    truth = {"compressed": U32, "size": U32, "crc": 0}
    wide = extra(1, struct.pack("<2Q", size, size))
    part = Part(b"large", b"", local=truth, central=truth, local_extra=wide, central_extra=wide)
    small = build(part, zip64={})
    start = len(small) - 22 - 20 - 56 - 46 - 5 - len(wide)
    head, tail = small[:start], bytearray(small[start:])
    end = 46 + 5 + len(wide)
    struct.pack_into("<Q", tail, end + 48, start + size)
    struct.pack_into("<Q", tail, end + 56 + 8, start + size + end)
    with package.open("wb") as file:
        file.write(head)
        file.seek(start + size)
        file.write(tail)
    seen: list[tuple[int, int]] = []
    with package.open("rb") as file:
        (entry,) = read_directory(file)
        with pytest.raises(CheckStoppedError):
            check_zip(file, progress=lambda *pair: seen.append(pair), should_stop=lambda: bool(seen))
    assert entry.size == size
    assert seen[0][1] == size  # its headers were accepted, its contents begun


def test_zip_program(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "größe.txt").write_bytes(TEXT)
    (folder / "run.sh").write_bytes(b"#!/bin/sh\n")
    subprocess.run(["zip", "-q", "-r", "../p.zip", "."], cwd=folder, check=True)
    data = (tmp_path / "p.zip").read_bytes()
    assert check_zip(io.BytesIO(data)).ok
    assert_zipfile_agrees(data)
    assert_unzip_agrees(data, tmp_path)
