"""SSH public keys, as people keep them in their profile and bring them to nodes."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from apps.core.exceptions import Invalid

KEY_MOST = 16 * 1024
_RSA_LEAST = 2048


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An SSH public key on one line, and its fingerprint as `ssh-keygen -l` writes it."""

    text: str
    fingerprint: str

    @property
    def kind(self) -> str:
        return self.text.split(" ", 1)[0]


def clean_public_key(text: str, field: str = "ssh_public_key") -> PublicKey:
    """Raises `Invalid` at `field`, with a word of its own for a private key."""
    text = text.strip()
    if "PRIVATE KEY" in text or text.startswith("PuTTY-User-Key-File"):
        raise Invalid("ssh-key-private", field=field)
    if len(text) > KEY_MOST or len(text.splitlines()) != 1:
        raise Invalid("ssh-key-lines", field=field)
    parts = text.split(None, 2)
    if len(parts) < 2:
        raise Invalid("ssh-key-malformed", field=field)
    try:
        key = load_ssh_public_key(" ".join(parts[:2]).encode())
    except UnsupportedAlgorithm as error:
        raise Invalid("ssh-key-kind", field=field, kind=parts[0][:40]) from error
    except ValueError as error:
        raise Invalid("ssh-key-malformed", field=field) from error
    if isinstance(key, DSAPublicKey):
        raise Invalid("ssh-key-kind", field=field, kind=parts[0])
    if isinstance(key, RSAPublicKey) and key.key_size < _RSA_LEAST:
        raise Invalid("ssh-key-short", field=field, bits=key.key_size, least=_RSA_LEAST)
    return PublicKey(" ".join(parts), fingerprint(parts[1]))


def fingerprint(encoded: str) -> str:
    """Of the middle part of a public key."""
    digest = hashlib.sha256(b64decode(encoded)).digest()
    return f"SHA256:{b64encode(digest).decode().rstrip('=')}"
