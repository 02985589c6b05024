"""Start tasks as real processes."""

import os
import re
from pathlib import Path

from azure.batch import BatchClient
from azure.batch.models import BatchApplicationPackageReference, EnvironmentSetting, ResourceFile
from azure.storage.blob import BlobServiceClient

from emulator.testing import Azurite, Emulator
from tests.emulator.estate import REBOOT, REIMAGE, node_is, nodes_in, pool, start_task, text
from tests.emulator.runners.conftest import Publish, is_alive, zipped


def test_a_start_task_sees_a_clean_environment(batch: BatchClient) -> None:
    os.environ["HOST_SECRET"] = "of the host"  # the service was started before, with whatever the test run has
    script = start_task("env; pwd >&2", environment_settings=[EnvironmentSetting(name="COLOUR", value="a b")])
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=script))
    (node,) = nodes_in(batch, "idle", 1)
    lines = dict(line.split("=", 1) for line in text(batch, node.id, "startup/stdout.txt").splitlines())
    root = Path(lines["AZ_BATCH_NODE_ROOT_DIR"])
    assert lines["COLOUR"] == "a b"
    assert lines["AZ_BATCH_POOL_ID"] == "p"
    assert lines["AZ_BATCH_NODE_ID"] == node.id
    assert lines["AZ_BATCH_ACCOUNT_NAME"] == "local"
    assert lines["AZ_BATCH_NODE_IS_DEDICATED"] == "true"
    assert lines["AZ_BATCH_NODE_STARTUP_DIR"] == str(root / "startup")
    assert lines["AZ_BATCH_TASK_WORKING_DIR"] == str(root / "startup" / "wd")
    assert text(batch, node.id, "startup/stderr.txt").strip() == str(root / "startup" / "wd")
    allowed = {"PATH", "LANG", "HOME", "USER", "PWD", "SHLVL", "_", "OLDPWD", "COLOUR"}
    assert {name for name in lines if not name.startswith("AZ_BATCH_")} <= allowed


def test_the_command_line_is_no_shell(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=start_task("", command_line="/bin/echo '$HOME' && no")))
    (node,) = nodes_in(batch, "idle", 1)
    assert text(batch, node.id, "startup/stdout.txt") == "$HOME && no\n"


def test_failures_are_retried_and_then_final(batch: BatchClient) -> None:
    batch.create_pool(
        pool(target_dedicated_nodes=1, start_task=start_task("echo x >> tries; exit 9", max_task_retry_count=2))
    )
    (node,) = nodes_in(batch, "starttaskfailed", 1)
    info = node.start_task_info
    assert info is not None
    assert (info.state, info.result, info.exit_code, info.retry_count) == ("completed", "failure", 9, 2)
    assert info.last_retry_time is not None
    assert text(batch, node.id, "startup/wd/tries") == "x\nx\nx\n"


def test_without_waiting_the_node_works_meanwhile(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=start_task("sleep 600", wait_for_success=False)))
    (node,) = nodes_in(batch, "idle", 1)
    assert node.start_task_info is not None
    assert node.start_task_info.state == "running"
    batch.begin_delete_pool("p", polling_interval=0).result()


def test_an_unknown_program(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=start_task("", command_line="nothing-like-this -x")))
    (node,) = nodes_in(batch, "starttaskfailed", 1)
    info = node.start_task_info
    assert info is not None
    assert info.failure_info is not None
    assert (info.exit_code, info.failure_info.category, info.failure_info.code) == (
        None,
        "usererror",
        "CommandProgramNotFound",
    )


def test_resource_files(linked: Emulator, azurite: Azurite, batch: BatchClient) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string("devstoreaccount1")) as blobs:
        container = blobs.get_container_client("inputs")
        if not container.exists():
            container.create_container(public_access="container")
        container.upload_blob("a/one.txt", b"1", overwrite=True)
        container.upload_blob("a/two.txt", b"2", overwrite=True)
        files = [
            ResourceFile(http_url=f"{container.url}/a/one.txt", file_path="x/single.txt", file_mode="0755"),
            ResourceFile(auto_storage_container_name="inputs", blob_prefix="a/", file_path="all"),
        ]
        script = start_task(
            "cat x/single.txt all/a/one.txt all/a/two.txt; stat -c %a x/single.txt", resource_files=files
        )
        batch.create_pool(pool(target_dedicated_nodes=1, start_task=script))
        (node,) = nodes_in(batch, "idle", 1)
        assert text(batch, node.id, "startup/stdout.txt") == "112755\n"
        missing = [ResourceFile(http_url=f"{container.url}/none", file_path="none")]
        batch.create_pool(pool("q", target_dedicated_nodes=1, start_task=start_task("true", resource_files=missing)))
        (failed,) = nodes_in(batch, "starttaskfailed", 1, "q")
        assert failed.start_task_info is not None
        assert failed.start_task_info.failure_info is not None
        assert failed.start_task_info.failure_info.code == "BlobNotFound"
        assert "none" in str(failed.start_task_info.failure_info.details)


def test_a_reboot_runs_it_again_and_ends_what_ran(batch: BatchClient) -> None:
    script = start_task("echo run; nohup sleep 987654 >/dev/null 2>&1 & echo $! > pid")
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=script))
    (node,) = nodes_in(batch, "idle", 1)
    pid = int(text(batch, node.id, "startup/wd/pid"))
    assert is_alive(pid)
    batch.begin_reboot_node("p", node.id, REBOOT)
    again = node_is(batch, node.id, "idle")
    assert not is_alive(pid)
    assert again.start_task_info is not None
    assert node.start_task_info is not None
    assert again.start_task_info.start_time > node.start_task_info.start_time
    assert text(batch, node.id, "startup/stdout.txt") == "run\n"


def test_a_reimage_empties_the_disk(batch: BatchClient) -> None:
    script = start_task("ls $AZ_BATCH_NODE_SHARED_DIR; touch $AZ_BATCH_NODE_SHARED_DIR/kept")
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=script))
    (node,) = nodes_in(batch, "idle", 1)
    batch.begin_reboot_node("p", node.id, REBOOT)
    node_is(batch, node.id, "idle")
    assert text(batch, node.id, "startup/stdout.txt") == "kept\n"
    batch.begin_reimage_node("p", node.id, REIMAGE)
    node_is(batch, node.id, "idle")
    assert text(batch, node.id, "startup/stdout.txt") == ""


def package(application: str, version: str | None = None) -> BatchApplicationPackageReference:
    return BatchApplicationPackageReference(application_id=application, version=version)


def test_packages_are_installed_and_named(publish: Publish, batch: BatchClient) -> None:
    content = zipped({"bin/run.sh": "#!/bin/sh\necho packaged", "data.txt": "x"}, {"bin/run.sh": 0o755})
    publish("My-App", "2.7", content, default=True)
    references = [package("my-app", "2.7"), package("My-App")]
    script = start_task("$AZ_BATCH_APP_PACKAGE_my_app_2_7/bin/run.sh; echo $AZ_BATCH_APP_PACKAGE_My_App")
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=script, application_package_references=references))
    (node,) = nodes_in(batch, "idle", 1)
    first, folder = text(batch, node.id, "startup/stdout.txt").splitlines()
    assert first == "packaged"
    assert re.fullmatch(r"my-app2\.7\d{4}-\d\d-\d\d-\d\d-\d\d", Path(folder).name)
    names = [found.name for found in batch.list_node_files("p", node.id, recursive=True)]
    assert f"applications/{Path(folder).name}/data.txt" in names
    assert not [name for name in names if name and "/." in name]


def test_a_broken_package_makes_the_node_unusable(publish: Publish, batch: BatchClient) -> None:
    publish("app", "1", b"this is no zip")
    batch.create_pool(pool(target_dedicated_nodes=1, application_package_references=[package("app", "1")]))
    (node,) = nodes_in(batch, "unusable", 1)
    assert node.errors
    assert node.errors[0].code == "ApplicationPackageError"
    assert "Unzip failed" in str(node.errors[0].error_details)
    publish("app", "1", zipped({"a": "b"}))
    batch.begin_reboot_node("p", node.id, REBOOT)
    assert node_is(batch, node.id, "idle").errors is None


def test_a_reactivated_package_comes_with_the_next_reboot(publish: Publish, batch: BatchClient) -> None:
    publish("app", "1", zipped({"a": "old"}))
    script = start_task("cat $AZ_BATCH_APP_PACKAGE_app_1/a")
    references = [package("app", "1")]
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=script, application_package_references=references))
    (node,) = nodes_in(batch, "idle", 1)
    publish("app", "1", zipped({"a": "new"}))
    assert text(batch, node.id, "startup/stdout.txt") == "old"
    batch.begin_reboot_node("p", node.id, REBOOT)
    node_is(batch, node.id, "idle")
    assert text(batch, node.id, "startup/stdout.txt") == "new"
