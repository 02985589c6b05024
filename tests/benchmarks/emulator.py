"""The local Batch service: its start, its memory, its requests, its sizes, and its tasks against bare processes.

Each rate stands beside that of something bare measured in the same run: a Python interpreter that starts, the service's
own health route, one row beside 10,000, a shell that is spawned.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

import httpx

from emulator.testing import Emulator, start_emulator
from tests.benchmarks.summary import note

VERSION = {"api-version": "2025-06-01"}
BEARER = {"Authorization": "Bearer bench"}
STARTS = 5
POOLS = 50
SECONDS = 3.0  # of each rate of requests
NODES = 10_000
TASKS = 100_000
RUNS = 400  # trivial tasks
SLOTS = 4
MACHINE = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}
QUOTAS = ("--dedicated-core-quota", "1000000", "--family-core-quota", "1000000")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="batch-bench-") as folder:
        starts(Path(folder) / "starts")
        for name in ("memory", "data folder"):
            place = Path(folder) / name
            place.mkdir()
            data = None if name == "memory" else place / "data"
            with start_emulator(data=data, folder=place, arguments=QUOTAS) as service:
                print(f"\n{name}")
                with httpx.Client(base_url=service.account_url(), headers=BEARER, timeout=60) as http:
                    requests(service, http)
                    nodes(service, http)
                    tasks(service, http)
                    scheduling(service, http)


# Starts


def starts(folder: Path) -> None:
    folder.mkdir()
    bare = statistics.median(seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) for _ in range(3))
    with start_emulator(data=folder / "data", folder=folder) as service:
        idle = resident(service.pid)
        taken = []
        for _ in range(STARTS):
            service.stop()
            taken.append(seconds(service.start))
    start = statistics.median(taken)
    print(f"start to ready     {start:6.2f} s   ratio to an empty interpreter ({bare:.2f} s) {start / bare:.0f}")
    note("emulator: start to ready", f"{start:.2f} s", "1 s")
    note("emulator: idle memory", f"{idle:.0f} MB", "60 MB")
    print(f"idle memory        {idle:6.0f} MB  ratio to the aim of 60 MB {idle / 60:.2f}")


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def resident(pid: int) -> float:
    """MB in memory, as the kernel counts them."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# Requests


def requests(service: Emulator, http: httpx.Client) -> None:
    """One request after the other over one connection, by the plainest client there is."""
    for number in range(POOLS):
        create(http, "/pools", pool("bench" if number == 0 else f"bench-{number}", 0))
    bare = rate(getter(service, "/_emulator/health"))
    for name, path in (("get a pool", "/pools/bench"), (f"list {POOLS} pools", "/pools")):
        found = rate(getter(service, f"/local{path}?api-version={VERSION['api-version']}"))
        print(f"{name:18}{found:7.0f} /s  ratio to the health route ({bare:.0f} /s) {found / bare:.2f}")


def getter(service: Emulator, path: str) -> Callable[[], object]:
    connection = HTTPConnection(service.netloc)

    def get() -> None:
        connection.request("GET", path, headers=BEARER)
        answer = connection.getresponse()
        answer.read()
        check(answer.status == 200, f"{path} answered {answer.status}")

    return get


def rate(action: Callable[[], object]) -> float:
    """Per second."""
    number, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        action()
        number += 1
    return number / (time.perf_counter() - started)


# Sizes


def nodes(service: Emulator, http: httpx.Client) -> None:
    simulated = [{"name": "emulator:nodes", "value": "simulated"}]
    before = resident(service.pid)
    create(http, "/pools", pool("many", NODES) | {"metadata": simulated})
    took = seconds(lambda: wait(lambda: idle(http, "many") == NODES))
    print(f"{NODES:,} nodes idle  {took:6.1f} s   {resident(service.pid) - before:.0f} MB more")
    one = seconds(lambda: http.get("/pools/many/nodes", params=VERSION | {"maxresults": 1}).raise_for_status())
    found = 0

    def walk() -> None:
        nonlocal found
        found = sum(len(page) for page in pages(http, "/pools/many/nodes"))

    whole = seconds(walk)
    check(found == NODES, f"{found} nodes listed")
    print(f"listed whole       {whole:6.2f} s   {NODES / whole:.0f} /s, ratio to a list of one {whole / one:.0f}")
    http.delete("/pools/many", params=VERSION).raise_for_status()


def tasks(service: Emulator, http: httpx.Client) -> None:
    create(http, "/jobs", {"id": "many", "poolInfo": {"poolId": "bench"}})
    before = resident(service.pid)
    bodies = [collection(start) for start in range(0, TASKS, 100)]

    def add() -> None:
        for body in bodies:
            http.post("/jobs/many/addtaskcollection", params=VERSION, content=body).raise_for_status()

    took = seconds(add)
    single = rate(lambda: create(http, "/jobs/many/tasks", {"id": f"s{time.monotonic_ns()}", "commandLine": "x"}))
    counted = seconds(lambda: http.get("/jobs/many/taskcounts", params=VERSION).raise_for_status())
    counts = http.get("/jobs/many/taskcounts", params=VERSION).json()["taskCounts"]
    check(counts["active"] >= TASKS, f"{counts} tasks counted")
    more = resident(service.pid) - before
    print(
        f"{TASKS:,} tasks added {took:6.1f} s   {TASKS / took:.0f} /s, ratio to one by one ({single:.0f} /s)"
        f" {TASKS / took / single:.1f}, {more:.0f} MB more"
    )
    print(f"counted            {counted * 1000:6.1f} ms")
    http.delete("/jobs/many", params=VERSION).raise_for_status()


def collection(start: int) -> str:
    return json.dumps({"value": [{"id": f"t{number}", "commandLine": "x"} for number in range(start, start + 100)]})


# Tasks


def scheduling(service: Emulator, http: httpx.Client) -> None:
    """Trivial tasks on process nodes, from the first collection to the last completion, against bare processes."""
    create(http, "/pools", pool("run", 2) | {"taskSlotsPerNode": SLOTS // 2})
    wait(lambda: idle(http, "run") == 2)
    create(http, "/jobs", {"id": "run", "poolInfo": {"poolId": "run"}})
    bare = seconds(lambda: asyncio.run(spawn_all()))
    line = "/bin/sh -c 'echo done'"

    def run() -> None:
        for start in range(0, RUNS, 100):
            body = {"value": [{"id": f"t{number}", "commandLine": line} for number in range(start, start + 100)]}
            http.post("/jobs/run/addtaskcollection", params=VERSION, json=body).raise_for_status()
        wait(lambda: counts(http)["succeeded"] == RUNS)

    took = seconds(run)
    print(
        f"{RUNS} tasks run      {took:6.2f} s   {RUNS / took:.0f} /s, ratio to bare processes"
        f" ({bare:.2f} s) {took / bare:.1f}"
    )


async def spawn_all() -> None:
    """The same processes, as many at a time, each with its output in a file."""
    free = asyncio.Semaphore(SLOTS)

    async def spawn(folder: Path) -> None:
        async with free:
            with task_files(folder) as (out, err):
                process = await asyncio.create_subprocess_exec(
                    "/bin/sh", "-c", "echo done", stdout=out, stderr=err, cwd=folder, start_new_session=True
                )
                await process.wait()

    with tempfile.TemporaryDirectory(prefix="batch-bench-") as place:
        await asyncio.gather(*(spawn(Path(place) / str(number)) for number in range(RUNS)))


@contextmanager
def task_files(folder: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    folder.mkdir()
    with (folder / "stdout.txt").open("wb") as out, (folder / "stderr.txt").open("wb") as err:
        yield out, err


# The service


def pool(name: str, size: int) -> dict[str, Any]:
    return {
        "id": name,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": MACHINE,
        "targetDedicatedNodes": size,
    }


def create(http: httpx.Client, path: str, body: object) -> None:
    http.post(path, params=VERSION, json=body).raise_for_status()


def idle(http: httpx.Client, name: str) -> int:
    found = http.get("/nodecounts", params=VERSION | {"$filter": f"poolId eq '{name}'"}).raise_for_status().json()
    return int(found["value"][0]["dedicated"]["idle"])


def counts(http: httpx.Client) -> dict[str, int]:
    return dict(http.get("/jobs/run/taskcounts", params=VERSION).raise_for_status().json()["taskCounts"])


def pages(http: httpx.Client, path: str) -> Any:
    answer = http.get(path, params=VERSION).raise_for_status().json()
    yield answer["value"]
    while link := answer.get("odata.nextLink"):
        answer = http.get(link).raise_for_status().json()
        yield answer["value"]


def wait(true: Callable[[], bool], limit: float = 90) -> None:
    deadline = time.monotonic() + limit
    while not true():
        check(time.monotonic() < deadline, "it did not happen in time")
        time.sleep(0.02)


def check(good: bool, problem: str) -> None:
    if not good:
        sys.exit(problem)


if __name__ == "__main__":
    main()
