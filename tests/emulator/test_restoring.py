"""Bringing back a snapshot is all or nothing, whenever the service is killed."""

import urllib.error
from http.client import RemoteDisconnected
from pathlib import Path

import pytest
from azure.batch import BatchClient
from azure.batch import models as m

from emulator.testing import Emulator, start_emulator
from tests.emulator.conftest import batch_client
from tests.emulator.estate import nodes_in, pool, text, until

# Python imports this when it starts: the service ends itself where the variable says.
HOOK = """
import importlib, os, signal
where = os.environ.get("KILLED_AT")
if where:
    module, name = where.rsplit(".", 1)
    setattr(importlib.import_module(module), name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""

KILLS = {
    "emulator.control.snapshots._copy_tree": "new",
    "emulator.control.swapping.replace_documents": "new",
    "emulator.control.swapping._put_aside": "old",
    "emulator.control.swapping._put_in_place": "old",
}


def mark(batch: BatchClient, name: str, node: str) -> None:
    """A job of that name, and a file on the node that has it."""
    batch.create_job(m.BatchJobCreateOptions(id=name, pool_info=m.BatchPoolInfo(pool_id="p")))
    line = f"/bin/sh -c 'rm -f $AZ_BATCH_NODE_SHARED_DIR/state; echo {name} > $AZ_BATCH_NODE_SHARED_DIR/state'"
    batch.create_task(name, m.BatchTaskCreateOptions(id="t", command_line=line))
    until(lambda: batch.get_task(name, "t").state, lambda state: state == "completed")
    assert text(batch, node, "shared/state") == f"{name}\n"


def found(batch: BatchClient, node: str) -> tuple[set[str], str]:
    return {job.id for job in batch.list_jobs() if job.id}, text(batch, node, "shared/state").strip()


STATES = {"old": ({"old"}, "old"), "new": ({"old", "new"}, "new")}


@pytest.mark.parametrize(("where", "then"), KILLS.items())
def test_a_kill_in_the_middle(where: str, then: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    data = tmp_path / "data"
    with start_emulator(data=data, folder=tmp_path) as running, batch_client(running) as batch:
        batch.create_pool(pool(target_dedicated_nodes=1))
        (node,) = nodes_in(batch, "idle", 1)
        mark(batch, "old", node.id)
        running.snapshot("old")
        mark(batch, "new", node.id)
        running.stop()
        with monkeypatch.context() as patch:
            patch.setenv("PYTHONPATH", str(tmp_path))
            patch.setenv("KILLED_AT", where)
            running.start()
            with pytest.raises((RemoteDisconnected, ConnectionError, urllib.error.URLError)):
                running.restore("old")
        running.kill()
        running.start()
        assert found(batch, node.id) == STATES[then]
        assert [place.name for place in data.glob("nodes*")] == ["nodes"]
        running.restore("old")
        assert found(batch, node.id) == STATES["old"]


def test_what_tasks_own_they_own_afterwards(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1))
    (node,) = nodes_in(batch, "idle", 1)
    mark(batch, "old", node.id)
    emulator.snapshot("before")
    mark(batch, "new", node.id)
    emulator.restore("before")
    assert found(batch, node.id) == STATES["old"]
    mark(batch, "newest", node.id)
