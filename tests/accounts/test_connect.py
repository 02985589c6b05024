"""Connecting an account: the five ways to sign in, errors at their fields, secrets kept to themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.details import Details, examined
from apps.accounts.models import AuthMethod, BatchAccount
from apps.accounts.services.accounts import account_connect
from apps.audit.models import AuditEvent
from apps.core.crypto import SecretDict
from apps.core.exceptions import NotPermitted
from emulator.testing import Emulator
from tests.accounts.conftest import Visitor
from tests.people.factories import Cast

CONNECT = reverse("accounts:connect")
GUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def unconnected(account: BatchAccount, cast: Cast) -> Cast:
    """The cast, and nothing connected under the name `local`."""
    BatchAccount.objects.filter(pk=account.pk).update(name="elsewhere", slug="elsewhere")
    return cast


@pytest.fixture
def admin(unconnected: Cast, visitor: Visitor) -> Client:
    return visitor("portal_admin")


def place(service: Emulator, **fields: str) -> dict[str, str]:
    return {
        "auth_method": "managed-identity",
        "subscription_id": service.subscription,
        "resource_group": service.resource_group,
        "name": "local",
        **fields,
    }


def errors(response: Any) -> dict[str, list[str]]:
    return {name: list(found) for name, found in response.context["form"].errors.items()}


def test_connects_by_managed_identity_and_reads_what_azure_knows(admin: Client, service: Emulator) -> None:
    response = admin.post(CONNECT, place(service, title="Rendering farm"))
    account = BatchAccount.objects.get(name="local")
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("accounts:overview", kwargs={"account": "rendering-farm"})
    assert (account.batch_endpoint, account.location) == (service.account_url(), "westeurope")
    assert account.snapshot["properties"]["pool_quota"] > 0
    event = AuditEvent.objects.get(action="account-connect")
    assert (event.actor_name, event.account_name) == ("portal_admin", "Rendering farm")


def test_connects_by_shared_key(admin: Client, service: Emulator) -> None:
    key = service.account_key()
    fields = {"auth_method": "shared-key", "name": "local", "batch_endpoint": service.account_url(), "shared_key": key}
    assert admin.post(CONNECT, fields).status_code == 302
    account = BatchAccount.objects.get(name="local")
    assert not account.has_management_plane
    assert account.secrets == {"shared_key": key}
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM accounts_batchaccount WHERE id = %s", [account.pk])
        [stored] = cursor.fetchone()
    assert key not in stored
    assert key not in repr(account.secrets)


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("client-secret", {"tenant_id", "client_id", "client_secret", "subscription_id", "resource_group", "name"}),
        ("client-certificate", {"tenant_id", "client_id", "certificate", "subscription_id", "resource_group", "name"}),
        ("managed-identity", {"subscription_id", "resource_group", "name"}),
        ("workload-identity", {"subscription_id", "resource_group", "name"}),
        ("shared-key", {"shared_key", "batch_endpoint", "name"}),
    ],
)
def test_each_method_asks_for_what_it_needs(admin: Client, method: str, wanted: set[str]) -> None:
    response = admin.post(CONNECT, {"auth_method": method})
    assert response.status_code == 422
    assert set(errors(response)) == wanted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Local"),
        ("name", "a"),
        ("name", "../local"),
        ("subscription_id", "not-a-guid"),
        ("resource_group", "a/b"),
        ("resource_group", "ends."),
        ("client_id", "me"),
    ],
)
def test_input_is_checked_at_its_field_before_anything_is_asked(
    admin: Client, service: Emulator, field: str, value: str
) -> None:
    service.control("DELETE", "requests")
    response = admin.post(CONNECT, place(service, **{field: value}))
    assert set(errors(response)) == {field}
    assert response.context["form"][field].value() == value
    assert service.requests() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": "nobody"}, "name"), ({"resource_group": "nowhere"}, "name")],
)
def test_what_azure_does_not_find_is_said_at_its_field(
    admin: Client, service: Emulator, change: dict[str, str], field: str
) -> None:
    response = admin.post(CONNECT, place(service, **change))
    assert response.status_code == 422
    assert set(errors(response)) <= {field, "resource_group"}
    assert not BatchAccount.objects.filter(name=change.get("name", "local")).exists()


def test_an_account_is_connected_once(admin: Client, service: Emulator) -> None:
    admin.post(CONNECT, place(service))
    response = admin.post(CONNECT, place(service, title="Again"))
    assert response.status_code == 409
    assert "name" in errors(response)


def test_a_wrong_key_is_said_at_the_key_and_never_shown(admin: Client, service: Emulator) -> None:
    key = "c2VjcmV0" * 11
    fields = {"auth_method": "shared-key", "name": "local", "batch_endpoint": service.account_url(), "shared_key": key}
    response = admin.post(CONNECT, fields)
    assert set(errors(response)) == {"shared_key"}
    assert key not in response.content.decode()


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("https://evil.example.com", "evil.example.com"),
        ("http://10.0.0.1:10100/local", "10.0.0.1"),
        ("http://169.254.169.254/", "169.254.169.254"),
        ("nonsense here", "address"),
    ],
)
def test_endpoints_outside_the_allowed_are_refused_at_the_field(
    admin: Client, service: Emulator, endpoint: str, code: str
) -> None:
    fields = {
        "auth_method": "shared-key",
        "name": "local",
        "batch_endpoint": endpoint,
        "shared_key": service.account_key(),
    }
    response = admin.post(CONNECT, fields)
    assert set(errors(response)) == {"batch_endpoint"}
    assert code in errors(response)["batch_endpoint"][0]


def test_saving_in_spite_of_a_failed_test_is_offered_and_done(admin: Client, service: Emulator) -> None:
    service.fault(operation="arm.*", status=403, code="AuthorizationFailed")
    first = admin.post(CONNECT, place(service))
    assert first.status_code == 422
    assert 'name="untested"' in first.content.decode()
    second = admin.post(CONNECT, place(service, untested="on"), follow=True)
    assert BatchAccount.objects.filter(name="local").exists()
    assert "Access control" in second.content.decode()


def test_a_data_plane_that_does_not_answer_yet_is_a_warning(admin: Client, service: Emulator) -> None:
    service.fault(operation="data.*", status=403, code="InsufficientAccountPermissions")
    response = admin.post(CONNECT, place(service), follow=True)
    assert BatchAccount.objects.filter(name="local").exists()
    assert "Azure Batch Data Contributor" in response.content.decode()


def test_typed_fields_come_back_and_secrets_do_not(admin: Client) -> None:
    secret = "do-not-show-me"
    response = admin.post(
        CONNECT, {"auth_method": "client-secret", "tenant_id": "contoso.com", "client_secret": secret}
    )
    page = response.content.decode()
    assert "contoso.com" in page
    assert secret not in page


def test_only_portal_administrators_connect(unconnected: Cast, visitor: Visitor, service: Emulator) -> None:
    assert visitor("admin").get(CONNECT).status_code == 403
    assert visitor("admin").post(CONNECT, place(service)).status_code == 403
    details = Details(name="local", auth_method=AuthMethod.MANAGED_IDENTITY)
    with pytest.raises(NotPermitted):
        account_connect(actor=unconnected.actor("admin"), details=details)


def test_testing_before_connecting_keeps_nothing(admin: Client, service: Emulator) -> None:
    response = admin.post(reverse("accounts:connect-test"), place(service))
    assert [(row.tone, row.text) for row in response.context["planes"]] == [("success", ""), ("success", "")]
    assert not BatchAccount.objects.filter(name="local").exists()


def test_discovery_finds_accounts_and_fills_the_fields(admin: Client, service: Emulator) -> None:
    found = admin.post(reverse("accounts:discover"), {"auth_method": "managed-identity"})
    assert [one.name for one in found.context["accounts"]] == ["local"]
    chosen = admin.post(reverse("accounts:choose"), {"found": found.context["accounts"][0].id})
    page = chosen.content.decode()
    assert service.subscription in page
    assert page.count('hx-swap-oob="true"') == 6


def test_discovery_says_what_is_missing(admin: Client) -> None:
    response = admin.post(reverse("accounts:discover"), {"auth_method": "client-secret"})
    assert set(errors(response)) == {"tenant_id", "client_id", "client_secret"}


def test_slugs_are_unique_and_never_an_address_of_the_portal(admin: Client, service: Emulator) -> None:
    admin.post(CONNECT, place(service, title="Connect"))
    assert BatchAccount.objects.get(name="local").slug == "connect-2"


def test_an_unreachable_entra_id_is_no_crash(admin: Client, service: Emulator, settings: Settings) -> None:
    settings.GATEWAY_AUTHORITY = "https://127.0.0.1:9"
    settings.GATEWAY_PRIVATE_HOSTS = [*settings.GATEWAY_PRIVATE_HOSTS, "127.0.0.1:9"]
    fields = place(service, auth_method="client-secret", tenant_id=GUID, client_id=GUID, client_secret="x")
    response = admin.post(CONNECT, fields)
    assert response.status_code == 422
    assert response.context["form"].errors


# --- Certificates ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey, password: str = "", *, with_key: bool = True) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "portal")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    text = dated.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    if not with_key:
        return text
    cipher = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)
    return text + private.decode()


def problems(certificate: str, password: str) -> list[tuple[str, str]]:
    details = Details(
        name="local",
        auth_method=AuthMethod.CLIENT_CERTIFICATE,
        subscription_id=GUID,
        resource_group="group",
        tenant_id=GUID,
        client_id=GUID,
        secrets=SecretDict(certificate=certificate, certificate_password=password),
    )
    return [(error.field, error.code) for error in examined(details)[1]]


def test_certificates_are_opened_before_they_are_kept(key: rsa.RSAPrivateKey) -> None:
    assert problems(pem(key), "") == []
    assert problems(pem(key, "open"), "open") == []
    assert problems(pem(key, "open"), "") == [("certificate_password", "certificate-password-missing")]
    assert problems(pem(key, "open"), "wrong") == [("certificate_password", "certificate-password-wrong")]
    assert problems(pem(key), "superfluous") == [("certificate_password", "certificate-password-superfluous")]
    assert problems(pem(key, with_key=False), "") == [("certificate", "certificate-key-missing")]
    assert problems("-----BEGIN CERTIFICATE-----\nbroken", "") == [("certificate", "certificate-missing")]
    assert problems("no certificate", "") == [("certificate", "certificate-not-pem")]
