"""Pools through the SDK: creating, reading, changing, deleting, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch.models import (
    AutoScaleRun,
    BatchApplicationPackageReference,
    BatchInboundNatPool,
    BatchMetadataItem,
    BatchPoolEndpointConfiguration,
    BatchPoolReplaceOptions,
    BatchPoolResizeOptions,
    BatchPoolUpdateOptions,
    BatchVmImageReference,
    NetworkConfiguration,
    UserAccount,
    VirtualMachineConfiguration,
)
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from emulator.testing import Emulator
from tests.emulator.estate import nodes_in, pool, simulated, start_task, steady, until
from tests.emulator.helpers import code


def values(error: HttpResponseError) -> dict[str, str]:
    found: Any = error.error
    return {item.key: item.value for item in found.values_property or found["values"] or ()}


def test_a_new_pool_is_resizing_and_complete(batch: BatchClient) -> None:
    headers: dict[str, str] = {}
    batch.create_pool(
        simulated("Pool-1", display_name="First", target_dedicated_nodes=2, target_low_priority_nodes=1),
        cls=lambda response, _, __: headers.update(response.http_response.headers),
    )
    assert headers["etag"].startswith("0x")
    assert headers["dataserviceid"] == headers["location"]
    assert headers["location"].endswith("/local/pools/Pool-1")
    found = batch.get_pool("pool-1")
    assert (found.id, found.display_name, found.state) == ("Pool-1", "First", "active")
    assert (found.allocation_state, found.current_dedicated_nodes, found.target_dedicated_nodes) == ("resizing", 0, 2)
    assert found.url == headers["location"]
    assert found.vm_size == "standard_d2s_v3"
    assert found.resize_timeout == timedelta(minutes=15)
    assert (found.task_slots_per_node, found.enable_auto_scale) == (1, False)
    assert found.task_scheduling_policy is not None
    assert found.task_scheduling_policy.node_fill_type == "spread"
    settled = steady(batch, "Pool-1")
    assert (settled.current_dedicated_nodes, settled.current_low_priority_nodes) == (2, 1)
    assert settled.resize_errors is None
    nodes = nodes_in(batch, "idle", 3, "Pool-1")
    assert sorted(node.id[-2:] for node in nodes) == ["_d", "_d", "_p"]


def test_existence(batch: BatchClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        batch.pool_exists("p")
    batch.create_pool(simulated())
    assert batch.pool_exists("p")
    with pytest.raises(HttpResponseError) as refused:
        batch.create_pool(simulated("P"))
    assert code(refused.value) == (409, "PoolExists")


@pytest.mark.parametrize(
    ("wrong", "status", "name"),
    [
        ({"id": "a b"}, 400, "InvalidPropertyValue"),
        ({"id": "x" * 65}, 400, "InvalidPropertyValue"),
        ({"vm_size": "huge"}, 400, "InvalidPropertyValue"),
        ({"display_name": "x" * 1025}, 400, "InvalidPropertyValue"),
        ({"target_dedicated_nodes": -1}, 400, "InvalidPropertyValue"),
        ({"resize_timeout": timedelta(minutes=4)}, 400, "InvalidPropertyValue"),
        ({"task_slots_per_node": 9}, 400, "InvalidPropertyValue"),
        ({"enable_auto_scale": True}, 400, "MissingRequiredProperty"),
        ({"enable_auto_scale": True, "auto_scale_formula": "$x=("}, 400, "AutoScalingFormulaSyntaxError"),
        (
            {"enable_auto_scale": True, "auto_scale_formula": "$x=1;", "target_dedicated_nodes": 1},
            400,
            "InvalidPropertyValue",
        ),
        (
            {
                "enable_auto_scale": True,
                "auto_scale_formula": "$TargetDedicatedNodes=1;",
                "auto_scale_evaluation_interval": timedelta(minutes=4),
            },
            400,
            "InvalidPropertyValue",
        ),
        ({"user_accounts": [UserAccount(name="x" * 21, password="p")]}, 400, "InvalidPropertyValue"),
        (
            {"application_package_references": [BatchApplicationPackageReference(application_id="none")]},
            409,
            "InvalidApplicationPackageReferences",
        ),
        (
            {
                "application_package_references": [
                    BatchApplicationPackageReference(application_id=str(n)) for n in range(11)
                ]
            },
            400,
            "InvalidPropertyValue",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused(batch: BatchClient, wrong: dict[str, Any], status: int, name: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        batch.create_pool(pool(**wrong) if "id" not in wrong else pool(wrong["id"]))
    assert code(refused.value) == (status, name)
    assert list(batch.list_pools()) == []


def test_images_and_agents_must_fit(batch: BatchClient) -> None:
    def refusal(image: BatchVmImageReference, agent: str) -> tuple[int | None, str]:
        wrong = VirtualMachineConfiguration(image_reference=image, node_agent_sku_id=agent)
        with pytest.raises(HttpResponseError) as refused:
            batch.create_pool(pool(virtual_machine_configuration=wrong))
        return code(refused.value)

    known = BatchVmImageReference(publisher="Canonical", offer="ubuntu-24_04-lts", sku="server")
    assert refusal(known, "batch.node.ubuntu 22.04") == (400, "InvalidPropertyValue")
    assert refusal(known, "batch.node.opensuse 42.1") == (404, "NodeAgentSKUNotFound")
    retired = BatchVmImageReference(publisher="Canonical", offer="UbuntuServer", sku="18.04-LTS")
    assert refusal(retired, "batch.node.ubuntu 24.04") == (400, "InvalidPropertyValue")
    own = BatchVmImageReference(virtual_machine_image_id="/subscriptions/s/images/mine")
    batch.create_pool(
        pool(
            virtual_machine_configuration=VirtualMachineConfiguration(
                image_reference=own, node_agent_sku_id="batch.node.el 9"
            )
        )
    )


@pytest.mark.parametrize(
    ("backend", "start", "end"), [(29876, 1000, 1100), (22, 1000, 1010), (22, 49990, 50100), (22, 65000, 65535)]
)
def test_ports_of_nat_pools(batch: BatchClient, backend: int, start: int, end: int) -> None:
    nat = BatchInboundNatPool(
        name="ssh", protocol="tcp", backend_port=backend, frontend_port_range_start=start, frontend_port_range_end=end
    )
    network = NetworkConfiguration(endpoint_configuration=BatchPoolEndpointConfiguration(inbound_nat_pools=[nat]))
    with pytest.raises(HttpResponseError) as refused:
        batch.create_pool(pool(network_configuration=network))
    assert code(refused.value) == (400, "InvalidPropertyValue")


def test_secrets_are_never_given_back(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(pool(user_accounts=[UserAccount(name="worker", password="Never-1", elevation_level="admin")]))
    found = batch.get_pool("p")
    assert found.user_accounts is not None
    assert (found.user_accounts[0].name, found.user_accounts[0].elevation_level) == ("worker", "admin")
    assert "Never-1" not in str(found.as_dict())
    assert "Never-1" not in str([pool.as_dict() for pool in batch.list_pools()])
    assert "Never-1" not in str(emulator.arm("GET", f"{emulator.account_id()}/pools/p"))


def test_a_patch_changes_what_it_gives(batch: BatchClient) -> None:
    batch.create_pool(simulated(start_task=start_task("true")))
    steady(batch)
    before = batch.get_pool("p")
    batch.update_pool("p", BatchPoolUpdateOptions(metadata=[BatchMetadataItem(name="a", value="b")]))
    after = batch.get_pool("p")
    assert after["eTag"] != before["eTag"]
    assert after.metadata == [BatchMetadataItem(name="a", value="b")]
    assert after.start_task == before.start_task
    batch.update_pool("p", BatchPoolUpdateOptions(display_name="new", task_slots_per_node=4, vm_size="Standard_D4s_v3"))
    assert batch.get_pool("p").task_slots_per_node == 4


def test_with_nodes_only_some_properties_change(batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=1))
    steady(batch)
    batch.update_pool("p", BatchPoolUpdateOptions(start_task=start_task("true")))
    with pytest.raises(HttpResponseError) as refused:
        batch.update_pool("p", BatchPoolUpdateOptions(task_slots_per_node=4))
    assert code(refused.value) == (409, "OperationInvalidForCurrentState")


def test_replacing_properties_removes_what_is_left_out(batch: BatchClient) -> None:
    batch.create_pool(simulated(start_task=start_task("true")))
    batch.replace_pool_properties("p", BatchPoolReplaceOptions(application_package_references=[], metadata=[]))
    found = batch.get_pool("p")
    assert found.start_task is None
    assert found.metadata is None


def test_conditions(batch: BatchClient) -> None:
    batch.create_pool(simulated())
    steady(batch)
    found = batch.get_pool("p")
    change = BatchPoolUpdateOptions(display_name="x")
    batch.update_pool("p", change, etag=found["eTag"], match_condition=MatchConditions.IfNotModified)
    with pytest.raises(ResourceModifiedError) as refused:
        batch.update_pool("p", change, etag=found["eTag"], match_condition=MatchConditions.IfNotModified)
    assert code(refused.value) == (412, "ConditionNotMet")
    now = batch.get_pool("p")
    with pytest.raises(HttpResponseError) as unchanged:
        batch.get_pool("p", etag=now["eTag"], match_condition=MatchConditions.IfModified)
    assert unchanged.value.status_code == 304


def test_lists_filter_select_and_page(batch: BatchClient) -> None:
    for number in range(5):
        batch.create_pool(simulated(f"pool-{number}", target_dedicated_nodes=number % 2))
    for number in range(5):
        steady(batch, f"pool-{number}")
    assert [found.id for found in batch.list_pools(max_results=2)] == [f"pool-{number}" for number in range(5)]
    some = list(batch.list_pools(filter="id ge 'pool-2' and state eq 'active'", select=["id", "vmSize"]))
    assert [found.id for found in some] == ["pool-2", "pool-3", "pool-4"]
    assert set(some[0].as_dict()) == {"id", "vmSize"}
    with pytest.raises(HttpResponseError) as refused:
        list(batch.list_pools(filter="displayName eq 'x'"))
    assert code(refused.value) == (400, "InvalidQueryParameterValue")


def test_deleting_passes_through_deleting(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=3))
    nodes_in(batch, "idle", 3)
    emulator.clock(paused=True)
    poller = batch.begin_delete_pool("p", polling_interval=0)
    assert batch.get_pool("p").state == "deleting"
    for refused_call in (
        lambda: batch.update_pool("p", BatchPoolUpdateOptions(display_name="x")),
        lambda: batch.begin_delete_pool("p"),
        lambda: batch.create_pool(simulated()),
        lambda: batch.begin_resize_pool("p", BatchPoolResizeOptions(target_dedicated_nodes=1)),
    ):
        with pytest.raises(HttpResponseError) as refused:
            refused_call()
        assert code(refused.value) == (409, "PoolBeingDeleted")
    emulator.clock(paused=False)
    poller.result()
    with pytest.raises(HttpResponseError) as gone:
        batch.get_pool("p")
    assert code(gone.value) == (404, "PoolNotFound")
    batch.create_pool(simulated())


def test_the_pool_quota(emulator: Emulator, batch: BatchClient) -> None:
    for number in range(100):
        batch.create_pool(simulated(f"p{number}"))
    with pytest.raises(HttpResponseError) as refused:
        batch.create_pool(simulated("one-more"))
    assert code(refused.value) == (409, "PoolQuotaReached")


def test_usage_is_counted_by_half_hours(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=2))
    nodes_in(batch, "idle", 2)
    emulator.clock(advance="PT2H")
    found = list(batch.list_pool_usage_metrics())
    assert [(metric.pool_id, metric.vm_size) for metric in found] == [("p", "standard_d2s_v3")]
    assert found[0].total_core_hours == pytest.approx(2.0)  # 2 nodes of 2 cores for half an hour
    assert found[0].end_time - found[0].start_time == timedelta(minutes=30)


def test_counts_by_state(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(simulated("a", target_dedicated_nodes=3, target_low_priority_nodes=2))
    batch.create_pool(simulated("b"))
    nodes_in(batch, "idle", 5, "a")
    emulator.disturb("a", "preempted")
    emulator.disturb("a", "unusable")
    by_pool = {found.pool_id: found for found in batch.list_pool_node_counts()}
    dedicated, spot = by_pool["a"].dedicated, by_pool["a"].low_priority
    assert dedicated is not None
    assert spot is not None
    assert (spot.preempted, spot.total, dedicated.total) == (1, 2, 3)
    assert dedicated.unusable + spot.unusable == 1
    assert by_pool["b"].dedicated is not None
    assert by_pool["b"].dedicated.total == 0
    assert [found.pool_id for found in batch.list_pool_node_counts(filter="poolId eq 'b'")] == ["b"]


def test_auto_scale_decides_on_the_size(emulator: Emulator, batch: BatchClient) -> None:
    batch.create_pool(simulated(enable_auto_scale=True, auto_scale_formula="$TargetDedicatedNodes=2;"))
    found = until(lambda: batch.get_pool("p"), lambda now: now.current_dedicated_nodes == 2)
    assert found.auto_scale_run is not None
    assert found.auto_scale_run.results is not None
    assert found.auto_scale_run.results.startswith("$TargetDedicatedNodes=2;$TargetLowPriorityNodes=0")
    steady(batch)
    with pytest.raises(HttpResponseError) as refused:
        batch.begin_resize_pool("p", BatchPoolResizeOptions(target_dedicated_nodes=1))
    assert code(refused.value) == (409, "OperationInvalidForCurrentState")
    emulator.clock(advance="PT1M")
    batch.enable_pool_auto_scale("p", _formula("$TargetDedicatedNodes=min(5,$CurrentDedicatedNodes.GetSample(1)+1);"))
    until(lambda: batch.get_pool("p"), lambda now: now.target_dedicated_nodes == 3)
    with pytest.raises(HttpResponseError) as early:
        batch.enable_pool_auto_scale("p", _formula("$TargetDedicatedNodes=0;"))
    assert code(early.value) == (503, "TooManyEnableAutoScaleRequests")
    run = _evaluated(batch, "$TargetDedicatedNodes = 7;")
    assert run.error is None
    assert run.results is not None
    assert "$TargetDedicatedNodes=7" in run.results
    bad = _evaluated(batch, "$TargetDedicatedNodes = $Nothing;")
    assert bad.error is not None
    batch.disable_pool_auto_scale("p")
    off = batch.get_pool("p")
    assert (off.enable_auto_scale, off.auto_scale_formula) == (False, None)
    with pytest.raises(HttpResponseError):
        _evaluated(batch, "$TargetDedicatedNodes = 7;")


def _formula(text: str) -> Any:
    return {"autoScaleFormula": text}


def _evaluated(batch: BatchClient, formula: str) -> AutoScaleRun:
    return batch.evaluate_pool_auto_scale("p", _formula(formula))


def test_auto_scale_is_evaluated_at_its_interval(emulator: Emulator, batch: BatchClient) -> None:
    formula = "$TargetDedicatedNodes = $CurrentDedicatedNodes.Count() > 3 ? 2 : 0;"
    batch.create_pool(
        simulated(
            enable_auto_scale=True, auto_scale_formula=formula, auto_scale_evaluation_interval=timedelta(minutes=5)
        )
    )
    first = until(lambda: batch.get_pool("p"), lambda found: found.auto_scale_run is not None)
    assert first.target_dedicated_nodes == 0
    emulator.clock(advance="PT5M")
    assert until(lambda: batch.get_pool("p"), lambda found: found.target_dedicated_nodes == 2)
