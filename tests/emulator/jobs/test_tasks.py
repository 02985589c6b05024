"""Tasks: verbs, states, collections, lists, counts, what is refused."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.core.exceptions import HttpResponseError

from emulator.testing import Emulator
from tests.emulator.helpers import code
from tests.emulator.jobs.conftest import task
from tests.emulator.jobs.test_jobs import POOL, UNLIMITED, refused

BEARER = {"Authorization": "Bearer test"}
NEWEST = "2025-06-01"


def test_a_task_has_the_services_defaults(batch: BatchClient, job: str) -> None:
    batch.create_task(job, task("one"))
    found = batch.get_task(job, "ONE")
    assert (found.id, found.state, found.required_slots, found.command_line) == ("one", "active", 1, "echo")
    assert found.constraints is not None
    assert found.constraints.max_wall_clock_time == UNLIMITED
    assert (found.constraints.retention_time, found.constraints.max_task_retry_count) == (timedelta(days=7), 0)
    assert found.user_identity is not None
    assert found.user_identity.auto_user is not None
    assert (found.user_identity.auto_user.scope, found.user_identity.auto_user.elevation_level) == ("pool", "nonadmin")
    assert found.execution_info is not None
    assert (found.execution_info.retry_count, found.execution_info.requeue_count) == (0, 0)
    assert found.url.endswith("/local/jobs/job/tasks/one")
    assert found.node_info is None


def test_everything_given_comes_back(batch: BatchClient) -> None:
    batch.create_job(
        m.BatchJobCreateOptions(
            id="j",
            pool_info=POOL,
            uses_task_dependencies=True,
            task_failure_mode=m.BatchTaskFailureMode.PERFORM_EXIT_OPTIONS_JOB_ACTION,
        )
    )
    given = m.BatchTaskCreateOptions(
        id="full",
        display_name="All of it",
        command_line="/bin/sh -c 'echo $X'",
        environment_settings=[m.EnvironmentSetting(name="X", value="1")],
        resource_files=[m.ResourceFile(auto_storage_container_name="files", blob_prefix="a/")],
        output_files=[
            m.OutputFile(
                file_pattern="../std*.txt",
                destination=m.OutputFileDestination(
                    container=m.OutputFileBlobContainerDestination(container_url="https://host/c", path="p")
                ),
                upload_options=m.OutputFileUploadConfiguration(
                    upload_condition=m.OutputFileUploadCondition.TASK_COMPLETION
                ),
            )
        ],
        affinity_info=m.BatchAffinityInfo(affinity_id="TVM:n"),
        constraints=m.BatchTaskConstraints(max_wall_clock_time=timedelta(minutes=90), max_task_retry_count=-1),
        required_slots=4,
        user_identity=m.UserIdentity(username="worker"),
        depends_on=m.BatchTaskDependencies(task_ids=["a"], task_id_ranges=[m.BatchTaskIdRange(start=1, end=9)]),
        application_package_references=[m.BatchApplicationPackageReference(application_id="app", version="1")],
        exit_conditions=m.ExitConditions(
            exit_codes=[
                m.ExitCodeMapping(code=1, exit_options=m.ExitOptions(job_action="disable", dependency_action="satisfy"))
            ]
        ),
        multi_instance_settings=m.MultiInstanceSettings(coordination_command_line="hello", number_of_instances=3),
    )
    batch.create_task("j", given)
    found = batch.get_task("j", "full").as_dict()
    sent = given.as_dict()
    sent["constraints"] |= {"retentionTime": "P7D", "maxWallClockTime": "PT1H30M"}
    assert {name: found[name] for name in sent} == sent


def test_replace_terminate_reactivate_delete(batch: BatchClient, job: str) -> None:
    batch.create_task(job, task("one"))
    found = batch.get_task(job, "one")
    found.constraints = m.BatchTaskConstraints(max_task_retry_count=3)
    batch.replace_task(job, "one", found)
    changed = batch.get_task(job, "one")
    assert changed.constraints is not None
    assert changed.constraints.max_task_retry_count == 3
    assert changed.etag != found.etag
    assert refused(lambda: batch.reactivate_task(job, "one")) == (409, "TaskNotCompleted")
    batch.terminate_task(job, "one")
    ended = batch.get_task(job, "one")
    assert ended.execution_info is not None
    assert ended.execution_info.failure_info is not None
    assert (ended.state, ended.previous_state) == ("completed", "active")
    assert (ended.execution_info.result, ended.execution_info.failure_info.code) == ("failure", "TaskEnded")
    assert refused(lambda: batch.terminate_task(job, "one")) == (409, "TaskCompleted")
    batch.reactivate_task(job, "one")
    again = batch.get_task(job, "one")
    assert again.execution_info is not None
    assert (again.state, again.execution_info.failure_info) == ("active", None)
    batch.delete_task(job, "one")
    assert refused(lambda: batch.get_task(job, "one")) == (404, "TaskNotFound")
    assert refused(lambda: batch.delete_task(job, "one")) == (404, "TaskNotFound")


def test_250_tasks_by_collections_are_listed_and_counted(batch: BatchClient, job: str) -> None:
    given = [task(f"t{number:03}", required_slots=2) for number in range(250)]
    result = batch.create_tasks(job, given)
    assert {found.status for found in result.result_values or []} == {"success"}
    assert [found.id for found in batch.list_tasks(job, max_results=90)] == [found.id for found in given]
    counts = batch.get_job_task_counts(job)
    assert (counts.task_counts.active, counts.task_slot_counts.active) == (250, 500)
    batch.terminate_task(job, "t000")
    batch.delete_task(job, "t001")
    counts = batch.get_job_task_counts(job)
    assert (counts.task_counts.active, counts.task_counts.completed, counts.task_counts.failed) == (248, 1, 1)
    assert (counts.task_slot_counts.active, counts.task_slot_counts.failed) == (496, 2)


def _post(emulator: Emulator, path: str, body: Any, version: str = NEWEST) -> httpx.Response:
    return httpx.post(f"{emulator.account_url()}{path}?api-version={version}", json=body, headers=BEARER)


def test_a_collection_says_for_each_task_what_became_of_it(emulator: Emulator, batch: BatchClient, job: str) -> None:
    batch.create_task(job, task("there"))
    response = _post(
        emulator,
        f"/jobs/{job}/addtaskcollection",
        {"value": [{"id": name, "commandLine": "x"} for name in ("new", "there", "NEW")]},
    )
    assert response.status_code == 200
    first, second, third = response.json()["value"]
    assert (first["status"], first["taskId"]) == ("success", "new")
    assert first["location"].endswith("/jobs/job/tasks/new")
    assert first["eTag"] == batch.get_task(job, "new").etag
    assert (second["status"], second["error"]["code"]) == ("clienterror", "TaskExists")
    assert second["error"]["message"]["value"].startswith("The specified task already exists.")
    assert (third["status"], third["error"]["code"]) == ("clienterror", "TaskExists")
    assert batch.get_job_task_counts(job).task_counts.active == 2


@pytest.mark.parametrize(
    ("body", "status", "expected", "name"),
    [
        ({"value": [{"id": "a", "commandLine": "x"}] * 101}, 413, "RequestBodyTooLarge", None),
        ({"value": [{"id": "a", "commandLine": "x" * (1 << 20)}]}, 413, "RequestBodyTooLarge", None),
        ({}, 400, "MissingRequiredProperty", "value"),
        ({"value": [{"id": "a", "commandLine": "x"}, {"id": "b"}]}, 400, "MissingRequiredProperty", None),
        ({"value": [{"id": "a", "commandLine": "x", "slots": 1}]}, 400, "InvalidRequestBody", "value[0].slots"),
        ({"value": ["a"]}, 400, "InvalidPropertyValue", "value[0]"),
        ({"value": [], "more": 1}, 400, "InvalidRequestBody", "more"),
    ],
)
def test_a_collection_that_cannot_be_read(
    emulator: Emulator, job: str, body: Any, status: int, expected: str, name: str | None
) -> None:
    response = _post(emulator, f"/jobs/{job}/addtaskcollection", body)
    assert (response.status_code, response.json()["code"]) == (status, expected)
    if name is not None:
        assert {"key": "PropertyName", "value": name} in response.json()["values"]


def test_the_sdk_halves_what_is_too_large(batch: BatchClient, job: str) -> None:
    given = [task(f"t{number:02}", environment_settings=[_large()]) for number in range(100)]
    batch.create_tasks(job, given)
    assert batch.get_job_task_counts(job).task_counts.active == 100


def _large() -> m.EnvironmentSetting:
    return m.EnvironmentSetting(name="LARGE", value="x" * 20_000)


@pytest.mark.parametrize(
    ("properties", "expected", "name"),
    [
        ({"commandLine": ""}, "InvalidPropertyValue", "commandLine"),
        ({"requiredSlots": 0}, "InvalidPropertyValue", "requiredSlots"),
        ({"constraints": {"maxTaskRetryCount": -2}}, "InvalidPropertyValue", "constraints.maxTaskRetryCount"),
        ({"dependsOn": {"taskIds": ["a"]}}, "TaskDependenciesNotSpecifiedOnJob", None),
        (
            {"dependsOn": {"taskIdRanges": [{"start": 2, "end": 1}]}},
            "InvalidPropertyValue",
            "dependsOn.taskIdRanges[0]",
        ),
        ({"dependsOn": {"taskIds": ["x" * 64_001]}}, "InvalidPropertyValue", "dependsOn"),
        ({"exitConditions": {"default": {"jobAction": "terminate"}}}, "InvalidPropertyValue", "exitConditions"),
        ({"userIdentity": {"username": "a", "autoUser": {}}}, "InvalidPropertyValue", "userIdentity"),
        ({"resourceFiles": [{"httpUrl": "u", "storageContainerUrl": "v"}]}, "InvalidPropertyValue", "resourceFiles[0]"),
        ({"outputFiles": [{"filePattern": "*"}]}, "MissingRequiredProperty", "outputFiles[0].destination"),
    ],
)
def test_a_bad_task_is_refused_by_property(
    emulator: Emulator, job: str, properties: Any, expected: str, name: str | None
) -> None:
    response = _post(emulator, f"/jobs/{job}/tasks", {"id": "bad", "commandLine": "x", **properties})
    assert (response.status_code, response.json()["code"]) == (400, expected)
    if name is not None:
        assert {"key": "PropertyName", "value": name} in response.json()["values"]


def test_numbers_may_be_text(emulator: Emulator, batch: BatchClient, job: str) -> None:
    body = {"id": "az", "commandLine": "x", "requiredSlots": "2", "constraints": {"maxWallClockTime": "PT01H00M00S"}}
    response = _post(emulator, f"/jobs/{job}/tasks", body, "2024-02-01.19.0")
    assert response.status_code == 201
    assert response.headers["location"] == response.headers["dataserviceid"]
    found = batch.get_task(job, "az")
    assert found.required_slots == 2
    assert found.constraints is not None
    assert found.constraints.max_wall_clock_time == timedelta(hours=1)


def test_filters(batch: BatchClient, job: str) -> None:
    batch.create_tasks(job, [task(f"t{number}") for number in range(5)])
    batch.terminate_task(job, "t2")
    moment = batch.get_task(job, "t0").creation_time.strftime("%Y-%m-%dT%H:%M:%S")

    def listed(wanted: str) -> list[str]:
        return [found.id for found in batch.list_tasks(job, filter=wanted)]

    assert listed("state eq 'completed'") == ["t2"]
    assert listed("executionInfo/result eq 'failure' or id eq 't4'") == ["t2", "t4"]
    assert listed("startswith(id, 't') and state eq 'active'") == ["t0", "t1", "t3", "t4"]
    assert listed(f"creationTime lt DateTime'{moment}Z'") == []
    assert len(listed("lastModifiedTime gt DateTime'2000-01-01T00:00:00Z'")) == 5
    with pytest.raises(HttpResponseError) as caught:
        listed("commandLine eq 'x'")
    assert code(caught.value) == (400, "InvalidQueryParameterValue")


def test_what_is_not_selected_is_absent(batch: BatchClient, job: str) -> None:
    batch.create_task(job, task("one"))
    (found,) = batch.list_tasks(job, select=["id", "executionInfo/retryCount"])
    assert found.as_dict() == {"id": "one", "executionInfo": {"retryCount": 0}}
    single = batch.get_task(job, "one", select=["state"]).as_dict()
    assert single.keys() == {"odata.metadata", "state"}


def test_nothing_is_a_subtask_of_a_plain_task(batch: BatchClient, job: str) -> None:
    batch.create_task(job, task("one"))
    assert list(batch.list_subtasks(job, "one")) == []


# Older versions


def _get(emulator: Emulator, path: str, version: str) -> Any:
    return httpx.get(f"{emulator.account_url()}{path}?api-version={version}", headers=BEARER).json()


@pytest.mark.parametrize(
    ("version", "flat", "validated"),
    [
        ("2017-06-01.5.1", True, True),
        ("2018-12-01.8.0", True, False),
        ("2019-08-01.10.0", True, False),
        ("2022-10-01.16.0", False, False),
    ],
)
def test_task_counts_of_older_versions(
    emulator: Emulator, batch: BatchClient, job: str, version: str, flat: bool, validated: bool
) -> None:
    batch.create_task(job, task("one"))
    found = _get(emulator, f"/jobs/{job}/taskcounts", version)
    assert (found if flat else found["taskCounts"])["active"] == 1
    assert ("taskSlotCounts" in found) is not flat
    assert ("validationStatus" in found) is validated


def test_a_task_of_2016(emulator: Emulator, batch: BatchClient, job: str) -> None:
    body = {
        "id": "old",
        "commandLine": "x",
        "runElevated": True,
        "resourceFiles": [{"blobSource": "https://host/b", "filePath": "b"}],
    }
    assert _post(emulator, f"/jobs/{job}/tasks", body, "2016-07-01.3.1").status_code == 201
    new = batch.get_task(job, "old")
    assert new.user_identity is not None
    assert new.user_identity.auto_user is not None
    assert new.user_identity.auto_user.elevation_level == "admin"
    assert new.resource_files is not None
    assert new.resource_files[0].http_url == "https://host/b"
    batch.terminate_task(job, "old")
    old = _get(emulator, f"/jobs/{job}/tasks/old", "2016-07-01.3.1")
    assert old["runElevated"] is True
    assert "userIdentity" not in old
    assert old["resourceFiles"] == [{"blobSource": "https://host/b", "filePath": "b"}]
    assert old["executionInfo"]["schedulingError"]["code"] == "TaskEnded"
    assert "failureInfo" not in old["executionInfo"]


def test_older_properties_are_unknown_to_the_newest_version(emulator: Emulator, job: str) -> None:
    body = {"id": "a", "commandLine": "x", "runElevated": True}
    assert _post(emulator, f"/jobs/{job}/tasks", body).json()["code"] == "InvalidRequestBody"
