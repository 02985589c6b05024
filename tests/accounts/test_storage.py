"""The storage account blade: link, change, unlink, synchronise; who may, what cannot serve, what stops working."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.accounts import reading
from apps.accounts.models import BatchAccount
from apps.accounts.selectors import connection_for
from apps.accounts.services.storage import storage_link
from apps.audit.models import AuditEvent
from apps.core.exceptions import Conflict
from apps.gateway import blobs, management
from apps.operations.models import Kind, Operation, Status
from emulator.testing import Emulator
from tests.accounts.conftest import Visitor, finished
from tests.people.factories import Cast
from tests.support.service import put_storage


def url(name: str) -> str:
    return reverse(f"accounts:{name}", kwargs={"account": "local"})


def put_application(account: BatchAccount, application_id: str) -> None:
    connection = connection_for(account)
    management.application_create(connection, application_id)
    package = management.package_create(connection, application_id, "1.0")
    blobs.block_stage(package.storage_url, blobs.block_id(0), b"12345", 5)
    blobs.blocks_commit(package.storage_url, [blobs.block_id(0)])
    management.package_activate(connection, application_id, "1.0")


def test_linking_is_an_operation_that_ends_with_the_link(
    account: BatchAccount, visitor: Visitor, service: Emulator
) -> None:
    response = visitor("admin").post(
        url("storage-link"), {"storage_account_id": service.storage_id("devstoreaccount1")}
    )
    operation = Operation.objects.get()
    assert response.headers["Location"] == reverse("operations:detail", kwargs={"operation": operation.pk})
    assert finished(operation).status == Status.SUCCEEDED
    linked = management.account_properties(connection_for(account)).auto_storage
    assert linked is not None
    assert linked.name == "devstoreaccount1"
    account.refresh_from_db()
    assert account.snapshot["properties"]["auto_storage"] is not None
    assert [event.outcome for event in AuditEvent.objects.filter(action="storage-link").order_by("id")] == [
        "started",
        "done",
    ]
    page = visitor("reader").get(url("storage-linked")).content.decode()
    assert "devstoreaccount1" in page


def test_linking_again_after_a_crash_changes_nothing(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    wanted = service.storage_id("devstoreaccount1")
    operation = storage_link(actor=cast.actor("admin"), account=account, storage_account_id=wanted)
    management.auto_storage_link(connection_for(account), wanted)
    assert finished(operation).status == Status.SUCCEEDED


def test_one_change_at_a_time(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    wanted = service.storage_id("devstoreaccount1")
    storage_link(actor=cast.actor("admin"), account=account, storage_account_id=wanted)
    with pytest.raises(Conflict):
        storage_link(actor=cast.actor("admin"), account=account, storage_account_id=wanted)


@pytest.mark.parametrize(
    ("properties", "word"),
    [
        ({"isHnsEnabled": True}, "hierarchical"),
        ({"networkAcls": {"defaultAction": "Deny"}}, "firewall"),
        ({"kind": "FileStorage"}, "block blobs"),
    ],
)
def test_accounts_that_cannot_serve_are_shown_with_the_reason_and_refused(
    visitor: Visitor, service: Emulator, properties: dict[str, Any], word: str
) -> None:
    put_storage(service, "unfit", **properties)
    response = visitor("admin").get(url("storage-candidates"))
    [row] = [row for row in response.context["rows"] if row["storage"].name == "unfit"]
    assert word in row["reason"]
    assert "id=" + service.storage_id("unfit") not in response.content.decode().replace("%2F", "/")
    refused = visitor("admin").post(url("storage-link"), {"storage_account_id": service.storage_id("unfit")})
    assert refused.status_code == 422
    assert word in refused.content.decode()
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    "wanted", ["", "nonsense", "/subscriptions/x/../y", "/subscriptions/00000000-0000-0000-0000-000000000000"]
)
def test_what_is_no_storage_account_is_refused_before_azure_is_asked(
    visitor: Visitor, service: Emulator, wanted: str
) -> None:
    service.control("DELETE", "requests")
    response = visitor("admin").post(url("storage-link"), {"storage_account_id": wanted})
    assert response.status_code == 422
    assert service.requests("arm.storage_accounts.get_properties") == []


def test_a_storage_account_that_is_gone(visitor: Visitor, service: Emulator) -> None:
    response = visitor("admin").post(url("storage-link"), {"storage_account_id": service.storage_id("vanished")})
    assert response.status_code == 422
    assert "does not exist" in response.content.decode()


def test_same_region_comes_first(visitor: Visitor, service: Emulator) -> None:
    put_storage(service, "aaafar", location="brazilsouth")
    rows = visitor("admin").get(url("storage-candidates")).context["rows"]
    assert [(row["storage"].name, row["near"]) for row in rows] == [
        ("devstoreaccount1", True),
        ("packages2", True),
        ("aaafar", False),
    ]


def test_changing_and_unlinking_name_the_applications_that_stop_working(
    account: BatchAccount, visitor: Visitor, service: Emulator
) -> None:
    service.link_storage("devstoreaccount1")
    put_application(account, "Blender")
    change = visitor("admin").get(url("storage-link"), {"id": service.storage_id("packages2")})
    assert change.context["items"] == ["Blender"]
    unlink = visitor("admin").get(url("storage-unlink"))
    assert unlink.context["items"] == ["Blender"]
    assert visitor("admin").post(url("storage-unlink"), {"confirm": "wrong"}).status_code == 422
    assert not Operation.objects.exists()
    visitor("admin").post(url("storage-unlink"), {"confirm": "devstoreaccount1"})
    assert finished(Operation.objects.get(kind=Kind.STORAGE_UNLINK)).status == Status.SUCCEEDED
    assert management.account_properties(connection_for(account)).auto_storage is None


def test_keys_are_synchronised(account: BatchAccount, visitor: Visitor, service: Emulator) -> None:
    service.link_storage("devstoreaccount1")
    before = management.account_properties(connection_for(account)).auto_storage
    visitor("admin").post(url("storage-sync"))
    assert finished(Operation.objects.get()).status == Status.SUCCEEDED
    after = management.account_properties(connection_for(account)).auto_storage
    assert before is not None
    assert after is not None
    assert after.last_key_sync is not None
    assert before.last_key_sync is None or after.last_key_sync >= before.last_key_sync


def test_without_a_link_there_is_nothing_to_synchronise_or_unlink(visitor: Visitor) -> None:
    assert visitor("admin").post(url("storage-sync")).status_code == 409
    assert visitor("admin").post(url("storage-unlink"), {"confirm": ""}).status_code == 409


def test_a_refusal_of_the_service_ends_the_operation_with_its_code(
    account: BatchAccount, cast: Cast, service: Emulator
) -> None:
    wanted = service.storage_id("devstoreaccount1")
    operation = storage_link(actor=cast.actor("admin"), account=account, storage_account_id=wanted)
    service.fault(operation="arm.batch_account.update", status=403, code="LinkedAuthorizationFailed")
    ended = finished(operation)
    assert (ended.status, ended.message_code) == (Status.FAILED, "gateway-storage-right-missing")
    assert ended.reference


def test_what_packages_occupy_is_counted_blob_by_blob(
    account: BatchAccount, visitor: Visitor, service: Emulator
) -> None:
    service.link_storage("packages2")
    before = visitor("reader").get(url("storage-bytes")).context["reading"].value
    put_application(account, "Occupant")
    reading.forget(account)
    after = visitor("reader").get(url("storage-bytes")).context["reading"].value
    assert (after.packages - before.packages, after.size - before.size) == (1, 5)


def test_when_the_storage_account_cannot_be_asked_the_portals_own_records_count(
    account: BatchAccount, visitor: Visitor, service: Emulator
) -> None:
    service.link_storage("devstoreaccount1")
    service.fault(operation="arm.storage_accounts.*", status=403, code="AuthorizationFailed")
    page = visitor("reader").get(url("storage-bytes")).content.decode()
    assert "at least" in page
    assert "could not be asked" in page


@pytest.mark.parametrize("name", ["reader", "uploader", "operator"])
def test_others_see_the_blade_and_change_nothing(visitor: Visitor, service: Emulator, name: str) -> None:
    service.link_storage("devstoreaccount1")
    page = visitor(name).get(url("storage"))
    assert page.status_code == 200
    assert "Unlink" not in page.content.decode()
    assert visitor(name).get(url("storage-candidates")).status_code == 403
    for action in ("storage-link", "storage-unlink", "storage-sync"):
        assert visitor(name).post(url(action)).status_code == 403
    assert not Operation.objects.exists()


def test_a_stranger_finds_nothing(visitor: Visitor) -> None:
    assert visitor("stranger").get(url("storage")).status_code == 404


def test_by_shared_key_the_blade_says_how_to_get_there(shared_key: BatchAccount, visitor: Visitor) -> None:
    page = visitor("admin").get(url("storage-linked")).content.decode()
    assert "Entra ID" in page
    assert visitor("admin").post(url("storage-sync")).status_code == 409
