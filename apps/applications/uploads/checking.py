"""What must hold before the blocks become a package: the SHA-256 and the zip checks, both beside the sending."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.applications.packaging import (
    CheckStoppedError,
    FileSource,
    Finding,
    Limits,
    ZipReport,
    check_zip,
)
from apps.applications.uploads import staging
from apps.core.exceptions import Invalid
from apps.core.formats import size_text
from apps.operations.models import OperationEvent
from apps.operations.runners import Run

HASH_BYTES = 1024 * 1024


class Hasher(threading.Thread):
    """Reads the file as far as `reach` allows and hashes it; ends at its full length, or when told to stop."""

    def __init__(self, path: Path, length: int) -> None:
        super().__init__(name="sha256", daemon=True)
        self._path = path
        self._length = length
        self._hash = hashlib.sha256()
        self._reach = 0
        self._more = threading.Condition()
        self._stopped = False
        self.error: Exception | None = None

    def reach(self, offset: int) -> None:
        """Bytes up to here are there to be read."""
        with self._more:
            self._reach = max(self._reach, offset)
            self._more.notify()

    def stop(self) -> None:
        with self._more:
            self._stopped = True
            self._more.notify()

    def run(self) -> None:
        try:
            self._read()
        except OSError as error:
            self.error = error

    def _read(self) -> None:
        place = 0
        with staging.opened_for_reading(self._path) as file:
            while place < self._length:
                with self._more:
                    self._wait_beyond(place)
                    if self._stopped:
                        return
                    limit = self._reach
                while place < limit and not self._stopped:
                    data = file.read(min(HASH_BYTES, limit - place))
                    self._hash.update(data)
                    place += len(data)

    def _wait_beyond(self, place: int) -> None:
        self._more.wait_for(lambda: self._stopped or self._reach > place)

    def digest(self) -> str:
        """The SHA-256 in hexadecimal digits, once the thread has ended. Raises what reading raised."""
        if self.error is not None:
            raise self.error
        return self._hash.hexdigest()


class ZipCheck(threading.Thread):
    """The zip checks of a complete file."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="zip-check", daemon=True)
        self._path = path
        self._stopped = threading.Event()
        self.report: ZipReport | None = None
        self.error: Exception | None = None
        self.done = 0
        self.total = 0

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as file:
                self.report = check_zip(FileSource(file), limits(), self._progress, self._stopped.is_set)
        except CheckStoppedError:
            pass
        except Exception as error:  # noqa: BLE001  # raised again by `result` in the thread that waits
            self.error = error

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def result(self) -> ZipReport:
        if self.error is not None:
            raise self.error
        if self.report is None:
            raise AssertionError("The zip checks were stopped.")
        return self.report


def limits() -> Limits:
    return Limits(
        max_entries=settings.ZIP_MAX_ENTRIES,
        max_package_bytes=settings.UPLOAD_MAX_BYTES,
        max_total_bytes=settings.ZIP_MAX_UNCOMPRESSED_BYTES,
        max_ratio=settings.ZIP_MAX_RATIO,
    )


def require_sha256(actual: str, expected: str) -> None:
    if expected and actual != expected:
        raise Invalid("upload-sha256-mismatch", field="sha256", actual=actual, expected=expected)


def require_good_zip(run: Run, report: ZipReport) -> None:
    """Log what was noticed; raise `Invalid` with the first finding when the zip is not in order."""
    for notice in report.notices:
        run.event("upload-zip-notice", OperationEvent.Level.WARNING, **_said(notice))
    if report.ok:
        return
    findings = report.findings
    if len(findings) > 1:
        for finding in findings:
            code = "upload-zip-finding-entry" if finding.entry is not None else "upload-zip-finding"
            run.event(code, OperationEvent.Level.ERROR, **_said(finding))
        if report.cut:
            run.event("upload-zip-too-many", OperationEvent.Level.WARNING)
    raise refusal(findings)


def refusal(findings: tuple[Finding, ...]) -> Invalid:
    first = findings[0]
    code = "upload-zip-more" if len(findings) > 1 else "upload-zip-refused"
    if first.entry is not None:
        code += "-entry"
    return Invalid(code, field="file", count=len(findings), **_said(first))


def _said(finding: Finding) -> dict[str, Any]:
    values = {
        name: size_text(int(value)) if name.endswith("_bytes") else value for name, value in finding.values.items()
    }
    return {"entry": finding.entry or "", "cause": finding.code.value, "causes": values}
