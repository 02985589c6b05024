"""Tasks as real processes on nodes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from azure.batch import BatchClient
from azure.batch.models import (
    BatchApplicationPackageReference,
    BatchJobCreateOptions,
    BatchNodeIdentityReference,
    BatchPoolInfo,
    BatchTask,
    BatchTaskConstraints,
    BatchTaskCreateOptions,
    OutputFile,
    OutputFileBlobContainerDestination,
    OutputFileDestination,
    OutputFileUploadConfiguration,
    OutputFileUploadHeader,
    ResourceFile,
)
from azure.storage.blob import BlobServiceClient

from emulator.testing import Azurite, Emulator
from tests.emulator.estate import machine, nodes_in, pool, text, until
from tests.emulator.runners.conftest import Publish, zipped

FOLDER = "workitems/j/job-1/t"


def run(batch: BatchClient, command: str, task_id: str = "t", **more: Any) -> BatchTask:
    """The task once it is completed."""
    if not any(job.id == "j" for job in batch.list_jobs()):
        batch.create_job(BatchJobCreateOptions(id="j", pool_info=BatchPoolInfo(pool_id="p")))
    batch.create_task("j", BatchTaskCreateOptions(id=task_id, command_line=command, **more))
    return until(lambda: batch.get_task("j", task_id), lambda found: found.state == "completed")


def test_a_task_has_a_directory_of_its_own(batch: BatchClient, node_id: str) -> None:
    task = run(batch, "/bin/sh -c 'echo out; echo err >&2; pwd; env; exit 3'")
    assert task.execution_info is not None
    assert (task.execution_info.exit_code, task.execution_info.result) == (3, "failure")
    lines = text(batch, node_id, f"{FOLDER}/stdout.txt").splitlines()
    assert lines[0] == "out"
    assert lines[1].endswith(f"/{FOLDER}/wd")
    found = dict(line.split("=", 1) for line in lines[2:])
    assert (found["AZ_BATCH_JOB_ID"], found["AZ_BATCH_TASK_ID"], found["AZ_BATCH_NODE_ID"]) == ("j", "t", node_id)
    assert found["AZ_BATCH_TASK_DIR"].endswith(FOLDER)
    assert text(batch, node_id, f"{FOLDER}/stderr.txt") == "err\n"
    tasks = batch.get_node("p", node_id).recent_tasks
    assert tasks is not None
    (recent,) = tasks
    assert (recent.task_id, recent.task_state) == ("t", "completed")
    assert recent.execution_info is not None
    assert recent.execution_info.exit_code == 3
    assert batch.get_node("p", node_id).total_tasks_run == 1


def test_packages_of_a_task(publish: Publish, batch: BatchClient, node_id: str) -> None:
    publish("tool", "1.0", zipped({"tool.sh": "#!/bin/sh\necho tool"}, {"tool.sh": 0o755}))
    publish("bad", "1", b"no zip")
    good = [BatchApplicationPackageReference(application_id="tool", version="1.0")]
    done = run(batch, "$AZ_BATCH_APP_PACKAGE_tool_1_0/tool.sh", application_package_references=good)
    assert done.execution_info is not None
    assert done.execution_info.failure_info is not None
    assert done.execution_info.failure_info.code == "CommandProgramNotFound", "only a shell expands variables"
    run(batch, "/bin/sh -c 'exec $AZ_BATCH_APP_PACKAGE_tool_1_0/tool.sh'", "u", application_package_references=good)
    assert text(batch, node_id, "workitems/j/job-1/u/stdout.txt") == "tool\n"
    bad = [BatchApplicationPackageReference(application_id="bad", version="1")]
    failed = run(batch, "/bin/true", "v", application_package_references=bad)
    assert failed.execution_info is not None
    info = failed.execution_info.failure_info
    assert info is not None
    assert (info.category, info.code) == ("servererror", "ApplicationPackageError")
    assert "Unzip failed" in str(info.details)


def test_inputs_and_outputs(linked: Emulator, azurite: Azurite, batch: BatchClient, node_id: str) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string("devstoreaccount1")) as blobs:
        container = blobs.get_container_client("results")
        if not container.exists():
            container.create_container()
        container.upload_blob("in.txt", b"input", overwrite=True)
        outputs = [
            _output("../std*.txt", container.url, "taskcompletion", "logs"),
            _output("out/**/*.txt", container.url, "tasksuccess", "made"),
            _output("out/a.txt", container.url, "taskfailure", "never"),
        ]
        command = "/bin/sh -c 'cat in/in.txt; mkdir -p out/b; echo 1 > out/a.txt; echo 2 > out/b/c.txt'"
        inputs = [ResourceFile(auto_storage_container_name="results", blob_prefix="in", file_path="in")]
        done = run(batch, command, output_files=outputs, resource_files=inputs)
        assert done.execution_info is not None
        assert done.execution_info.result == "success", done.execution_info.failure_info
        names = {blob.name for blob in container.list_blobs()}
        assert {"logs/stdout.txt", "logs/stderr.txt", "made/a.txt", "made/b/c.txt"} <= names
        assert "never" not in names
        assert container.download_blob("logs/stdout.txt").readall() == b"input"
        lost = run(
            batch,
            "/bin/true",
            "lost",
            output_files=[_output("../stdout.txt", f"{blobs.url}none", "taskcompletion", "x")],
        )
        assert lost.execution_info is not None
        assert lost.execution_info.failure_info is not None
        assert lost.execution_info.failure_info.code == "FileUploadContainerNotFound"
        assert lost.execution_info.exit_code == 0


def test_files_as_the_nodes_identity(linked: Emulator, azurite: Azurite, batch: BatchClient, node_id: str) -> None:
    """Addresses without a signature are for those who may read them."""
    identity = BatchNodeIdentityReference(resource_id="/subscriptions/s/resourceGroups/g/providers/x/y/z")
    with BlobServiceClient.from_connection_string(azurite.connection_string("devstoreaccount1")) as blobs:
        container = blobs.create_container(f"identity{uuid4().hex}")
        container.upload_blob("in/a b.txt", b"input")
        given = ResourceFile(http_url=f"{container.url}/in/a%20b.txt", file_path="in.txt", identity_reference=identity)
        plain = ResourceFile(http_url=f"{container.url}/in/a%20b.txt", file_path="in.txt")
        headers = [
            OutputFileUploadHeader(name="x-ms-blob-content-type", value="text/csv"),
            OutputFileUploadHeader(name="x-ms-meta-origin", value="here"),
        ]
        place = OutputFileBlobContainerDestination(
            container_url=container.url, path="out.csv", identity_reference=identity, upload_headers=headers
        )
        output = OutputFile(
            file_pattern="in.txt",
            destination=OutputFileDestination(container=place),
            upload_options=OutputFileUploadConfiguration(upload_condition="tasksuccess"),
        )
        done = run(batch, "/bin/cat in.txt", resource_files=[given], output_files=[output])
        assert done.execution_info is not None
        assert done.execution_info.result == "success", done.execution_info.failure_info
        properties = container.get_blob_client("out.csv").get_blob_properties()
        assert (properties.content_settings.content_type, properties.metadata) == ("text/csv", {"origin": "here"})
        refused = run(batch, "/bin/cat in.txt", "refused", resource_files=[plain]).execution_info
        assert refused is not None
        assert refused.failure_info is not None
        assert refused.failure_info.code in {"BlobAccessDenied", "BlobNotFound"}


def _output(pattern: str, url: str, condition: str, path: str) -> OutputFile:
    destination = OutputFileDestination(container=OutputFileBlobContainerDestination(container_url=url, path=path))
    options = OutputFileUploadConfiguration(upload_condition=condition)
    return OutputFile(file_pattern=pattern, destination=destination, upload_options=options)


def test_a_limit_of_time(emulator: Emulator, batch: BatchClient, node_id: str) -> None:
    batch.create_job(BatchJobCreateOptions(id="j", pool_info=BatchPoolInfo(pool_id="p")))
    constraints = BatchTaskConstraints(max_wall_clock_time=timedelta(minutes=10))
    batch.create_task("j", BatchTaskCreateOptions(id="t", command_line="sleep 100000", constraints=constraints))
    until(lambda: batch.get_task("j", "t"), lambda found: found.state == "running")
    emulator.clock(advance="PT10M")
    done = until(lambda: batch.get_task("j", "t"), lambda found: found.state == "completed")
    assert done.execution_info is not None
    assert done.execution_info.result == "failure"
    until(lambda: batch.get_node("p", node_id), lambda node: node.state == "idle")


def test_directories_go_when_their_time_is_over(emulator: Emulator, batch: BatchClient, node_id: str) -> None:
    run(batch, "/bin/true")
    emulator.clock(advance="P6DT23H")
    names = [found.name for found in batch.list_node_files("p", node_id, recursive=True)]
    assert f"{FOLDER}/stdout.txt" in names
    emulator.clock(advance="PT1H")
    until(
        lambda: [found.name for found in batch.list_node_files("p", node_id, recursive=True)],
        lambda found: not [name for name in found if name and name.startswith(FOLDER)],
    )


def test_windows_lines_are_translated(batch: BatchClient) -> None:
    image = {"publisher": "microsoftwindowsserver", "offer": "windowsserver", "sku": "2022-datacenter"}
    windows = machine()
    windows["imageReference"], windows["nodeAgentSKUId"] = image, "batch.node.windows amd64"
    batch.create_pool(pool(target_dedicated_nodes=1, virtual_machine_configuration=windows))
    (node,) = nodes_in(batch, "idle", 1)
    done = run(batch, 'cmd /c "echo %AZ_BATCH_TASK_ID% on %AZ_BATCH_POOL_ID%& exit /b 4"')
    assert done.execution_info is not None
    assert done.execution_info.exit_code == 4
    assert text(batch, node.id, f"{FOLDER}/stdout.txt") == "t on p\n"
    assert "not a Windows machine" in text(batch, node.id, f"{FOLDER}/stderr.txt")
