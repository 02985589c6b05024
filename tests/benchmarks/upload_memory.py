"""Peak memory of web and worker for small, large and very large packages: flat, whatever the size.

BENCH_4GIB=0 leaves the very large one out, which needs 13 GiB of disk: the file, the staged copy, the blob.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil

from tests.benchmarks.portal import BENCH_SETTINGS, opened_portal
from tests.benchmarks.summary import note
from tests.uploads.portal import Portal, make_zip

MIB = 1024 * 1024
SIZES = [16, 512, *([4096] if os.environ.get("BENCH_4GIB", "1") != "0" else [])]


def main() -> None:
    peaks: dict[int, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="batchportal-bench-") as folder,
        opened_portal(Path(folder) / "state", BENCH_SETTINGS) as portal,
    ):
        warm(portal, Path(folder))
        for size in SIZES:
            path = make_zip(Path(folder) / f"{size}.zip", size * MIB)
            peaks[size] = measured(portal, path, f"1.{size}")
            path.unlink()
    report(peaks)


def warm(portal: Portal, folder: Path) -> None:
    """Every process has loaded what it needs before anything is compared."""
    for number in range(8):
        path = make_zip(folder / f"warm{number}.zip", 16 * MIB)
        action = "add" if number else "new-application"
        portal.ended(portal.upload(path, "bench", f"0.{number}", action=action))
        path.unlink()


def measured(portal: Portal, path: Path, version: str) -> dict[str, float]:
    for name in ("web", "worker"):
        for process in processes(portal, name):
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak counts from here
    operation = portal.upload(path, "bench", version)
    ended = portal.ended(operation, 1800)
    if ended["status"] != "succeeded":
        raise SystemExit(portal.log(operation))
    return {name: max(peak(process) for process in processes(portal, name)) for name in ("web", "worker")}


def processes(portal: Portal, name: str) -> list[psutil.Process]:
    parent = psutil.Process(portal.stack.pid(name))
    return [parent, *parent.children(recursive=True)]


def peak(process: psutil.Process) -> float:
    """MiB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def report(peaks: dict[int, dict[str, float]]) -> None:
    print("peak resident memory of the largest process, MiB")
    base = peaks[SIZES[0]]
    for size, found in peaks.items():
        grown = {name: found[name] - base[name] for name in found}
        cells = "  ".join(f"{name} {found[name]:6.1f} ({grown[name]:+.1f})" for name in found)
        print(f"  {size:5} MiB package   {cells}")
    most = max(found[name] - base[name] for found in peaks.values() for name in found)
    print(f"  growth {most:.1f} MiB, allowed are 64 MiB")
    note(f"memory grown by uploads of {SIZES[0]} to {SIZES[-1]} MiB", f"{most:.1f} MiB", "under 64 MiB")


if __name__ == "__main__":
    main()
