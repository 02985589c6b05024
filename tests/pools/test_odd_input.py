"""Input that nobody means: no page breaks on it, each flaw has a place, and what was typed stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.pools.models import PoolSnapshot
from tests.people.factories import Cast, signed_in
from tests.pools.conftest import IMAGE, SIZE, MakePool, document

CHOSEN_IMAGE = "/".join(IMAGE.values())
ODD = [
    "", " ", "²", "٣", "-1", "1e9", "9" * 19, "9" * 5000, "NaN", "é" * 65, "a" * 65, "a/b", "../..", "\x00", "null",
    "[]", "<script>alert(1)</script>", "%(name)s %s {0} {{ x }}", "\u202eabc", "🛠️", "'; DROP TABLE pools; --",
]  # fmt: skip
FIELDS = [
    "pool_id",
    "displayName",
    "image",
    "image_id",
    "agent",
    "vmSize",
    "scale",
    "targetDedicatedNodes",
    "targetLowPriorityNodes",
    "resizeTimeout",
    "autoScaleFormula",
    "autoScaleEvaluationInterval",
    "taskSlotsPerNode",
    "taskSchedulingPolicy.nodeFillType",
    "enableInterNodeCommunication",
    "startTask.commandLine",
    "identity",
    "identity_name",
    "startTask.maxTaskRetryCount",
    "rows:startTask.environmentSettings",
    "startTask.environmentSettings[0].name",
    "rows:startTask.resourceFiles",
    "startTask.resourceFiles[0].httpUrl",
    "startTask.resourceFiles[0].fileMode",
    "rows:applicationPackageReferences",
    "applicationPackageReferences[0].reference",
    "rows:userAccounts",
    "userAccounts[0].name",
    "userAccounts[0].linuxUserConfiguration.uid",
    "connect",
    "sources",
    "networkConfiguration.subnetId",
    "networkConfiguration.publicIPAddressConfiguration.provision",
    "networkConfiguration.publicIPAddressConfiguration.ipAddressIds",
    "rows:mountConfiguration",
    "mountConfiguration[0].kind",
    "mountConfiguration[0].source",
    "mountConfiguration[0].relativeMountPath",
    "rows:metadata",
    "metadata[0].name",
    "rows:virtualMachineConfiguration.dataDisks",
    "virtualMachineConfiguration.dataDisks[0].lun",
    "virtualMachineConfiguration.dataDisks[0].diskSizeGB",
    "virtualMachineConfiguration.osDisk.diskSizeGB",
    "virtualMachineConfiguration.containerConfiguration.type",
    "rows:virtualMachineConfiguration.containerConfiguration.containerRegistries",
    "virtualMachineConfiguration.containerConfiguration.containerRegistries[0].registryServer",
    "extra",
    "gone",
    "row-add",
    "row-remove",
]
LEAST = {"pool_id": "linux", "image": CHOSEN_IMAGE, "vmSize": SIZE, "scale": "fixed"}
TYPED = ["pool_id", "displayName", "vmSize", "targetDedicatedNodes", "taskSlotsPerNode", "resizeTimeout"]
NO_DOCUMENTS = ["{", "[" * 100_000, '{"id": "x"', "\x00", "3", '"x"', "NaN", '{"id": 1e400}', "é" * 1000, "9" * 5000]
MEMBERS = [
    *document(),
    "startTask",
    "networkConfiguration",
    "userAccounts",
    "mountConfiguration",
    "taskSlotsPerNode",
    "applicationPackageReferences",
    "enableAutoScale",
    "autoScaleFormula",
    "taskSchedulingPolicy",
    "resizeTimeout",
]
texts = st.one_of(st.sampled_from(ODD), st.text(max_size=80))
many = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def operator(cast: Cast) -> Client:
    return signed_in(cast.operator)


def url(name: str, **parts: str) -> str:
    return reverse(f"pools:{name}", kwargs={"account": "local", **parts})


# --- The form of a new pool -----------------------------------------------------------------------------------------
@many
@given(values=st.dictionaries(st.sampled_from(FIELDS), texts, max_size=12))
def test_no_value_of_any_field_breaks_the_form_or_its_summary(operator: Client, values: dict[str, str]) -> None:
    counts = {name: "1" for name in FIELDS if name.startswith("rows:")}
    sent = {**counts, "pool_id": "", "image": CHOSEN_IMAGE, "vmSize": SIZE, "scale": "fixed", **values}
    assert operator.post(url("new-preview"), sent).status_code == 200
    # Without a size nothing is ever made.
    answer = operator.post(url("new"), sent | {"vmSize": ""})
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize(
    "field", ["pool_id", "displayName", "vmSize", "targetDedicatedNodes", "taskSlotsPerNode", "resizeTimeout"]
)
def test_what_was_typed_stays(operator: Client, field: str, value: str) -> None:
    sent = {
        "pool_id": "linux",
        "image": CHOSEN_IMAGE,
        "vmSize": SIZE,
        "scale": "fixed",
        "identity": "account",
        field: value,
    }
    answer = operator.post(url("new"), sent | {"taskSlotsPerNode": sent.get("taskSlotsPerNode", "1000")})
    if answer.status_code == 302:
        return
    assert answer.status_code == 422
    assert answer.context["form"][field].value() == value


def test_eleven_packages_and_the_same_one_twice(operator: Client) -> None:
    rows = {f"applicationPackageReferences[{index}].reference": "Blender|4.2" for index in range(11)}
    sent = {
        "pool_id": "linux",
        "image": CHOSEN_IMAGE,
        "vmSize": SIZE,
        "scale": "fixed",
        "rows:applicationPackageReferences": "11",
        **rows,
    }
    answer = operator.post(url("new"), sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "at most 10 application packages" in page
    assert "is in the list twice" in page
    assert page.count('value="Blender|4.2" selected') == 11


@pytest.mark.parametrize("formula", ["$T" + "x" * 9_999, " ", "\x00", "$TargetDedicatedNodes ="])
def test_a_formula_that_the_service_would_not_take(operator: Client, formula: str) -> None:
    sent = {**LEAST, "scale": "auto", "autoScaleFormula": formula}
    answer = operator.post(url("new"), sent)
    assert answer.status_code == 422
    assert answer.context["form"]["autoScaleFormula"].errors
    assert answer.context["form"]["autoScaleFormula"].value() == formula


# --- JSON -----------------------------------------------------------------------------------------------------------
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
members = st.dictionaries(st.sampled_from(MEMBERS), values, max_size=4)


@many
@given(changed=members, edit=st.booleans())
def test_no_document_breaks_the_page(operator: Client, changed: dict[str, Any], edit: bool) -> None:
    made = json.dumps({**document("a b"), **changed, "id": "a b"})
    sent = {"document": made, **({"edit": "1"} if edit else {})}
    answer = operator.post(url("new-json"), sent)
    assert answer.status_code in {200, 400, 409, 422}


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"id": "x"', "\x00", "3", '"x"', "NaN", '{"id": 1e400}', "é" * 1000]
)
def test_text_that_is_no_document_stays_in_the_page(operator: Client, text: str) -> None:
    answer = operator.post(url("new-json"), {"document": text})
    assert answer.status_code == 422
    assert answer.context["text"] == text


# --- A pool that exists ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", ODD)
def test_the_forms_of_a_pool_bear_odd_values(make_pool: MakePool, operator: Client, value: str) -> None:
    make_pool()
    task = {"startTask.commandLine": "x", "startTask.maxTaskRetryCount": value or "-2"}
    package = "applicationPackageReferences"
    for name, sent in {
        "scale": {"dedicated": value, "spot": "-5", "timeout": value, "deallocation": value},
        "formula": {"formula": value, "interval": value, "evaluate": "1"},
        "start-task": {**task, "identity": value, "etag": value},
        "packages": {f"rows:{package}": "1", f"{package}[0].reference": value or "No|1"},
        "metadata": {"rows:metadata": "1", "metadata[0].name": value, "etag": "never"},
        "delete": {"confirm": value},
    }.items():
        answer = operator.post(url(name, pool="linux"), sent)
        assert answer.status_code in {200, 302, 409, 412, 422}, (name, answer.status_code)
    assert PoolSnapshot.objects.filter(pool_id="linux").exists()


@pytest.mark.parametrize("value", ODD)
def test_prices_and_lists_bear_odd_values(operator: Client, cast: Cast, value: str) -> None:
    prices = signed_in(cast.admin).post(
        url("prices"), {"vm_size": value, "dedicated": value, "spot": "0.1", "currency": value}
    )
    assert prices.status_code in {302, 422}
    for name in ("list", "list-csv", "images", "sizes"):
        keys: tuple[str, ...] = (
            "q",
            "state",
            "scale",
            "trouble",
            "size",
            "package",
            "sort",
            "page",
            "image_q",
            "image_capability",
        )
        keys += ("size_cores", "size_memory", "size_sort", "vmSize")
        assert operator.get(url(name), dict.fromkeys(keys, value)).status_code == 200, name
    assert operator.get(url("new"), {"from": value}).status_code in {200, 404, 400, 422}
