"""File systems that pools mount."""

from collections.abc import Iterator

import pytest
from azure.batch import BatchClient
from azure.batch import models as m

from emulator.testing import Emulator, start_emulator
from tests.emulator.conftest import batch_client
from tests.emulator.estate import nodes_in, pool, start_task, text

SHARE = m.MountConfiguration(
    azure_file_share_configuration=m.AzureFileShareConfiguration(
        account_name="store",
        account_key="c2VjcmV0",
        azure_file_url="https://store.file.core.windows.net/data",
        relative_mount_path="data",
    )
)


def test_a_mount_that_is_not_made_makes_the_node_unusable(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=1, mount_configuration=[SHARE]))
    (node,) = nodes_in(batch, "unusable", 1)
    assert node.errors
    (error,) = node.errors
    assert error.code == "MountConfigurationError"
    details = {detail.name: detail.value for detail in error.error_details or ()}
    assert details["MountType"] == "azureFileShareConfiguration"
    assert details["RelativeMountPath"] == "data"
    assert "c2VjcmV0" not in str(details)


@pytest.fixture
def mounting() -> Iterator[Emulator]:
    with start_emulator(arguments=["--mounts", "directories"]) as running:
        yield running


def test_directories_stand_in_for_mounts_if_wanted(mounting: Emulator) -> None:
    """The same file system is the same directory on every node, of whatever pool."""
    script = "cd $AZ_BATCH_NODE_MOUNTS_DIR/data; echo $AZ_BATCH_NODE_ID > $AZ_BATCH_POOL_ID; cat *"
    with batch_client(mounting) as batch:
        seen: list[str] = []
        for name in ("first", "second"):
            wanted = pool(name, target_dedicated_nodes=1, start_task=start_task(script), mount_configuration=[SHARE])
            batch.create_pool(wanted)
            (node,) = nodes_in(batch, "idle", 1, name)
            seen.append(node.id)
            assert text(batch, node.id, "startup/stdout.txt", name).split() == seen
