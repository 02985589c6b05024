"""Accounts over the API."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from apps.accounts.models import BatchAccount
from apps.operations.models import Operation, Status
from apps.people.roles import Role
from emulator.testing import Emulator
from tests.accounts.conftest import finished
from tests.people.factories import Cast, bearer, make_token

ACCOUNTS = reverse("api-accounts")
ACCOUNT = reverse("api-account", kwargs={"account": "local"})
STORAGE = reverse("api-storage", kwargs={"account": "local"})


def test_a_token_lists_the_accounts_of_its_owner(cast: Cast) -> None:
    _token, text = make_token(cast.reader)
    found = Client().get(ACCOUNTS, **bearer(text)).json()
    assert [(one["slug"], one["role"]) for one in found["results"]] == [("local", "reader")]
    assert Client().get(ACCOUNTS).status_code == 401


def test_an_account_comes_with_its_properties_and_no_secret(shared_key: BatchAccount, cast: Cast) -> None:
    _token, text = make_token(cast.reader)
    answer = Client().get(ACCOUNT, **bearer(text))
    body = answer.json()
    assert body["properties"] is None
    assert body["problem"]["code"] == "gateway-management-plane-missing"
    assert shared_key.secrets["shared_key"] not in answer.content.decode()
    assert "secrets" not in body


def test_properties_of_a_managed_account(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    _token, text = make_token(cast.reader)
    body = Client().get(ACCOUNT, **bearer(text)).json()
    assert (body["properties"]["location"], body["problem"], body["role"]) == ("westeurope", None, "reader")
    assert body["properties"]["account_endpoint"] == service.account_url()


def test_the_connection_is_tested(account: BatchAccount, cast: Cast) -> None:
    _token, text = make_token(cast.admin)
    rows = Client().post(reverse("api-account-test", kwargs={"account": "local"}), **bearer(text)).json()
    assert [(row["plane"], row["ok"]) for row in rows] == [("Management plane", True), ("Data plane", True)]
    _token, reader = make_token(cast.reader)
    assert Client().post(reverse("api-account-test", kwargs={"account": "local"}), **bearer(reader)).status_code == 403


def test_storage_is_linked_synchronised_and_unlinked(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    _token, text = make_token(cast.admin)
    client, headers = Client(), bearer(text)
    assert client.get(STORAGE, **headers).json()["linked"] is None
    body = {"storage_account_id": service.storage_id("devstoreaccount1")}
    linking = client.put(STORAGE, body, content_type="application/json", **headers)
    assert (linking.status_code, linking.json()["status"]) == (202, "queued")
    assert linking.headers["Location"].endswith(linking.json()["id"])
    assert finished(Operation.objects.get()).status == Status.SUCCEEDED
    assert client.get(STORAGE, **headers).json()["linked"]["name"] == "devstoreaccount1"
    assert client.post(reverse("api-storage-sync", kwargs={"account": "local"}), **headers).status_code == 202
    finished(Operation.objects.first())  # type: ignore[arg-type]
    assert client.delete(STORAGE, **headers).status_code == 202
    finished(Operation.objects.first())  # type: ignore[arg-type]
    assert client.get(STORAGE, **headers).json()["linked"] is None


def test_refusals_have_a_field_and_a_code(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    _token, text = make_token(cast.admin)
    body = {"storage_account_id": service.storage_id("vanished")}
    answer = Client().put(STORAGE, body, content_type="application/json", **bearer(text))
    assert answer.status_code == 422
    assert (answer.json()["error"]["code"], answer.json()["error"]["field"]) == (
        "storage-account-gone",
        "storage_account_id",
    )


def test_a_tokens_role_caps_its_owners(account: BatchAccount, cast: Cast) -> None:
    _token, text = make_token(cast.admin, Role.READER)
    assert Client().delete(STORAGE, **bearer(text)).status_code == 403


def test_candidates_come_with_the_reason_why_not(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    _token, text = make_token(cast.admin)
    answer = Client().get(reverse("api-storage-accounts", kwargs={"account": "local"}), **bearer(text)).json()
    assert {one["name"]: one["unfit"] for one in answer["results"]} == {"devstoreaccount1": "", "packages2": ""}
