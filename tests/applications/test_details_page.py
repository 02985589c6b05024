"""Application details: packages, settings, owning team, deleting."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime

import pytest
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner, PackageRecord
from apps.audit.models import AuditEvent, Outcome
from apps.gateway import management
from apps.gateway.calls import counted
from apps.operations.models import Kind, Operation, Status
from apps.operations.services import operation_create
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage, connect_by_shared_key

URL = "/batch/local/applications/Blender/"
SETTINGS = {"display_name": "The renderer", "default_version": "2.7", "allow_updates": "on"}


def text(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def record_of(account: BatchAccount, version: str, activated_at: datetime | None = None) -> PackageRecord:
    return PackageRecord.objects.create(
        account=account,
        application_id="Blender",
        application_key="blender",
        version=version,
        version_key=version.lower(),
        size=123_456,
        sha256="ab" * 32,
        filename="blender.zip",
        uploaded_by_name="A. Uploader",
        activated_at=activated_at,
    )


@pytest.fixture
def blender(cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "2.7", team=cast.team)
    put_package("Blender", "2.8", activate=False)


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize(
    ("name", "status", "may"),
    [
        ("administrator", 200, True),
        ("uploader", 200, True),
        ("other", 200, False),
        ("reader", 200, False),
        ("stranger", 404, False),
    ],
)
def test_roles_and_ownership_decide_what_is_offered(cast: Cast, name: str, status: int, may: bool) -> None:
    response = cast.client(name).get(URL)
    assert response.status_code == status
    page = text(response)
    for wanted in ('href="/batch/local/applications/Blender/add/"', "packages/2.7/update/", "packages/2.8/activate/",
                   'name="display_name"', "/Blender/delete/"):  # fmt: skip
        assert (wanted in page) is may, wanted
    assert ("/Blender/team/" in page) is (name == "administrator")


@pytest.mark.usefixtures("blender")
def test_names_are_found_in_any_case_and_shown_in_their_own(cast: Cast) -> None:
    page = text(cast.client("reader").get("/batch/local/applications/BLENDER/"))
    assert "<span>Blender</span>" in page


@pytest.mark.parametrize("path", ["nothing/", "a b/", "a.b/", f"{'a' * 65}/", "..%2f/", "Blender/packages/9/"])
@pytest.mark.usefixtures("blender")
def test_what_is_not_there_is_404(cast: Cast, path: str) -> None:
    assert cast.client("administrator").get(f"/batch/local/applications/{path}").status_code == 404


@pytest.mark.usefixtures("cast")
def test_impossible_names_never_reach_the_service(cast: Cast, service: Emulator) -> None:
    client = cast.client("administrator")
    client.get("/batch/local/applications/")
    with counted() as log:
        assert client.get("/batch/local/applications/a%20b/").status_code == 404
    assert len(log) == 0


@pytest.mark.usefixtures("blender")
def test_facts_of_a_package(cast: Cast, account: BatchAccount) -> None:
    record_of(account, "2.7")
    page = text(cast.client("reader").get(URL))
    assert "A. Uploader" in page
    assert 'data-copy="' + "ab" * 32 + '"' in page
    assert 'value="123456"' in page
    assert "Pending" in page
    assert "AZ_BATCH_APP_PACKAGE_Blender" in page


@pytest.mark.usefixtures("blender")
def test_a_checksum_is_not_claimed_for_bytes_that_another_tool_replaced(
    cast: Cast, account: BatchAccount, put_package: PutPackage
) -> None:
    package = management.package_get(connection_for(account), "Blender", "2.7")
    record_of(account, "2.7", package.last_activation_time)
    assert "ab" * 32 in text(cast.client("reader").get(URL))
    put_package("Blender", "2.7", data=b"other bytes")
    page = text(cast.client("reader").get(URL))
    assert "ab" * 32 not in page
    assert "since the last upload here" in page


@pytest.mark.usefixtures("blender")
def test_two_service_calls_and_a_fixed_number_of_queries(
    cast: Cast, put_package: PutPackage, django_assert_max_num_queries: object
) -> None:
    client = cast.client("uploader")
    client.get(URL)
    for number in range(5):
        put_package("Blender", f"3.{number}")
    with counted() as log, django_assert_max_num_queries(14):  # type: ignore[operator]
        client.get(URL)
    assert sum(1 for call in log.calls if "/applications/" in call.path) == 2


@pytest.mark.usefixtures("blender")
def test_packages_sort_by_the_address(cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "2.10")
    client = cast.client("reader")

    def versions(query: str) -> list[str]:
        return re.findall(r"/packages/([^/]+)/\">", text(client.get(URL + query)))

    assert versions("")[0] == "2.10"
    assert versions("?sort=version") == ["2.7", "2.8", "2.10"]
    assert versions("?sort=-version") == ["2.10", "2.8", "2.7"]
    assert versions("?sort=evil") == versions("")


@pytest.mark.usefixtures("blender")
def test_running_operations_are_shown_live(cast: Cast, account: BatchAccount) -> None:
    operation = operation_create(
        actor=cast.actor("colleague"),
        account=account,
        kind=Kind.PACKAGE_UPLOAD,
        subject="Blender 2.7",
        subject_key="package:blender:2.7",
        subject_url=URL,
        total=1000,
    )
    page = text(cast.client("uploader").get(URL))
    card = f"/batch/local/applications/+jobs/{operation.pk}/"
    assert f'data-poll="{card}"' in page
    # While it runs, nothing else is offered for this package.
    assert "packages/2.7/update/" not in page
    client = cast.client("reader")
    polled = client.get(card)
    assert f'data-poll="{card}"' in text(polled)
    assert client.get(card, headers={"If-None-Match": polled.headers["ETag"]}).status_code == 304
    Operation.objects.filter(pk=operation.pk).update(
        status=Status.SUCCEEDED, message_code="package-activated", ended_at=timezone.now(), changed_at=timezone.now(),
        message_values={"application": "Blender", "version": "2.7"},
    )  # fmt: skip
    ended = client.get(card, headers={"If-None-Match": polled.headers["ETag"]})
    assert "Blender 2.7 is Active." in text(ended)
    assert "data-poll" not in text(ended)
    assert cast.client("stranger").get(card).status_code == 404


@pytest.mark.usefixtures("cast")
def test_an_application_on_its_way_has_a_page(cast: Cast, account: BatchAccount) -> None:
    operation_create(
        actor=cast.actor("uploader"),
        account=account,
        kind=Kind.PACKAGE_UPLOAD,
        subject="fresh 1",
        subject_key="package:fresh:1",
    )
    response = cast.client("reader").get("/batch/local/applications/fresh/")
    assert response.status_code == 200
    assert "Upload package · fresh 1" in text(response)


# --- Settings -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("blender")
def test_settings_are_saved_at_the_service_and_written_down(cast: Cast, account: BatchAccount) -> None:
    response = cast.client("uploader").post(URL, SETTINGS)
    assert (response.status_code, response.headers["Location"]) == (302, URL)
    application = management.application_get(connection_for(account), "Blender")
    assert (application.display_name, application.default_version) == ("The renderer", "2.7")
    event = AuditEvent.objects.get(action="application.update")
    assert event.user == cast.uploader
    assert event.values["changes"] == {"display_name": ["", "The renderer"], "default_version": ["", "2.7"]}


@pytest.mark.usefixtures("blender")
def test_no_default_is_a_choice_and_unchecked_means_off(cast: Cast, account: BatchAccount) -> None:
    client = cast.client("uploader")
    client.post(URL, SETTINGS)
    client.post(URL, {"display_name": "", "default_version": ""})
    application = management.application_get(connection_for(account), "Blender")
    assert (application.display_name, application.default_version, application.allow_updates) == ("", "", False)


@pytest.mark.usefixtures("blender")
def test_saving_what_is_already_so_asks_nothing_of_the_service(cast: Cast) -> None:
    client = cast.client("uploader")
    client.post(URL, SETTINGS)
    events = AuditEvent.objects.count()
    client.post(URL, SETTINGS)
    assert AuditEvent.objects.count() == events


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"default_version": "2.8"}, "is no Active package"),
        ({"default_version": "9"}, "is no Active package"),
        ({"display_name": "x" * 1025}, "at most 1024 characters"),
    ],
)
def test_a_bad_setting_is_named_at_its_field_and_nothing_typed_is_lost(
    cast: Cast, account: BatchAccount, change: dict[str, str], error: str
) -> None:
    response = cast.client("uploader").post(URL, {**SETTINGS, "display_name": "Typed by hand", **change})
    page = text(response)
    assert response.status_code == 422
    assert error in page
    assert change.get("display_name", "Typed by hand") in page
    assert management.application_get(connection_for(account), "Blender").display_name == ""


@pytest.mark.usefixtures("blender")
def test_a_refusal_of_the_service_is_shown_and_written_down(cast: Cast, service: Emulator) -> None:
    service.fault(operation="arm.application.update", status=409, code="UpdatesNotAllowed", message="Not now.", count=1)
    response = cast.client("uploader").post(URL, SETTINGS)
    assert response.status_code == 409
    assert "The renderer" in text(response)
    assert "data-form-errors" in text(response)
    assert AuditEvent.objects.get(action="application.update").outcome == Outcome.REFUSED


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize(("name", "status"), [("other", 403), ("reader", 403), ("stranger", 404)])
def test_who_may_not_save(cast: Cast, account: BatchAccount, name: str, status: int) -> None:
    assert cast.client(name).post(URL, SETTINGS).status_code == status
    assert management.application_get(connection_for(account), "Blender").display_name == ""


# --- Team -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("blender")
def test_administrators_assign_the_team(cast: Cast) -> None:
    client = cast.client("administrator")
    assert client.post(f"{URL}team/", {"team": str(cast.other_team.pk)}).status_code == 302
    assert ApplicationOwner.objects.get(application_key="blender").team == cast.other_team
    assert client.post(f"{URL}team/", {"team": ""}).status_code == 302
    assert not ApplicationOwner.objects.exists()
    event = AuditEvent.objects.filter(action="application.assign").order_by("pk").first()
    assert event is not None
    assert (event.values["before"], event.values["after"]) == ("Render", "Simulation")


@pytest.mark.usefixtures("blender")
def test_nobody_else_assigns_and_nothing_that_is_not_there(cast: Cast) -> None:
    assert cast.client("uploader").post(f"{URL}team/", {"team": ""}).status_code == 403
    response = cast.client("administrator").post("/batch/local/applications/none/team/", {"team": str(cast.team.pk)})
    assert response.status_code == 404
    assert cast.client("administrator").post(f"{URL}team/", {"team": "999"}).status_code == 422


# --- CSV ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("blender")
def test_packages_as_csv(cast: Cast, account: BatchAccount) -> None:
    record_of(account, "2.7")
    response = cast.client("reader").get(f"{URL}packages.csv")
    data = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = {row["Version"]: row for row in csv.DictReader(io.StringIO(data))}
    assert rows["2.7"]["SHA-256"] == "ab" * 32
    assert (rows["2.8"]["State"], rows["2.8"]["SHA-256"]) == ("Pending", "")


# --- Unhappy ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("blender")
def test_the_quota_of_packages_stops_adding(cast: Cast, settings: Settings) -> None:
    settings.APPLICATION_PACKAGE_QUOTA = 2
    page = text(cast.client("uploader").get(URL))
    assert "as many packages as Batch allows" in page
    assert cast.client("uploader").get(f"{URL}add/").status_code == 409


@pytest.mark.usefixtures("blender")
def test_an_application_that_goes_while_one_looks(cast: Cast, service: Emulator) -> None:
    client = cast.client("uploader")
    client.get(URL)
    for version in ("2.7", "2.8"):
        service.arm("DELETE", f"{service.account_id()}/applications/Blender/versions/{version}")
    service.arm("DELETE", f"{service.account_id()}/applications/Blender")
    response = client.post(URL, SETTINGS)
    assert response.status_code == 404
    assert "Somebody may have deleted it" in text(response)


@pytest.mark.usefixtures("blender")
def test_by_shared_key_only_what_the_data_plane_knows(cast: Cast, account: BatchAccount, service: Emulator) -> None:
    connect_by_shared_key(account, service)
    client = cast.client("administrator")
    page = text(client.get(URL))
    assert "management plane is out of reach" in page
    assert "/packages/2.7/" in page
    assert "/packages/2.8/" not in page  # Pending: the data plane lists Active ones alone
    assert 'name="display_name"' not in page
    assert "Default version" not in page
    assert client.post(URL, SETTINGS).status_code in {409, 422}
    assert "contents are out of reach" in text(client.get(f"{URL}packages/2.7/"))
    for path in ("add/", "packages/2.7/update/", "packages/2.7/download/"):
        assert client.get(f"{URL}{path}").status_code == 409
