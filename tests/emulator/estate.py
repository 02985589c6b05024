"""Pools and nodes for tests: made through the SDK, waited for by what the service says."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from azure.batch import BatchClient
from azure.batch.models import (
    BatchMetadataItem,
    BatchNode,
    BatchPool,
    BatchPoolCreateOptions,
    BatchStartTask,
    BatchVmImageReference,
    VirtualMachineConfiguration,
)

PATIENCE = 20.0

T = TypeVar("T")

# The SDK has no public models of these.
REBOOT: Any = {"nodeRebootOption": "requeue"}
REIMAGE: Any = {"nodeReimageOption": "requeue"}
DEALLOCATE: Any = {"nodeDeallocateOption": "requeue"}

SIMULATED = [BatchMetadataItem(name="emulator:nodes", value="simulated")]


def machine(sku: str = "server", **more: Any) -> VirtualMachineConfiguration:
    image = BatchVmImageReference(publisher="canonical", offer="ubuntu-24_04-lts", sku=sku, version="latest")
    return VirtualMachineConfiguration(image_reference=image, node_agent_sku_id="batch.node.ubuntu 24.04", **more)


def pool(pool_id: str = "p", **properties: Any) -> BatchPoolCreateOptions:
    return BatchPoolCreateOptions(
        **{
            "id": pool_id,
            "vm_size": "Standard_D2s_v3",
            "virtual_machine_configuration": machine(),
            **properties,
        }
    )


def simulated(pool_id: str = "p", **properties: Any) -> BatchPoolCreateOptions:
    return pool(pool_id, **{"metadata": SIMULATED, **properties})


def start_task(script: str, **more: Any) -> BatchStartTask:
    return BatchStartTask(**{"command_line": f"/bin/sh -c '{script}'", "wait_for_success": True, **more})


def until(ask: Callable[[], T], wanted: Callable[[T], object]) -> T:
    """What is answered as soon as it is as wanted."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = ask()
        if wanted(found):
            return found
        assert time.monotonic() < deadline, f"still {found}"
        time.sleep(0.03)


def steady(batch: BatchClient, pool_id: str = "p") -> BatchPool:
    return until(lambda: batch.get_pool(pool_id), lambda found: found.allocation_state == "steady")


def nodes_in(batch: BatchClient, state: str, number: int, pool_id: str = "p") -> list[BatchNode]:
    """All nodes of the pool, once that many are in the state."""
    return until(
        lambda: list(batch.list_nodes(pool_id)), lambda found: sum(node.state == state for node in found) == number
    )


def node_is(batch: BatchClient, node_id: str, *states: str, pool_id: str = "p") -> BatchNode:
    return until(lambda: batch.get_node(pool_id, node_id), lambda found: found.state in states)


def text(batch: BatchClient, node_id: str, path: str, pool_id: str = "p") -> str:
    return b"".join(batch.download_node_file(pool_id, node_id, path)).decode()
