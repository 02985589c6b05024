"""Pools of the management plane."""

from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import (
    AutoScaleSettings,
    DeploymentConfiguration,
    FixedScaleSettings,
    ImageReference,
    InboundNatPool,
    NetworkConfiguration,
    Pool,
    PoolEndpointConfiguration,
    PoolProperties,
    ScaleSettings,
    StartTask,
    TaskSchedulingPolicy,
    UserAccount,
    VirtualMachineConfiguration,
)

from emulator.testing import Emulator
from tests.emulator.estate import until

PLACE = ("local", "local")


def wanted(**properties: Any) -> Pool:
    image = ImageReference(publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest")
    machine = VirtualMachineConfiguration(image_reference=image, node_agent_sku_id="batch.node.ubuntu 24.04")
    return Pool(
        properties=PoolProperties(
            **{
                "vm_size": "STANDARD_D2S_V3",
                "deployment_configuration": DeploymentConfiguration(virtual_machine_configuration=machine),
                "metadata": [{"name": "emulator:nodes", "value": "simulated"}],
                **properties,
            }
        )
    )


def fixed(dedicated: int) -> ScaleSettings:
    return ScaleSettings(fixed_scale=FixedScaleSettings(target_dedicated_nodes=dedicated, target_low_priority_nodes=0))


def get(management: BatchManagementClient, name: str = "p") -> PoolProperties:
    found = management.pool.get(*PLACE, name).properties
    assert found is not None
    return found


def settled(management: BatchManagementClient, name: str = "p") -> PoolProperties:
    return until(lambda: get(management, name), lambda found: found.allocation_state == "Steady")


def test_both_planes_see_one_pool(management: BatchManagementClient, batch: BatchClient) -> None:
    nat = InboundNatPool(
        name="ssh", protocol="TCP", backend_port=22, frontend_port_range_start=1000, frontend_port_range_end=1099
    )
    made = management.pool.create(
        *PLACE,
        "p",
        wanted(
            scale_settings=fixed(2),
            inter_node_communication="Enabled",
            task_scheduling_policy=TaskSchedulingPolicy(node_fill_type="Pack"),
            start_task=StartTask(command_line="/bin/true", wait_for_success=True),
            user_accounts=[UserAccount(name="worker", password="Never-1", elevation_level="NonAdmin")],
            network_configuration=NetworkConfiguration(
                endpoint_configuration=PoolEndpointConfiguration(inbound_nat_pools=[nat])
            ),
        ),
    )
    assert made.etag is not None
    assert made.properties is not None
    assert (made.name, made.type) == ("p", "Microsoft.Batch/batchAccounts/pools")
    assert made.properties.allocation_state == "Resizing"
    there = batch.get_pool("p")
    assert there.enable_inter_node_communication
    assert there.task_scheduling_policy is not None
    assert there.task_scheduling_policy.node_fill_type == "pack"
    assert there.network_configuration is not None
    found = settled(management)
    assert found.provisioning_state == "Succeeded"
    assert (found.current_dedicated_nodes, found.inter_node_communication) == (2, "Enabled")
    assert found.scale_settings is not None
    assert found.scale_settings.fixed_scale is not None
    assert found.scale_settings.fixed_scale.target_dedicated_nodes == 2
    assert found.user_accounts is not None
    assert found.user_accounts[0].elevation_level == "NonAdmin"
    assert "Never-1" not in str(found.as_dict())
    assert found.network_configuration is not None
    assert found.network_configuration.endpoint_configuration is not None
    assert found.network_configuration.endpoint_configuration.inbound_nat_pools == [nat]
    assert found.deployment_configuration is not None
    assert found.deployment_configuration.virtual_machine_configuration is not None
    assert found.deployment_configuration.virtual_machine_configuration.node_agent_sku_id == "batch.node.ubuntu 24.04"


def test_a_patch_resizes(management: BatchManagementClient) -> None:
    management.pool.create(*PLACE, "p", wanted())
    settled(management)
    management.pool.update(*PLACE, "p", Pool(properties=PoolProperties(scale_settings=fixed(3))))
    until(lambda: get(management), lambda found: found.current_dedicated_nodes == 3)
    settled(management)
    automatic = ScaleSettings(auto_scale=AutoScaleSettings(formula="$TargetDedicatedNodes=1;"))
    management.pool.update(*PLACE, "p", Pool(properties=PoolProperties(scale_settings=automatic)))
    until(lambda: get(management), lambda found: found.current_dedicated_nodes == 1)
    found = management.pool.get(*PLACE, "p").properties
    assert found is not None
    assert found.auto_scale_run is not None
    assert found.auto_scale_run.evaluation_time is not None
    off = management.pool.disable_auto_scale(*PLACE, "p").properties
    assert off is not None
    assert off.scale_settings is not None
    assert off.scale_settings.auto_scale is None


def test_a_stopped_resize(emulator: Emulator, management: BatchManagementClient) -> None:
    emulator.clock(paused=True)
    management.pool.create(*PLACE, "p", wanted(scale_settings=fixed(2)))
    stopped = management.pool.stop_resize(*PLACE, "p").properties
    assert stopped is not None
    assert stopped.allocation_state == "Stopping"
    emulator.clock(paused=False)
    found = settled(management)
    assert found.resize_operation_status is not None
    assert [error.code for error in found.resize_operation_status.errors or ()] == ["ResizeStopped"]


def test_lists_filter_and_page(management: BatchManagementClient) -> None:
    for name in ("a", "b", "c"):
        management.pool.create(*PLACE, name, wanted())
    for name in ("a", "b", "c"):
        settled(management, name)
    assert [pool.name for pool in management.pool.list_by_batch_account(*PLACE, maxresults=2)] == ["a", "b", "c"]
    filtered = management.pool.list_by_batch_account(
        *PLACE, filter="properties/allocationState eq 'Steady' and name ge 'b'"
    )
    assert [pool.name for pool in filtered] == ["b", "c"]


def test_conditions_and_deletion(management: BatchManagementClient) -> None:
    management.pool.create(*PLACE, "p", wanted(scale_settings=fixed(1)))
    with pytest.raises(HttpResponseError) as refused:
        management.pool.create(*PLACE, "p", wanted(), match_condition=MatchConditions.IfMissing)
    assert refused.value.status_code == 412
    settled(management)
    management.pool.begin_delete(*PLACE, "p", polling_interval=0).result()
    with pytest.raises(HttpResponseError) as gone:
        management.pool.get(*PLACE, "p")
    assert gone.value.status_code == 404
    management.pool.begin_delete(*PLACE, "p", polling_interval=0).result()


def test_bad_values_name_their_property(management: BatchManagementClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        management.pool.create(*PLACE, "p", wanted(vm_size="huge"))
    assert refused.value.status_code == 400
    with pytest.raises(HttpResponseError) as name:
        management.pool.create(*PLACE, "a b", wanted())
    assert name.value.status_code == 400
