"""Nodes through the SDK: lists, actions, conflicts, extensions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch.models import (
    BatchInboundNatPool,
    BatchNodeDisableSchedulingOptions,
    BatchPoolEndpointConfiguration,
    BatchPoolUpdateOptions,
    NetworkConfiguration,
    VMExtension,
)
from azure.core.exceptions import HttpResponseError

from emulator.testing import Emulator
from tests.emulator.estate import DEALLOCATE, REBOOT, REIMAGE, machine, node_is, nodes_in, simulated, start_task
from tests.emulator.helpers import code

DISABLE = BatchNodeDisableSchedulingOptions(node_disable_scheduling_option="requeue")


@pytest.fixture
def node_id(batch: BatchClient) -> str:
    batch.create_pool(simulated(target_dedicated_nodes=1, start_task=start_task("sleep 0.1")))
    return nodes_in(batch, "idle", 1)[0].id


def test_a_node_tells_everything(batch: BatchClient, node_id: str) -> None:
    node = batch.get_node("p", node_id)
    assert node.affinity_id == f"TVM:{node_id}"
    assert node.url.endswith(f"/local/pools/p/nodes/{node_id}")
    assert (node.state, node.scheduling_state, node.is_dedicated) == ("idle", "enabled", True)
    assert node.ip_address.startswith("10.0.0.")
    assert node.vm_size == "standard_d2s_v3"
    assert node.allocation_time < node.last_boot_time <= node.state_transition_time <= datetime.now(UTC)
    assert node.start_task_info is not None
    assert (node.start_task_info.state, node.start_task_info.exit_code) == ("completed", 0)
    assert node.node_agent_info is not None
    assert node.virtual_machine_info.image_reference is not None
    assert node.virtual_machine_info.image_reference.offer == "ubuntu-24_04-lts"
    assert (node.total_tasks_run, node.running_tasks_count) == (0, 0)


def test_lists_filter_select_and_page(batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=7))
    nodes = nodes_in(batch, "idle", 7)
    assert [node.id for node in batch.list_nodes("p", max_results=3)] == [node.id for node in nodes]
    batch.disable_node_scheduling("p", nodes[0].id, DISABLE)
    assert [node.id for node in batch.list_nodes("p", filter="state eq 'offline'")] == [nodes[0].id]
    some = list(batch.list_nodes("p", filter="state ne 'OFFLINE'", select=["id", "state"], max_results=2))
    assert len(some) == 6
    assert set(some[0].as_dict()) == {"id", "state"}
    with pytest.raises(HttpResponseError) as refused:
        list(batch.list_nodes("p", filter="id eq 'x'"))
    assert code(refused.value) == (400, "InvalidQueryParameterValue")
    with pytest.raises(HttpResponseError) as no_pool:
        list(batch.list_nodes("none"))
    assert code(no_pool.value) == (404, "PoolNotFound")


@pytest.mark.parametrize(
    ("action", "options", "state", "conflict"),
    [
        ("begin_reboot_node", REBOOT, "rebooting", "NodeBeingRebooted"),
        ("begin_reimage_node", REIMAGE, "reimaging", "NodeBeingReimaged"),
    ],
)
def test_reboot_and_reimage(
    emulator: Emulator, batch: BatchClient, node_id: str, action: str, options: Any, state: str, conflict: str
) -> None:
    before = batch.get_node("p", node_id).last_boot_time
    emulator.clock(paused=True)
    getattr(batch, action)("p", node_id, options)
    assert batch.get_node("p", node_id).state == state
    with pytest.raises(HttpResponseError) as refused:
        batch.begin_reboot_node("p", node_id, REBOOT)
    assert code(refused.value) == (409, conflict)
    emulator.clock(advance=0.2)
    node_is(batch, node_id, "starting")
    with pytest.raises(HttpResponseError) as starting:
        batch.begin_reboot_node("p", node_id, REBOOT)
    assert code(starting.value) == (409, "NodeBeingStarted")
    emulator.clock(advance=0.2)
    assert node_is(batch, node_id, "waitingforstarttask").last_boot_time > before
    emulator.clock(advance=0.2, paused=False)
    node_is(batch, node_id, "idle")


def test_a_changed_start_task_is_taken_at_the_next_reboot(batch: BatchClient, node_id: str) -> None:
    batch.update_pool("p", BatchPoolUpdateOptions(start_task=start_task("sleep 0.05; exit 5")))
    before = batch.get_node("p", node_id)
    assert before.start_task is not None
    assert "exit 5" not in before.start_task.command_line
    batch.begin_reboot_node("p", node_id, REBOOT)
    node = node_is(batch, node_id, "starttaskfailed")
    assert node.start_task_info is not None
    assert (node.start_task_info.result, node.start_task_info.exit_code) == ("failure", 5)
    assert node.start_task_info.failure_info is not None
    assert node.start_task_info.failure_info.code == "FailureExitCode"
    assert node.errors
    assert node.errors[0].code == "StartTaskFailed"
    batch.update_pool("p", BatchPoolUpdateOptions(start_task=start_task("sleep 0.05")))
    batch.begin_reboot_node("p", node_id, REBOOT)
    assert node_is(batch, node_id, "idle").errors is None


def test_deallocate_and_start(batch: BatchClient, node_id: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        batch.begin_start_node("p", node_id)
    assert code(refused.value) == (409, "OperationInvalidForCurrentState")
    batch.begin_deallocate_node("p", node_id, DEALLOCATE)
    node_is(batch, node_id, "deallocated")
    with pytest.raises(HttpResponseError) as again:
        batch.begin_reboot_node("p", node_id, REBOOT)
    assert code(again.value) == (409, "OperationInvalidForCurrentState")
    batch.begin_start_node("p", node_id)
    node_is(batch, node_id, "idle")


def test_scheduling(batch: BatchClient, node_id: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        batch.enable_node_scheduling("p", node_id)
    assert code(refused.value) == (409, "NodeAlreadyInTargetSchedulingState")
    batch.disable_node_scheduling("p", node_id, DISABLE)
    node = batch.get_node("p", node_id)
    assert (node.state, node.scheduling_state) == ("offline", "disabled")
    with pytest.raises(HttpResponseError) as twice:
        batch.disable_node_scheduling("p", node_id, DISABLE)
    assert code(twice.value) == (409, "NodeAlreadyInTargetSchedulingState")
    batch.begin_reboot_node("p", node_id, REBOOT)
    node_is(batch, node_id, "offline")
    batch.enable_node_scheduling("p", node_id)
    assert batch.get_node("p", node_id).state == "idle"


def test_an_unusable_node_can_be_restarted(emulator: Emulator, batch: BatchClient, node_id: str) -> None:
    emulator.disturb("p", "unusable", code="DiskFull", message="The disk is full.")
    node = batch.get_node("p", node_id)
    assert node.state == "unusable"
    assert node.errors
    assert (node.errors[0].code, node.errors[0].message) == ("DiskFull", "The disk is full.")
    with pytest.raises(HttpResponseError) as refused:
        batch.get_node_remote_login_settings("p", node_id)
    assert code(refused.value) == (409, "NodeStateUnusable")
    batch.begin_reboot_node("p", node_id, REBOOT)
    assert node_is(batch, node_id, "idle").errors is None


def test_endpoints_follow_the_nat_pools(batch: BatchClient) -> None:
    nat = BatchInboundNatPool(
        name="web", protocol="tcp", backend_port=8080, frontend_port_range_start=1000, frontend_port_range_end=1099
    )
    network = NetworkConfiguration(endpoint_configuration=BatchPoolEndpointConfiguration(inbound_nat_pools=[nat]))
    batch.create_pool(simulated(target_dedicated_nodes=2, network_configuration=network))
    found = [node.endpoint_configuration for node in nodes_in(batch, "idle", 2)]
    endpoints = [found_one.inbound_endpoints[0] for found_one in found if found_one]
    assert sorted((endpoint.name, endpoint.frontend_port, endpoint.backend_port) for endpoint in endpoints) == [
        ("web.0", 1000, 8080),
        ("web.1", 1001, 8080),
    ]


def test_extensions(batch: BatchClient) -> None:
    extension = VMExtension(name="monitor", publisher="microsoft", type="agent", protected_settings={"key": "secret"})
    batch.create_pool(
        simulated(target_dedicated_nodes=1, virtual_machine_configuration=machine(extensions=[extension]))
    )
    (node,) = nodes_in(batch, "idle", 1)
    (found,) = batch.list_node_extensions("p", node.id)
    assert found.provisioning_state == "Succeeded"
    assert found.vm_extension is not None
    assert (found.vm_extension.name, found.vm_extension.protected_settings) == ("monitor", None)
    assert batch.get_node_extension("p", node.id, "monitor").vm_extension == found.vm_extension
    with pytest.raises(HttpResponseError):
        batch.get_node_extension("p", node.id, "none")


def test_no_such_node(batch: BatchClient, node_id: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        batch.get_node("p", "tvmps_0_d")
    assert code(refused.value) == (404, "NodeNotFound")
