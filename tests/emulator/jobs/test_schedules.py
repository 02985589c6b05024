"""Job schedules over the SDK, with the service's clock moved by hand."""

from datetime import timedelta

import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.batch.models._models import BatchJobTerminateOptions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from emulator.testing import Emulator
from tests.emulator.helpers import code
from tests.emulator.jobs.test_jobs import POOL, refused

HOURLY = m.BatchJobScheduleConfiguration(recurrence_interval=timedelta(hours=1))


@pytest.fixture
def schedule(batch: BatchClient) -> str:
    batch.create_job_schedule(
        m.BatchJobScheduleCreateOptions(
            id="hourly", schedule=HOURLY, job_specification=m.BatchJobSpecification(pool_info=POOL, priority=3)
        )
    )
    return "hourly"


def test_a_schedule_creates_its_jobs(emulator: Emulator, batch: BatchClient, schedule: str) -> None:
    found = batch.get_job_schedule(schedule)
    assert found.state == "active"
    assert found.execution_info.recent_job is not None
    assert found.execution_info.recent_job.id == "hourly:job-1"
    assert found.execution_info.next_run_time is not None
    assert found.job_specification.priority == 3
    (job,) = batch.list_jobs_from_schedule(schedule)
    assert (job.id, job.priority) == ("hourly:job-1", 3)
    batch.begin_terminate_job(job.id, options=BatchJobTerminateOptions(termination_reason="enough")).result()
    emulator.clock(advance=3600)
    jobs = list(batch.list_jobs_from_schedule(schedule, filter="state eq 'active'"))
    assert [job.id for job in jobs] == ["hourly:job-2"]
    assert {job.id for job in batch.list_jobs()} == {"hourly:job-1", "hourly:job-2"}


def test_verbs(batch: BatchClient, schedule: str) -> None:
    assert batch.job_schedule_exists(schedule)
    batch.disable_job_schedule(schedule)
    assert batch.get_job_schedule(schedule).state == "disabled"
    batch.enable_job_schedule(schedule)
    assert batch.get_job_schedule(schedule).state == "active"
    batch.update_job_schedule(
        schedule, m.BatchJobScheduleUpdateOptions(metadata=[m.BatchMetadataItem(name="a", value="b")])
    )
    found = batch.get_job_schedule(schedule)
    assert found.metadata == [m.BatchMetadataItem(name="a", value="b")]
    assert found.schedule is not None
    assert found.schedule.recurrence_interval == timedelta(hours=1)
    found.metadata = None
    batch.replace_job_schedule(schedule, found)
    assert batch.get_job_schedule(schedule).metadata is None
    batch.begin_terminate_job_schedule(schedule).result()
    assert batch.get_job_schedule(schedule).state == "completed"
    assert batch.get_job("hourly:job-1").state == "completed"
    assert refused(lambda: batch.disable_job_schedule(schedule)) == (409, "JobScheduleCompleted")
    batch.begin_delete_job_schedule(schedule).result()
    assert list(batch.list_jobs()) == []
    with pytest.raises(ResourceNotFoundError):
        batch.get_job_schedule(schedule)


def test_lists_filter_and_select(batch: BatchClient, schedule: str) -> None:
    assert [found.id for found in batch.list_job_schedules(filter="state eq 'active'")] == [schedule]
    (found,) = batch.list_job_schedules(select=["id"])
    assert found.as_dict() == {"id": schedule}
    assert list(batch.list_job_schedules(filter="startswith(id, 'x')")) == []


@pytest.mark.parametrize("interval", [timedelta(seconds=59), timedelta(0)])
def test_an_interval_of_less_than_a_minute_is_refused(batch: BatchClient, interval: timedelta) -> None:
    wanted = m.BatchJobScheduleCreateOptions(
        id="fast",
        schedule=m.BatchJobScheduleConfiguration(recurrence_interval=interval),
        job_specification=m.BatchJobSpecification(pool_info=POOL),
    )
    with pytest.raises(HttpResponseError) as caught:
        batch.create_job_schedule(wanted)
    assert code(caught.value) == (400, "InvalidPropertyValue")


def test_jobs_and_schedules_share_their_ids(batch: BatchClient, schedule: str) -> None:
    job = m.BatchJobCreateOptions(id=schedule, pool_info=POOL)
    assert refused(lambda: batch.create_job(job)) == (409, "JobScheduleWithSameIdExists")
