"""Batch accounts through azure-mgmt-batch."""

from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import (
    AutoStorageBaseProperties,
    BatchAccountCreateParameters,
    BatchAccountIdentity,
    BatchAccountRegenerateKeyParameters,
    BatchAccountUpdateParameters,
    CheckNameAvailabilityParameters,
)

from emulator.testing import Azurite, Emulator, start_emulator
from tests.emulator.conftest import batch_client, management_client
from tests.emulator.helpers import changed_account, code, message, new_account

CREATE = BatchAccountCreateParameters(location="West Europe", tags={"team": "render"})


def refused(action: Callable[[], object]) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as caught:
        action()
    return caught.value


def test_the_first_start_brings_one_account_without_storage(management: BatchManagementClient) -> None:
    (account,) = management.batch_account.list()
    assert (account.name, account.location, account.provisioning_state) == ("local", "westeurope", "Succeeded")
    assert account.auto_storage is None
    assert (account.dedicated_core_quota, account.low_priority_core_quota, account.pool_quota) == (700, 500, 100)
    assert account.active_job_and_job_schedule_quota == 300
    assert set(account.allowed_authentication_modes) == {"SharedKey", "AAD", "TaskAuthenticationToken"}


def test_the_endpoint_has_no_scheme_and_carries_the_account(
    emulator: Emulator, management: BatchManagementClient
) -> None:
    account = management.batch_account.get("local", "local")
    assert account.account_endpoint == f"{emulator.netloc}/local"


def test_creating_waits_for_the_operation(management: BatchManagementClient) -> None:
    created = management.batch_account.begin_create("render", "render1", CREATE).result()
    assert str(created.id).endswith("/resourceGroups/render/providers/Microsoft.Batch/batchAccounts/render1")
    assert (created.location, created.tags, created.provisioning_state) == (
        "westeurope",
        {"team": "render"},
        "Succeeded",
    )
    assert [found.name for found in management.batch_account.list_by_resource_group("RENDER")] == ["render1"]
    assert [found.name for found in management.batch_account.list()] == ["local", "render1"]


def test_creation_takes_the_time_it_is_given(azurite: Azurite) -> None:
    with (
        start_emulator(arguments=["--provisioning-time", "3600"]) as slow,
        management_client(slow) as management,
    ):
        management.batch_account.begin_create("render", "render1", CREATE, polling=False)
        (request,) = slow.requests("arm.batch_account.create")
        assert request["status"] == 202
        assert management.batch_account.get("render", "render1").provisioning_state == "Creating"
        busy = refused(lambda: management.batch_account.update("render", "render1", changed_account(tags={})))
        assert code(busy) == (409, "AccountOperationInProgress")
        slow.clock(advance="PT1H")
        assert management.batch_account.get("render", "render1").provisioning_state == "Succeeded"
        management.batch_account.begin_delete("render", "render1", polling=False)
        assert management.batch_account.get("render", "render1").provisioning_state == "Deleting"
        slow.clock(advance=3600)
        with pytest.raises(ResourceNotFoundError):
            management.batch_account.get("render", "render1")


def test_location_and_retry_after_lead_to_the_account(emulator: Emulator, management: BatchManagementClient) -> None:
    seen: dict[str, str] = {}
    management.batch_account.begin_create(
        "render",
        "render1",
        CREATE,
        polling=False,
        raw_response_hook=lambda response: seen.update(response.http_response.headers),
    )
    assert seen["location"].startswith(f"{emulator.url}/subscriptions/")
    assert int(seen["retry-after"]) >= 1
    path = seen["location"].removeprefix(emulator.url).partition("?")[0]
    assert emulator.arm("GET", path)["name"] == "render1"


@pytest.mark.parametrize("name", ["ab", "Upper", "with-hyphen", "a" * 25, "pools"])
def test_a_name_that_breaks_the_rules_is_refused(emulator: Emulator, name: str) -> None:
    with management_client(emulator) as management:
        error = refused(lambda: management.batch_account.begin_create("g", name, CREATE, polling=False))
    assert error.status_code == 400


def test_a_name_is_taken_whatever_the_group(management: BatchManagementClient) -> None:
    error = refused(lambda: management.batch_account.begin_create("other", "local", CREATE))
    assert code(error) == (409, "AccountAlreadyExists")


def test_an_existing_account_does_not_move(management: BatchManagementClient) -> None:
    moved = new_account(location="japaneast")
    error = refused(lambda: management.batch_account.begin_create("local", "local", moved))
    assert code(error) == (409, "InvalidResourceLocation")


def test_creating_needs_a_location(emulator: Emulator, management: BatchManagementClient) -> None:
    error = refused(lambda: management.batch_account.begin_create("g", "render1", {"tags": {}}, polling=False))
    assert code(error) == (400, "MissingRequiredProperty")
    assert "location" in message(error)


def test_the_regional_quota_holds(azurite: Azurite) -> None:
    with start_emulator(arguments=["--account-quota", "1"]) as small, management_client(small) as management:
        error = refused(lambda: management.batch_account.begin_create("g", "render1", CREATE))
        assert code(error) == (409, "SubscriptionQuotaExceeded")
        elsewhere = new_account(location="japaneast")
        assert management.batch_account.begin_create("g", "render1", elsewhere).result().location == "japaneast"
        assert management.location.get_quotas("westeurope").account_quota == 1


def test_an_update_changes_what_it_names(management: BatchManagementClient) -> None:
    tagged = changed_account(tags={"a": "b"}, public_network_access="Disabled")
    management.batch_account.update("local", "local", tagged)
    only_identity = BatchAccountUpdateParameters(identity=BatchAccountIdentity(type="SystemAssigned"))
    account = management.batch_account.update("local", "local", only_identity)
    assert (account.tags, account.public_network_access) == ({"a": "b"}, "Disabled")
    assert account.identity is not None
    assert account.identity.principal_id


def test_an_update_of_nonsense_is_refused_and_changes_nothing(management: BatchManagementClient) -> None:
    wrong = changed_account(tags={"a": "b"}, allowed_authentication_modes=["Password"])
    error = refused(lambda: management.batch_account.update("local", "local", wrong))
    assert error.status_code == 400
    assert "allowedAuthenticationModes" in message(error)
    assert management.batch_account.get("local", "local").tags is None


def test_a_user_subscription_account_needs_a_key_vault(management: BatchManagementClient) -> None:
    wanted = new_account(location="westeurope", pool_allocation_mode="UserSubscription")
    assert refused(lambda: management.batch_account.begin_create("g", "render1", wanted)).status_code == 400


def test_an_account_is_only_in_its_own_group_and_subscription(management: BatchManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        management.batch_account.get("elsewhere", "local")
    assert code(caught.value)[1] == "ResourceNotFound"
    assert management.batch_account.get("LOCAL", "Local").name == "local"


def test_deleting_takes_everything_and_may_be_repeated(linked: Emulator, management: BatchManagementClient) -> None:
    management.application.create("local", "local", "blender")
    management.batch_account.begin_delete("local", "local").result()
    assert list(management.batch_account.list()) == []
    management.batch_account.begin_delete("local", "local").result()
    again = new_account(
        location="westeurope",
        auto_storage=AutoStorageBaseProperties(storage_account_id=linked.storage_id("devstoreaccount1")),
    )
    management.batch_account.begin_create("local", "local", again).result()
    assert list(management.application.list("local", "local")) == []


def test_a_regenerated_key_works_and_the_old_one_does_not(
    emulator: Emulator, management: BatchManagementClient
) -> None:
    before = management.batch_account.get_keys("local", "local")
    assert (before.account_name, len(str(before.primary)), len(str(before.secondary))) == ("local", 88, 88)
    wanted = BatchAccountRegenerateKeyParameters(key_name="Primary")
    after = management.batch_account.regenerate_key("local", "local", wanted)
    assert after.primary != before.primary
    assert after.secondary == before.secondary
    for key in (after.primary, after.secondary):
        with batch_client(emulator, key=key) as batch:
            assert list(batch.list_pools()) == []
    with batch_client(emulator, key=before.primary) as batch, pytest.raises(HttpResponseError) as caught:
        list(batch.list_pools())
    assert caught.value.status_code == 403


def test_a_key_of_another_name_is_refused(management: BatchManagementClient) -> None:
    wanted = BatchAccountRegenerateKeyParameters(key_name="Tertiary")
    assert refused(lambda: management.batch_account.regenerate_key("local", "local", wanted)).status_code == 400


@pytest.mark.parametrize(
    ("name", "available", "reason"),
    [("free123", True, None), ("local", False, "AlreadyExists"), ("No_Good", False, "Invalid")],
)
def test_names_can_be_asked_for(
    management: BatchManagementClient, name: str, available: bool, reason: str | None
) -> None:
    wanted = CheckNameAvailabilityParameters(name=name, type="Microsoft.Batch/batchAccounts")
    answer = management.location.check_name_availability("westeurope", wanted)
    assert (answer.name_available, answer.reason) == (available, reason)


def test_an_unknown_management_version_is_refused(emulator: Emulator) -> None:
    with management_client(emulator, api_version="1999-01-01") as client:
        error = refused(lambda: client.batch_account.get("local", "local"))
    assert code(error) == (400, "InvalidApiVersionParameter")


@pytest.mark.parametrize("version", ["2022-06-01", "2023-11-01", "2024-02-01", "2025-06-01"])
def test_older_management_versions_are_served(emulator: Emulator, version: str) -> None:
    assert emulator.arm("GET", emulator.account_id(), version=version)["name"] == "local"


def test_what_is_not_there_yet_says_so(management: BatchManagementClient) -> None:
    error = refused(lambda: list(management.batch_account.list_detectors("local", "local")))
    assert code(error) == (501, "NotImplemented")
    assert "arm.batch_account.list_detectors" in message(error)


def test_a_conflict_is_the_sdks_own_exception(management: BatchManagementClient) -> None:
    with pytest.raises(ResourceExistsError):
        management.batch_account.begin_create("other", "local", CREATE)


def test_the_providers_operations_are_listed(management: BatchManagementClient) -> None:
    names = {operation.name for operation in management.operations.list()}
    assert "Microsoft.Batch/batchAccounts/applications/versions/write" in names
