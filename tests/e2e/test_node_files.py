"""Files of nodes: lines as a start task writes them, and a file of 10 GB of which only what is looked at is moved."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import People
from tests.support import fleet
from tests.support.stack import Stack
from tests.uploads.conftest import token_for
from tests.uploads.portal import Portal, until

MIB = 1024 * 1024
HUGE = 10 * 1024 * MIB
FIRST, LAST = b"this is the first line\n", b"\nthis is the last line\n"
TAKEN = 16 * MIB  # of each download before whoever wanted it goes away
ALLOWED = 96 * MIB  # more memory than before, for all processes of a part together


@pytest.fixture
def portal(stack: Stack) -> Iterator[Portal]:
    found = Portal(stack, token_for(stack, "admin"))
    yield found
    found.http.close()


@pytest.fixture
def pool(stack: Stack) -> Iterator[str]:
    name = f"files-{uuid.uuid4().hex[:8]}"
    yield name
    fleet.delete_pool(stack.batch, name)


def node_of(portal: Portal, pool: str, state: str) -> str:
    """The pool's only node, once the portal has seen it in this state."""

    def look() -> str:
        found = portal.http.get(f"/accounts/local/pools/{pool}/nodes", params={"state": state})
        nodes = found.json()["results"] if found.status_code == 200 else []
        return str(nodes[0]["node_id"]) if nodes else ""

    found: str = until(look, 60, f"a node that is {state}")
    return found


def open_file(page: Page, pool: str, node: str, path: str) -> None:
    page.goto(f"/batch/local/nodes/{pool}/{node}/files/file/?path={path}")


# --- Live tail ------------------------------------------------------------------------------------------------------


def test_lines_of_a_running_start_task_come_by_themselves(
    people: People, portal: Portal, pool: str, tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    writes = f"n=0; while [ ! -e {gate} ]; do n=$((n+1)); echo line $n of it; sleep 0.2; done; echo that was it"
    task = {"commandLine": f"/bin/sh -c '{writes}'", "waitForSuccess": True}
    fleet.make_pool(portal.stack.batch, pool, 1, startTask=task)
    node = node_of(portal, pool, "waitingforstarttask")
    page = people.page("administrator")
    page.goto(f"/batch/local/nodes/{pool}/{node}/")
    page.get_by_role("region", name="stdout.txt").get_by_role("link", name="Open").click()
    text = page.locator("[data-tail]")
    expect(text).to_contain_text("line 1 of it")
    seen = int(re.findall(r"line (\d+) of it", text.inner_text())[-1])
    expect(text).to_contain_text(f"line {seen + 30} of it", timeout=60_000)
    gate.touch()
    expect(text).to_contain_text("that was it", timeout=60_000)
    # Each line came once, and none is missing.
    numbers = [int(number) for number in re.findall(r"line (\d+) of it", text.inner_text())]
    assert numbers == list(range(1, len(numbers) + 1))


# --- 10 GB ----------------------------------------------------------------------------------------------------------


class Memory:
    """How much memory the processes of a part take at most from here on, and how much they read."""

    def __init__(self, stack: Stack, part: str) -> None:
        self._pids = [stack.pid(part), *children(stack.pid(part))]
        self._before = sum(map(resident, self._pids))
        self._read = sum(map(bytes_read, self._pids))
        for pid in self._pids:
            # Forget the highest mark so far (Linux: Documentation/filesystems/proc.rst).
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    @property
    def grown(self) -> int:
        return sum(highest(pid) for pid in self._pids) - self._before

    @property
    def read(self) -> int:
        return sum(map(bytes_read, self._pids)) - self._read


def children(pid: int) -> list[int]:
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [grandchild for child in found for grandchild in children(child)]


def status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def resident(pid: int) -> int:
    return status(pid, "VmRSS")


def highest(pid: int) -> int:
    return status(pid, "VmHWM")


def bytes_read(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


@pytest.fixture
def huge(portal: Portal, pool: str) -> tuple[str, Path]:
    """A node with a file of 10 GB, nearly all of it a hole; the node's id and where the file lies."""
    fleet.make_pool(portal.stack.batch, pool, 1)
    node = node_of(portal, pool, "idle")
    root = portal.stack.site.state / "emulator" / "nodes" / "local" / pool / node / "mnt" / "batch" / "tasks"
    path = root / "shared" / "huge.log"
    with path.open("wb") as file:
        file.write(FIRST)
        file.truncate(HUGE - len(LAST))
        file.seek(0, 2)
        file.write(LAST)
    return node, path


def test_10_gb_are_looked_at_in_pieces(people: People, portal: Portal, pool: str, huge: tuple[str, Path]) -> None:
    node, path = huge
    page = people.page("administrator")
    open_file(page, pool, node, "startup")  # warms what a page of this kind needs
    web, service = Memory(portal.stack, "web"), Memory(portal.stack, "emulator")

    open_file(page, pool, node, "shared/huge.log")
    text = page.locator("[data-tail]")
    expect(text).to_contain_text("this is the last line")
    expect(page.get_by_text(re.compile(r"Bytes 10,737,\d+,\d+ to 10,737,418,240 of 10.0 GiB"))).to_be_visible()
    page.get_by_role("link", name="Refresh").click()
    expect(text).to_contain_text("this is the last line")
    with path.open("ab") as file:
        file.write(b"and one more came\n")
    expect(text).to_contain_text("and one more came", timeout=30_000)
    page.get_by_role("link", name="Beginning").click()
    expect(text).to_contain_text("this is the first line")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    started.value.cancel()

    address = f"/accounts/local/pools/{pool}/nodes/{node}/files/content?path=shared/huge.log"
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: take_some(portal, address), range(8))) == [TAKEN] * 8
    middle = {"Range": f"bytes={HUGE // 2}-{HUGE // 2 + MIB - 1}"}
    answer = portal.http.get(address, headers=middle)
    assert (answer.status_code, answer.content) == (206, bytes(MIB))

    assert web.grown < ALLOWED
    assert service.grown < ALLOWED
    assert service.read < HUGE // 4


def take_some(portal: Portal, address: str) -> int:
    """The beginning of a download, up to where its taker goes away."""
    with portal.http.stream("GET", address) as answer:
        assert answer.status_code == 200, answer.read()
        assert int(answer.headers["Content-Length"]) >= HUGE
        taken = 0
        for piece in answer.iter_bytes(MIB):
            taken += len(piece)
            if taken >= TAKEN:
                break
    return taken
