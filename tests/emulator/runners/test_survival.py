"""Services that are stopped, killed and started again, with real processes on their nodes."""

import time
from pathlib import Path

from azure.batch import BatchClient
from azure.batch.models import BatchJobCreateOptions, BatchNodeUserCreateOptions, BatchPoolInfo, BatchTaskCreateOptions

from emulator.testing import Emulator, start_emulator
from tests.emulator.conftest import batch_client
from tests.emulator.estate import node_is, nodes_in, pool, simulated, start_task, steady, text, until
from tests.emulator.runners.conftest import is_alive

PROCESSES = "echo $$ > pid; setsid sleep 345678 & echo $! > other; exec sleep 345678"


def running_task(batch: BatchClient) -> tuple[str, list[int]]:
    """A task that runs on the one node of ``p``: the node and the processes."""
    batch.create_pool(pool(target_dedicated_nodes=1))
    (node,) = nodes_in(batch, "idle", 1)
    batch.create_job(BatchJobCreateOptions(id="j", pool_info=BatchPoolInfo(pool_id="p")))
    batch.create_task("j", BatchTaskCreateOptions(id="t", command_line=f"/bin/sh -c '{PROCESSES}'"))
    return node.id, pids(batch, node.id)


def pids(batch: BatchClient, node_id: str) -> list[int]:
    wd = "workitems/j/job-1/t/wd"
    wanted = {f"{wd}/pid", f"{wd}/other"}

    def names() -> set[str | None]:
        return {found.name for found in batch.list_node_files("p", node_id, recursive=True) if _is_written(found)}

    until(names, lambda found: wanted <= found)
    return [int(text(batch, node_id, name)) for name in sorted(wanted)]


def _is_written(found: object) -> bool:
    properties = getattr(found, "properties", None)
    return bool(properties and properties.content_length)


def all_dead(found: list[int]) -> bool:
    return not any(is_alive(pid) for pid in found)


def test_a_graceful_stop_ends_what_it_started(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running, batch_client(running) as batch:
        _, processes = running_task(batch)
        assert all(is_alive(pid) for pid in processes)
        assert running.stop() == 0
        assert all_dead(processes)


def test_after_a_kill_nothing_runs_unaccounted(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running, batch_client(running) as batch:
        node_id, processes = running_task(batch)
        running.kill()
        assert all(is_alive(pid) for pid in processes)
        running.start()
        until(lambda: processes, all_dead)
        task = until(lambda: batch.get_task("j", "t"), lambda found: found.state == "running")
        assert task.execution_info is not None
        assert task.execution_info.requeue_count >= 1
        node = node_is(batch, node_id, "running")
        assert node.running_tasks_count == 1
        again = pids(batch, node_id)
        batch.terminate_task("j", "t")
        until(lambda: again, all_dead)
        assert node_is(batch, node_id, "idle").running_tasks_count == 0


def test_a_kill_in_the_middle_of_boots(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running, batch_client(running) as batch:
        batch.create_pool(pool(target_dedicated_nodes=2, start_task=start_task("sleep 0.5; echo done")))
        for _ in range(3):
            time.sleep(0.3)
            running.kill()
            running.start()
        nodes = nodes_in(batch, "idle", 2)
        assert steady(batch).current_dedicated_nodes == 2
        assert all(text(batch, node.id, "startup/stdout.txt") == "done\n" for node in nodes)
        assert len(list((tmp_path / "nodes" / "local" / "p").iterdir())) == 2


def test_a_kill_in_the_middle_of_a_deletion(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running, batch_client(running) as batch:
        batch.create_pool(pool(target_dedicated_nodes=2))
        nodes_in(batch, "idle", 2)
        batch.begin_delete_pool("p")
        running.kill()
        running.start()
        until(lambda: list(batch.list_pools()), lambda found: not found)
        assert list((tmp_path / "nodes").glob("local/p/*")) == []


def test_users_and_ports_outlive_a_restart(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running, batch_client(running) as batch:
        batch.create_pool(pool(target_dedicated_nodes=1))
        (node,) = nodes_in(batch, "idle", 1)
        batch.create_node_user("p", node.id, BatchNodeUserCreateOptions(name="reader", password="Secret-1"))
        before = batch.get_node_remote_login_settings("p", node.id)
        running.stop()
        running.start()
        assert batch.get_node_remote_login_settings("p", node.id).remote_login_port == before.remote_login_port
        batch.delete_node_user("p", node.id, "reader")
        assert b"Secret-1" not in (tmp_path / "emulator.sqlite3").read_bytes()


def test_a_large_simulated_pool_outlives_a_kill(tmp_path: Path) -> None:
    quotas = ("--dedicated-core-quota", "100000", "--family-core-quota", "100000")
    with start_emulator(data=tmp_path, arguments=quotas) as running, batch_client(running) as batch:
        batch.create_pool(simulated(target_dedicated_nodes=2000))
        until(lambda: batch.get_pool("p"), lambda found: found.current_dedicated_nodes > 0)
        running.kill()
        running.start()
        until(lambda: _idle(batch), lambda found: found == 2000)
        assert steady(batch).current_dedicated_nodes == 2000
        assert len({node.id for node in batch.list_nodes("p", select=["id"])}) == 2000


def _idle(batch: BatchClient) -> int:
    (counts,) = batch.list_pool_node_counts()
    return counts.dedicated.idle if counts.dedicated else 0


def test_a_reset_leaves_nothing_behind(emulator: Emulator, batch: BatchClient) -> None:
    _, processes = running_task(batch)
    emulator.reset()
    until(lambda: processes, all_dead)
    with batch_client(emulator) as again:  # the keys are new ones
        assert list(again.list_pools()) == []
