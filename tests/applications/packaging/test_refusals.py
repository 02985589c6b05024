"""Every reason to refuse a package, on a zip made for it."""

import io

import pytest

from apps.applications.packaging import Code, Limits, check_zip
from apps.applications.packaging.messages import MESSAGES, finding_text

from .cases import CASES, CONTENT_CASES, GOOD, SMALL, Case
from .zipmaker import Part, build


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code.value)
def test_refused_for_this_reason_alone(case: Case) -> None:
    report = check_zip(io.BytesIO(case.data), SMALL)
    assert not report.ok
    assert (case.code, case.entry) in [(found.code, found.entry) for found in report.findings]
    assert {found.code for found in report.findings} == {case.code, *case.also}
    assert all(finding_text(found) for found in report.findings)


def test_every_code_has_a_case_and_words() -> None:
    assert {case.code for case in CASES} == set(Code) - {Code.NAME_WINDOWS}
    assert set(MESSAGES) == set(Code)
    assert len({str(text) for text in MESSAGES.values()}) == len(MESSAGES)


def test_explanations_name_entry_and_sizes() -> None:
    report = check_zip(io.BytesIO(build(Part(b"bin/a", padding=bytes(2048)))))
    assert finding_text(report.findings[0]) == (
        "“bin/a”: 2.00 KiB that belong to no entry follow its data. Pack the zip again."
    )


def test_several_findings_are_collected_up_to_the_limit() -> None:
    parts = [Part(b"../%d" % number) for number in range(30)]
    report = check_zip(io.BytesIO(build(*parts)))
    assert [found.entry for found in report.findings] == [f"../{number}" for number in range(20)]
    assert report.cut


@pytest.mark.parametrize("workers", [1, 2])
def test_every_damaged_entry_is_named(workers: int) -> None:
    parts = [Part(b"%02d" % number, payload=b"jello") for number in range(5)]
    report = check_zip(io.BytesIO(build(Part(), *parts)), workers=workers)
    assert sorted(found.entry or "" for found in report.findings) == ["00", "01", "02", "03", "04"]
    assert {found.code for found in report.findings} == {Code.CRC}


def test_contents_are_not_read_when_the_directory_is_refused() -> None:
    parts = [Part(b"../x"), Part(b"y", payload=b"jello")]
    report = check_zip(io.BytesIO(build(*parts)))
    assert [found.code for found in report.findings] == [Code.NAME_PARENT]
    assert not report.contents_checked


@pytest.mark.parametrize("case", CONTENT_CASES, ids=lambda case: case.code.value)
def test_threads_find_the_same(case: Case) -> None:
    one, two = (check_zip(io.BytesIO(case.data), workers=workers) for workers in (1, 2))
    assert one == two


def test_limits_are_inclusive() -> None:
    size = len(GOOD)
    assert check_zip(io.BytesIO(GOOD), Limits(max_package_bytes=size, max_entries=1, max_total_bytes=5)).ok
    assert not check_zip(io.BytesIO(GOOD), Limits(max_package_bytes=size - 1)).ok
    assert not check_zip(io.BytesIO(GOOD), Limits(max_total_bytes=4)).ok


def test_names_that_only_linux_can_store_are_a_notice() -> None:
    names = [b"ab:c", b"con", b"dir/aux.txt", b"x?", b"end.", b"fine.txt"]
    report = check_zip(io.BytesIO(build(*[Part(name) for name in names])))
    assert report.ok
    assert [found.entry for found in report.notices] == ["ab:c", "con", "dir/aux.txt", "x?", "end."]
    assert {found.code for found in report.notices} == {Code.NAME_WINDOWS}
    assert finding_text(report.notices[0]) == "“ab:c”: Windows nodes cannot unpack this name; Linux nodes can."
