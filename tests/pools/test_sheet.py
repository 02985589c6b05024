"""A pool's configuration in words, what a planned pool would cost, and warnings beside rules."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.accounts.models import BatchAccount
from apps.pools.flaws import Facts
from apps.pools.models import VmPrice
from apps.pools.presentation import planned_cost
from apps.pools.rules import check
from apps.pools.sheet import sheet
from tests.people.factories import BatchAccountFactory
from tests.pools.conftest import SIZE, document


@pytest.fixture
def priced(db: None) -> BatchAccount:
    account: BatchAccount = BatchAccountFactory.create()
    VmPrice.objects.create(
        account=account, vm_size=SIZE, dedicated=Decimal("0.1"), spot=Decimal("0.02"), currency="EUR"
    )
    return account


def test_the_sheet_speaks_in_words() -> None:
    made = document(
        resizeTimeout="PT15M",
        enableAutoScale=False,
        startTask={"commandLine": "/bin/true", "maxTaskRetryCount": 2, "newProperty": 1},
        applicationPackageReferences=[{"applicationId": "blender", "version": "4.2"}],
    )
    rows = {str(label): value for section in sheet(made) for label, value in section.rows}
    assert rows["VM · Image · Offer"] == "ubuntu-24_04-lts"
    assert rows["Start task · Command line"] == "/bin/true"
    assert rows["Start task · newProperty"] == "1"
    assert rows["Application packages"] == "Application: blender, Version: 4.2"
    assert rows["Resize timeout"] == "15 min"
    assert rows["Automatic scaling"] == "No"


def test_a_planned_pool_is_estimated_where_its_size_has_a_price(priced: BatchAccount) -> None:
    planned = document(targetDedicatedNodes=10, targetLowPriorityNodes=5)
    assert planned_cost(priced, planned) == "1.10 EUR"
    assert planned_cost(priced, {**planned, "vmSize": "standard_other"}) == ""
    assert planned_cost(priced, {**planned, "enableAutoScale": True}) == ""
    assert planned_cost(priced, {**planned, "targetDedicatedNodes": "-3"}) == ""


def test_more_than_one_slot_with_inter_node_communication_is_warned_of() -> None:
    made = document(enableInterNodeCommunication=True, taskSlotsPerNode=2)
    found = [flaw for flaw in check(made, Facts()) if flaw.code == "pool-slots-inter-node"]
    assert [(flaw.path, flaw.warning) for flaw in found] == [("taskSlotsPerNode", True)]
    assert not [flaw for flaw in check({**made, "taskSlotsPerNode": 1}, Facts()) if "inter-node" in flaw.code]
