"""What old versions have and new ones have not."""

import base64
import datetime as dt
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from emulator.testing import Emulator

NEWEST, CLOUD, AGENTS, FIRST = "2025-06-01", "2024-07-01.20.0", "2018-12-01.8.0", "2017-01-01.4.0"
LINUX = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}


def ask(emulator: Emulator, method: str, path: str, version: str, body: Any = None) -> httpx.Response:
    return httpx.request(
        method,
        f"{emulator.account_url()}{path}",
        params={"api-version": version},
        json=body,
        headers={"Authorization": "Bearer test"},
    )


@pytest.mark.parametrize(
    ("method", "path", "last", "next_one"),
    [
        ("GET", "/nodeagentskus", AGENTS, "2019-06-01.9.0"),
        ("GET", "/certificates", CLOUD, NEWEST),
    ],
)
def test_dropped_operations(emulator: Emulator, method: str, path: str, last: str, next_one: str) -> None:
    assert ask(emulator, method, path, last).status_code == 200
    gone = ask(emulator, method, path, next_one)
    assert (gone.status_code, gone.json()["code"]) == (404, "InvalidUri")


def test_what_was_never_here_is_a_named_501(emulator: Emulator) -> None:
    answer = ask(emulator, "GET", "/lifetimepoolstats", CLOUD)
    assert (answer.status_code, answer.json()["code"]) == (501, "NotImplemented")
    assert "get_all_pools_lifetime_statistics" in answer.json()["message"]["value"]


def test_pools_of_cloud_services_become_machines(emulator: Emulator) -> None:
    service = {"id": "c", "vmSize": "standard_d2s_v3", "cloudServiceConfiguration": {"osFamily": "6"}}
    assert ask(emulator, "POST", "/pools", NEWEST, service).status_code == 400
    assert ask(emulator, "POST", "/pools", CLOUD, service).status_code == 201
    machine = ask(emulator, "GET", "/pools/c", CLOUD).json()["virtualMachineConfiguration"]
    assert machine["imageReference"]["sku"] == "2019-datacenter"


def test_all_nodes_were_dedicated_once(emulator: Emulator) -> None:
    pool = {"id": "p", "vmSize": "standard_d2s_v3", "virtualMachineConfiguration": LINUX, "targetDedicated": 0}
    assert ask(emulator, "POST", "/pools", FIRST, pool | {"maxTasksPerNode": 2}).status_code == 201
    old, new = (ask(emulator, "GET", "/pools/p", version).json() for version in (FIRST, NEWEST))
    assert (old["targetDedicated"], old["currentDedicated"], old["maxTasksPerNode"]) == (0, 0, 2)
    assert not {"targetDedicatedNodes", "targetLowPriorityNodes", "taskSlotsPerNode"} & set(old)
    assert (new["targetDedicatedNodes"], new["taskSlotsPerNode"]) == (0, 2)


def test_a_certificate_with_its_key(emulator: Emulator) -> None:
    key, certificate = _certificate()
    pfx = pkcs12.serialize_key_and_certificates(b"nodes", key, certificate, None, BestAvailableEncryption(b"secret"))
    thumbprint = certificate.fingerprint(SHA1()).hex()
    wanted = {
        "thumbprint": thumbprint.upper(),
        "thumbprintAlgorithm": "sha1",
        "data": base64.b64encode(pfx).decode(),
        "certificateFormat": "pfx",
        "password": "secret",
    }
    assert ask(emulator, "POST", "/certificates", CLOUD, wanted | {"password": "other"}).status_code == 400
    assert ask(emulator, "POST", "/certificates", CLOUD, wanted | {"thumbprint": "00"}).status_code == 400
    assert ask(emulator, "POST", "/certificates", CLOUD, wanted).status_code == 201
    assert ask(emulator, "POST", "/certificates", CLOUD, wanted).json()["code"] == "CertificateExists"
    path = f"/certificates(thumbprintAlgorithm=sha1,thumbprint={thumbprint})"
    found = ask(emulator, "GET", path, CLOUD).json()
    assert base64.b64decode(found["publicData"]) == certificate.public_bytes(Encoding.DER)
    assert not {"data", "password"} & set(found)
    assert ask(emulator, "DELETE", path, CLOUD).status_code == 202
    emulator.clock(advance=1)
    assert ask(emulator, "GET", path, CLOUD).json()["code"] == "CertificateNotFound"


def _certificate() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nodes")])
    now = dt.datetime.now(dt.UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    return key, built.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, SHA256())
