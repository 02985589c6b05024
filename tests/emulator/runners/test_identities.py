"""Whom commands run as. Where the service is root these are users of their own, elsewhere all are the same."""

import os
from uuid import uuid4

import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.storage.blob import BlobServiceClient

from emulator.testing import Azurite, Emulator
from tests.emulator.estate import machine, nodes_in, pool, start_task, text, until

ROOT = os.geteuid() == 0
ADMIN = m.UserIdentity(auto_user=m.AutoUserSpecification(scope="pool", elevation_level="admin"))
ALONE = m.UserIdentity(auto_user=m.AutoUserSpecification(scope="task", elevation_level="nonadmin"))
ACCOUNTS = [
    m.UserAccount(name="worker", password="not used here"),
    m.UserAccount(name="boss", password="not used here", elevation_level="admin"),
]


@pytest.fixture
def nodes(batch: BatchClient) -> list[str]:
    batch.create_pool(pool(target_dedicated_nodes=2, user_accounts=ACCOUNTS))
    batch.create_job(m.BatchJobCreateOptions(id="j", pool_info=m.BatchPoolInfo(pool_id="p")))
    return [node.id for node in nodes_in(batch, "idle", 2)]


def run(batch: BatchClient, task: str, script: str, node: str | None = None, **more: object) -> m.BatchTask:
    near = m.BatchAffinityInfo(affinity_id=f"TVM:{node}") if node else None
    command = f"/bin/sh -c '{script}'"
    batch.create_task("j", m.BatchTaskCreateOptions(id=task, command_line=command, affinity_info=near, **more))  # type: ignore[call-overload]
    return until(lambda: batch.get_task("j", task), lambda found: found.state == "completed")


def written(batch: BatchClient, task: str) -> list[str]:
    return b"".join(batch.download_task_file("j", task, "stdout.txt")).decode().split()


def user(batch: BatchClient, task: str, node: str, identity: m.UserIdentity | None = None) -> int:
    """The number of the user that a task ran as."""
    run(batch, task, "id -u", node, user_identity=identity)
    return int(written(batch, task)[0])


def test_elevation_and_scope(batch: BatchClient, nodes: list[str]) -> None:
    first, second = nodes
    plain, again, there = (user(batch, name, node) for name, node in (("a", first), ("b", first), ("c", second)))
    one, other = user(batch, "d", first, ALONE), user(batch, "e", first, ALONE)
    worker = user(batch, "f", first, m.UserIdentity(username="worker"))
    boss = user(batch, "g", first, m.UserIdentity(username="boss"))
    assert plain == again, "one user for all tasks of a node"
    assert user(batch, "h", first, ADMIN) == boss == os.geteuid()
    assert len({plain, there, one, other, worker}) == (5 if ROOT else 1)
    assert (os.geteuid() in {plain, there, one, other, worker}) is not ROOT


def test_a_task_has_its_directories_and_the_shared_one_but_no_others(batch: BatchClient, nodes: list[str]) -> None:
    first, second = nodes
    script = (
        "echo x > own; echo x > $AZ_BATCH_NODE_SHARED_DIR/ours; echo x > $HOME/mine; echo $AZ_BATCH_TASK_DIR; ls .."
    )
    done = run(batch, "a", script, first)
    assert done.execution_info is not None
    assert done.execution_info.exit_code == 0
    folder, *names = written(batch, "a")
    assert names == ["stderr.txt", "stdout.txt", "wd"]
    reading = f"cat {folder}/wd/own"
    same = run(batch, "b", reading, first).execution_info
    elsewhere = run(batch, "c", reading, second).execution_info
    assert same is not None
    assert elsewhere is not None
    assert (same.result, elsewhere.result) == ("success", "failure" if ROOT else "success")


def test_resource_files_belong_to_the_task(
    batch: BatchClient, nodes: list[str], linked: Emulator, azurite: Azurite
) -> None:
    """Also the directories that were made for them."""
    with BlobServiceClient.from_connection_string(azurite.connection_strings[0]) as store:
        container = store.get_container_client(f"owned{uuid4().hex}")
        container.create_container()
        container.upload_blob("deep/file", b"given\n")
        given = m.ResourceFile(auto_storage_container_name=container.container_name)
        done = run(batch, "a", "echo more >> deep/file; touch deep/another; cat deep/file", resource_files=[given])
    assert done.execution_info is not None
    assert done.execution_info.exit_code == 0
    assert written(batch, "a") == ["given", "more"]


def test_a_user_that_the_pool_has_not(batch: BatchClient, nodes: list[str]) -> None:
    done = run(batch, "a", "id", user_identity=m.UserIdentity(username="nobody-we-know"))
    assert done.execution_info is not None
    failure = done.execution_info.failure_info
    assert failure is not None
    assert (failure.code, failure.details[0].value) == ("CommandLaunchFailed", "nobody-we-know")  # type: ignore[index]


def test_a_start_task_is_no_administrator_unless_it_says_so(batch: BatchClient) -> None:
    batch.create_pool(pool("plain", target_dedicated_nodes=1, start_task=start_task("id -u; echo $USER")))
    batch.create_pool(pool("admin", target_dedicated_nodes=1, start_task=start_task("id -u", user_identity=ADMIN)))
    (plain,), (admin,) = nodes_in(batch, "idle", 1, "plain"), nodes_in(batch, "idle", 1, "admin")
    number, name = text(batch, plain.id, "startup/stdout.txt", "plain").split()
    assert (int(number) == os.geteuid(), name) == (not ROOT, "_azbatch")
    assert int(text(batch, admin.id, "startup/stdout.txt", "admin")) == os.geteuid()


@pytest.mark.parametrize("prepared", [True, False])
def test_nothing_for_a_container_runs_outside_of_one(batch: BatchClient, prepared: bool) -> None:
    containers = m.BatchContainerConfiguration(type="dockerCompatible", container_image_names=["busybox"])
    wanted = machine(container_configuration=containers) if prepared else machine()
    batch.create_pool(pool(target_dedicated_nodes=1, virtual_machine_configuration=wanted))
    batch.create_job(m.BatchJobCreateOptions(id="j", pool_info=m.BatchPoolInfo(pool_id="p")))
    done = run(batch, "a", "touch ran", container_settings=m.BatchTaskContainerSettings(image_name="busybox"))
    assert done.execution_info is not None
    failure = done.execution_info.failure_info
    assert failure is not None
    assert failure.code == ("ContainerRuntimeNotAvailable" if prepared else "ContainerPoolNotSupported")
    assert done.execution_info.exit_code is None
    assert [found.name for found in batch.list_task_files("j", "a", recursive=True)] == [
        "stderr.txt",
        "stdout.txt",
        "wd",
    ]
