"""Resizes: growing, shrinking, stopping, running out of quota or time, losing nodes."""

from datetime import timedelta
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch.models import BatchNodeRemoveOptions, BatchPoolResizeOptions
from azure.core.exceptions import HttpResponseError

from emulator.testing import Emulator
from tests.emulator.estate import node_is, nodes_in, pool, simulated, steady, until
from tests.emulator.helpers import code


def resize(batch: BatchClient, dedicated: int | None = None, spot: int | None = None, **more: Any) -> None:
    options = BatchPoolResizeOptions(target_dedicated_nodes=dedicated, target_low_priority_nodes=spot, **more)
    batch.begin_resize_pool("p", options)


def errors(batch: BatchClient) -> list[str]:
    found = steady(batch)
    return [error.code or "" for error in found.resize_errors or ()]


def test_growing_and_shrinking(batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=1))
    steady(batch)
    resize(batch, dedicated=4, spot=2)
    assert batch.get_pool("p").allocation_state == "resizing"
    with pytest.raises(HttpResponseError) as refused:
        resize(batch, dedicated=5)
    assert code(refused.value) == (409, "PoolBeingResized")
    nodes_in(batch, "idle", 6)
    resize(batch, dedicated=1, spot=0)
    leaving = until(lambda: list(batch.list_nodes("p")), lambda found: len(found) == 6 and found[0].state)
    assert {node.state for node in leaving} <= {"idle", "leavingpool"}
    found = steady(batch)
    assert (found.current_dedicated_nodes, found.current_low_priority_nodes) == (1, 0)
    assert len(list(batch.list_nodes("p"))) == 1


def test_chosen_nodes_are_removed(batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=3))
    nodes = nodes_in(batch, "idle", 3)
    batch.begin_remove_nodes("p", BatchNodeRemoveOptions(node_ids=[nodes[1].id]))
    found = steady(batch)
    assert (found.current_dedicated_nodes, found.target_dedicated_nodes) == (2, 2)
    assert {node.id for node in batch.list_nodes("p")} == {nodes[0].id, nodes[2].id}
    with pytest.raises(HttpResponseError) as refused:
        batch.begin_remove_nodes("p", BatchNodeRemoveOptions(node_ids=["tvmps_none_d"]))
    assert code(refused.value) == (404, "NodeNotFound")
    with pytest.raises(HttpResponseError) as many:
        batch.begin_remove_nodes("p", BatchNodeRemoveOptions(node_ids=[f"n{number}" for number in range(101)]))
    assert code(many.value) == (400, "InvalidPropertyValue")


def test_a_stopped_resize_says_so(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(simulated())
    steady(batch)
    emulator.clock(paused=True)
    resize(batch, dedicated=3)
    nodes_in(batch, "creating", 3)
    batch.begin_stop_pool_resize("p")
    assert batch.get_pool("p").allocation_state == "stopping"
    emulator.clock(paused=False)
    assert errors(batch) == ["ResizeStopped"]
    assert list(batch.list_nodes("p")) == []
    with pytest.raises(HttpResponseError) as refused:
        batch.begin_stop_pool_resize("p")
    assert code(refused.value) == (409, "OperationInvalidForCurrentState")


def test_time_runs_out(emulator: Emulator, batch: BatchClient) -> None:
    emulator.shortage(pool="p", stall=True)
    batch.create_pool(simulated(target_dedicated_nodes=2, resize_timeout=timedelta(minutes=5)))
    nodes_in(batch, "creating", 2)
    emulator.clock(advance="PT4M")
    assert batch.get_pool("p").allocation_state == "resizing"
    emulator.clock(advance="PT1M")
    assert errors(batch) == ["AllocationTimedOut"]
    until(lambda: list(batch.list_nodes("p")), lambda found: not found)


def test_allocation_fails_on_demand(emulator: Emulator, batch: BatchClient) -> None:
    emulator.shortage(pool="p", nodes=1, count=1, code="OverconstrainedAllocationRequestError", message="No room.")
    batch.create_pool(simulated(target_dedicated_nodes=3))
    assert errors(batch) == ["OverconstrainedAllocationRequestError"]
    assert batch.get_pool("p").current_dedicated_nodes == 1
    resize(batch, dedicated=3)
    assert batch.get_pool("p").resize_errors is None
    assert errors(batch) == []
    assert batch.get_pool("p").current_dedicated_nodes == 3


def test_core_quotas(batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=60, target_low_priority_nodes=300))
    found = steady(batch)
    assert [error.code for error in found.resize_errors or ()] == [
        "AccountVMSeriesCoreQuotaReached",
        "AccountLowPriorityCoreQuotaReached",
    ]
    assert (found.current_dedicated_nodes, found.current_low_priority_nodes) == (50, 250)


def test_real_processes_have_a_limit_of_their_own(batch: BatchClient) -> None:
    batch.create_pool(pool(target_dedicated_nodes=34))
    found = until(lambda: batch.get_pool("p"), lambda now: now.allocation_state == "steady")
    assert found.resize_errors is not None
    assert found.resize_errors[0].code == "AllocationFailed"
    assert "--process-nodes" in (found.resize_errors[0].message or "")
    assert found.current_dedicated_nodes == 32
    batch.begin_delete_pool("p", polling_interval=0).result()


def test_preempted_nodes_stay_and_come_back(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=1, target_low_priority_nodes=2))
    nodes_in(batch, "idle", 3)
    (preempted,) = emulator.disturb("p", "preempted")
    assert preempted.endswith("_p")
    assert batch.get_node("p", preempted).state == "preempted"
    assert batch.get_pool("p").current_low_priority_nodes == 2
    emulator.disturb("p", "recovered", nodes=[preempted])
    node_is(batch, preempted, "idle")


def test_a_resize_takes_its_time_by_the_clock(emulator: Emulator, batch: BatchClient) -> None:
    emulator.clock(paused=True)
    batch.create_pool(simulated(target_dedicated_nodes=1))
    (node,) = nodes_in(batch, "creating", 1)
    assert batch.get_pool("p").allocation_state == "resizing"
    emulator.clock(advance=0.2)
    assert node_is(batch, node.id, "starting")
    assert batch.get_pool("p").allocation_state == "steady"
    emulator.clock(advance=0.2)
    assert node_is(batch, node.id, "idle")
