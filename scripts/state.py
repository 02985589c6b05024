"""The folder that holds everything a local portal keeps, and the secrets made for it once."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet


class StateError(Exception):
    """The state folder cannot be used; the text says why and what to do."""


@contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Hold the state folder, so that two portals never write to the same one."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(
                f"{state} is in use by a portal that is running already; stop that one, or start a second one with "
                "make run STATE=another-folder and other ports."
            ) from None
        yield


def load_secrets(state: Path) -> dict[str, str]:
    """Secrets of this folder by the name of the variable that carries them; made at the first call, mode 0600."""
    file = state / "secrets.json"
    if not file.exists():
        write_private(file, json.dumps(new_secrets(), indent=2) + "\n")
    try:
        found = json.loads(file.read_text())
    except ValueError as error:
        raise StateError(f"{file} is damaged ({error}); restore it, or start anew with make clean.") from None
    return {name: str(value) for name, value in found.items()}


def new_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "REDIS_PASSWORD": secrets.token_urlsafe(24),
        "IDENTITY_HEADER": secrets.token_urlsafe(24),
        "STORAGE_KEY": storage_key(),
        "SECOND_STORAGE_KEY": storage_key(),
    }


def storage_key() -> str:
    """A key as storage accounts have it: 64 bytes in base64."""
    return base64.b64encode(secrets.token_bytes(64)).decode()


def write_private(file: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(file)
