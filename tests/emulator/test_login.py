"""Sign-in with the real azure-identity, over TLS as it demands."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme
from azure.batch import BatchClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.mgmt.batch import BatchManagementClient
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from emulator.settings import DEFAULT_TENANT
from emulator.testing import Emulator, start_emulator

ARM = "https://management.azure.com/.default"
APP = "33333333-3333-3333-3333-333333333333"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def secure(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The service behind TLS."""
    folder = tmp_path_factory.mktemp("tls")
    server = authority.issue_cert("127.0.0.1", "localhost")
    cert, key = folder / "cert.pem", folder / "key.pem"
    server.private_key_pem.write_to_path(key)
    for part in server.cert_chain_pems:
        part.write_to_path(cert, append=True)
    with start_emulator(arguments=["--cert", str(cert), "--key", str(key)], folder=folder) as running:
        yield running


def call_both_planes(secure: Emulator, trusted: str, credential: TokenCredential) -> None:
    with BatchManagementClient(
        credential,
        secure.subscription,
        base_url=secure.url,
        credential_scopes=[ARM],
        connection_verify=trusted,
    ) as management:
        account = management.batch_account.get("local", "local")
    with BatchClient(f"https://{account.account_endpoint}", credential, connection_verify=trusted) as batch:
        assert list(batch.list_pools()) == []


def test_a_client_secret_opens_both_planes(secure: Emulator, trusted: str) -> None:
    with ClientSecretCredential(
        DEFAULT_TENANT, APP, "right", authority=secure.url, disable_instance_discovery=True, connection_verify=trusted
    ) as credential:
        call_both_planes(secure, trusted, credential)


def test_a_wrong_secret_is_refused_as_entra_does(secure: Emulator, trusted: str) -> None:
    with (
        ClientSecretCredential(
            DEFAULT_TENANT,
            APP,
            "wrong",
            authority=secure.url,
            disable_instance_discovery=True,
            connection_verify=trusted,
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(ARM)


def test_a_certificate_opens_both_planes(secure: Emulator, trusted: str, authority: trustme.CA, tmp_path: Path) -> None:
    client = authority.issue_cert("client.example", key_type=trustme.KeyType.RSA)
    key = load_pem_private_key(client.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + client.cert_chain_pems[0].bytes()
    with CertificateCredential(
        DEFAULT_TENANT,
        APP,
        certificate_data=pem,
        authority=secure.url,
        disable_instance_discovery=True,
        connection_verify=trusted,
    ) as credential:
        call_both_planes(secure, trusted, credential)


def test_a_workload_identity_opens_both_planes(secure: Emulator, trusted: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("aaa.bbb.ccc")
    with WorkloadIdentityCredential(
        tenant_id=DEFAULT_TENANT,
        client_id=APP,
        token_file_path=str(token),
        authority=secure.url,
        disable_instance_discovery=True,
        connection_verify=trusted,
    ) as credential:
        call_both_planes(secure, trusted, credential)


@pytest.mark.parametrize("client_id", [None, APP])
def test_a_managed_identity_opens_both_planes(
    secure: Emulator, emulator: Emulator, trusted: str, monkeypatch: pytest.MonkeyPatch, client_id: str | None
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{emulator.url}/_emulator/identity/token")
    monkeypatch.setenv("IDENTITY_HEADER", "anything")
    with ManagedIdentityCredential(client_id=client_id) as credential:
        call_both_planes(secure, trusted, credential)


def test_faults_reach_sign_in(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{emulator.url}/_emulator/identity/token")
    monkeypatch.setenv("IDENTITY_HEADER", "anything")
    emulator.fault(operation="login.managed_identity", status=400, code="invalid_request", message="no such identity")
    with ManagedIdentityCredential() as credential, pytest.raises(ClientAuthenticationError):
        credential.get_token(ARM)


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": APP}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": APP, "client_secret": "x"}, 400, "invalid_scope"),
        (
            {"grant_type": "client_credentials", "client_id": APP, "client_assertion": "x", "scope": ARM},
            401,
            "invalid_client",
        ),
    ],
)
def test_a_token_request_that_lacks_something(
    emulator: Emulator, form: dict[str, str], status: int, error: str
) -> None:
    response = httpx.post(f"{emulator.url}/{DEFAULT_TENANT}/oauth2/v2.0/token", data=form)
    assert (response.status_code, response.json()["error"]) == (status, error)


def issued(emulator: Emulator, scope: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": APP, "client_secret": "x", "scope": scope}
    return str(httpx.post(f"{emulator.url}/{DEFAULT_TENANT}/oauth2/v2.0/token", data=form).json()["access_token"])


def ask(emulator: Emulator, token: str) -> tuple[int, str]:
    response = httpx.get(
        f"{emulator.url}{emulator.account_id()}?api-version=2025-06-01", headers={"Authorization": f"Bearer {token}"}
    )
    return response.status_code, response.json().get("error", {}).get("code", "")


def test_an_issued_token_is_for_one_plane_and_one_hour(emulator: Emulator) -> None:
    management = issued(emulator, ARM)
    batch = issued(emulator, "https://batch.core.windows.net//.default")
    assert ask(emulator, management) == (200, "")
    assert ask(emulator, batch) == (401, "InvalidAuthenticationTokenAudience")
    emulator.clock(skew=3601)
    assert ask(emulator, management) == (401, "ExpiredAuthenticationToken")


def test_a_required_issuer_shuts_out_everything_else() -> None:
    issuer = "http://issuer.example/"
    with start_emulator(arguments=["--require-issuer", issuer]) as strict:
        assert ask(strict, "anything") == (401, "InvalidAuthenticationToken")
        assert ask(strict, issued(strict, ARM)) == (401, "InvalidAuthenticationToken")
        good = httpx.post(
            f"{strict.url}/{DEFAULT_TENANT}/oauth2/v2.0/token",
            data={"grant_type": "client_credentials", "client_id": APP, "client_secret": "x", "scope": ARM},
            headers={"Host": "issuer.example"},
        ).json()["access_token"]
        assert ask(strict, good) == (200, "")


def test_the_openid_configuration_names_the_token_endpoint(secure: Emulator, trusted: str) -> None:
    url = f"{secure.url}/{DEFAULT_TENANT}/v2.0/.well-known/openid-configuration"
    found = httpx.get(url, verify=ssl.create_default_context(cafile=trusted)).json()
    assert found["token_endpoint"] == f"{secure.url}/{DEFAULT_TENANT}/oauth2/v2.0/token"
