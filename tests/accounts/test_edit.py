"""Changing, testing and disconnecting a connection."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.models import AuthMethod, BatchAccount
from apps.audit.models import AuditEvent
from apps.operations.models import Kind, Operation, Status
from emulator.testing import Emulator
from tests.accounts.conftest import Visitor

EDIT = reverse("accounts:edit", kwargs={"account": "local"})
TEST = reverse("accounts:test", kwargs={"account": "local"})
DISCONNECT = reverse("accounts:disconnect", kwargs={"account": "local"})


def test_stored_secrets_stay_when_left_empty(shared_key: BatchAccount, visitor: Visitor, service: Emulator) -> None:
    key = shared_key.secrets["shared_key"]
    page = visitor("admin").get(EDIT)
    assert key not in page.content.decode()
    fields = {"auth_method": "shared-key", "batch_endpoint": service.account_url(), "title": "Renamed"}
    response = visitor("admin").post(EDIT, fields)
    shared_key.refresh_from_db()
    assert response.status_code == 302
    assert (shared_key.title, shared_key.secrets["shared_key"]) == ("Renamed", key)
    event = AuditEvent.objects.get(action="account-update")
    assert event.values["before"]["title"] == ""
    assert key not in str(event.values)


def test_another_method_needs_its_own_secrets(shared_key: BatchAccount, visitor: Visitor) -> None:
    fields = {"auth_method": "client-secret", "tenant_id": "contoso.com", "client_id": shared_key.slug}
    response = visitor("portal_admin").post(EDIT, fields)
    assert response.status_code == 422
    assert "client_secret" in response.context["form"].errors


def test_which_account_it_is_never_changes(account: BatchAccount, visitor: Visitor) -> None:
    fields = {
        "auth_method": "managed-identity",
        "name": "other",
        "subscription_id": account.slug,
        "resource_group": "x",
    }
    visitor("admin").post(EDIT, fields)
    account.refresh_from_db()
    assert (account.name, account.resource_group) == ("local", "local")


def test_another_identity_of_the_portal_is_chosen_by_portal_administrators_alone(
    account: BatchAccount, visitor: Visitor, service: Emulator
) -> None:
    fields = {"auth_method": "managed-identity", "client_id": "01234567-89ab-cdef-0123-456789abcdef"}
    refused = visitor("admin").post(EDIT, fields)
    assert "auth_method" in refused.context["form"].errors
    account.refresh_from_db()
    assert account.client_id == ""
    assert visitor("admin").post(EDIT, {"auth_method": "managed-identity", "title": "Mine"}).status_code == 302
    assert visitor("portal_admin").post(EDIT, fields).status_code == 302


def test_the_portals_own_identity_is_lent_by_portal_administrators_alone(
    shared_key: BatchAccount, visitor: Visitor, service: Emulator
) -> None:
    fields = {"auth_method": "managed-identity"}
    refused = visitor("admin").post(EDIT, fields)
    assert "auth_method" in refused.context["form"].errors
    shared_key.refresh_from_db()
    assert shared_key.auth_method == AuthMethod.SHARED_KEY
    assert visitor("portal_admin").post(EDIT, fields).status_code == 302
    shared_key.refresh_from_db()
    assert shared_key.auth_method == AuthMethod.MANAGED_IDENTITY
    assert shared_key.secrets == {}


@pytest.mark.parametrize("name", ["reader", "uploader", "operator"])
def test_other_roles_see_neither_connection_nor_test(visitor: Visitor, name: str) -> None:
    assert [visitor(name).get(url).status_code for url in (EDIT, TEST, DISCONNECT)] == [403, 403, 403]
    assert visitor(name).post(TEST).status_code == 403


def test_both_planes_answer(visitor: Visitor, account: BatchAccount) -> None:
    response = visitor("admin").post(TEST)
    assert [row.tone for row in response.context["planes"]] == ["success", "success"]
    account.refresh_from_db()
    assert account.snapshot["properties"]["name"] == "local"
    assert AuditEvent.objects.get(action="account-test").values == {"management": "ok", "data": "ok"}


def test_each_plane_is_reported_with_code_request_id_and_remedy(visitor: Visitor, service: Emulator) -> None:
    service.fault(operation="arm.*", status=403, code="AuthorizationFailed", message="No. perform action 'x/y'")
    management, data = visitor("admin").post(TEST).context["planes"]
    assert (management.tone, management.code, bool(management.request_id)) == ("danger", "AuthorizationFailed", True)
    assert "x/y" in management.text
    assert "IAM" in management.text
    assert data.tone == "success"


def test_by_shared_key_the_management_plane_says_what_to_do(shared_key: BatchAccount, visitor: Visitor) -> None:
    management, data = visitor("admin").post(TEST).context["planes"]
    assert (management.tone, management.status) == ("warning", "Not available")
    assert "Entra ID" in management.text
    assert data.tone == "success"


def test_disconnecting_names_what_is_lost_and_wants_the_name(account: BatchAccount, visitor: Visitor) -> None:
    admin = visitor("portal_admin")
    page = admin.get(DISCONNECT)
    assert any("role" in item for item in page.context["items"])
    assert admin.post(DISCONNECT, {"confirm": "wrong"}).status_code == 422
    assert BatchAccount.objects.filter(pk=account.pk).exists()
    assert admin.post(DISCONNECT, {"confirm": "local"}).status_code == 302
    assert not BatchAccount.objects.filter(pk=account.pk).exists()
    event = AuditEvent.objects.get(action="account-disconnect")
    assert (event.account, event.account_name) == (None, "local")


def test_an_account_with_running_work_is_not_disconnected(account: BatchAccount, visitor: Visitor) -> None:
    Operation.objects.create(
        account=account, kind=Kind.STORAGE_LINK, subject="x", subject_key="y", status=Status.RUNNING
    )
    response = visitor("portal_admin").post(DISCONNECT, {"confirm": "local"})
    assert response.status_code == 409
    assert BatchAccount.objects.filter(pk=account.pk).exists()
