"""The form of API tokens: `bp_<prefix>_<secret>`.

The prefix finds the row and is shown in lists; the secret is 256 random bits, so a plain SHA-256 keeps it: there is
nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from dataclasses import dataclass

PREFIX_LENGTH = 10
_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class NewSecret:
    """A token that was just drawn. `text` goes to the person, `prefix` and `digest` to the database."""

    prefix: str
    digest: str
    text: str

    def __repr__(self) -> str:
        return f"NewSecret({self.prefix}…)"


def new_secret() -> NewSecret:
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(PREFIX_LENGTH))
    secret = secrets.token_urlsafe(32)
    return NewSecret(prefix=prefix, digest=digest_of(secret), text=f"bp_{prefix}_{secret}")


def digest_of(secret: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def split_text(text: str) -> tuple[str, str] | None:
    """Prefix and secret of a token's text, or None where it has another form."""
    kind, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if kind != "bp" or len(prefix) != PREFIX_LENGTH or not prefix.isascii() or not prefix.isalnum() or not secret:
        return None
    return prefix, secret
