"""Make the secrets that docker-compose.yml mounts, once: `python -m scripts.compose_secrets`. Existing ones stay.

The folder is closed to others on this machine. The files in it are not, because a container reads them as a user
that this machine does not know.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from scripts.install import ROOT
from scripts.parts import STORAGE_ACCOUNTS
from scripts.state import storage_key

FOLDER = ROOT / ".secrets"


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    password = kept(folder / "postgres_password", secrets.token_urlsafe(32))
    kept(folder / "database_url", f"postgres://batchportal:{password}@postgres:5432/batchportal")
    kept(folder / "secret_key", secrets.token_urlsafe(50))
    kept(folder / "field_encryption_keys", Fernet.generate_key().decode())
    kept(folder / "local.env", local_environment())
    print(f"secrets are in {folder}; keep a copy of field_encryption_keys: without it no stored credential can be read")


def kept(file: Path, value: str) -> str:
    """Write a file unless it is there. Returns what it holds."""
    if not file.exists():
        file.touch(mode=0o644)
        file.write_text(value)
    return file.read_text()


def local_environment() -> str:
    """Variables of the local Batch service and Azurite, which share their storage keys."""
    keys = {name: storage_key() for name in STORAGE_ACCOUNTS}
    accounts = ";".join(f"{name}:{key}" for name, key in keys.items())
    connections = " ".join(
        f"DefaultEndpointsProtocol=http;AccountName={name};AccountKey={key};BlobEndpoint=http://azurite:10000/{name};"
        for name, key in keys.items()
    )
    return f"AZURITE_ACCOUNTS={accounts}\nBATCH_EMULATOR_STORAGE_CONNECTION_STRING={connections}\n"


if __name__ == "__main__":
    main()
