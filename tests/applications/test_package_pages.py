"""Deleting, activating and looking at one package, and deleting an application with all of them."""

from __future__ import annotations

import pytest

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner, PackageRecord
from apps.applications.services import application_update
from apps.audit.models import AuditEvent, Outcome
from apps.gateway import blobs, management
from apps.gateway.errors import GatewayNotFound
from apps.operations.models import Kind, Operation, Status
from apps.operations.services import operation_create, operation_retry
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage, finish, zipped

BASE = "/batch/local/applications/Blender/"
URL = f"{BASE}packages/2.7/"
pytestmark = pytest.mark.django_db(transaction=True)


def text(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


@pytest.fixture
def blender(cast: Cast, put_package: PutPackage, account: BatchAccount) -> None:
    put_package("Blender", "2.7", team=cast.team)
    put_package("Blender", "2.8")
    PackageRecord.objects.create(
        account=account, application_id="Blender", application_key="blender", version="2.7", version_key="2.7",
        size=1, sha256="0" * 64, filename="a.zip", uploaded_by_name="uploader",
    )  # fmt: skip


def versions(account: BatchAccount) -> set[str]:
    return {one.version for one in management.package_list(connection_for(account), "Blender")}


def updates_off(cast: Cast, account: BatchAccount) -> None:
    application_update(
        actor=cast.actor("administrator"), account=account, application_id="Blender", allow_updates=False
    )


# --- Delete package -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("blender")
def test_delete_a_package_by_typing_its_name(cast: Cast, account: BatchAccount) -> None:
    client = cast.client("uploader")
    asked = text(client.get(f"{URL}delete/"))
    assert 'data-confirm-name="2.7"' in asked
    response = client.post(f"{URL}delete/", {"confirm": "2.7"})
    operation = Operation.objects.get(kind=Kind.PACKAGE_DELETE)
    assert response.headers["Location"] == f"/operations/{operation.pk}/"
    assert finish(operation).status == Status.SUCCEEDED
    assert operation.message_code == "package-deleted"
    assert versions(account) == {"2.8"}
    assert not PackageRecord.objects.exists()
    started, done = AuditEvent.objects.filter(action="package.delete").order_by("pk")
    assert (started.outcome, done.outcome) == (Outcome.STARTED, Outcome.DONE)
    assert (done.user, done.resource, done.operation) == (cast.uploader, "Blender 2.7", operation)


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize("typed", ["", "2.8", "Blender", "2.7 2.7"])
def test_anything_else_typed_deletes_nothing(cast: Cast, typed: str) -> None:
    response = cast.client("uploader").post(f"{URL}delete/", {"confirm": typed})
    assert response.status_code == 422
    assert "Type 2.7 exactly" in text(response)
    assert not Operation.objects.exists()


@pytest.mark.usefixtures("blender")
def test_the_default_version_is_warned_about_and_then_cleared(cast: Cast, account: BatchAccount) -> None:
    management.application_update(connection_for(account), "Blender", default_version="2.7")
    client = cast.client("uploader")
    assert "2.7 is the default version" in text(client.get(f"{URL}delete/"))
    client.post(f"{URL}delete/", {"confirm": "2.7"})
    operation = finish(Operation.objects.get())
    assert operation.message_code == "default-package-deleted"
    assert management.application_get(connection_for(account), "Blender").default_version == ""


@pytest.mark.usefixtures("blender")
def test_without_allow_updates_nothing_is_deleted_or_offered(cast: Cast, account: BatchAccount) -> None:
    updates_off(cast, account)
    client = cast.client("uploader")
    page = text(client.get(BASE))
    assert "/packages/2.7/delete/" not in page
    assert "/packages/2.7/update/" not in page
    assert 'href="/batch/local/applications/Blender/add/"' in page
    assert "can be neither replaced nor deleted" in text(client.get(f"{URL}delete/"))
    assert client.post(f"{URL}delete/", {"confirm": "2.7"}).status_code == 409
    assert client.get(f"{URL}update/").status_code == 409
    assert client.get(f"{BASE}add/").status_code == 200
    assert not Operation.objects.exists()


@pytest.mark.usefixtures("blender")
def test_the_second_person_learns_who_was_first(cast: Cast) -> None:
    cast.client("uploader").post(f"{URL}delete/", {"confirm": "2.7"})
    operation = Operation.objects.get()
    response = cast.client("colleague").post(f"{URL}delete/", {"confirm": "2.7"})
    page = text(response)
    assert response.status_code == 409
    assert "Delete package" in page
    assert "uploader" in page
    assert f'href="/operations/{operation.pk}/"' in page
    assert Operation.objects.count() == 1


@pytest.mark.usefixtures("blender")
def test_a_double_click_is_one_operation(cast: Cast) -> None:
    client = cast.client("uploader")
    for _ in range(2):
        client.post(f"{URL}delete/", {"confirm": "2.7"})
    assert Operation.objects.count() == 1


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize(("name", "status"), [("other", 403), ("reader", 403), ("stranger", 404)])
@pytest.mark.parametrize("path", ["packages/2.7/delete/", "packages/2.7/activate/", "delete/"])
def test_who_may_not(cast: Cast, name: str, status: int, path: str) -> None:
    client = cast.client(name)
    assert client.post(f"{BASE}{path}", {"confirm": "2.7"}).status_code == status
    assert not Operation.objects.exists()


@pytest.mark.usefixtures("blender")
def test_a_package_that_is_gone_already_counts_as_deleted(cast: Cast, account: BatchAccount, service: Emulator) -> None:
    cast.client("uploader").post(f"{URL}delete/", {"confirm": "2.7"})
    service.arm("DELETE", f"{service.account_id()}/applications/Blender/versions/2.7")
    assert finish(Operation.objects.get()).status == Status.SUCCEEDED
    assert versions(account) == {"2.8"}


@pytest.mark.usefixtures("blender")
def test_a_lost_answer_is_made_good_by_asking_again(cast: Cast, account: BatchAccount, service: Emulator) -> None:
    """The connection breaks while the service deletes: the operation waits and ends well, not failed."""
    cast.client("uploader").post(f"{URL}delete/", {"confirm": "2.7"})
    service.fault(operation="arm.application_package.delete", reset=True, count=8)
    operation = finish(Operation.objects.get())
    assert operation.status == Status.RUNNING
    service.clear_faults()
    Operation.objects.update(not_before=None)
    assert finish(operation).status == Status.SUCCEEDED
    assert versions(account) == {"2.8"}


@pytest.mark.usefixtures("blender")
def test_a_refusal_fails_with_the_services_words_and_can_be_repeated(
    cast: Cast, account: BatchAccount, service: Emulator
) -> None:
    cast.client("uploader").post(f"{URL}delete/", {"confirm": "2.7"})
    service.fault(operation="arm.application_package.delete", status=403, code="AuthorizationFailed", message="No.")
    operation = finish(Operation.objects.get())
    assert operation.status == Status.FAILED
    assert operation.message_values["service_code"] == "AuthorizationFailed"
    service.clear_faults()
    again = operation_retry(actor=cast.actor("uploader"), operation=operation)
    assert finish(again).status == Status.SUCCEEDED
    assert versions(account) == {"2.8"}


# --- Pending packages -------------------------------------------------------------------------------------------------


def test_activate_what_another_tool_left(cast: Cast, account: BatchAccount, put_package: PutPackage) -> None:
    put_package("Blender", "2.7", activate=False, team=cast.team)
    client = cast.client("uploader")
    page = text(client.get(URL))
    assert "This package is Pending" in page
    assert f'action="{URL}activate/"' in page
    client.post(f"{URL}activate/")
    operation = finish(Operation.objects.get(kind=Kind.PACKAGE_ACTIVATE))
    assert (operation.status, operation.message_code) == (Status.SUCCEEDED, "package-activated")
    assert management.package_get(connection_for(account), "Blender", "2.7").is_active
    assert AuditEvent.objects.filter(action="package.activate", outcome=Outcome.DONE).count() == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "package-without-bytes"),
        (b"this is no zip at all", "package-unreadable"),
        (zipped()[:-30], "package-unreadable"),
        (b"", "package-unreadable"),
    ],
)
def test_what_is_no_zip_is_not_activated(
    cast: Cast, account: BatchAccount, put_package: PutPackage, data: bytes | None, code: str
) -> None:
    put_package("Blender", "2.7", data=data, activate=False, team=cast.team)
    cast.client("uploader").post(f"{URL}activate/")
    operation = finish(Operation.objects.get())
    assert (operation.status, operation.message_code) == (Status.FAILED, code)
    assert not management.package_get(connection_for(account), "Blender", "2.7").is_active


@pytest.mark.usefixtures("blender")
def test_an_active_package_is_not_activated_again(cast: Cast) -> None:
    response = cast.client("uploader").post(f"{URL}activate/")
    assert response.status_code == 409
    assert "is Active already" in text(response)


def test_activating_twice_is_activating_once(cast: Cast, put_package: PutPackage) -> None:
    """The worker dies after the service activated and before it wrote that down."""
    put_package("Blender", "2.7", activate=False, team=cast.team)
    cast.client("uploader").post(f"{URL}activate/")
    put_package("Blender", "2.7")
    assert finish(Operation.objects.get()).status == Status.SUCCEEDED


def test_a_pending_package_can_be_deleted_and_replaced(
    cast: Cast, account: BatchAccount, put_package: PutPackage
) -> None:
    put_package("Blender", "2.7", activate=False, team=cast.team)
    client = cast.client("uploader")
    assert "Replace package" in text(client.get(f"{URL}update/"))
    client.post(f"{URL}delete/", {"confirm": "2.7"})
    finish(Operation.objects.get())
    assert versions(account) == set()


# --- Delete application ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("blender")
def test_an_application_goes_with_the_packages_that_were_named(cast: Cast, account: BatchAccount) -> None:
    client = cast.client("uploader")
    asked = text(client.get(f"{BASE}delete/"))
    assert "Blender 2.7" in asked
    assert "Blender 2.8" in asked
    client.post(f"{BASE}delete/", {"confirm": "Blender", "version": ["2.7", "2.8"]})
    operation = finish(Operation.objects.get(kind=Kind.APPLICATION_DELETE))
    assert (operation.status, operation.total, operation.unit) == (Status.SUCCEEDED, 3, "packages")
    with pytest.raises(GatewayNotFound):
        management.application_get(connection_for(account), "Blender")
    assert not ApplicationOwner.objects.exists()
    assert not PackageRecord.objects.exists()
    assert AuditEvent.objects.filter(action="package.delete", outcome=Outcome.DONE).count() == 2


@pytest.mark.usefixtures("blender")
def test_a_package_that_nobody_named_is_never_deleted(cast: Cast, account: BatchAccount) -> None:
    response = cast.client("uploader").post(f"{BASE}delete/", {"confirm": "Blender", "version": ["2.7"]})
    assert response.status_code == 409
    assert "2.8" in text(response)
    assert not Operation.objects.exists()


@pytest.mark.usefixtures("blender")
def test_a_package_that_comes_meanwhile_stays(cast: Cast, account: BatchAccount, put_package: PutPackage) -> None:
    cast.client("uploader").post(f"{BASE}delete/", {"confirm": "Blender", "version": ["2.7", "2.8"]})
    put_package("Blender", "3.0")
    operation = finish(Operation.objects.get())
    assert (operation.status, operation.message_code) == (Status.FAILED, "application-not-empty")
    assert versions(account) == {"3.0"}
    assert ApplicationOwner.objects.exists()


@pytest.mark.usefixtures("blender")
def test_deleting_goes_on_where_it_stopped(cast: Cast, account: BatchAccount, service: Emulator) -> None:
    cast.client("uploader").post(f"{BASE}delete/", {"confirm": "Blender", "version": ["2.7", "2.8"]})
    service.fault(operation="arm.application.delete", status=503, count=20)
    operation = finish(Operation.objects.get())
    assert operation.status == Status.RUNNING
    assert versions(account) == set()
    service.clear_faults()
    Operation.objects.update(not_before=None)
    assert finish(operation).status == Status.SUCCEEDED


@pytest.mark.usefixtures("blender")
def test_an_application_is_not_deleted_while_something_runs_on_it(cast: Cast, account: BatchAccount) -> None:
    operation_create(
        actor=cast.actor("colleague"), account=account, kind=Kind.PACKAGE_UPLOAD, subject="Blender 3",
        subject_key="package:blender:3",
    )  # fmt: skip
    response = cast.client("uploader").post(f"{BASE}delete/", {"confirm": "Blender", "version": ["2.7", "2.8"]})
    assert response.status_code == 409
    assert "colleague" in text(response)


@pytest.mark.usefixtures("blender")
def test_without_allow_updates_packages_keep_the_application(cast: Cast, account: BatchAccount) -> None:
    updates_off(cast, account)
    client = cast.client("uploader")
    assert "Go to the settings" in text(client.get(f"{BASE}delete/"))
    response = client.post(f"{BASE}delete/", {"confirm": "Blender", "version": ["2.7", "2.8"]})
    assert response.status_code == 409
    assert not Operation.objects.exists()


def test_an_empty_application_needs_no_updates_to_go(cast: Cast, account: BatchAccount, service: Emulator) -> None:
    service.arm("PUT", f"{service.account_id()}/applications/hollow", {"properties": {"allowUpdates": False}})
    cast.client("administrator").post("/batch/local/applications/hollow/delete/", {"confirm": "hollow"})
    assert finish(Operation.objects.get()).status == Status.SUCCEEDED


@pytest.mark.usefixtures("blender")
def test_confirmations_work_in_a_dialog_too(cast: Cast) -> None:
    client = cast.client("uploader")
    wrong = client.post(f"{URL}delete/", {"confirm": "x"}, headers={"HX-Request": "true"})
    assert "data-dialog-content" in text(wrong)
    right = client.post(f"{URL}delete/", {"confirm": "2.7"}, headers={"HX-Request": "true"})
    assert right.headers["HX-Redirect"] == f"/operations/{Operation.objects.get().pk}/"


@pytest.mark.parametrize("same", [True, False])
def test_activating_keeps_a_record_only_of_the_bytes_that_are_there(
    cast: Cast, account: BatchAccount, put_package: PutPackage, same: bool
) -> None:
    package = put_package("Blender", "2.7", activate=False, team=cast.team)
    etag = blobs.blob_info(package.storage_url).etag if same else "of other bytes"
    PackageRecord.objects.create(
        account=account, application_id="Blender", application_key="blender", version="2.7", version_key="2.7",
        size=1, sha256="0" * 64, filename="a.zip", uploaded_by_name="uploader", blob_etag=etag,
    )  # fmt: skip
    cast.client("uploader").post(f"{URL}activate/")
    finish(Operation.objects.get())
    activated = management.package_get(connection_for(account), "Blender", "2.7").last_activation_time
    times = list(PackageRecord.objects.values_list("activated_at", flat=True))
    assert times == ([activated] if same else [])
