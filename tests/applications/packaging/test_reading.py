"""Listing and streaming over ranges, progress, stopping, and how much memory it takes."""

import io
import tempfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from apps.applications.packaging import (
    CheckStoppedError,
    Code,
    FileSource,
    Limits,
    ZipRefusedError,
    check_zip,
    open_entry,
    read_directory,
)

from .zipmaker import Part, build

MIB = 1024 * 1024


class Ranges:
    """A source that remembers what it was asked for, like a blob read by range requests."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        assert 0 <= offset <= offset + length <= self.size
        return self.data[offset : offset + length]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as out:
        for name, data in files.items():
            out.writestr(zipfile.ZipInfo(name, (2026, 2, 3, 4, 5, 6)), data, method)
    return buffer.getvalue()


def test_entries() -> None:
    directory = read_directory(Ranges(zipped({"bin/a": b"hello" * 100, "größe": b""})))
    first, second = directory
    assert (first.name, first.size, first.is_dir, first.method) == ("bin/a", 500, False, 8)
    assert first.crc == zlib.crc32(b"hello" * 100)
    assert first.modified == datetime(2026, 2, 3, 4, 5, 6)  # noqa: DTZ001
    assert (second.name, second.offset > first.offset) == ("größe", True)
    assert len(directory) == 2


def test_small_zip_takes_one_request_of_its_tail() -> None:
    source = Ranges(zipped({"a": bytes(range(256)) * 1024}, zipfile.ZIP_STORED))
    read_directory(source)
    assert source.asked == [(source.size - 65536, 65536)]


def test_large_directory_is_asked_for_in_large_ranges() -> None:
    source = Ranges(zipped({f"directory/file-{number:06}": b"" for number in range(3000)}))
    assert len(read_directory(source)) == 3000
    assert len(source.asked) == 2


def test_names_are_listed_even_if_they_would_be_refused() -> None:
    names = [b"../x", b"a\\b", b"gr\x94\xe1e"]
    listed = read_directory(Ranges(build(*[Part(name) for name in names])))
    assert [entry.name for entry in listed] == ["../x", "a\\b", "gr\\x94\\xe1e"]


def test_listing_refuses_what_is_no_zip_and_keeps_to_the_limits() -> None:
    with pytest.raises(ZipRefusedError) as caught:
        read_directory(Ranges(b"<html>"))
    assert caught.value.finding.code == Code.NOT_A_ZIP
    with pytest.raises(ZipRefusedError) as caught:
        read_directory(Ranges(zipped({"a": b"", "b": b""})), Limits(max_entries=1))
    assert caught.value.finding.code == Code.TOO_MANY_ENTRIES


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_one_entry_streams_by_ranges_of_its_own_data(method: int) -> None:
    files = {"before": bytes(MIB), "wanted": bytes(range(256)) * 20_000, "after": bytes(MIB)}
    source = Ranges(zipped(files, method))
    entry = next(entry for entry in read_directory(source) if entry.name == "wanted")
    source.asked.clear()
    blocks = list(open_entry(source, entry, block=64 * 1024))
    assert b"".join(blocks) == files["wanted"]
    assert max(map(len, blocks)) <= MIB
    assert min(source.asked)[0] == entry.offset
    assert sum(length for _, length in source.asked) < entry.compressed_size + 100


def test_streamed_damage_is_noticed() -> None:
    data = bytearray(zipped({"a": b"hello"}, zipfile.ZIP_STORED))
    (entry,) = read_directory(Ranges(bytes(data)))
    data[entry.offset + 31] ^= 1
    blocks = open_entry(Ranges(bytes(data)), entry)
    assert len(next(blocks)) == 5
    with pytest.raises(ZipRefusedError) as caught:
        next(blocks)
    assert caught.value.finding.code == Code.CRC


@pytest.mark.parametrize(
    ("part", "code"),
    [(Part(flags=1), Code.ENCRYPTED), (Part(method=12), Code.METHOD), (Part(local={"method": 8}), Code.LOCAL_HEADER)],
)
def test_entries_that_cannot_be_streamed(part: Part, code: Code) -> None:
    source = Ranges(build(part))
    (entry,) = read_directory(source)
    with pytest.raises(ZipRefusedError) as caught:
        list(open_entry(source, entry))
    assert (caught.value.finding.code, caught.value.finding.entry) == (code, "a.txt")


def test_a_bomb_is_cut_off_at_the_size_it_claims() -> None:
    bomb = Part(data=bytes(64 * MIB), method=8, local={"size": 1000}, central={"size": 1000})
    source = Ranges(build(bomb))
    (entry,) = read_directory(source)
    tracemalloc.start()
    try:
        with pytest.raises(ZipRefusedError) as caught:
            list(open_entry(source, entry))
        report = check_zip(source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.finding.code == Code.WRONG_SIZE
    assert [found.code for found in report.findings] == [Code.WRONG_SIZE]
    assert peak < 8 * MIB


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_ends_at_the_whole(workers: int) -> None:
    data = zipped({str(number): bytes(range(256)) * 1000 for number in range(20)})
    seen: list[tuple[int, int]] = []
    report = check_zip(Ranges(data), progress=lambda *pair: seen.append(pair), workers=workers)
    assert report.ok
    assert seen == sorted(seen)
    assert seen[-1] == (report.compressed_bytes, report.compressed_bytes)


@pytest.mark.parametrize("workers", [1, 2])
def test_stops_when_asked(workers: int) -> None:
    answers: Iterator[bool] = iter([False, True])
    data = zipped({str(number): bytes(MIB) for number in range(40)}, zipfile.ZIP_STORED)
    with pytest.raises(CheckStoppedError):
        check_zip(Ranges(data), should_stop=lambda: next(answers), workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_the_source_pass_through(workers: int) -> None:
    class Broken(Ranges):
        def read_at(self, offset: int, length: int) -> bytes:
            if length > MIB // 2:
                raise OSError(5, "disk")
            return super().read_at(offset, length)

    broken = Broken(zipped({"a": bytes(2 * MIB), "b": bytes(2 * MIB)}, zipfile.ZIP_STORED))
    with pytest.raises(OSError, match="disk"):
        check_zip(broken, workers=workers)


def test_a_file_that_shrinks_meanwhile_is_truncated(tmp_path: Path) -> None:
    class Shrinking(Ranges):
        def read_at(self, offset: int, length: int) -> bytes:
            return super().read_at(offset, length)[: -1 if len(self.asked) > 2 else None]

    report = check_zip(Shrinking(zipped({"a": b"hello"})))
    assert [found.code for found in report.findings] == [Code.TRUNCATED]


def test_every_kind_of_file_works(tmp_path: Path) -> None:
    data = zipped({"a": b"hello" * 1000})
    path = tmp_path / "p.zip"
    path.write_bytes(data)
    with path.open("rb") as buffered, path.open("rb", buffering=0) as raw, tempfile.SpooledTemporaryFile() as spooled:
        spooled.write(data)
        for file in (buffered, raw, spooled, io.BytesIO(data)):
            assert check_zip(FileSource(file), workers=2).ok  # type: ignore[arg-type]


def test_memory_with_many_entries(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as out:
        for number in range(30_000):
            out.writestr(zipfile.ZipInfo(f"lib/package{number // 500}/module_{number}.py"), b"")
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            assert check_zip(file).ok
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 10 * MIB
