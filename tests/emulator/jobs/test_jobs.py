"""Jobs: verbs, states, conditions, lists, what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.batch.models._models import BatchJobTerminateOptions
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from emulator.testing import Emulator
from tests.emulator.conftest import batch_client
from tests.emulator.helpers import code
from tests.emulator.jobs.conftest import task

UNLIMITED = timedelta(days=10675199, hours=2, minutes=48, seconds=5.477581)
POOL = m.BatchPoolInfo(pool_id="nowhere")


def refused(call: Any) -> tuple[int | None, str]:
    with pytest.raises(HttpResponseError) as caught:
        call()
    return code(caught.value)


def test_a_job_has_the_services_defaults(batch: BatchClient, job: str) -> None:
    found = batch.get_job(job)
    assert (found.id, found.state, found.priority, found.max_parallel_tasks) == ("job", "active", 0, -1)
    assert (found.all_tasks_complete_mode, found.task_failure_mode) == ("noaction", "noaction")
    assert found.uses_task_dependencies is False
    assert found.allow_task_preemption is False
    assert found.constraints is not None
    assert found.constraints.max_task_retry_count == 0
    assert found.constraints.max_wall_clock_time == UNLIMITED
    assert found.execution_info is not None
    assert found.execution_info.pool_id == "nowhere"
    assert found.execution_info.start_time == found.creation_time
    assert found.url.endswith("/local/jobs/job")


def test_everything_given_comes_back(batch: BatchClient) -> None:
    files = [m.ResourceFile(http_url="https://host/file", file_path="file")]
    batch.create_job(
        m.BatchJobCreateOptions(
            id="Full",
            display_name="All of it",
            priority=100,
            max_parallel_tasks=7,
            uses_task_dependencies=True,
            constraints=m.BatchJobConstraints(max_wall_clock_time=timedelta(hours=2), max_task_retry_count=4),
            job_manager_task=m.BatchJobManagerTask(id="boss", command_line="lead", resource_files=files),
            job_preparation_task=m.BatchJobPreparationTask(command_line="prepare"),
            job_release_task=m.BatchJobReleaseTask(command_line="release"),
            common_environment_settings=[m.EnvironmentSetting(name="X", value="1")],
            pool_info=POOL,
            all_tasks_complete_mode=m.BatchAllTasksCompleteMode.TERMINATE_JOB,
            task_failure_mode=m.BatchTaskFailureMode.PERFORM_EXIT_OPTIONS_JOB_ACTION,
            metadata=[m.BatchMetadataItem(name="a", value="b")],
        )
    )
    found = batch.get_job("full")
    assert (found.id, found.display_name, found.priority, found.max_parallel_tasks) == ("Full", "All of it", 100, 7)
    assert found.constraints is not None
    assert found.constraints.max_wall_clock_time == timedelta(hours=2)
    assert found.job_manager_task is not None
    assert found.job_manager_task.resource_files is not None
    assert found.job_manager_task.resource_files[0].http_url == "https://host/file"
    assert (found.job_manager_task.run_exclusive, found.job_manager_task.kill_job_on_completion) == (True, True)
    assert found.job_preparation_task is not None
    assert (found.job_preparation_task.id, found.job_preparation_task.wait_for_success) == ("jobpreparation", True)
    assert found.job_release_task is not None
    assert found.job_release_task.max_wall_clock_time == timedelta(minutes=15)
    assert found.metadata == [m.BatchMetadataItem(name="a", value="b")]
    assert found.state == "active", "the job manager task is waiting"
    assert [found.id for found in batch.list_tasks("Full")] == ["boss"]


def test_patch_changes_what_is_given_and_put_resets_the_rest(batch: BatchClient, job: str) -> None:
    batch.update_job(job, m.BatchJobUpdateOptions(priority=5, metadata=[m.BatchMetadataItem(name="a", value="b")]))
    batch.update_job(job, m.BatchJobUpdateOptions(max_parallel_tasks=3))
    found = batch.get_job(job)
    assert (found.priority, found.max_parallel_tasks, len(found.metadata or [])) == (5, 3, 1)
    found.max_parallel_tasks = None
    found.metadata = None
    batch.replace_job(job, found)
    found = batch.get_job(job)
    assert (found.priority, found.max_parallel_tasks, found.metadata) == (5, -1, None)


def test_a_change_gives_a_new_tag_and_old_tags_are_refused(batch: BatchClient, job: str) -> None:
    before = batch.get_job(job)
    batch.update_job(job, m.BatchJobUpdateOptions(priority=1))
    after = batch.get_job(job)
    assert after.etag != before.etag
    with pytest.raises(ResourceModifiedError):
        batch.update_job(
            job,
            m.BatchJobUpdateOptions(priority=2),
            etag=before.etag,
            match_condition=MatchConditions.IfNotModified,
        )
    batch.update_job(
        job, m.BatchJobUpdateOptions(priority=2), etag=after.etag, match_condition=MatchConditions.IfNotModified
    )
    assert refused(lambda: batch.get_job(job, if_modified_since=after.last_modified + timedelta(days=1)))[0] == 304


def test_disable_and_enable(batch: BatchClient, job: str) -> None:
    batch.begin_disable_job(job, m.BatchJobDisableOptions(disable_tasks="requeue")).result()
    found = batch.get_job(job)
    assert (found.state, found.previous_state) == ("disabled", "disabling")
    batch.create_task(job, task("waits"))
    batch.begin_enable_job(job).result()
    assert batch.get_job(job).state == "active"
    assert refused(lambda: batch.begin_enable_job(job)) == (409, "OperationInvalidForCurrentState")


def test_terminate(batch: BatchClient, job: str) -> None:
    batch.create_task(job, task("waits"))
    batch.begin_terminate_job(job, options=BatchJobTerminateOptions(termination_reason="enough")).result()
    found = batch.get_job(job)
    assert found.state == "completed"
    assert found.execution_info is not None
    assert found.execution_info.termination_reason == "enough"
    assert found.execution_info.end_time is not None
    assert batch.get_task(job, "waits").state == "active"
    for call in (
        lambda: batch.create_task(job, task("late")),
        lambda: batch.update_job(job, m.BatchJobUpdateOptions(priority=1)),
        lambda: batch.begin_terminate_job(job, options=BatchJobTerminateOptions(termination_reason="enough")),
        lambda: batch.begin_disable_job(job, m.BatchJobDisableOptions(disable_tasks="wait")),
        lambda: batch.reactivate_task(job, "waits"),
    ):
        assert refused(call) == (409, "JobCompleted")


def test_delete_takes_the_tasks_and_frees_the_id(batch: BatchClient, job: str) -> None:
    batch.create_task(job, task("gone"))
    batch.begin_delete_job(job).result()
    with pytest.raises(ResourceNotFoundError):
        batch.get_job(job)
    assert refused(lambda: list(batch.list_tasks(job))) == (404, "JobNotFound")
    batch.create_job(m.BatchJobCreateOptions(id=job, pool_info=POOL))
    assert list(batch.list_tasks(job)) == []
    counts = batch.get_job_task_counts(job)
    assert counts.task_counts.active == 0


@pytest.mark.parametrize(
    ("properties", "expected", "name"),
    [
        ({"id": "a b"}, "InvalidPropertyValue", "id"),
        ({"id": "x" * 65}, "InvalidPropertyValue", "id"),
        ({"priority": 1001}, "InvalidPropertyValue", "priority"),
        ({"priority": "high"}, "InvalidPropertyValue", "priority"),
        ({"poolInfo": None}, "MissingRequiredProperty", "poolInfo"),
        ({"poolInfo": {}}, "InvalidPropertyValue", "poolInfo"),
        ({"colour": "red"}, "InvalidRequestBody", "colour"),
        ({"maxParallelTasks": 0}, "InvalidPropertyValue", "body"),
        ({"onTaskFailure": "panic"}, "InvalidPropertyValue", "onTaskFailure"),
        ({"constraints": {"maxWallClockTime": "soon"}}, "InvalidPropertyValue", "constraints"),
        ({"jobReleaseTask": {"commandLine": "x"}}, "InvalidPropertyValue", "body"),
        ({"jobManagerTask": {"commandLine": "x"}}, "MissingRequiredProperty", "jobManagerTask.id"),
        (
            {"jobManagerTask": {"id": "m", "commandLine": "x", "resourceFiles": [{"httpUrl": "u"}]}},
            "InvalidPropertyValue",
            "jobManagerTask.resourceFiles[0]",
        ),
    ],
)
def test_a_bad_job_is_refused_by_property(
    emulator: Emulator, properties: dict[str, Any], expected: str, name: str
) -> None:
    with batch_client(emulator) as client:
        body = {"id": "bad", "poolInfo": {"poolId": "p"}, **properties}
        with pytest.raises(HttpResponseError) as caught:
            client.create_job(body)  # type: ignore[arg-type]
    assert code(caught.value) == (400, expected)
    response: Any = caught.value.response
    values = {value["key"]: value["value"] for value in response.json()["values"]}
    assert values["PropertyName"] == name


def test_ids_differ_by_more_than_case(batch: BatchClient, job: str) -> None:
    create = m.BatchJobCreateOptions(id="JOB", pool_info=POOL)
    assert refused(lambda: batch.create_job(create)) == (409, "JobExists")


def test_lists_filter_select_and_page(batch: BatchClient) -> None:
    for number in range(7):
        batch.create_job(m.BatchJobCreateOptions(id=f"j{number}", pool_info=POOL))
    batch.begin_terminate_job("j3", options=BatchJobTerminateOptions(termination_reason="enough")).result()
    active = [found.id for found in batch.list_jobs(filter="state eq 'active'", max_results=2)]
    assert active == ["j0", "j1", "j2", "j4", "j5", "j6"]
    (only,) = batch.list_jobs(filter="id eq 'J5'", select=["id", "state"])
    assert only.as_dict().keys() == {"id", "state"}
    assert refused(lambda: list(batch.list_jobs(filter="priority eq 5"))) == (400, "InvalidQueryParameterValue")
    assert refused(lambda: list(batch.list_jobs(select=["colour"]))) == (400, "InvalidQueryParameterValue")
    assert len(list(batch.list_jobs(expand=["stats"]))) == 7


def test_the_preparation_status_needs_a_preparation(batch: BatchClient, job: str) -> None:
    call = batch.list_job_preparation_and_release_task_status
    assert refused(lambda: list(call(job))) == (404, "JobPreparationTaskNotSpecified")
    batch.create_job(
        m.BatchJobCreateOptions(
            id="prepared", pool_info=POOL, job_preparation_task=m.BatchJobPreparationTask(command_line="x")
        )
    )
    assert list(call("prepared")) == []
