"""Linking storage accounts, through azure-mgmt-batch and azure-mgmt-storage."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import AutoStorageBaseProperties, BatchAccountUpdateParameters
from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.storage.models import (
    NetworkRuleSet,
    Sku,
    StorageAccountCreateParameters,
    StorageAccountPropertiesUpdateParameters,
    StorageAccountUpdateParameters,
)

from emulator.testing import AZURITE_KEY, Azurite, Emulator, start_emulator
from tests.emulator.conftest import management_client
from tests.emulator.helpers import changed_account, code, message


def link(storage_id: str) -> BatchAccountUpdateParameters:
    return changed_account(auto_storage=AutoStorageBaseProperties(storage_account_id=storage_id))


def recorded(**properties: Any) -> StorageAccountCreateParameters:
    kind = properties.pop("kind", "StorageV2")
    sku = Sku(name=properties.pop("sku", "Standard_LRS"))
    return StorageAccountCreateParameters(sku=sku, kind=kind, location="westeurope", **properties)


def refusal(management: BatchManagementClient, storage_id: str) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as caught:
        management.batch_account.update("local", "local", link(storage_id))
    assert management.batch_account.get("local", "local").auto_storage is None
    return caught.value


def test_connected_blob_stores_are_storage_accounts(
    azurite: Azurite, storage_management: StorageManagementClient
) -> None:
    found = list(storage_management.storage_accounts.list())
    assert [account.name for account in found] == sorted(azurite.accounts)
    assert {(account.kind, account.location) for account in found} == {("StorageV2", "westeurope")}
    one = storage_management.storage_accounts.get_properties("any-group", "devstoreaccount1")
    assert one.primary_endpoints.blob == f"{azurite.url}/devstoreaccount1/"
    assert "/resourceGroups/any-group/" in str(one.id)


def test_their_keys_are_the_connected_ones(storage_management: StorageManagementClient) -> None:
    keys = storage_management.storage_accounts.list_keys("local", "devstoreaccount1").keys_property
    assert [key.value for key in keys or []] == [AZURITE_KEY, AZURITE_KEY]


def test_linking_changing_and_unlinking(emulator: Emulator, management: BatchManagementClient) -> None:
    for name in ("devstoreaccount1", "packages2"):
        account = management.batch_account.update("local", "local", link(emulator.storage_id(name)))
        assert account.auto_storage.storage_account_id == emulator.storage_id(name)
        assert account.auto_storage.authentication_mode == "StorageKeys"
    unlinked = management.batch_account.update("local", "local", {"properties": {"autoStorage": None}})
    assert unlinked.auto_storage is None


def test_an_update_of_something_else_keeps_the_link(linked: Emulator, management: BatchManagementClient) -> None:
    account = management.batch_account.update("local", "local", changed_account(tags={"a": "b"}))
    assert account.auto_storage.storage_account_id == linked.storage_id("devstoreaccount1")


def test_synchronising_moves_the_time(linked: Emulator, management: BatchManagementClient) -> None:
    before = management.batch_account.get("local", "local").auto_storage.last_key_sync
    linked.clock(advance=60)
    management.batch_account.synchronize_auto_storage_keys("local", "local")
    after = management.batch_account.get("local", "local").auto_storage.last_key_sync
    assert (after - before).total_seconds() >= 60


def test_synchronising_nothing_is_a_conflict(management: BatchManagementClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        management.batch_account.synchronize_auto_storage_keys("local", "local")
    assert code(caught.value) == (409, "AccountNotEnabledForAutoStorage")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"is_hns_enabled": True}, "hierarchical namespace"),
        ({"network_rule_set": NetworkRuleSet(default_action="Deny")}, "firewall"),
        ({"public_network_access": "Disabled"}, "firewall"),
        ({"kind": "FileStorage", "sku": "Premium_LRS"}, "FileStorage"),
        ({}, "connection string"),
    ],
)
def test_an_account_that_cannot_serve_is_refused_with_the_reason(
    emulator: Emulator,
    management: BatchManagementClient,
    storage_management: StorageManagementClient,
    properties: dict[str, Any],
    reason: str,
) -> None:
    storage_management.storage_accounts.begin_create("local", "cannotserve", recorded(**properties)).result()
    error = refusal(management, emulator.storage_id("cannotserve"))
    assert code(error) == (400, "InvalidAutoStorageAccount")
    assert reason in message(error)


def test_an_account_that_is_not_there_is_refused(emulator: Emulator, management: BatchManagementClient) -> None:
    assert "does not exist" in message(refusal(management, emulator.storage_id("nosuchaccount")))


def test_something_else_than_a_storage_account_is_refused(management: BatchManagementClient) -> None:
    assert code(refusal(management, "devstoreaccount1"))[1] == "LinkedInvalidPropertyId"


def test_recorded_accounts_come_and_go(emulator: Emulator, storage_management: StorageManagementClient) -> None:
    accounts = storage_management.storage_accounts
    made = accounts.begin_create("lab", "labdata", recorded(is_hns_enabled=True, tags={"a": "b"})).result()
    assert (made.is_hns_enabled, made.tags, made.kind) == (True, {"a": "b"}, "StorageV2")
    assert [found.name for found in accounts.list_by_resource_group("lab")] == ["labdata"]
    assert accounts.list_keys("lab", "labdata").keys_property == []
    changed = accounts.update("lab", "labdata", StorageAccountUpdateParameters(tags={"c": "d"}))
    assert (changed.is_hns_enabled, changed.tags) == (True, {"c": "d"})
    accounts.delete("lab", "labdata")
    accounts.delete("lab", "labdata")
    assert [found.name for found in accounts.list_by_resource_group("lab")] == []


def test_a_connected_account_can_be_given_a_firewall(
    emulator: Emulator, management: BatchManagementClient, storage_management: StorageManagementClient
) -> None:
    closed = StorageAccountUpdateParameters(
        properties=StorageAccountPropertiesUpdateParameters(network_rule_set=NetworkRuleSet(default_action="Deny"))
    )
    storage_management.storage_accounts.update("local", "devstoreaccount1", closed)
    assert "firewall" in message(refusal(management, emulator.storage_id("devstoreaccount1")))


def test_without_a_blob_store_everything_but_packages_works() -> None:
    with start_emulator() as bare, management_client(bare) as management:
        assert bare.control("GET", "health")["storage"] == []
        assert [account.name for account in management.batch_account.list()] == ["local"]
        with pytest.raises(HttpResponseError) as caught:
            list(management.application.list("local", "local"))
        assert code(caught.value)[1] == "AccountNotEnabledForAutoStorage"
