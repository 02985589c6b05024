"""The pages that upload a package: what they ask, refuse and start. tests/uploads has the bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner, PackageRecord, Upload, UploadAction
from apps.applications.services import application_update
from apps.gateway import management
from apps.operations.models import Operation, Status
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage, finish, zipped

BASE = "/batch/local/applications/"
NEW = f"{BASE}+new/"
JSON = {"Accept": "application/json"}
FORM = {"application_id": "Blender", "version": "2.7", "display_name": "The renderer", "file_name": "b.zip"}
pytestmark = pytest.mark.django_db(transaction=True)


def text(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def begin(client: Client, url: str = NEW, **changes: Any) -> tuple[int, dict[str, object]]:
    """What the upload client sends before the bytes; status and answer."""
    response = client.post(url, {**FORM, "file_size": 100, **changes}, headers=JSON)
    return response.status_code, response.json()


def errors(answer: dict[str, object]) -> dict[str, str]:
    found = answer["errors"]
    assert isinstance(found, dict)
    return {name: " ".join(texts) for name, texts in found.items()}


# --- The upload client -----------------------------------------------------------------------------------------------


def test_an_upload_begins_with_the_form(cast: Cast) -> None:
    response = cast.client("uploader").post(NEW, {**FORM, "file_size": 100}, headers=JSON)
    upload = Upload.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/uploads/{upload.pk}"
    answer = response.json()
    assert answer["operation"] == str(upload.operation_id)
    assert answer["operation_url"] == f"/operations/{upload.operation_id}/"
    assert answer["title"] == "Blender 2.7"
    assert cast.client("uploader").get(answer["progress_url"]).status_code == 200
    assert (upload.action, upload.team, upload.length) == (UploadAction.NEW_APPLICATION, cast.team, 100)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"application_id": "a b"}, "application_id", "Not allowed: “ ”"),
        ({"application_id": ""}, "application_id", "required"),
        ({"version": ".5"}, "version", "does not begin with a dot"),
        ({"version": "x" * 65}, "version", "at most 64"),
        ({"file_name": "b.tar.gz"}, "file", "zip"),
        ({"file_size": 0}, "file", "greater than or equal to 1"),
        ({"file_size": 10**15}, "file", "at most"),
        ({"sha256": "abc"}, "sha256", "64 hexadecimal"),
        ({"display_name": "x" * 1025}, "display_name", "at most 1024"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(cast: Cast, changes: dict[str, Any], field: str, words: str) -> None:
    status, answer = begin(cast.client("uploader"), **changes)
    assert status == 422
    assert words in errors(answer)[field]
    assert not Upload.objects.exists()


def test_several_mistakes_are_said_at_once(cast: Cast) -> None:
    _status, answer = begin(cast.client("uploader"), application_id="a b", version=".5", file_name="x.rar")
    assert set(errors(answer)) == {"application_id", "version", "file"}


def test_a_name_that_differs_only_by_case_is_taken(cast: Cast, put_package: PutPackage) -> None:
    put_package("BLENDER", "1", team=cast.team)
    status, answer = begin(cast.client("uploader"))
    assert status == 422
    assert "BLENDER" in errors(answer)["application_id"]


def test_a_version_that_differs_only_by_case_is_taken(cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "2.7-RC", team=cast.team)
    status, answer = begin(cast.client("uploader"), f"{BASE}Blender/add/", version="2.7-rc")
    assert status == 422
    assert "2.7-RC" in errors(answer)["version"]


def test_a_double_click_is_one_upload(cast: Cast) -> None:
    client = cast.client("uploader")
    first, second = begin(client), begin(client)
    assert first[1]["operation"] == second[1]["operation"]
    assert Upload.objects.count() == 1


def test_two_people_with_the_same_version(cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "1", team=cast.team)
    _status, first = begin(cast.client("uploader"), f"{BASE}Blender/add/", version="2")
    status, answer = begin(cast.client("colleague"), f"{BASE}Blender/add/", version="2")
    assert status == 422
    (message,) = errors(answer).values()
    assert "uploader" in message
    assert str(first["operation"]) in message
    assert Upload.objects.count() == 1


def test_the_quota_stops_a_new_application(cast: Cast, put_package: PutPackage, settings: Settings) -> None:
    put_package("one", "1")
    settings.APPLICATION_QUOTA = 1
    status, answer = begin(cast.client("uploader"))
    assert status == 422
    assert "as many as Batch allows" in errors(answer)["application_id"]
    page = cast.client("uploader").get(NEW)
    assert page.status_code == 409
    assert "as many as Batch allows" in text(page)


@pytest.mark.parametrize("address", [NEW, f"{BASE}blender/"])
def test_without_a_storage_account_pages_lead_to_where_one_is_linked(
    cast: Cast, service: Emulator, address: str
) -> None:
    service.arm("PATCH", service.account_id(), {"properties": {"autoStorage": None}})
    manager, uploader = (cast.client(name).get(address) for name in ("administrator", "uploader"))
    assert manager.status_code == uploader.status_code == 409
    assert "Link a storage account" in text(manager)
    assert "Ask an administrator of this account" in text(uploader)
    for page in (manager, uploader):
        assert 'href="/batch/local/storage/"' in text(page)
        assert 'aria-current="page"' in text(page)


def test_several_teams_must_be_chosen_from(cast: Cast) -> None:
    client = cast.client("uploader")
    assert 'name="team"' not in text(client.get(NEW))
    cast.other_team.members.add(cast.uploader)
    assert 'name="team"' in text(client.get(NEW))
    status, answer = begin(client)
    assert status == 422
    assert "team" in errors(answer)
    status, _answer = begin(client, team=cast.other_team.pk)
    assert status == 201
    assert Upload.objects.get().team == cast.other_team


def test_nobody_smuggles_in_a_team_they_are_not_in(cast: Cast) -> None:
    begin(cast.client("uploader"), team=cast.other_team.pk)
    assert Upload.objects.get().team == cast.team


def test_the_address_decides_the_names_not_the_form(cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "2.7", team=cast.team)
    put_package("victim", "1", team=cast.other_team)
    client = cast.client("uploader")
    status, _answer = begin(client, f"{BASE}Blender/packages/2.7/update/", application_id="victim", version="1")
    assert status == 201
    upload = Upload.objects.get()
    assert (upload.application_id, upload.version, upload.action) == ("Blender", "2.7", UploadAction.UPDATE)


@pytest.mark.parametrize(("name", "status"), [("other", 403), ("reader", 403), ("stranger", 404)])
@pytest.mark.parametrize("path", ["Blender/add/", "Blender/packages/2.7/update/"])
def test_who_may_not(cast: Cast, put_package: PutPackage, name: str, status: int, path: str) -> None:
    put_package("Blender", "2.7", team=cast.team)
    client = cast.client(name)
    assert client.get(f"{BASE}{path}").status_code == status
    assert client.post(f"{BASE}{path}", {**FORM, "file_size": 5}, headers=JSON).status_code in {status, 422}
    assert not Upload.objects.exists()


def test_updates_off_refuses_an_update_and_admits_a_new_version(
    cast: Cast, account: BatchAccount, put_package: PutPackage
) -> None:
    put_package("Blender", "2.7", team=cast.team)
    application_update(
        actor=cast.actor("administrator"), account=account, application_id="Blender", allow_updates=False
    )
    client = cast.client("uploader")
    status, answer = begin(client, f"{BASE}Blender/packages/2.7/update/")
    assert status == 422
    assert "not allowed" in " ".join(errors(answer).values())
    status, _answer = begin(client, f"{BASE}Blender/add/", version="3")
    assert status == 201


def test_an_application_deleted_meanwhile(cast: Cast, put_package: PutPackage, service: Emulator) -> None:
    put_package("Blender", "2.7", team=cast.team)
    for path in ("/versions/2.7", ""):
        service.arm("DELETE", f"{service.account_id()}/applications/Blender{path}")
    status, answer = begin(cast.client("uploader"), f"{BASE}Blender/add/", version="3")
    assert status == 422
    assert "deleted" in " ".join(errors(answer).values())


def test_azure_away_is_said_above_the_form(cast: Cast, service: Emulator) -> None:
    service.fault(operation="arm.*", status=403, code="AuthorizationFailed", message="No right.")
    status, answer = begin(cast.client("uploader"))
    assert status == 422
    assert errors(answer)["__all__"]


# --- Without script -------------------------------------------------------------------------------------------------


def send(client: Client, url: str, data: bytes, **form: str) -> object:
    file = SimpleUploadedFile("blender.zip", data, "application/zip")
    return client.post(url, {"application_id": "Blender", "version": "2.7", **form, "file": file})


def test_a_plain_form_uploads_too(cast: Cast, account: BatchAccount) -> None:
    data = zipped()
    response = send(cast.client("uploader"), NEW, data, display_name="The renderer")
    operation = Operation.objects.get()
    assert response.headers["Location"] == f"/operations/{operation.pk}/"  # type: ignore[attr-defined]
    while finish(operation).is_active:
        Operation.objects.update(not_before=None)
    assert operation.status == Status.SUCCEEDED
    record = PackageRecord.objects.get()
    assert (record.sha256, record.filename) == (hashlib.sha256(data).hexdigest(), "blender.zip")
    package = management.package_get(connection_for(account), "Blender", "2.7")
    assert record.activated_at == package.last_activation_time
    assert ApplicationOwner.objects.get().team == cast.team
    client = cast.client("reader")
    page = text(client.get(f"{BASE}Blender/"))
    assert record.sha256 in page
    downloaded = client.get(f"{BASE}Blender/packages/2.7/download/")
    assert b"".join(downloaded.streaming_content) == data  # type: ignore[attr-defined]


def test_a_plain_form_with_a_mistake_keeps_what_was_typed(cast: Cast) -> None:
    response = send(cast.client("uploader"), NEW, zipped(), application_id="a b", display_name="Typed <by> hand")
    page = text(response)
    assert response.status_code == 422  # type: ignore[attr-defined]
    assert "Not allowed" in page
    assert 'value="a b"' in page
    assert "Typed &lt;by&gt; hand" in page
    assert not Upload.objects.exists()


def test_a_plain_form_without_a_file(cast: Cast) -> None:
    response = cast.client("uploader").post(NEW, {"application_id": "Blender", "version": "1"})
    assert response.status_code == 422
    assert "No file was submitted" in text(response) or "required" in text(response)


def test_a_plain_form_needs_the_token_against_forgery(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.uploader, backend="allauth.account.auth_backends.AuthenticationBackend")
    response = send(client, NEW, zipped())
    assert response.status_code == 403  # type: ignore[attr-defined]
    assert not Upload.objects.exists()


def test_a_plain_form_goes_through_a_file_and_not_through_memory(cast: Cast) -> None:
    data = zipped({"big": hashlib.sha256(b"x").digest() * 40_000})
    send(cast.client("uploader"), NEW, data)
    upload = Upload.objects.get()
    assert upload.offset == upload.length == len(data)


def test_a_plain_form_that_is_too_large_is_refused_before_it_is_read(
    cast: Cast, settings: Settings, tmp_path: Path
) -> None:
    settings.PLAIN_UPLOAD_MAX_BYTES = 10_000
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    response = send(cast.client("uploader"), NEW, os.urandom(50_000))
    assert response.status_code == 422  # type: ignore[attr-defined]
    assert "larger than a form may carry" in text(response)
    assert list(tmp_path.iterdir()) == []
    assert not Upload.objects.exists()


# --- Names while they are typed -------------------------------------------------------------------------------------


def names(client: Client, **typed: str) -> str:
    return text(client.get(f"{BASE}+names/", typed, headers={"HX-Request": "true"}))


def test_hints_while_typing(cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "2.7", team=cast.team)
    client = cast.client("uploader")
    page = names(client, application_id="my-app", version="1.0", new="1")
    assert "AZ_BATCH_APP_PACKAGE_my_app_1_0" in page
    assert "AZ_BATCH_APP_PACKAGE_my-app#1.0" in page
    assert "become underscores: <code>- .</code>" in page
    assert "Not allowed" in names(client, application_id="my app", new="1")
    assert "Blender exists already" in names(client, application_id="BLENDER", version="3", new="1")
    assert "2.7 exists already" in names(client, application_id="Blender", version="2.7")
    assert "underscores" not in names(client, application_id="app", version="1", new="1")


def test_hints_need_no_answer_of_azure(cast: Cast, service: Emulator) -> None:
    service.fault(operation="*", status=503)
    assert "AZ_BATCH_APP_PACKAGE_app_1" in names(cast.client("uploader"), application_id="app", version="1", new="1")


def test_hints_are_text(cast: Cast) -> None:
    page = names(cast.client("uploader"), application_id="<script>alert(1)</script>", version='"><img>', new="1")
    assert "<script>" not in page
    assert "<img>" not in page


def test_an_application_may_be_called_like_a_page(cast: Cast, put_package: PutPackage) -> None:
    for name in ("new", "names", "jobs", "uploads"):
        put_package(name, "update", team=cast.team)
        assert cast.client("reader").get(f"{BASE}{name}/packages/update/").status_code == 200
