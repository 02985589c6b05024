"""The suites together hold every test, and their sum tells the truth."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from scripts.test import count, summary

REPORT = (
    """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="{}" failures="{}" errors="{}"/></testsuites>"""
)


def test_sum_counts_every_outcome_of_every_suite(tmp_path: Path) -> None:
    files = []
    for name, numbers in {"plain": (10, 1, 0), "journeys": (5, 0, 2)}.items():
        file = tmp_path / f"{name}.xml"
        file.write_text(REPORT.format(*numbers))
        files.append(file)
    assert count(files) == Counter(passed=12, failed=1, error=2)


def test_summary_reads_like_pytests() -> None:
    line = summary(Counter(passed=12, failed=1, error=0), 61.5)
    assert "=== 1 failed, 12 passed in 61.50s (0:01:01) ===" in line


def test_no_test_stands_for_nothing() -> None:
    assert "no tests ran" in summary(Counter(), 0.1)


def test_every_test_is_in_exactly_one_of_the_first_and_last_suite(pytester: pytest.Pytester) -> None:
    root = Path(__file__).parents[2]
    arguments = ("--collect-only", "-q", "-pno:cacheprovider", "tests/tooling")
    collected = {}
    for suite in ("plain", "journeys", None):
        chosen = [f"--suite={suite}"] if suite else []
        result = pytester.run("env", f"--chdir={root}", sys.executable, "-m", "pytest", *arguments, *chosen)
        collected[suite] = {line for line in result.outlines if "::" in line}
    assert collected["plain"]
    assert collected["journeys"]
    assert collected["plain"] | collected["journeys"] == collected[None]
    assert not collected["plain"] & collected["journeys"]
