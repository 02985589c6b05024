"""The checks a package must pass before it is activated."""

from array import array
from collections.abc import Callable
from typing import BinaryIO

from .directory import Directory, Offsets, Record, read_records
from .ending import Ending, locate_directory
from .findings import Code, Finding, Findings, ZipRefusedError, ZipReport
from .layout import check_layout
from .limits import MIB, Limits
from .names import NameIndex, decoded_name, length_problem, name_problem, unusable_on_windows
from .records import ratio_too_high, record_problems
from .sources import BufferedSource, RangedSource, as_source
from .verify import Progress, Pulse, Verification

_WINDOW = MIB


def check_zip(
    source: BinaryIO | RangedSource,
    limits: Limits | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    workers: int = 1,
) -> ZipReport:
    """Checks a zip of any size in bounded memory and tells everything found wrong with it.

    First the end records, the directory and every local header are read; only if they are in order is
    every entry inflated and compared with its CRC-32. `progress` gets (done, total) in compressed bytes
    of that second part, and `should_stop` is asked, both at most ten times a second and in the calling
    thread. `workers` threads share the entries; a package of one large entry gains nothing from a second.

    A bad package is not an exception but a report. CheckStoppedError when `should_stop` says so; errors of
    reading the source pass through.
    """
    return _Check(as_source(source), limits or Limits()).run(progress, should_stop, workers)


class _Check:
    def __init__(self, source: RangedSource, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._directory = Directory()
        self._findings = Findings(limits.max_findings)
        self._notices = Findings(limits.max_findings)
        self._contents_checked = False
        self._directories = self._compressed = self._uncompressed = 0

    def run(self, progress: Progress | None, should_stop: Callable[[], bool] | None, workers: int) -> ZipReport:
        quiet = Pulse(0, None, should_stop)
        try:
            starts = self._check_structure(quiet)
        except ZipRefusedError as refusal:
            self._findings.keep(refusal.finding)
        else:
            if not self._findings.items:
                self._check_contents(starts, Pulse(self._compressed, progress, should_stop), workers)
        return self._report()

    def _check_structure(self, pulse: Pulse) -> Offsets:
        buffered = BufferedSource(self._source, _WINDOW)
        ending = locate_directory(buffered, self._limits)
        self._check_directory(buffered, ending, pulse)
        if self._findings.items:
            return array("Q")
        return check_layout(self._source, self._directory, ending.offset, self._findings, lambda: pulse.beat(0))

    def _check_directory(self, source: BufferedSource, ending: Ending, pulse: Pulse) -> None:
        names = NameIndex(self._directory, self._limits, self._findings)
        for index, record in enumerate(read_records(source, ending)):
            self._directory.add(record)
            self._count(record)
            self._check_record(record)
            if not self._check_name(index, record.name, names) or self._findings.full:
                return
            if index % 1024 == 0:
                pulse.beat(0)
        self._check_totals()

    def _count(self, record: Record) -> None:
        self._directories += record.name.endswith(b"/")
        self._compressed += record.compressed
        self._uncompressed += record.size

    def _check_record(self, record: Record) -> None:
        for code, values in record_problems(record, self._limits):
            self._findings.add(code, record.name, **values)

    def _check_name(self, index: int, name: bytes, names: NameIndex) -> bool:
        """False when there is no point in looking at more names."""
        text = decoded_name(name)
        if text is None or not name:
            self._findings.add(Code.NAME_ENCODING if name else Code.NAME_EMPTY, name)
            return True
        if too_long := length_problem(name, self._limits):
            self._findings.add(too_long[0], name, limit=too_long[1])
            return True
        if problem := name_problem(text):
            self._findings.add(problem, name)
            return True
        if unusable_on_windows(text):
            self._notices.add(Code.NAME_WINDOWS, name)
        return names.add(index, name, text)

    def _check_totals(self) -> None:
        limits = self._limits
        if self._uncompressed > limits.max_total_bytes:
            self._findings.add(Code.TOTAL_TOO_LARGE, size_bytes=self._uncompressed, limit_bytes=limits.max_total_bytes)
        if ratio_too_high(self._uncompressed, self._compressed, limits):
            ratio = self._uncompressed // max(self._compressed, 1)
            self._findings.add(Code.TOTAL_RATIO, ratio=ratio, limit=limits.max_ratio)

    def _check_contents(self, starts: Offsets, pulse: Pulse, workers: int) -> None:
        pass_over = Verification(self._source, self._directory, starts, self._findings)
        pass_over.run(pulse, workers)
        pulse.report(pass_over.done)
        self._contents_checked = not self._findings.full

    def _report(self) -> ZipReport:
        findings: tuple[Finding, ...] = tuple(self._findings.items)
        return ZipReport(
            entries=len(self._directory),
            directories=self._directories,
            compressed_bytes=self._compressed,
            uncompressed_bytes=self._uncompressed,
            findings=findings,
            notices=tuple(self._notices.items),
            contents_checked=self._contents_checked,
            cut=self._findings.full,
        )
