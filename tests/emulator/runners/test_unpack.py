"""What is done with packages that mean harm, and with those that only look odd."""

import stat
import zipfile
from pathlib import Path

import pytest

from emulator.runners.packages import unpack
from tests.emulator.runners.conftest import zipped


def write(folder: Path, content: bytes) -> Path:
    archive = folder / "package.zip"
    archive.write_bytes(content)
    return archive


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out", "..\\out", "C:\\out", "a/.."])
def test_entries_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        unpack(write(tmp_path, zipped({name: "x"})), tmp_path / "target")
    assert not (tmp_path / "out").exists()


def test_symbolic_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="symbolic link"):
        unpack(tmp_path / "package.zip", tmp_path / "target")


def test_a_damaged_package_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": "x" * 1000}))
    content[40] ^= 0xFF
    with pytest.raises((zipfile.BadZipFile, zipfile.zlib.error)):  # type: ignore[attr-defined]
        unpack(write(tmp_path, bytes(content)), tmp_path / "target")


def test_permissions_are_kept_and_given_where_there_are_none(tmp_path: Path) -> None:
    windows = "win\\dir\\tool.exe"
    own = {"mine": 0o600, "tool": 0o700}  # as zips have it that programs make; users of tasks are others
    files: dict[str, bytes | str] = {"run": "x", "data": "y", windows: "z", "mine": "x", "tool": "x"}
    content = zipped(files, {"run": 0o755, windows: 0, **own})
    unpack(write(tmp_path, content), tmp_path / "t")
    expected = {"run": 0o755, "data": 0o644, "win/dir/tool.exe": 0o755, "mine": 0o644, "tool": 0o755}
    modes = {name: stat.S_IMODE((tmp_path / "t" / name).stat().st_mode) for name in expected}
    assert modes == expected


def test_set_user_id_bits_are_not_kept(tmp_path: Path) -> None:
    unpack(write(tmp_path, zipped({"run": "x"}, {"run": 0o4755})), tmp_path / "t")
    assert stat.S_IMODE((tmp_path / "t" / "run").stat().st_mode) == 0o755
