"""Every rule is checked at its path; what the service takes passes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.core.messages import registry
from apps.gateway.types_pools import SupportedImage, VmSize
from apps.pools.flaws import Facts
from apps.pools.rules import check
from tests.pools.conftest import AGENT, document

NOW = timezone.now()
FACTS = Facts(
    images=(
        SupportedImage(AGENT, "canonical", "ubuntu-24_04-lts", "server", "latest", "linux", verified=True),
        SupportedImage(AGENT, "old", "linux", "1", "latest", "linux", True, (), NOW - timedelta(days=1)),
        SupportedImage(AGENT, "ending", "linux", "1", "latest", "linux", True, (), NOW + timedelta(days=100)),
        SupportedImage(AGENT, "some", "body", "1", "latest", "linux", verified=False),
    ),
    sizes=(
        VmSize("Standard_D2s_v5", "d", 2, 8, 0, 0, spot=True, arm64=False, generations=("V2",)),
        VmSize("Standard_A1", "a", 1, 2, 0, 0, spot=False, arm64=False, generations=("V1",)),
    ),
    packages={"blender": frozenset({"2.7"})},
    defaults=frozenset(),
)
NAT = {
    "name": "ssh",
    "protocol": "tcp",
    "backendPort": 22,
    "frontendPortRangeStart": 20000,
    "frontendPortRangeEnd": 20100,
}
_VM = "virtualMachineConfiguration"


def network(**more: Any) -> dict[str, Any]:
    return {"networkConfiguration": more}


def nat(*pools: dict[str, Any]) -> dict[str, Any]:
    return network(endpointConfiguration={"inboundNATPools": list(pools)})


def machine(**more: Any) -> dict[str, Any]:
    return {_VM: {**document()[_VM], **more}}


def image(publisher: str) -> dict[str, Any]:
    offer = {"some": "body"}.get(publisher, "linux")
    return machine(imageReference={"publisher": publisher, "offer": offer, "sku": "1", "version": "latest"})


def task(**more: Any) -> dict[str, Any]:
    return {"startTask": {"commandLine": "/bin/true", **more}}


GOOD: list[dict[str, Any]] = [
    {},
    {"targetDedicatedNodes": 3, "targetLowPriorityNodes": 2, "resizeTimeout": "PT5M"},
    {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes=1;", "autoScaleEvaluationInterval": "PT168H"},
    {"taskSlotsPerNode": 8, "taskSchedulingPolicy": {"nodeFillType": "Pack"}},
    task(resourceFiles=[{"httpUrl": "https://x/y", "filePath": "y"}], environmentSettings=[{"name": "A", "value": ""}]),
    task(userIdentity={"username": "render"}) | {"userAccounts": [{"name": "render", "password": "x"}]},
    {"applicationPackageReferences": [{"applicationId": "Blender", "version": "2.7"}]},
    nat(NAT, {**NAT, "name": "rdp", "frontendPortRangeStart": 21000, "frontendPortRangeEnd": 21039}),
    {"mountConfiguration": [{"nfsMountConfiguration": {"source": "host:/x", "relativeMountPath": "x"}}]},
    machine(dataDisks=[{"lun": 0, "diskSizeGB": 1}], osDisk={"diskSizeGB": 64}),
]
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"id": ""}, "id", "pool-id-missing"),
    ({"id": "a b"}, "id", "pool-id-invalid"),
    ({"id": "a" * 65}, "id", "pool-id-invalid"),
    ({"displayName": "x" * 1025}, "displayName", "pool-name-long"),
    ({"cloudServiceConfiguration": {"osFamily": "6"}}, "cloudServiceConfiguration", "pool-cloud-services-retired"),
    ({"certificates": []}, "certificates", "pool-property-unknown"),
    ({"vmSize": ""}, "vmSize", "pool-size-missing"),
    ({"vmSize": "huge"}, "vmSize", "pool-size-unknown"),
    ({"vmSize": "standard_a1", "targetLowPriorityNodes": 1}, "targetLowPriorityNodes", "pool-size-no-spot"),
    ({"targetDedicatedNodes": -1}, "targetDedicatedNodes", "pool-target-invalid"),
    ({"targetDedicatedNodes": "many"}, "targetDedicatedNodes", "pool-target-invalid"),
    ({"resizeTimeout": "PT4M"}, "resizeTimeout", "pool-timeout-short"),
    ({"autoScaleFormula": "x"}, "autoScaleFormula", "pool-auto-scale-off"),
    ({"enableAutoScale": True}, "autoScaleFormula", "pool-formula-missing"),
    ({"enableAutoScale": True, "autoScaleFormula": "x" * 8193}, "autoScaleFormula", "pool-formula-long"),
    (
        {"enableAutoScale": True, "autoScaleFormula": "x", "targetDedicatedNodes": 1},
        "targetDedicatedNodes",
        "pool-fixed-with-auto-scale",
    ),
    (
        {"enableAutoScale": True, "autoScaleFormula": "x", "autoScaleEvaluationInterval": "PT4M"},
        "autoScaleEvaluationInterval",
        "pool-interval-invalid",
    ),
    ({"taskSlotsPerNode": 9}, "taskSlotsPerNode", "pool-slots-invalid"),
    (
        {"enableInterNodeCommunication": True, "targetDedicatedNodes": 101},
        "targetDedicatedNodes",
        "pool-inter-node-many",
    ),
    ({_VM: {}}, f"{_VM}.imageReference", "pool-image-missing"),
    (image("old"), f"{_VM}.imageReference", "pool-image-over"),
    (image("nobody"), f"{_VM}.imageReference", "pool-image-unknown"),
    (machine(nodeAgentSKUId="batch.node.el 9"), f"{_VM}.nodeAgentSKUId", "pool-agent-unfit"),
    (machine(dataDisks=[{"lun": 64, "diskSizeGB": 1}]), f"{_VM}.dataDisks[0].lun", "pool-disk-lun"),
    (
        machine(containerConfiguration={"type": "dockerCompatible"}),
        f"{_VM}.containerConfiguration.type",
        "pool-container-image",
    ),
    ({"startTask": {"commandLine": " "}}, "startTask.commandLine", "start-task-command-missing"),
    (task(maxTaskRetryCount=-2), "startTask.maxTaskRetryCount", "start-task-retries"),
    (task(commandLine="x" * 32769), "startTask.commandLine", "start-task-long"),
    (task(resourceFiles=[{}]), "startTask.resourceFiles[0].httpUrl", "resource-file-source"),
    (task(resourceFiles=[{"httpUrl": "u"}]), "startTask.resourceFiles[0].filePath", "resource-file-path"),
    (task(userIdentity={"username": "nobody"}), "startTask.userIdentity.username", "start-task-identity-unknown"),
    ({"userAccounts": [{"name": "a" * 21, "password": "x"}]}, "userAccounts[0].name", "pool-user-name"),
    ({"userAccounts": [{"name": "a"}]}, "userAccounts[0].password", "pool-user-password"),
    (
        {"applicationPackageReferences": [{"applicationId": "gimp", "version": "1"}]},
        "applicationPackageReferences[0].applicationId",
        "pool-package-unknown-application",
    ),
    (
        {"applicationPackageReferences": [{"applicationId": "blender", "version": "9"}]},
        "applicationPackageReferences[0].version",
        "pool-package-unknown-version",
    ),
    (
        {"applicationPackageReferences": [{"applicationId": "blender"}]},
        "applicationPackageReferences[0].version",
        "pool-package-no-default",
    ),
    (
        {"applicationPackageReferences": [{"applicationId": "blender", "version": "2.7"}] * 11},
        "applicationPackageReferences",
        "pool-packages-many",
    ),
    (network(subnetId="mine"), "networkConfiguration.subnetId", "pool-subnet-invalid"),
    (
        nat({**NAT, "backendPort": 29876}),
        "networkConfiguration.endpointConfiguration.inboundNATPools[0].backendPort",
        "pool-nat-backend",
    ),
    (
        nat({**NAT, "frontendPortRangeEnd": 20030}),
        "networkConfiguration.endpointConfiguration.inboundNATPools[0].frontendPortRangeEnd",
        "pool-nat-range",
    ),
    (
        nat({**NAT, "frontendPortRangeStart": 49990, "frontendPortRangeEnd": 50100}),
        "networkConfiguration.endpointConfiguration.inboundNATPools[0].frontendPortRangeStart",
        "pool-nat-reserved",
    ),
    (
        nat(NAT, {**NAT, "name": "b"}),
        "networkConfiguration.endpointConfiguration.inboundNATPools[1].frontendPortRangeStart",
        "pool-nat-overlap",
    ),
    ({"mountConfiguration": [{}]}, "mountConfiguration[0]", "pool-mount-kind"),
    (
        {"mountConfiguration": [{"nfsMountConfiguration": {"source": "h", "relativeMountPath": "/x"}}]},
        "mountConfiguration[0].nfsMountConfiguration.relativeMountPath",
        "pool-mount-path",
    ),
    ({"metadata": [{"name": "", "value": "x"}]}, "metadata[0].name", "pool-metadata-no-name"),
]


@pytest.mark.parametrize("more", GOOD)
def test_what_the_service_takes_passes(more: dict[str, Any]) -> None:
    assert check(document(**more), FACTS) == []


@pytest.mark.parametrize(("more", "path", "code"), BAD, ids=[f"{code} {path}" for _more, path, code in BAD])
def test_each_broken_rule_is_named_at_its_path(more: dict[str, Any], path: str, code: str) -> None:
    found = [(flaw.path, flaw.code) for flaw in check(document(**more), FACTS) if not flaw.warning]
    assert (path, code) in found
    assert code in registry()


@pytest.mark.parametrize(
    ("more", "code"), [(image("ending"), "pool-image-ends"), (image("some"), "pool-image-unverified")]
)
def test_what_may_go_wrong_later_is_a_warning(more: dict[str, Any], code: str) -> None:
    assert [(flaw.code, flaw.warning) for flaw in check(document(**more), FACTS)] == [(code, True)]


def test_what_is_not_known_is_not_checked() -> None:
    found = check(document(vmSize="brand_new"), Facts())
    assert [(flaw.code, flaw.warning) for flaw in found] == [("pool-size-unchecked", True)]


@pytest.mark.parametrize(
    "wrong", [[], "pool", 7, None, {"id": "a", "virtualMachineConfiguration": [1]}, {"metadata": 3}]
)
def test_any_shape_of_input_is_answered(wrong: Any) -> None:
    assert check(wrong, FACTS)
