"""The form and the document say the same, and lose nothing on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import QueryDict

from apps.gateway.types import ActiveApplication
from apps.gateway.types_pools import SupportedImage
from apps.pools.forms.engine import with_row, without_row
from apps.pools.forms.pool import NewPoolForm
from apps.pools.rules import check
from tests.pools.conftest import AGENT, document
from tests.pools.test_rules import FACTS

APPLICATIONS = (ActiveApplication("Blender", "", ("2.7", "2.8")),)
IMAGES = (SupportedImage(AGENT, "canonical", "ubuntu-24_04-lts", "server", "latest", "linux", verified=True),)
NAT = {
    "name": "ssh",
    "protocol": "tcp",
    "backendPort": 22,
    "frontendPortRangeStart": 20000,
    "frontendPortRangeEnd": 24999,
}
FULL = document(
    displayName="Everything",
    targetDedicatedNodes=3,
    targetLowPriorityNodes=1,
    resizeTimeout="PT20M",
    taskSlotsPerNode=2,
    taskSchedulingPolicy={"nodeFillType": "pack"},
    enableInterNodeCommunication=True,
    startTask={
        "commandLine": "/bin/bash -c 'echo a;\necho b'",
        "maxTaskRetryCount": 2,
        "waitForSuccess": False,
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
        "environmentSettings": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "resourceFiles": [{"httpUrl": "https://x/y", "filePath": "y", "fileMode": "0755"}],
    },
    applicationPackageReferences=[{"applicationId": "Blender", "version": "2.7"}, {"applicationId": "Blender"}],
    userAccounts=[{"name": "render", "password": "secret", "elevationLevel": "admin"}],
    networkConfiguration={
        "endpointConfiguration": {"inboundNATPools": [NAT]},
        "enableAcceleratedNetworking": True,
    },
    mountConfiguration=[
        {"nfsMountConfiguration": {"source": "h:/x", "relativeMountPath": "n", "mountOptions": "-o ro"}},
    ],
)
FULL["virtualMachineConfiguration"] |= {
    "dataDisks": [{"lun": 0, "diskSizeGB": 10, "caching": "readonly"}],
    "osDisk": {"diskSizeGB": 64, "writeAcceleratorEnabled": True},
    "extensions": [{"name": "e", "publisher": "p", "type": "t"}],
    "containerConfiguration": {"type": "dockerCompatible", "containerImageNames": ["a", "b"]},
}


def form(data: QueryDict | None = None, shown: dict[str, Any] | None = None) -> NewPoolForm:
    return NewPoolForm(data, shown, images=IMAGES, applications=APPLICATIONS)


def sent(shown: NewPoolForm) -> QueryDict:
    """What a browser sends for a form as it is shown."""
    data = QueryDict(mutable=True)
    for name, value in shown.hidden:
        data.appendlist(name, value)
    for name in shown.fields:
        value = shown[name].value()
        if value is not None and value is not False:
            data[name] = "on" if value is True else str(value)
    return data


def written(data: QueryDict) -> dict[str, Any]:
    filled = form(data)
    assert filled.is_valid(), filled.errors
    return filled.document()


def test_a_document_goes_through_the_form_unchanged() -> None:
    # Passwords go the other way only: here a browser has them because the form just took them from the document.
    assert written(sent(form(None, FULL))) == FULL


def test_what_has_no_field_is_shown_as_json() -> None:
    extra = json.loads(str(form(None, FULL)["extra"].value()))
    assert extra["virtualMachineConfiguration"]["extensions"] == [{"name": "e", "publisher": "p", "type": "t"}]


def test_automatic_scaling_leaves_the_targets_out() -> None:
    shown = document(enableAutoScale=True, autoScaleFormula="$TargetDedicatedNodes = 1;")
    data = sent(form(None, shown))
    data["targetDedicatedNodes"] = "7"
    assert written(data) == shown


def test_rows_come_and_go_and_the_others_keep_what_was_typed() -> None:
    data = sent(form(None, FULL))
    data = with_row(data, "metadata")
    data["metadata[1].name"], data["metadata[1].value"] = "team", "render"
    data = without_row(data, "startTask.environmentSettings[0]")
    found = written(data)
    assert found["metadata"] == [*FULL["metadata"], {"name": "team", "value": "render"}]
    assert found["startTask"]["environmentSettings"] == [{"name": "B", "value": "2"}]


def test_a_flaw_stands_at_the_row_it_belongs_to() -> None:
    data = with_row(with_row(sent(form()), "startTask.resourceFiles"), "startTask.resourceFiles")
    data["startTask.commandLine"] = "/bin/true"
    data["startTask.resourceFiles[1].httpUrl"] = "https://x/y"  # the first row stays empty
    filled = form(data)
    assert filled.is_valid()
    filled.show(check(filled.document(), FACTS))
    assert list(filled["startTask.resourceFiles[1].filePath"].errors)
    assert list(filled["pool_id"].errors)
    assert list(filled["image"].errors)
    assert list(filled["vmSize"].errors)
    assert not list(filled["startTask.resourceFiles[0].filePath"].errors)


@pytest.mark.parametrize("extra", ["[]", "{", "7", "[" * 5000])
def test_further_properties_that_are_no_object_are_refused_at_their_field(extra: str) -> None:
    data = sent(form())
    data["extra"] = extra
    filled = form(data)
    assert not filled.is_valid()
    assert list(filled["extra"].errors)


def test_an_unfinished_form_shows_no_errors() -> None:
    data = sent(form())
    data["targetDedicatedNodes"] = "many"
    shown = form(data).quieted()
    assert shown["targetDedicatedNodes"].value() == "many"
    assert not shown.errors
