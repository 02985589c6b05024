"""What other tools make of a zip we accepted."""

import io
import os
import subprocess
import zipfile
from pathlib import Path

from apps.applications.packaging import open_entry, read_directory


def assert_zipfile_agrees(data: bytes) -> None:
    """Python's `zipfile` sees the same names, sizes and bytes as we do."""
    ours = list(read_directory(io.BytesIO(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        infos = theirs.infolist()
        assert [_raw_name(info) for info in infos] == [entry.name.encode() for entry in ours]
        for info, entry in zip(infos, ours, strict=True):
            assert (info.file_size, info.compress_size) == (entry.size, entry.compressed_size)
            assert info.is_dir() == entry.is_dir
            assert theirs.read(info) == b"".join(open_entry(io.BytesIO(data), entry))


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")


def assert_unzip_agrees(data: bytes, folder: Path) -> None:
    """The `unzip` program, as on Linux nodes, unpacks just the files we list, without a warning."""
    package = folder / "package.zip"
    package.write_bytes(data)
    target = folder / "unpacked"
    target.mkdir()
    command = ["unzip", "-q", "-o", str(package), "-d", str(target)]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | {"LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert _tree(target) == _expected(data)


def _tree(target: Path) -> dict[str, bytes | None]:
    found = sorted(target.rglob("*"))
    assert not any(path.is_symlink() for path in found)
    return {path.relative_to(target).as_posix(): None if path.is_dir() else path.read_bytes() for path in found}


def _expected(data: bytes) -> dict[str, bytes | None]:
    tree: dict[str, bytes | None] = {}
    for entry in read_directory(io.BytesIO(data)):
        path = Path(entry.name)
        tree |= {parent.as_posix(): None for parent in path.parents if parent != Path()}
        if path != Path():
            tree[path.as_posix()] = None if entry.is_dir else b"".join(open_entry(io.BytesIO(data), entry))
    return tree
