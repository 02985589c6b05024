"""A 512 MiB package: first byte to Active through the portal, against the SDK's own upload to the same blob store.

The portal receives, stages, checks, hashes and activates on top of what the SDK does, so 1.0 would be free of charge.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psutil
from azure.storage.blob import BlobClient

from tests.benchmarks.portal import BENCH_SETTINGS, opened_portal
from tests.benchmarks.summary import note
from tests.uploads.portal import Portal, make_zip

MIB = 1024 * 1024
SIZE = int(os.environ.get("BENCH_UPLOAD_MIB", "512")) * MIB
ROUNDS = 3
CONCURRENCY = (4, 8)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="batchportal-bench-") as folder:
        path = make_zip(Path(folder) / "package.zip", SIZE)
        with opened_portal(Path(folder) / "state", BENCH_SETTINGS) as portal:
            portal.ended(
                portal.upload(make_zip(Path(folder) / "warm.zip", MIB), "bench", "0", action="new-application")
            )
            ours, theirs, cpu = [], [], []
            for round_number in range(ROUNDS):
                theirs.append(min(by_sdk(portal, path, threads) for threads in CONCURRENCY))
                before = cpu_seconds(portal)
                ours.append(by_portal(portal, path, f"1.{round_number}"))
                after = cpu_seconds(portal)
                cpu.append({name: after[name] - before[name] for name in after})
    report([whole for _, whole in ours], [tail for tail, _ in ours], theirs)
    spent = "  ".join(f"{name} {statistics.median(one[name] for one in cpu):.1f} s" for name in cpu[0])
    print(f"  CPU of one upload, whatever else the machine does   {spent}")


def by_sdk(portal: Portal, path: Path, threads: int) -> float:
    """Seconds that `upload_blob` takes into the very container that packages go to."""
    package = portal.package("bench", "0")
    assert package is not None
    url = str(package["properties"]["storageUrl"])
    with BlobClient.from_blob_url(url, max_block_size=8 * MIB, max_single_put_size=8 * MIB) as blob:
        started = time.perf_counter()
        with path.open("rb") as file:
            blob.upload_blob(file, length=path.stat().st_size, overwrite=True, max_concurrency=threads)
        return time.perf_counter() - started


def by_portal(portal: Portal, path: Path, version: str) -> tuple[float, float]:
    """Seconds from the last byte received, and from the first byte sent, to Active."""
    tus = portal.begin(path, "bench", version, source=uuid.uuid4().hex)
    started = time.perf_counter()
    tus.send()
    received = time.perf_counter()
    ended = portal.ended(tus.operation, 600)
    active = time.perf_counter()
    if ended["status"] != "succeeded":
        sys.exit(portal.log(tus.operation))
    return active - received, active - started


def cpu_seconds(portal: Portal) -> dict[str, float]:
    """What the portal's processes, and the blob store beside them, have spent so far."""
    found = {}
    for name in ("web", "worker", "azurite"):
        parent = psutil.Process(portal.stack.pid(name))
        times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
        found[name] = sum(one.user + one.system for one in times)
    return found


def report(whole: list[float], tail: list[float], sdk: list[float]) -> None:
    base = statistics.median(sdk)
    mib = SIZE / MIB
    print(f"package of {mib:.0f} MiB, median of {ROUNDS} rounds")
    print(f"  upload_blob, best of {CONCURRENCY} threads   {base:6.2f} s  {mib / base:6.0f} MiB/s")
    for name, seconds, aim in (("first byte to Active", whole, "at most 1.2"), ("last byte to Active", tail, "")):
        middle = statistics.median(seconds)
        print(f"  {name:35}{middle:6.2f} s  {mib / middle:6.0f} MiB/s  ratio {middle / base:.2f}")
        note(f"{mib:.0f} MiB, {name}, beside upload_blob", f"{middle / base:.2f} of its time", aim)


if __name__ == "__main__":
    main()
