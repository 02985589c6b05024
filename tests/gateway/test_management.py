"""The management plane as the portal sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.gateway import blobs, clients, management
from apps.gateway.calls import counted
from apps.gateway.errors import (
    AutoStorageMissing,
    GatewayConflict,
    GatewayDenied,
    GatewayInvalid,
    GatewayNotFound,
    ManagementPlaneMissing,
)
from apps.gateway.types import Connection
from emulator.testing import Emulator
from tests.support.service import put_storage


def test_account_is_described_with_an_endpoint_that_can_be_used(service: Emulator, connection: Connection) -> None:
    found = management.account_properties(connection)
    assert (found.name, found.location, found.pool_allocation_mode) == ("local", "westeurope", "BatchService")
    assert found.account_endpoint == service.account_url()
    assert found.pool_quota > 0
    assert found.auto_storage is None
    assert "SharedKey" in found.authentication_modes


def test_keys_are_read_regenerated_and_never_shown(connection: Connection) -> None:
    before = management.account_keys(connection)
    after = management.account_key_regenerate(connection, "Secondary")
    assert after.primary == before.primary
    assert after.secondary not in {before.secondary, ""}
    assert before.primary not in repr(before)


def test_storage_is_linked_changed_synchronised_and_unlinked(service: Emulator, connection: Connection) -> None:
    first, second = service.storage_id("devstoreaccount1"), service.storage_id("packages2")
    linked = management.auto_storage_link(connection, first)
    assert linked is not None
    assert linked.name == "devstoreaccount1"
    management.auto_storage_link(connection, second)
    found = management.account_properties(connection).auto_storage
    assert found is not None
    assert found.storage_account_id == second
    management.auto_storage_sync_keys(connection)
    again = management.account_properties(connection).auto_storage
    assert again is not None
    assert again.last_key_sync is not None
    assert found.last_key_sync is None or again.last_key_sync >= found.last_key_sync
    management.auto_storage_unlink(connection)
    assert management.account_properties(connection).auto_storage is None


def test_storage_accounts_that_cannot_serve_say_why(service: Emulator, connection: Connection) -> None:
    put_storage(service, "lakehouse", isHnsEnabled=True)
    put_storage(service, "walled", networkAcls={"defaultAction": "Deny"})
    put_storage(service, "closed", publicNetworkAccess="Disabled")
    put_storage(service, "files", kind="FileStorage")
    found = {account.name: account.unfit for account in management.storage_account_list(connection)}
    assert found == {
        "devstoreaccount1": "",
        "packages2": "",
        "lakehouse": "storage-unfit-hierarchical-namespace",
        "walled": "storage-unfit-firewall",
        "closed": "storage-unfit-firewall",
        "files": "storage-unfit-kind",
    }


def test_a_storage_account_that_cannot_serve_is_refused_by_the_service_too(
    service: Emulator, connection: Connection
) -> None:
    put_storage(service, "lakehouse", isHnsEnabled=True)
    with pytest.raises(GatewayInvalid) as refused:
        management.auto_storage_link(connection, service.storage_id("lakehouse"))
    assert refused.value.service_code == "InvalidAutoStorageAccount"
    assert refused.value.request_id


def test_applications_and_packages_from_create_to_delete(service: Emulator, connection: Connection) -> None:
    service.link_storage("devstoreaccount1")
    made = management.application_create(connection, "Blender", display_name="Blender 3D")
    assert (made.id, made.display_name, made.allow_updates, made.default_version) == ("Blender", "Blender 3D", True, "")
    package = management.package_create(connection, "blender", "2.7")
    assert (package.application_id, package.version, package.is_active) == ("Blender", "2.7", False)
    blobs.block_stage(package.storage_url, blobs.block_id(0), b"bytes", 5)
    blobs.blocks_commit(package.storage_url, [blobs.block_id(0)])
    active = management.package_activate(connection, "Blender", "2.7")
    assert active.is_active
    assert active.last_activation_time is not None
    updated = management.application_update(connection, "Blender", default_version="2.7", allow_updates=False)
    assert (updated.default_version, updated.allow_updates, updated.display_name) == ("2.7", False, "Blender 3D")
    cleared = management.application_update(connection, "Blender", default_version="", allow_updates=True)
    assert (cleared.default_version, cleared.allow_updates) == ("", True)
    assert [found.version for found in management.package_list(connection, "Blender")] == ["2.7"]
    with pytest.raises(GatewayConflict) as refused:
        management.application_delete(connection, "Blender")
    assert refused.value.service_message
    management.package_delete(connection, "Blender", "2.7")
    management.package_delete(connection, "Blender", "2.7")
    with pytest.raises(GatewayNotFound):
        management.package_get(connection, "Blender", "2.7")
    management.application_delete(connection, "Blender")
    assert management.application_list(connection) == []


def test_without_linked_storage_applications_say_so(connection: Connection) -> None:
    with pytest.raises(AutoStorageMissing) as refused:
        management.application_list(connection)
    assert refused.value.service_code == "AccountNotEnabledForAutoStorage"
    assert "Storage account" in refused.value.message


def test_lists_are_read_to_the_last_page(service: Emulator, connection: Connection) -> None:
    service.link_storage("devstoreaccount1")
    names = [f"application{number:02}" for number in range(20)]
    for name in names:
        management.application_create(connection, name)
    assert [found.id for found in management.application_list(connection)] == names


def test_quota_is_named(service: Emulator, connection: Connection) -> None:
    service.link_storage("devstoreaccount1")
    for number in range(20):
        management.application_create(connection, f"application{number}")
    with pytest.raises(GatewayConflict) as refused:
        management.application_create(connection, "onemore")
    assert refused.value.code == "gateway-quota-reached"


def test_discovery_lists_subscriptions_and_their_accounts(service: Emulator, connection: Connection) -> None:
    assert [found.id for found in management.subscription_list(connection)] == [service.subscription]
    found = management.batch_account_list(connection, service.subscription)
    assert [(item.name, item.resource_group, item.account_endpoint) for item in found] == [
        ("local", "local", service.account_url())
    ]


def test_a_package_is_readable_by_a_signature_made_here(service: Emulator, connection: Connection) -> None:
    service.link_storage("devstoreaccount1")
    management.application_create(connection, "Readable")
    package = management.package_create(connection, "Readable", "1.0")
    blobs.block_stage(package.storage_url, blobs.block_id(0), b"some bytes", 10)
    blobs.blocks_commit(package.storage_url, [blobs.block_id(0)])
    unsigned = replace(package, storage_url=package.storage_url.partition("?")[0])
    assert blobs.blob_read(blobs.blob_read_url(connection, unsigned), 5, 5) == b"bytes"
    nowhere = replace(package, storage_url="")
    assert blobs.blob_read(blobs.blob_read_url(connection, nowhere), 0, 4) == b"some"


def test_shared_key_has_no_management_plane(shared_key: Connection) -> None:
    with pytest.raises(ManagementPlaneMissing), counted() as calls:
        management.application_list(shared_key)
    assert len(calls) == 0
    found = management.check(shared_key)
    assert (found.ok, found.tested, found.error_code) == (False, False, "gateway-management-plane-missing")


def test_an_account_that_does_not_exist(connection: Connection) -> None:
    with pytest.raises(GatewayNotFound) as refused:
        management.account_properties(replace(connection, account_name="nobody"))
    assert (refused.value.code, refused.value.http_status) == ("gateway-not-found", 404)


@pytest.mark.parametrize(
    ("service_code", "code"),
    [
        ("SubscriptionNotFound", "gateway-subscription-not-found"),
        ("ResourceGroupNotFound", "gateway-resource-group-not-found"),
    ],
)
def test_what_does_not_exist_is_told_apart(
    service: Emulator, connection: Connection, service_code: str, code: str
) -> None:
    service.fault(operation="arm.*", status=404, code=service_code)
    with pytest.raises(GatewayNotFound) as refused:
        management.account_properties(connection)
    assert refused.value.code == code


def test_denied_names_plane_and_remedy(service: Emulator, connection: Connection) -> None:
    service.fault(
        operation="arm.*",
        status=403,
        code="AuthorizationFailed",
        message="The client 'x' does not have authorization to perform action 'Microsoft.Batch/batchAccounts/read'.",
    )
    with pytest.raises(GatewayDenied) as refused:
        management.account_properties(connection)
    assert refused.value.code == "gateway-management-right-missing"
    assert "Microsoft.Batch/batchAccounts/read" in refused.value.message
    assert "IAM" in refused.value.message
    found = management.check(connection)
    assert (found.ok, found.error_code, bool(found.request_id)) == (False, refused.value.code, True)


@pytest.mark.parametrize("method", ["client-secret", "client-certificate"])
def test_what_cannot_be_a_credential_is_refused_before_anything_is_sent(connection: Connection, method: str) -> None:
    broken = replace(
        connection, auth_method=method, tenant_id="no tenant!", client_id="x", secrets=(("certificate", "x"),)
    )
    with counted() as calls, pytest.raises(GatewayDenied) as refused:
        management.account_properties(broken)
    assert refused.value.code == "gateway-credential-malformed"
    assert len(calls) == 0


def test_without_an_identity_the_machine_is_named(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    clients.forget()
    with pytest.raises(GatewayDenied) as refused:
        management.account_properties(replace(connection, auth_method="workload-identity"))
    assert refused.value.code in {"gateway-identity-unavailable", "gateway-credential-malformed"}
