"""A service behind TLS, as sign-in needs it, with a blob store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from emulator.testing import Azurite, Emulator, start_emulator


@dataclass(frozen=True, slots=True)
class Secure:
    """``trusted`` is the file of the authority that has signed the service's certificate."""

    emulator: Emulator
    storage: str
    trusted: Path

    @property
    def url(self) -> str:
        return self.emulator.url


@pytest.fixture(scope="package")
def secure(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    trusted, cert, key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(trusted)
    server.private_key_pem.write_to_path(key)
    for part in server.cert_chain_pems:
        part.write_to_path(cert, append=True)
    arguments = ["--cert", str(cert), "--key", str(key)]
    with start_emulator(storage=[azurite], arguments=arguments, folder=folder) as running:
        yield Secure(running, running.storage_id(azurite.accounts[0]), trusted)
