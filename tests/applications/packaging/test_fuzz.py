"""Whatever comes in: a report, never a crash; and what passes, other tools read as we do."""

import io
import tempfile
import zipfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.applications.packaging import Limits, ZipRefusedError, check_zip, open_entry, read_directory
from apps.applications.packaging.names import decoded_name, name_problem, path_key

from .agreement import assert_unzip_agrees, assert_zipfile_agrees
from .cases import CASES
from .test_accepted import GOOD
from .zipmaker import Part, build

SEEDS = [build(*parts) for parts in GOOD.values()] + [build(Part(), Part(b"d/e"), zip64={})]
PARTS = st.text(st.sampled_from("abAB.: ß日é~-"), min_size=1, max_size=4)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
FILES = st.lists(st.tuples(NAMES, st.binary(max_size=200), st.sampled_from([0, 8])), min_size=1, max_size=6)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["set", "insert", "delete", "copy"]), st.binary(max_size=8)), max_size=4
)
PROFILE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def edited(data: bytes, edits: list[tuple[float, str, bytes]]) -> bytes:
    """The zip with some of its bytes replaced, added, taken out or doubled."""
    for where, what, value in edits:
        place = int(where * len(data))
        rest = data[place + len(value) :] if what in ("set", "delete") else data[place:]
        middle = data[place : place + 60] if what == "copy" else b"" if what == "delete" else value
        data = data[:place] + middle + rest
    return data


def assert_safe(data: bytes, limits: Limits | None = None) -> bool:
    """Nothing but our own refusal comes out, and what is accepted is accepted by all."""
    report = check_zip(io.BytesIO(data), limits)
    if report.ok:
        assert_zipfile_agrees(data)
        with tempfile.TemporaryDirectory() as folder:
            assert_unzip_agrees(data, Path(folder))
    else:
        _read_anyway(data)
    return report.ok


def _read_anyway(data: bytes) -> None:
    try:
        for entry in read_directory(io.BytesIO(data)):
            list(open_entry(io.BytesIO(data), entry))
    except ZipRefusedError:
        return


@PROFILE
@given(FILES)
def test_written_zips(files: list[tuple[str, bytes, int]]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, data, method in {path_key(name): (name, data, method) for name, data, method in files}.values():
            out.writestr(zipfile.ZipInfo(name), data, method)
    assert_safe(buffer.getvalue())


@PROFILE
@given(st.sampled_from(SEEDS), EDITS)
def test_edited_zips(data: bytes, edits: list[tuple[float, str, bytes]]) -> None:
    assert_safe(edited(data, edits))


@PROFILE
@given(st.sampled_from(SEEDS), st.data())
def test_single_bits(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(data) * 8 - 1))
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    assert_safe(bytes(changed))


@PROFILE
@given(st.sampled_from([case.data for case in CASES]), EDITS)
def test_edited_malformed_zips(data: bytes, edits: list[tuple[float, str, bytes]]) -> None:
    assert_safe(edited(data, edits))


@given(st.binary(max_size=300))
def test_garbage(data: bytes) -> None:
    assert not assert_safe(data)


@given(st.binary(max_size=30).map(decoded_name).filter(bool))
def test_accepted_names_stay_inside(text: str) -> None:
    if name_problem(text) is None:
        parts = text.split("/")
        assert text[0] not in "/\\"
        assert ".." not in [part.rstrip() for part in parts]
        assert "\\" not in text
        assert path_key(path_key(text)) == path_key(text)
