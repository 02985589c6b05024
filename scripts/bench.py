"""Run every benchmark, or those that are named: each module of `tests/benchmarks` that has a `main`.

Each runs in a process of its own, so that none meets the settings or the memory of another, and prints its own ratios.
At the end stands a table of what they found.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tests.benchmarks
from scripts.install import ROOT
from tests.benchmarks import summary


def main(chosen: list[str]) -> None:
    known = modules()
    if unknown := sorted(set(chosen) - set(known)):
        sys.exit(f"bench: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    failed = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        noted = Path(folder) / "summary"
        for name in chosen or known:
            print(f"\n=== {name}", flush=True)
            started = time.monotonic()
            environment = {**os.environ, summary.FILE: str(noted)}
            command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
            if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
                failed.append(name)
            print(f"    ({time.monotonic() - started:.0f} s)", flush=True)
        if lines := summary.table(noted):
            print(f"\n=== summary\n{lines}")
    if failed:
        sys.exit(f"bench: {', '.join(failed)} failed")


def modules() -> list[str]:
    found = sorted(module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__))
    return [name for name in found if hasattr(importlib.import_module(f"tests.benchmarks.{name}"), "main")]


if __name__ == "__main__":
    main(sys.argv[1:])
