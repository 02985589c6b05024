"""When schedules create jobs."""

from typing import Any

import pytest

from emulator.scheduler import recurrence, requests
from tests.emulator.scheduler.cluster import ACCOUNT, Cluster


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def _jobs(cluster: Cluster) -> list[str]:
    return recurrence.jobs_of(cluster.scheduler.world, ACCOUNT, "s")


def _schedule(cluster: Cluster) -> Any:
    found = cluster.repositories.schedules.get(ACCOUNT, "s")
    assert found is not None
    return found.schedule


def test_without_a_recurrence_there_is_one_job(cluster: Cluster) -> None:
    cluster.add_schedule("s")
    assert _jobs(cluster) == ["s:job-1"]
    cluster.advance(days=1)
    assert _schedule(cluster).state == "active"
    cluster.end_job("s:job-1")
    cluster.scheduler.tick()
    assert _jobs(cluster) == ["s:job-1"]
    assert _schedule(cluster).state == "completed"


def test_one_job_at_a_time_in_whole_intervals(cluster: Cluster) -> None:
    cluster.add_schedule("s", schedule={"recurrenceInterval": "PT1H"})
    cluster.advance(minutes=61)
    assert _jobs(cluster) == ["s:job-1"], "the first job is still active"
    cluster.end_job("s:job-1")
    cluster.scheduler.tick()
    assert _jobs(cluster) == ["s:job-1", "s:job-2"]
    assert _schedule(cluster).execution_info.recent_job.id == "s:job-2"
    cluster.end_job("s:job-2")
    cluster.advance(minutes=58)
    assert len(_jobs(cluster)) == 2
    cluster.advance(minutes=1)
    assert len(_jobs(cluster)) == 3


def test_a_start_window_leaves_out_what_came_too_late(cluster: Cluster) -> None:
    cluster.add_schedule("s", schedule={"recurrenceInterval": "PT1H", "startWindow": "PT5M"})
    cluster.advance(minutes=70)
    cluster.end_job("s:job-1")
    cluster.scheduler.tick()
    assert _jobs(cluster) == ["s:job-1"]
    cluster.advance(minutes=50)
    assert _jobs(cluster) == ["s:job-1", "s:job-2"]


def test_first_and_last_moment(cluster: Cluster) -> None:
    first, last = "2023-11-15T00:00:00Z", "2023-11-15T02:30:00Z"  # the clock starts at 2023-11-14T22:13:20Z
    cluster.add_schedule("s", schedule={"doNotRunUntil": first, "doNotRunAfter": last, "recurrenceInterval": "PT1H"})
    assert _jobs(cluster) == []
    cluster.advance(hours=1)
    assert _jobs(cluster) == []
    cluster.advance(hours=1)
    assert _jobs(cluster) == ["s:job-1"]
    cluster.end_job("s:job-1")
    cluster.advance(hours=1)
    assert _jobs(cluster) == ["s:job-1", "s:job-2"]
    cluster.advance(hours=9)
    assert _schedule(cluster).state == "active", "its job is still there"
    cluster.end_job("s:job-2")
    cluster.scheduler.tick()
    assert _schedule(cluster).state == "completed"
    assert _jobs(cluster) == ["s:job-1", "s:job-2"]


def test_a_disabled_schedule_creates_no_jobs(cluster: Cluster) -> None:
    cluster.add_schedule("s", schedule={"recurrenceInterval": "PT1H"})
    cluster.end_job("s:job-1")
    record = cluster.repositories.schedules.get(ACCOUNT, "s")
    assert record is not None
    requests.disable_schedule(cluster.scheduler, ACCOUNT, record)
    cluster.advance(hours=3)
    assert _jobs(cluster) == ["s:job-1"]
    record = cluster.repositories.schedules.get(ACCOUNT, "s")
    assert record is not None
    requests.enable_schedule(cluster.scheduler, ACCOUNT, record)
    assert _jobs(cluster) == ["s:job-1", "s:job-2"]


@pytest.mark.parametrize("how", ["complete", "delete"])
def test_ending_a_schedule(cluster: Cluster, how: Any) -> None:
    cluster.online("n1")
    cluster.add_schedule("s", schedule={"recurrenceInterval": "PT1H"})
    cluster.end_job("s:job-1")
    cluster.advance(hours=1)
    cluster.add_task("a", "s:job-2")
    record = cluster.repositories.schedules.get(ACCOUNT, "s")
    assert record is not None
    assert cluster.live("a", "s:job-2").folder == "workitems/s/job-2/a"
    requests.end_schedule(cluster.scheduler, ACCOUNT, record, how, force=False)
    assert _schedule(cluster).state == ("terminating" if how == "complete" else "deleting")
    cluster.obey()
    cluster.scheduler.tick()
    if how == "delete":
        assert cluster.repositories.schedules.get(ACCOUNT, "s") is None
        assert _jobs(cluster) == []
    else:
        assert _schedule(cluster).state == "completed"
        assert cluster.job("s:job-2").job.execution_info.terminate_reason == "TerminateJobSchedule"


def test_a_pool_that_lives_as_long_as_the_schedule(cluster: Cluster) -> None:
    pool = {"poolLifetimeOption": "jobschedule", "pool": {"vmSize": "small"}}
    cluster.add_schedule(
        "s",
        schedule={"recurrenceInterval": "PT1H"},
        jobSpecification={"poolInfo": {"autoPoolSpecification": pool}},
    )
    (name,) = cluster.nodes.auto_pools
    cluster.end_job("s:job-1")
    cluster.advance(hours=1)
    assert cluster.job("s:job-2").job.execution_info.pool_id == name
    record = cluster.repositories.schedules.get(ACCOUNT, "s")
    assert record is not None
    requests.end_schedule(cluster.scheduler, ACCOUNT, record, "complete", force=False)
    assert cluster.nodes.auto_pools == {}


def test_a_restart_goes_on_with_schedules(cluster: Cluster) -> None:
    cluster.add_schedule("s", schedule={"recurrenceInterval": "PT1H"})
    cluster.end_job("s:job-1")
    cluster.restart({})
    cluster.advance(hours=1)
    assert _jobs(cluster) == ["s:job-1", "s:job-2"]
