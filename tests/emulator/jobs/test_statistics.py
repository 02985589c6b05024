"""``$expand=stats``: what really ran."""

from datetime import timedelta

import httpx
from azure.batch import BatchClient
from azure.batch import models as m

from emulator.testing import Emulator
from tests.emulator.estate import nodes_in, pool, simulated, until

STATS = ["stats"]
NOTHING = timedelta(0)
BUSY = "/bin/sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; head -c 100000 /dev/zero > zeros'"


def run(batch: BatchClient, *commands: str, retries: int = 0) -> None:
    batch.create_job(m.BatchJobCreateOptions(id="j", pool_info=m.BatchPoolInfo(pool_id="p")))
    constraints = m.BatchTaskConstraints(max_task_retry_count=retries)
    for number, command in enumerate(commands):
        batch.create_task("j", m.BatchTaskCreateOptions(id=f"{number}", command_line=command, constraints=constraints))
    until(lambda: batch.get_job_task_counts("j").task_counts.completed, lambda done: done == len(commands))


def test_of_a_task(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1))
    run(batch, BUSY)
    found = batch.get_task("j", "0", expand=STATS)
    stats, info = found.task_statistics, found.execution_info
    assert stats is not None
    assert info is not None
    assert stats.user_cpu_time > NOTHING
    assert stats.write_iops > 0
    assert stats.wall_clock_time == info.end_time - info.start_time  # type: ignore[operator]
    assert stats.wait_time == info.start_time - found.creation_time  # type: ignore[operator]
    assert (stats.start_time, stats.last_update_time) == (found.creation_time, info.end_time)
    assert stats.url == f"{found.url}/stats"
    (listed,) = batch.list_tasks("j", expand=STATS)
    assert listed.task_statistics == stats
    assert batch.get_task("j", "0").task_statistics is None


def test_of_a_task_that_has_not_run(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=0))
    batch.create_job(m.BatchJobCreateOptions(id="j", pool_info=m.BatchPoolInfo(pool_id="p")))
    batch.create_task("j", m.BatchTaskCreateOptions(id="t", command_line="true"))
    assert batch.get_task("j", "t", expand=STATS).task_statistics is None


def test_of_a_job_also_for_what_was_deleted(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1))
    run(batch, BUSY, "/bin/false", retries=2)
    first = batch.get_job("j", expand=STATS).job_statistics
    assert first is not None
    assert (first.succeeded_tasks_count, first.failed_tasks_count, first.task_retries_count) == (1, 1, 2)
    used = [batch.get_task("j", task, expand=STATS).task_statistics for task in ("0", "1")]
    for name in ("user_cpu_time", "kernel_cpu_time", "wall_clock_time"):
        total = sum((getattr(found, name) for found in used), NOTHING)
        assert abs(getattr(first, name) - total) < timedelta(milliseconds=1)
    batch.delete_task("j", "0")
    (listed,) = batch.list_jobs(expand=STATS)
    assert listed.job_statistics == first


def test_of_simulated_tasks_by_the_clock(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=1))
    nodes_in(batch, "idle", 1)
    emulator.clock(paused=True)
    batch.create_job(m.BatchJobCreateOptions(id="j", pool_info=m.BatchPoolInfo(pool_id="p")))
    batch.create_task("j", m.BatchTaskCreateOptions(id="t", command_line="sleep 90"))
    emulator.clock(advance=600)
    until(lambda: batch.get_task("j", "t").state, lambda state: state == "completed")
    stats = batch.get_task("j", "t", expand=STATS).task_statistics
    assert stats is not None
    assert stats.user_cpu_time == NOTHING
    assert stats.wall_clock_time >= timedelta(seconds=90)


def test_of_a_schedule_with_its_deleted_jobs(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1))
    manager = m.BatchJobManagerTask(id="boss", command_line=BUSY)
    wanted = m.BatchJobSpecification(pool_info=m.BatchPoolInfo(pool_id="p"), job_manager_task=manager)
    schedule = m.BatchJobScheduleCreateOptions(
        id="s", schedule=m.BatchJobScheduleConfiguration(), job_specification=wanted
    )
    batch.create_job_schedule(schedule)
    until(lambda: batch.get_job("s:job-1").state, lambda state: state == "completed")
    first = batch.get_job_schedule("s", expand=STATS).job_schedule_statistics
    job = batch.get_job("s:job-1", expand=STATS).job_statistics
    assert first is not None
    assert job is not None
    assert (first.succeeded_tasks_count, first.user_cpu_time) == (1, job.user_cpu_time)
    batch.begin_delete_job("s:job-1", polling_interval=0).wait()
    (listed,) = batch.list_job_schedules(expand=STATS)
    assert listed.job_schedule_statistics is not None
    assert (listed.job_schedule_statistics.user_cpu_time, listed.job_schedule_statistics.succeeded_tasks_count) == (
        first.user_cpu_time,
        1,
    )


def test_of_a_pool(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1))
    run(batch, BUSY)
    emulator.clock(paused=True)
    before = batch.get_pool("p", expand=STATS).pool_statistics
    emulator.clock(advance=3600)
    (listed,) = batch.list_pools(expand=STATS)
    after = listed.pool_statistics
    assert before is not None
    assert after is not None
    assert before.usage_statistics is not None
    assert after.usage_statistics is not None
    more = after.usage_statistics.dedicated_core_time - before.usage_statistics.dedicated_core_time
    assert abs(more - timedelta(hours=2)) < timedelta(milliseconds=1), "a node of two cores"
    resources = before.resource_statistics
    assert resources is not None
    assert 0 < resources.avg_cpu_percentage <= 100
    assert resources.peak_memory_gib > 0
    assert resources.disk_write_iops > 0
    assert resources.network_read_gib is None, "what is not measured is not there"


def test_older_versions_have_numbers(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1))
    run(batch, BUSY)
    for version, kind in (("2025-06-01", str), ("2024-07-01.20.0", int)):
        answer = httpx.get(
            f"{emulator.account_url()}/jobs/j",
            params={"api-version": version, "$expand": "stats", "$select": "id,stats"},
            headers={"Authorization": "Bearer test"},
        )
        stats = answer.json()["stats"]
        assert {type(stats[name]) for name in ("readIOps", "writeIOps", "numSucceededTasks")} == {kind}
