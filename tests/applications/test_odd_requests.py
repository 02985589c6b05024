"""Requests that no client of ours sends: numbers beyond any file, names that no database takes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner, Upload
from apps.people.roles import Role
from tests.applications.conftest import Cast, PutPackage
from tests.applications.test_upload_pages import begin, errors
from tests.people.factories import make_token

pytestmark = pytest.mark.django_db(transaction=True)
HUGE = ["9" * 19, "9" * 400, "9" * 5000, "-1", "1e3", "²", ""]


@pytest.fixture
def headers(cast: Cast) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(cast.uploader, Role.UPLOADER)[1]}", "Tus-Resumable": "1.0.0"}


def metadata(**changed: str) -> str:
    named = {"account": "local", "application": "Blender", "version": "1", "filename": "b.zip", **changed}
    named.setdefault("action", "new-application")
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in named.items())


def create(headers: dict[str, str], length: str = "100", **changed: str) -> Any:
    return Client().post(
        "/api/v1/uploads/", headers={**headers, "Upload-Length": length, "Upload-Metadata": metadata(**changed)}
    )


@pytest.mark.parametrize("length", HUGE)
def test_lengths_beyond_any_file_are_refused(headers: dict[str, str], length: str) -> None:
    answer = create(headers, length)
    assert answer.status_code in {400, 413}
    assert not Upload.objects.exists()


@pytest.mark.parametrize("offset", HUGE)
def test_offsets_beyond_any_file_are_refused(headers: dict[str, str], offset: str) -> None:
    place = create(headers)["Location"]
    kind = "application/offset+octet-stream"
    answer = Client().patch(place, b"x", content_type=kind, headers={**headers, "Upload-Offset": offset})
    assert answer.status_code == 400


@pytest.mark.parametrize("size", ["9" * 19, "9" * 400, "9" * 5000, "1e3"])
def test_sizes_beyond_any_file_stand_at_the_file(cast: Cast, size: str) -> None:
    status, answer = begin(cast.client("uploader"), file_size=size)
    assert status == 422
    assert list(errors(answer)) == ["file"]


@pytest.mark.parametrize("name", ["account", "application", "version", "filename", "team", "display_name", "build"])
def test_nul_characters_are_refused_before_the_database_sees_them(headers: dict[str, str], name: str) -> None:
    answer = create(headers, **{name: "a\0.zip"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "upload-header"


def test_a_file_name_is_one_line_and_no_path(headers: dict[str, str]) -> None:
    assert create(headers, filename="C:\\tools\\a\r\nX-Evil: 1\t.zip").status_code == 201
    assert Upload.objects.get().filename == "a__X-Evil: 1_.zip"


def test_a_display_name_is_checked_before_the_bytes_come(headers: dict[str, str]) -> None:
    for text in ("a\nb", "x" * 1025):
        answer = create(headers, display_name=text)
        assert answer.status_code == 422
        assert answer.json()["error"]["field"] == "display_name"
    assert not Upload.objects.exists()


def test_ranges_beyond_any_file_give_the_whole(cast: Cast, put_package: PutPackage) -> None:
    put_package("blender", "1")
    answer = cast.client("reader").get(
        "/api/v1/accounts/local/applications/blender/packages/1/content", headers={"Range": f"bytes={'9' * 5000}-"}
    )
    assert answer.status_code == 200


def test_nobody_takes_a_name_that_another_team_keeps(cast: Cast, account: BatchAccount) -> None:
    """Another tool has deleted the application; its team may make it again, and nobody else."""
    ApplicationOwner.objects.create(
        account=account, application_id="Blender", application_key="blender", team=cast.team
    )
    url = "/api/v1/accounts/local/applications"
    body = {"application_id": "blender"}
    refused = cast.client("other").post(url, body, content_type="application/json")
    assert refused.status_code == 403
    assert refused.json()["error"]["field"] == "application_id"
    assert cast.client("reader").get(url).json()["count"] == 0
    assert cast.client("uploader").post(url, body, content_type="application/json").status_code == 201


def test_an_application_that_is_not_there_is_said_to_be_missing(headers: dict[str, str]) -> None:
    answer = create(headers, action="add", application="nothing")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "upload-application-missing"
