"""Applications and packages over the API, by token and by session."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner
from apps.gateway import management
from apps.gateway.errors import GatewayNotFound
from apps.operations.models import Operation, Status
from apps.people.roles import Role
from apps.people.services.tokens import token_create
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage, connect_by_shared_key, finish, zipped

BASE = "/api/v1/accounts/local/applications"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def uploader(cast: Cast) -> Client:
    """A script with a token of the uploader."""
    _token, secret = token_create(actor=cast.actor("uploader"), name="ci", role=Role.UPLOADER)
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def reader(cast: Cast) -> Client:
    _token, secret = token_create(actor=cast.actor("uploader"), name="look", role=Role.READER)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, body, content_type="application/json")


def test_create_list_read_change(cast: Cast, uploader: Client) -> None:
    made = post(uploader, BASE, {"application_id": "Blender", "display_name": "The renderer"})
    assert made.status_code == 201
    expected = {
        "application_id": "Blender",
        "display_name": "The renderer",
        "default_version": "",
        "allow_updates": True,
        "team": "render",
    }
    assert made.json() == {**expected, "packages": []}
    (row,) = uploader.get(BASE).json()["results"]
    assert row == {**expected, "versions": [], "size": 0, "last_upload": None}
    changed = uploader.patch(f"{BASE}/BLENDER", {"allow_updates": False}, content_type="application/json")
    assert (changed.status_code, changed.json()["allow_updates"]) == (200, False)
    assert uploader.get(f"{BASE}/blender").json()["display_name"] == "The renderer"


def test_filters_and_pages(uploader: Client, put_package: PutPackage, cast: Cast) -> None:
    for name in ("alpha", "beta", "gamma"):
        put_package(name, "1.0", team=cast.team)
    page = uploader.get(f"{BASE}?sort=-id&page_size=2").json()
    assert ([row["application_id"] for row in page["results"]], page["count"]) == (["gamma", "beta"], 3)
    assert [row["application_id"] for row in uploader.get(f"{BASE}?q=alp").json()["results"]] == ["alpha"]


def test_packages(uploader: Client, put_package: PutPackage, cast: Cast) -> None:
    put_package("Blender", "2.7", team=cast.team)
    put_package("Blender", "2.8", activate=False)
    found = {row["version"]: row for row in uploader.get(f"{BASE}/blender/packages").json()["results"]}
    assert (found["2.7"]["state"], found["2.8"]["state"]) == ("Active", "Pending")
    one = uploader.get(f"{BASE}/blender/packages/2.7").json()
    assert (one["format"], one["size"], one["sha256"], one["uploaded_by"], one["operation"]) == (
        "zip", None, None, None, None,
    )  # fmt: skip


def test_delete_a_package_and_wait(
    uploader: Client, put_package: PutPackage, cast: Cast, account: BatchAccount
) -> None:
    put_package("Blender", "2.7", team=cast.team)
    response = uploader.delete(f"{BASE}/Blender/packages/2.7")
    operation = Operation.objects.get()
    assert response.status_code == 202
    assert response.headers["Location"].endswith(f"/api/v1/operations/{operation.pk}")
    assert uploader.get(f"{BASE}/Blender/packages/2.7").json()["operation"] == str(operation.pk)
    busy = uploader.delete(f"{BASE}/Blender/packages/2.7")
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "operation-conflict")
    finish(operation)
    assert uploader.get(response.headers["Location"]).json()["status"] == "succeeded"
    assert uploader.get(f"{BASE}/Blender/packages/2.7").status_code == 404


def test_activate(uploader: Client, put_package: PutPackage, cast: Cast, account: BatchAccount) -> None:
    put_package("Blender", "2.7", activate=False, team=cast.team)
    assert uploader.post(f"{BASE}/Blender/packages/2.7/activate").status_code == 202
    assert finish(Operation.objects.get()).status == Status.SUCCEEDED
    assert uploader.get(f"{BASE}/Blender/packages/2.7").json()["state"] == "Active"


def test_delete_an_application_only_with_its_packages_named(
    uploader: Client, put_package: PutPackage, cast: Cast, account: BatchAccount
) -> None:
    put_package("Blender", "2.7", team=cast.team)
    refused = uploader.delete(f"{BASE}/Blender")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "application-not-empty")
    assert uploader.delete(f"{BASE}/Blender?version=2.7").status_code == 202
    finish(Operation.objects.get())
    with pytest.raises(GatewayNotFound):
        management.application_get(connection_for(account), "Blender")


def test_download(uploader: Client, reader: Client, put_package: PutPackage, cast: Cast) -> None:
    data = zipped()
    put_package("Blender", "2.7", data=data, team=cast.team)
    for client in (uploader, reader):
        response = client.get(f"{BASE}/Blender/packages/2.7/content")
        assert b"".join(response.streaming_content) == data  # type: ignore[attr-defined]
    part = reader.get(f"{BASE}/Blender/packages/2.7/content", headers={"Range": "bytes=0-3"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"PK\x03\x04")  # type: ignore[attr-defined]


def test_upload_and_download_by_one_request_each(uploader: Client, cast: Cast) -> None:
    data = zipped()
    response = uploader.put(f"{BASE}/Blender/packages/2.7/content?create=true", data, content_type="application/zip")
    assert response.status_code == 202, response.content
    operation = Operation.objects.get()
    while finish(operation).is_active:
        Operation.objects.update(not_before=None)
    assert operation.status == Status.SUCCEEDED
    package = uploader.get(f"{BASE}/Blender/packages/2.7").json()
    assert package["sha256"] == hashlib.sha256(data).hexdigest()
    assert package["size"] == len(data)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "invalid", ""),
        ({"application_id": "a b"}, 422, "application-id-characters", "application_id"),
        ({"application_id": "ok", "team": "nobody"}, 422, "team-unknown", "team"),
        ({"application_id": "ok", "team": "simulation"}, 422, "team-not-yours", "team"),
        ({"application_id": "TAKEN"}, 409, "application-exists", "application_id"),
    ],
)
def test_refusals_name_code_and_field(
    uploader: Client, put_package: PutPackage, cast: Cast, body: dict[str, str], status: int, code: str, field: str
) -> None:
    put_package("taken", "1", team=cast.team)
    response = post(uploader, BASE, body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error.get("field", "")) == (status, code, field)
    assert error["message"]


def test_the_quota(uploader: Client, put_package: PutPackage, settings: Settings) -> None:
    put_package("one", "1")
    settings.APPLICATION_QUOTA = 1
    response = post(uploader, BASE, {"application_id": "two"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "application-quota")


def test_settings_are_checked(uploader: Client, put_package: PutPackage, cast: Cast) -> None:
    put_package("Blender", "2.7", activate=False, team=cast.team)
    for version, code in (("2.7", "default-version-pending"), ("9", "default-version-unknown")):
        response = uploader.patch(f"{BASE}/Blender", {"default_version": version}, content_type="application/json")
        assert (response.status_code, response.json()["error"]["code"]) == (422, code)
        assert response.json()["error"]["field"] == "default_version"


def test_a_token_never_does_more_than_its_role(reader: Client, put_package: PutPackage, cast: Cast) -> None:
    put_package("Blender", "2.7", team=cast.team)
    assert reader.get(BASE).status_code == 200
    asked = [
        post(reader, BASE, {"application_id": "x"}),
        reader.patch(f"{BASE}/Blender", {}, content_type="application/json"),
        reader.delete(f"{BASE}/Blender"),
        reader.delete(f"{BASE}/Blender/packages/2.7"),
        reader.post(f"{BASE}/Blender/packages/2.7/activate"),
    ]
    assert [response.status_code for response in asked] == [403] * 5
    assert not Operation.objects.exists()


def test_teams_are_assigned_by_administrators(cast: Cast, uploader: Client, put_package: PutPackage) -> None:
    put_package("Blender", "2.7", team=cast.team)
    refused = uploader.patch(f"{BASE}/Blender", {"team": "simulation"}, content_type="application/json")
    assert refused.status_code == 403
    administrator = cast.client("administrator")
    changed = administrator.patch(f"{BASE}/Blender", {"team": "simulation"}, content_type="application/json")
    assert changed.json()["team"] == "simulation"
    assert (
        administrator.patch(f"{BASE}/Blender", {"team": None}, content_type="application/json").json()["team"] is None
    )
    assert not ApplicationOwner.objects.exists()


def test_strangers_see_nothing(cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "2.7")
    client = cast.client("stranger")
    for path in ("", "/Blender", "/Blender/packages", "/Blender/packages/2.7", "/Blender/packages/2.7/content"):
        assert client.get(BASE + path).status_code == 404
    assert Client().get(BASE).status_code in {401, 403}


def test_errors_of_azure_keep_their_code_and_request(uploader: Client, service: Emulator) -> None:
    service.fault(operation="arm.application.get", status=403, code="AuthorizationFailed", message="No right.")
    response = uploader.get(f"{BASE}/Blender")
    error = response.json()["error"]
    assert (response.status_code, error["service_code"]) == (502, "AuthorizationFailed")
    assert error["reference"]


def test_by_shared_key_writes_say_what_is_missing(uploader: Client, account: BatchAccount, service: Emulator) -> None:
    connect_by_shared_key(account, service)
    response = post(uploader, BASE, {"application_id": "x"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "gateway-management-plane-missing")
    assert uploader.get(BASE).status_code == 200
