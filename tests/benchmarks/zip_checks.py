"""Speed and memory of the zip checks beside Python's `zipfile`, in one run: `python -m tests.benchmarks.zip_checks`.

Speeds are MiB of unpacked data per second of one core. Memory is the growth of a fresh process over what it held
after its imports, so each figure comes from a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from apps.applications.packaging import Limits, check_zip, read_directory
from tests.benchmarks.summary import note

MIB = 1024 * 1024
_BLOCK = 8 * MIB


def make_package(path: Path, method: int, mebibytes: int, files: int = 8) -> None:
    """Files of text-like data, about as compressible as programs are."""
    share = mebibytes * MIB // files
    with zipfile.ZipFile(path, "w", method, compresslevel=6) as target:
        for number in range(files):
            with target.open(f"bin/part{number}.so", "w") as part:
                for place in range(0, share, _BLOCK):
                    part.write(_mixed(min(_BLOCK, share - place), number + place))


def _mixed(length: int, seed: int) -> bytes:
    """Half random, half drawn from few words: deflates to about two thirds."""
    noise = os.urandom(length // 2)
    words = b"".join(b"symbol_%d " % (number * seed % 9973) for number in range(_BLOCK // 64))
    text = (words * (length // len(words) + 1))[: length - len(noise)]
    step = 32 * 1024
    pieces = [noise[i : i + step] + text[i : i + step] for i in range(0, len(text), step)]
    return b"".join(pieces)[:length].ljust(length, b"\0")


def make_many(path: Path, entries: int) -> None:
    """A zip of many small files in nested directories."""
    with zipfile.ZipFile(path, "w") as target:
        for number in range(entries):
            name = f"lib/python3.11/site-packages/package{number // 500}/module_{number}.py"
            target.writestr(zipfile.ZipInfo(name), b"x = 1\n")


def check(path: Path, workers: int = 1) -> None:
    """Our checks; the package must pass."""
    with path.open("rb") as file:
        report = check_zip(file, Limits(), workers=workers)
    if not report.ok:
        raise SystemExit(f"The benchmark's own package was refused: {report.findings}")


def list_ours(path: Path) -> int:
    """Our listing: every entry looked at once."""
    with path.open("rb") as file:
        return sum(entry.size for entry in read_directory(file))


def list_zipfile(path: Path) -> int:
    """The listing of the standard library."""
    with zipfile.ZipFile(path) as opened:
        return sum(info.file_size for info in opened.infolist())


def testzip(path: Path) -> None:
    """The check of the standard library: local names and CRC only."""
    with zipfile.ZipFile(path) as opened:
        if opened.testzip() is not None:
            raise SystemExit("The benchmark's own package is damaged.")


ACTIONS: dict[str, Callable[[Path], object]] = {
    "check_zip": check,
    "check_zip, 2 threads": lambda path: check(path, workers=2),
    "testzip": testzip,
    "read_directory": list_ours,
    "ZipFile list": list_zipfile,
}


def measure(action: str, path: Path) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak growth in MiB of one action in a fresh process."""
    command = [sys.executable, "-m", "tests.benchmarks.zip_checks", "--child", action, str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, cpu, growth = json.loads(output)
    return wall, cpu, growth


def run_child(action: str, path: Path) -> None:
    """Does one action and prints what it took."""
    before = _peak_mebibytes()
    wall, cpu = time.perf_counter(), time.process_time()
    ACTIONS[action](path)
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, _peak_mebibytes() - before]))


def _peak_mebibytes() -> float:
    """Of this process since its start (`ru_maxrss` would begin with the peak of the parent)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def compare(title: str, path: Path, unpacked_mebibytes: int, actions: list[str], rounds: int) -> None:
    """The best round of each action, and its CPU time against that of the last action."""
    best: dict[str, tuple[float, float, float]] = {}
    for _ in range(rounds):
        for action in actions:
            best[action] = min(measure(action, path), best.get(action, (float("inf"),) * 3))
    print(f"\n{title} ({path.stat().st_size / MIB:.0f} MiB)")
    for action in actions:
        wall, cpu, growth = best[action]
        speed = f"{unpacked_mebibytes / cpu:7.0f} MiB/s per core," if unpacked_mebibytes else ""
        last_wall, last_cpu, _ = best[actions[-1]]
        ratios = f"{last_wall / wall:5.2f} x the speed of the last, {last_cpu / cpu:5.2f} x by CPU time"
        print(f"  {action:22}{speed} {wall:6.2f} s, {cpu:6.2f} s CPU, +{growth:5.1f} MiB, {ratios}")
    ours, theirs = best[actions[0]], best[actions[-1]]
    figure = f"{unpacked_mebibytes / ours[1]:.0f} MiB/s per core, " if unpacked_mebibytes else f"{ours[0]:.2f} s, "
    note(
        f"zip, {title[0].lower()}{title[1:]}: {actions[0]} beside {actions[-1]}",
        f"{figure}{theirs[1] / ours[1]:.2f} of its speed, {ours[2]:.1f} MiB, not {theirs[2]:.1f}",
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Makes the packages, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=ACTIONS)
    parser.add_argument("--mebibytes", type=int, default=512)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("path", nargs="?", type=Path)
    options = parser.parse_args(arguments)
    if options.child:
        run_child(options.child, options.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "package.zip"
        full = ["check_zip", "check_zip, 2 threads", "testzip"]
        for title, method in (("Stored", zipfile.ZIP_STORED), ("Deflated", zipfile.ZIP_DEFLATED)):
            make_package(path, method, options.mebibytes)
            compare(title, path, options.mebibytes, full, options.rounds)
        make_many(path, options.entries)
        compare(f"{options.entries:,} entries, checked", path, 0, full, options.rounds)
        compare(f"{options.entries:,} entries, listed", path, 0, ["read_directory", "ZipFile list"], options.rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
