"""Keys: masked, shown on demand and written down, regenerated only after the name was typed."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.models import BatchAccount
from apps.audit.models import AuditEvent
from emulator.testing import Emulator
from tests.accounts.conftest import Visitor

KEYS = reverse("accounts:keys", kwargs={"account": "local"})


def url(action: str, key: str) -> str:
    return reverse(f"accounts:key-{action}", kwargs={"account": "local", "key": key})


def test_the_page_holds_no_key(visitor: Visitor, service: Emulator) -> None:
    page = visitor("admin").get(KEYS).content.decode()
    assert service.account_key() not in page
    assert url("reveal", "primary") in page
    assert not AuditEvent.objects.filter(action="account-key-reveal").exists()


def test_revealing_is_plain_text_that_nobody_keeps_and_is_written_down(visitor: Visitor, service: Emulator) -> None:
    response = visitor("admin").post(url("reveal", "primary"))
    assert response.content.decode() == service.account_key()
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "no-store" in response.headers["Cache-Control"]
    event = AuditEvent.objects.get(action="account-key-reveal")
    assert (event.resource, event.actor_name, event.outcome) == ("Primary", "admin", "done")
    assert service.account_key() not in str(event.values)


def test_a_get_reveals_nothing(visitor: Visitor) -> None:
    assert visitor("admin").get(url("reveal", "primary")).status_code == 405


@pytest.mark.parametrize("name", ["reader", "uploader", "operator"])
def test_keys_are_for_administrators(visitor: Visitor, name: str) -> None:
    assert visitor(name).get(KEYS).status_code == 403
    assert visitor(name).post(url("reveal", "primary")).status_code == 403
    assert visitor(name).post(url("regenerate", "primary"), {"confirm": "local"}).status_code == 403


def test_regenerating_wants_the_accounts_name(visitor: Visitor, service: Emulator) -> None:
    before = service.account_key()
    refused = visitor("admin").post(url("regenerate", "primary"), {"confirm": "nope"})
    assert refused.status_code == 422
    assert service.account_key() == before
    assert visitor("admin").post(url("regenerate", "primary"), {"confirm": "local"}).status_code == 302
    assert service.account_key() != before
    assert AuditEvent.objects.filter(action="account-key-regenerate", outcome="done").count() == 1


def test_there_are_two_keys_and_no_third(visitor: Visitor) -> None:
    assert visitor("admin").post(url("reveal", "third")).status_code == 404


def test_a_refusal_is_explained_and_written_down(visitor: Visitor, service: Emulator) -> None:
    service.fault(operation="arm.*", status=403, code="AuthorizationFailed")
    response = visitor("admin").post(url("regenerate", "secondary"), {"confirm": "local"})
    assert response.status_code == 422
    assert "IAM" in response.content.decode()
    assert AuditEvent.objects.get(action="account-key-regenerate").outcome == "failed"


def test_switched_off_keys_are_said_to_be_so(account: BatchAccount, visitor: Visitor, service: Emulator) -> None:
    service.arm("PATCH", service.account_id(), {"properties": {"allowedAuthenticationModes": ["AAD"]}})
    assert "switched off" in visitor("admin").get(KEYS).content.decode()


def test_by_shared_key_the_page_says_how_to_get_there(shared_key: BatchAccount, visitor: Visitor) -> None:
    page = visitor("admin").get(KEYS).content.decode()
    assert "Entra ID" in page
    assert url("reveal", "primary") not in page
    assert visitor("admin").post(url("reveal", "primary")).status_code == 409
