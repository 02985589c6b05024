"""Clients of 2016 to 2024, each in an environment of its own, against a really started service."""

import base64
import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from emulator.testing import Emulator
from tests.emulator.clients import environments


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nodes")])
    now = dt.datetime.now(dt.UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    return built.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, SHA256())


@pytest.mark.parametrize("version", environments.PYTHON)
def test_python(version: str, emulator: Emulator, certificate: x509.Certificate, tmp_path: Path) -> None:
    data = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    interpreter = environments.python(tmp_path, version)
    program = str(environments.PROGRAMS / "service_client.py")
    seen = json.loads(
        environments.run(
            str(interpreter), program, emulator.account_url(), "local", emulator.account_key(), data, cwd=tmp_path
        )
    )
    counts = seen.pop("counts", [0, 0, 31, 30, 1])  # clients before 2017-06-01.5.1 have none
    assert counts == [0, 0, 31, 30, 1]
    assert seen == {
        "images": True,
        "target": [2, 2],
        "current": 2,
        "pools": ["old"],
        "start task": 0,
        "login": ["127.0.0.1", True],
        "start task output": "ready\n",
        "error": "NodeNotFound",
        "added": ["success"],
        "output": ["0\n", "29\n"],
        "failed": [3, "FailureExitCode"],
        "files": ["stderr.txt", "stdout.txt", "wd"],
        "remote desktop": "full address",
        "certificate": ["active", True, "CertificateStateActive"],
    }


def test_javascript(emulator: Emulator, certificate: x509.Certificate, tmp_path: Path) -> None:
    data = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    folder = environments.javascript(tmp_path)
    program = str(environments.PROGRAMS / "service_client.mjs")
    thumbprint = certificate.fingerprint(SHA1()).hex()
    seen = json.loads(
        environments.run("node", program, emulator.url, "local", emulator.account_key(), data, thumbprint, cwd=folder)
    )
    assert seen == {
        "images": True,
        "login": ["127.0.0.1", True],
        "added": ["success"],
        "output": ["0\n", "29\n"],
        "error": "PoolNotFound",
        "remoteDesktop": "full address",
        "certificate": ["active"],
    }
