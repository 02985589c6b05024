"""Run every test: on SQLite, again on PostgreSQL where a database is involved, and the journeys of whole portals.

    python -m scripts.test

The suites are told apart by what a test uses (see `tests/conftest.py`). All of them run even when one fails; the last
line sums them up in pytest's words.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from scripts.install import ROOT
from scripts.postgres import postgres
from scripts.system import MissingError, ensure_programs

RESULTS = ROOT / "build" / "test-results"


def main() -> None:
    began = time.monotonic()
    try:
        ensure_programs()
        subprocess.run([sys.executable, "scripts/assets.py"], cwd=ROOT, check=True)
        with postgres() as url:
            statuses = [
                run("plain", {"DATABASE_URL": ""}, workers()),
                run("database", {"DATABASE_URL": url}, workers()),
                run("journeys", {"DATABASE_URL": ""}, workers()),
            ]
    except (MissingError, subprocess.CalledProcessError) as error:
        sys.exit(f"test: {error}")
    print(summary(count(RESULTS.glob("*.xml")), time.monotonic() - began))
    sys.exit(max(statuses))


def workers() -> list[str]:
    return ["--numprocesses", str(max(os.cpu_count() or 1, 1)), "--dist", "loadscope"]


def run(suite: str, environment: dict[str, str], arguments: list[str]) -> int:
    """Run one suite of the tests. Returns pytest's exit status."""
    result = RESULTS / f"{suite}.xml"
    result.unlink(missing_ok=True)
    title = f"{suite} tests on {'PostgreSQL' if environment['DATABASE_URL'] else 'SQLite'}"
    print(f"\n=== {title}", flush=True)
    variables = {name: value for name, value in {**os.environ, **environment}.items() if value}
    command = [sys.executable, "-m", "pytest", f"--suite={suite}", f"--junitxml={result}", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def count(results: Iterable[Path]) -> Counter[str]:
    """Outcomes of all suites together, from the reports they wrote."""
    total: Counter[str] = Counter()
    for file in results:
        for suite in ET.parse(file).getroot().iter("testsuite"):  # noqa: S314  # written by pytest just now
            tests, failed, errors = (int(suite.get(name, "0")) for name in ("tests", "failures", "errors"))
            total.update(passed=tests - failed - errors, failed=failed, error=errors)
    return total


def summary(total: Counter[str], seconds: float) -> str:
    parts = [f"{total[name]} {name}" for name in ("failed", "passed", "error") if total[name]]
    clock = str(timedelta(seconds=int(seconds)))
    return f" {', '.join(parts) or 'no tests ran'} in {seconds:.2f}s ({clock}) ".center(120, "=")


if __name__ == "__main__":
    main()
