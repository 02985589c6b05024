"""Subscriptions, resource groups and what a region offers."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

from emulator.testing import Emulator
from tests.emulator.conftest import NoCredential, PlainBearer
from tests.emulator.helpers import new_account

OTHER = "99999999-9999-9999-9999-999999999999"


def test_subscriptions_through_the_sdk(emulator: Emulator) -> None:
    with SubscriptionClient(NoCredential(), base_url=emulator.url, authentication_policy=PlainBearer()) as client:
        assert [found.subscription_id for found in client.subscriptions.list()] == [emulator.subscription]
        assert client.subscriptions.get(OTHER).subscription_id == OTHER
        names = {location.name for location in client.subscriptions.list_locations(OTHER)}
        assert {"westeurope", "eastus"} <= names
        assert len(list(client.tenants.list())) == 1


def test_an_account_brings_its_subscription_and_group(emulator: Emulator) -> None:
    account = f"/subscriptions/{OTHER}/resourceGroups/render/providers/Microsoft.Batch/batchAccounts/render1"
    emulator.arm("PUT", account, new_account().as_dict())
    listed = emulator.arm("GET", "/subscriptions", version="2022-12-01")["value"]
    assert {found["subscriptionId"] for found in listed} == {emulator.subscription, OTHER}
    groups = emulator.arm("GET", f"/subscriptions/{OTHER}/resourceGroups", version="2022-12-01")["value"]
    assert [group["name"] for group in groups] == ["local", "render"]


def test_resource_groups_can_be_made_and_any_can_be_read(emulator: Emulator) -> None:
    path = f"/subscriptions/{OTHER}/resourceGroups/lab"
    assert emulator.arm("GET", path, version="2022-12-01")["location"] == "westeurope"
    emulator.arm("PUT", path, {"location": "japaneast", "tags": {"a": "b"}}, version="2022-12-01")
    made = emulator.arm("GET", path.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), version="2022-12-01")
    assert (made["name"], made["location"], made["tags"]) == ("lab", "japaneast", {"a": "b"})


def test_vm_sizes_carry_what_a_choice_needs(management: BatchManagementClient) -> None:
    sizes = {size.name: size for size in management.location.list_supported_virtual_machine_skus("westeurope")}
    assert len(sizes) >= 30
    capabilities = {item.name: item.value for item in sizes["Standard_NC4as_T4_v3"].capabilities or []}
    assert (capabilities["vCPUs"], capabilities["GPUs"], capabilities["LowPriorityCapable"]) == ("4", "1", "True")
    assert sizes["Standard_F8s_v2"].batch_support_end_of_life is not None


def test_vm_sizes_come_in_pages_and_by_family(management: BatchManagementClient) -> None:
    whole = [size.name for size in management.location.list_supported_virtual_machine_skus("westeurope")]
    paged = [size.name for size in management.location.list_supported_virtual_machine_skus("westeurope", maxresults=7)]
    assert paged == whole
    family = management.location.list_supported_virtual_machine_skus(
        "westeurope", filter="familyName eq 'standardDSv5Family'"
    )
    assert {size.name for size in family} == {"Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5"}
    with pytest.raises(HttpResponseError) as caught:
        list(management.location.list_supported_virtual_machine_skus("westeurope", filter="cores gt 4"))
    assert caught.value.status_code == 400
