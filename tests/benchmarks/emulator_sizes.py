"""The local Batch service with a large job on a large pool of simulated nodes, from the first node to the last's end.

Each phase is done with a tenth of the sizes first: the ratio tells how much dearer one node or task is among many, in
the processor time of the service. Meanwhile somebody asks for its health, and the longest that took stands beside what
it takes when nothing else goes on. BENCH_NODES and BENCH_TASKS set the sizes; the service is made for 50,000 and
1,000,000, which take some ten minutes in each kind of store.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx

from emulator.testing import Emulator, start_emulator
from tests.benchmarks.emulator import BEARER, QUOTAS, VERSION, check, create, idle, pages, pool, resident, wait
from tests.benchmarks.summary import note

NODES = int(os.environ.get("BENCH_NODES", "5000"))
TASKS = int(os.environ.get("BENCH_TASKS", "20000"))
PATIENCE = 3600.0  # seconds for one phase
COUNTED = 0.1  # seconds of the processor that are more than the grain of its clock
SIMULATED = {"metadata": [{"name": "emulator:nodes", "value": "simulated"}]}


def main() -> None:
    for name in ("memory", "data folder"):
        with tempfile.TemporaryDirectory(prefix="batch-bench-") as folder:
            data = None if name == "memory" else Path(folder) / "data"
            with start_emulator(
                data=data, folder=Path(folder), arguments=(*QUOTAS, "--simulated-task-time", "1")
            ) as made:
                print(f"\n{name}: {NODES:,} nodes, {TASKS:,} tasks")
                Sizes(made, data).measure()


class Sizes:
    def __init__(self, service: Emulator, data: Path | None) -> None:
        self.service = service
        self.data = data
        self.http = httpx.Client(base_url=service.account_url(), headers=BEARER, timeout=300)
        self.small: dict[str, float] = {}  # seconds of the processor for one, by phase
        self.is_small = True

    def measure(self) -> None:
        self.round(NODES // 10, TASKS // 10)
        self.is_small = False
        self.round(NODES, TASKS)
        self.http.close()

    def round(self, nodes: int, tasks: int) -> None:
        self.phase("nodes made", nodes, lambda: self.make_pool(nodes))
        self.phase("nodes listed", nodes, lambda: self.list_whole("/pools/p/nodes", nodes))
        self.phase("tasks added and run", tasks, lambda: self.run_job(tasks))
        self.phase("tasks listed", tasks, lambda: self.list_whole("/jobs/j/tasks", tasks))
        if self.data is not None and not self.is_small:
            self.phase("after a kill", nodes, self.kill)
        self.phase("job deleted", tasks, lambda: self.delete("/jobs/j"))
        self.phase("pool deleted", nodes, lambda: self.delete("/pools/p"))

    def phase(self, name: str, number: int, action: Callable[[], object]) -> None:
        pid, used, started = self.service.pid, cpu(self.service.pid), time.perf_counter()
        with Patient(self.service) as patient:
            action()
        took = time.perf_counter() - started
        used = cpu(self.service.pid) - (used if self.service.pid == pid else 0)
        if self.is_small:
            if used >= COUNTED:
                self.small[name] = used / number
            return
        ratio = f", ratio to a tenth {used / number / self.small[name]:.1f}" if name in self.small else ""
        print(
            f"{name:20}{took:8.1f} s {number / took:8.0f} /s   processor {used:6.1f} s"
            f" ({used / number * 1e6:.0f} us each{ratio}), {resident(self.service.pid):.0f} MB, {patient.told()}",
            flush=True,
        )
        if name == "tasks added and run":
            kind = "memory" if self.data is None else "SQLite"
            note(f"emulator: tasks run, {kind}", f"{number / took:.0f} /s of {number:,}")

    def make_pool(self, nodes: int) -> None:
        create(self.http, "/pools", pool("p", nodes) | SIMULATED)
        wait(lambda: idle(self.http, "p") == nodes, PATIENCE)

    def list_whole(self, path: str, number: int) -> None:
        found = sum(len(page) for page in pages(self.http, path))
        check(found == number, f"{found} listed instead of {number}")

    def run_job(self, tasks: int) -> None:
        create(self.http, "/jobs", {"id": "j", "poolInfo": {"poolId": "p"}})
        for body in collections(tasks):
            self.http.post("/jobs/j/addtaskcollection", params=VERSION, content=body).raise_for_status()
        wait(lambda: self.succeeded() == tasks, PATIENCE)

    def succeeded(self) -> int:
        counts = self.http.get("/jobs/j/taskcounts", params=VERSION).raise_for_status().json()
        return int(counts["taskCounts"]["succeeded"])

    def kill(self) -> None:
        before = self.succeeded()
        self.service.kill()
        self.service.start()
        check(self.succeeded() == before, "a killed service came back with other counts")

    def delete(self, path: str) -> None:
        self.http.delete(path, params=VERSION).raise_for_status()
        wait(lambda: self.http.get(path, params=VERSION).status_code == 404, PATIENCE)


class Patient:
    """Somebody who asks for the service's health twenty times a second and notes how long the answers take."""

    def __init__(self, service: Emulator) -> None:
        self._service = service
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._took: list[float] = []

    def __enter__(self) -> Patient:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = HTTPConnection(self._service.netloc, timeout=60)
        while not self._over.wait(0.05):
            started = time.perf_counter()
            try:
                connection.request("GET", "/_emulator/health")
                connection.getresponse().read()
            except OSError:  # it was killed
                connection.close()
                continue
            self._took.append(time.perf_counter() - started)

    def told(self) -> str:
        if not self._took:
            return "nobody asked"
        ordered = sorted(self._took)
        usual, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        return f"health in {usual * 1000:.0f} ms, 99% in {late * 1000:.0f} ms, at most {ordered[-1] * 1000:.0f} ms"


def collections(tasks: int) -> Iterator[str]:
    for start in range(0, tasks, 100):
        numbers = range(start, min(start + 100, tasks))
        yield json.dumps({"value": [{"id": f"t{number}", "commandLine": "x"} for number in numbers]})


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
