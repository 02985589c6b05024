"""Service logs of nodes, uploaded to a container by its SAS."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient, ContainerSasPermissions, generate_container_sas

from emulator.testing import AZURITE_KEY, Azurite, Emulator
from tests.emulator.estate import REBOOT, node_is, nodes_in, pool, simulated, start_task, until
from tests.emulator.helpers import code


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_strings[0]) as store:
        made = store.create_container(f"logs{uuid4().hex}")
        yield made
        made.delete_container()


def address(container: ContainerClient, **permissions: bool) -> str:
    """The container with a SAS of an hour."""
    token = generate_container_sas(
        str(container.account_name),
        container.container_name,
        account_key=AZURITE_KEY,
        permission=ContainerSasPermissions(**permissions),
        expiry=datetime.now().astimezone() + timedelta(hours=1),
    )
    return f"{container.url}?{token}"


def upload(
    batch: BatchClient, node: str, url: str, start: datetime, end: datetime | None = None
) -> m.UploadBatchServiceLogsResult:
    wanted = m.UploadBatchServiceLogsOptions(container_url=url, start_time=start, end_time=end)
    return batch.upload_node_logs("p", node, wanted)


def test_what_the_node_did_is_in_its_logs(batch: BatchClient, container: ContainerClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=start_task("exit 0")))
    (node,) = nodes_in(batch, "idle", 1)
    batch.create_job(m.BatchJobCreateOptions(id="j", pool_info=m.BatchPoolInfo(pool_id="p")))
    batch.create_task("j", m.BatchTaskCreateOptions(id="t", command_line="/bin/sh -c 'exit 3'"))
    done = until(lambda: batch.get_task("j", "t"), lambda found: found.state == "completed")
    assert done.execution_info is not None
    assert done.execution_info.start_time is not None
    assert node.allocation_time is not None
    found = upload(batch, node.id, address(container, write=True), node.allocation_time)
    folder, name = found.virtual_directory_name.rsplit("/", 1)
    assert (folder, found.number_of_files_uploaded) == (f"p/{node.id}", 1)
    (blob,) = container.list_blob_names()
    assert blob == f"{folder}/{name}/agent.log"
    lines = str(container.download_blob(blob, encoding="utf-8").readall()).splitlines()
    said = [line.partition(" ")[2] for line in lines if "user of this service" not in line]
    assert said == ["The node boots.", "The start task ended with success.", "task j/t: ended with 3"]
    times = [datetime.fromisoformat(line.partition(" ")[0]) for line in lines]
    assert times == sorted(times)
    assert times[0] >= node.allocation_time


def test_only_the_time_that_was_asked_for(batch: BatchClient, container: ContainerClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1))
    (node,) = nodes_in(batch, "idle", 1)
    batch.begin_reboot_node("p", node.id, REBOOT)
    again = node_is(batch, node.id, "idle")
    assert again.last_boot_time is not None
    assert node.last_boot_time is not None
    url = address(container, write=True)
    upload(batch, node.id, url, node.last_boot_time - timedelta(seconds=5), node.last_boot_time - timedelta(seconds=4))
    upload(batch, node.id, url, again.last_boot_time)
    sizes = sorted(str(container.download_blob(name).readall()).count("boots") for name in container.list_blob_names())
    assert sizes == [0, 1]


def test_a_container_that_takes_nothing(emulator: Emulator, batch: BatchClient, container: ContainerClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=1))
    (node,) = nodes_in(batch, "idle", 1)
    assert node.allocation_time is not None
    for url in (address(container, read=True), f"{container.url}gone?{address(container, write=True).split('?')[1]}"):
        with pytest.raises(HttpResponseError) as caught:
            upload(batch, node.id, url, node.allocation_time)
        assert code(caught.value) == (400, "InvalidPropertyValue")
    assert list(container.list_blob_names()) == []
