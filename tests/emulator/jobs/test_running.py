"""Tasks that really run: a pool of process nodes, started by the SDK, read by the SDK."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.core.exceptions import HttpResponseError

from emulator.testing import Emulator, start_emulator
from tests.emulator.conftest import batch_client
from tests.emulator.helpers import code

IMAGE = m.BatchVmImageReference(publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest")


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def create_pool(batch: BatchClient, name: str = "pool", nodes: int = 2, slots: int = 4, **properties: Any) -> None:
    batch.create_pool(
        m.BatchPoolCreateOptions(
            id=name,
            vm_size="standard_d2s_v3",
            virtual_machine_configuration=m.VirtualMachineConfiguration(
                image_reference=IMAGE, node_agent_sku_id="batch.node.ubuntu 24.04"
            ),
            target_dedicated_nodes=nodes,
            task_slots_per_node=slots,
            **properties,
        )
    )


def create_job(batch: BatchClient, name: str = "job", **properties: Any) -> None:
    batch.create_job(m.BatchJobCreateOptions(id=name, pool_info=m.BatchPoolInfo(pool_id="pool"), **properties))


def shell(name: str, line: str, **properties: Any) -> m.BatchTaskCreateOptions:
    return m.BatchTaskCreateOptions(id=name, command_line=f"/bin/sh -c '{line}'", **properties)


def is_completed(batch: BatchClient, *tasks: str, job: str = "job") -> bool:
    return all(batch.get_task(job, task).state == "completed" for task in tasks)


def output(batch: BatchClient, task: str, name: str = "stdout.txt", job: str = "job") -> str:
    return b"".join(batch.download_task_file(job, task, name)).decode()


@pytest.fixture
def running(batch: BatchClient) -> Iterator[BatchClient]:
    create_pool(batch)
    create_job(batch)
    yield batch
    batch.begin_delete_job("job")
    batch.begin_delete_pool("pool")


def test_250_tasks_run_and_their_output_is_read(running: BatchClient) -> None:
    running.create_tasks("job", [shell(f"t{number}", f"echo number {number}") for number in range(250)])
    until(lambda: running.get_job_task_counts("job").task_counts.succeeded == 250)
    for number in (0, 100, 249):
        assert output(running, f"t{number}") == f"number {number}\n"
    assert {found.execution_info.exit_code for found in running.list_tasks("job")} == {0}  # type: ignore[union-attr]


def test_files_of_a_task(running: BatchClient) -> None:
    running.create_task("job", shell("files", "echo abcdef > result.txt; echo oops >&2"))
    until(lambda: is_completed(running, "files"))
    names = {found.name for found in running.list_task_files("job", "files", recursive=True)}
    assert {"stdout.txt", "stderr.txt", "wd", "wd/result.txt"} <= names
    (found,) = running.list_task_files("job", "files", filter="startswith(name, 'wd/res')", recursive=True)
    assert found.url is not None
    assert found.url.endswith("/jobs/job/tasks/files/files/wd/result.txt")
    part = b"".join(running.download_task_file("job", "files", "wd/result.txt", ocp_range="bytes=1-3"))
    assert part == b"bcd"
    assert output(running, "files", "stderr.txt") == "oops\n"
    running.delete_task_file("job", "files", "wd/result.txt")
    with pytest.raises(HttpResponseError) as caught:
        running.get_task_file_properties("job", "files", "wd/result.txt")
    assert caught.value.status_code == 404


def test_a_task_that_has_not_run_has_no_files(batch: BatchClient) -> None:
    create_job(batch)
    batch.create_task("job", shell("waits", "true"))
    with pytest.raises(HttpResponseError) as caught:
        list(batch.list_task_files("job", "waits"))
    assert code(caught.value) == (409, "TaskFilesUnavailable")


def test_failure_retries_and_dependents(running: BatchClient) -> None:
    create_job(running, "chain", uses_task_dependencies=True)
    needs = m.BatchTaskDependencies(task_ids=["first"])
    once_more = m.BatchTaskConstraints(max_task_retry_count=1)
    # The directory stays the same, so that the second try finds what the first one left.
    running.create_task("chain", shell("first", "test -e mark || { touch mark; exit 5; }", constraints=once_more))
    running.create_task("chain", shell("second", "echo done", depends_on=needs))
    running.create_task("chain", shell("broken", "exit 3"))
    until(lambda: is_completed(running, "first", "second", "broken", job="chain"))
    first = running.get_task("chain", "first").execution_info
    assert first is not None
    assert (first.retry_count, first.exit_code, first.result) == (1, 0, "success")
    broken = running.get_task("chain", "broken").execution_info
    assert broken is not None
    assert broken.failure_info is not None
    assert (broken.exit_code, broken.failure_info.code) == (3, "FailureExitCode")


def test_a_task_that_takes_too_long_is_ended(running: BatchClient) -> None:
    limit = m.BatchTaskConstraints(max_wall_clock_time=timedelta(seconds=1))
    running.create_task("job", shell("long", "sleep 100", constraints=limit))
    until(lambda: is_completed(running, "long"))
    info = running.get_task("job", "long").execution_info
    assert info is not None
    assert info.failure_info is not None
    assert info.failure_info.code == "TaskEnded"


def test_terminate_and_delete_end_the_process(running: BatchClient) -> None:
    for name in ("ended", "deleted"):
        running.create_task("job", shell(name, "sleep 1000"))
    until(lambda: running.get_job_task_counts("job").task_counts.running == 2)
    running.terminate_task("job", "ended")
    running.delete_task("job", "deleted")
    until(lambda: all(node.running_tasks_count == 0 for node in running.list_nodes("pool")))
    assert running.get_task("job", "ended").state == "completed"


def test_preparation_and_release_run_on_the_nodes(running: BatchClient) -> None:
    create_job(
        running,
        "prepared",
        job_preparation_task=m.BatchJobPreparationTask(command_line="/bin/sh -c 'echo ready > flag'"),
        job_release_task=m.BatchJobReleaseTask(command_line="/bin/sh -c 'echo bye'"),
        all_tasks_complete_mode="noaction",
    )
    running.create_task("prepared", shell("uses", "cat $AZ_BATCH_JOB_PREP_WORKING_DIR/flag"))
    until(lambda: is_completed(running, "uses", job="prepared"))
    assert output(running, "uses", job="prepared") == "ready\n"
    running.update_job("prepared", m.BatchJobUpdateOptions(all_tasks_complete_mode="terminatejob"))
    until(lambda: running.get_job("prepared").state == "completed")
    (status,) = running.list_job_preparation_and_release_task_status("prepared")
    assert status.job_preparation_task_execution_info is not None
    assert status.job_release_task_execution_info is not None
    assert status.job_preparation_task_execution_info.result == "success"
    assert status.job_release_task_execution_info.result == "success"
    assert status.node_url is not None
    assert status.node_id is not None
    assert status.node_id in status.node_url


def test_a_killed_service_comes_back_and_finishes_every_task(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path / "data", folder=tmp_path) as emulator:
        with batch_client(emulator) as batch:
            create_pool(batch, slots=2)
            create_job(batch)
            batch.create_tasks("job", [shell(f"t{number}", "sleep 0.2") for number in range(60)])
            until(lambda: batch.get_job_task_counts("job").task_counts.completed > 5)
        _kill(emulator)
        with batch_client(emulator) as batch:
            counts = batch.get_job_task_counts("job").task_counts
            assert counts.active + counts.running + counts.completed == 60
            until(lambda: batch.get_job_task_counts("job").task_counts.succeeded == 60)


def _kill(emulator: Emulator) -> None:
    emulator.kill()
    emulator.start()
