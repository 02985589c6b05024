"""The command that runs the benchmarks: which there are, and the table at their end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bench
from scripts.install import ROOT
from tests.benchmarks import summary


def test_every_benchmark_can_be_run_alone() -> None:
    found = bench.modules()
    assert {"applications_blade", "nodes", "pools", "upload", "upload_memory", "zip_checks"} <= set(found)
    for name in found:
        text = (ROOT / "tests" / "benchmarks" / f"{name}.py").read_text()
        assert 'if __name__ == "__main__":' in text, name


def test_the_documents_name_every_benchmark() -> None:
    text = (ROOT / "docs" / "developers" / "README.md").read_text()
    assert [name for name in bench.modules() if f"| `{name}` |" not in text] == []


def test_a_name_that_does_not_exist_is_answered_with_those_that_do() -> None:
    command = [sys.executable, "-m", "scripts.bench", "no-such"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "there is no no-such" in done.stderr
    assert "zip_checks" in done.stderr


def test_what_benchmarks_note_becomes_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary"
    assert summary.table(path) == ""
    summary.note("nobody listens", "1.0")
    monkeypatch.setenv(summary.FILE, str(path))
    summary.note("a user on 1,000 nodes", "30.0 times faster", "20 times")
    summary.note("memory", "3 MiB")
    assert summary.table(path).splitlines() == [
        "                       measured           aim",
        "a user on 1,000 nodes  30.0 times faster  20 times",
        "memory                 3 MiB",
    ]
