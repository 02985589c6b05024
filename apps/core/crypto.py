"""Secrets at rest: Fernet tokens under the keys of FIELD_ENCRYPTION_KEYS, apart from SECRET_KEY.

The first key encrypts and all keys decrypt, so a new key is put in front, `manage.py rotate_secrets` is run, and the
old key may go.
"""

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty: secrets cannot be stored.")
    return MultiFernet([Fernet(key) for key in keys])


def _current() -> MultiFernet:
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS))


def encrypt(text: str) -> str:
    return _current().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises `cryptography.fernet.InvalidToken` when no configured key fits."""
    return _current().decrypt(token.encode()).decode()


def rotate(token: str) -> str:
    """The same secret under the first key."""
    return _current().rotate(token.encode()).decode()


class SecretDict(dict[str, str]):
    """Secrets by name; prints as dots so that a log line or a traceback never shows them."""

    def __repr__(self) -> str:
        return f"SecretDict({', '.join(f'{name}=•••' for name in self)})"

    __str__ = __repr__


class EncryptedJSONField(_TextField):
    """A dictionary of strings that the database only sees encrypted. Not searchable."""

    def get_prep_value(self, value: Any) -> str:
        return encrypt(json.dumps(dict(value or {})))

    def from_db_value(self, value: str | None, *_: Any) -> SecretDict:
        if not value:
            return SecretDict()
        try:
            return SecretDict(json.loads(decrypt(value)))
        except InvalidToken as error:
            raise ImproperlyConfigured(
                "A stored secret cannot be decrypted: FIELD_ENCRYPTION_KEYS lacks the key that it was written with."
            ) from error

    def to_python(self, value: Any) -> SecretDict:
        return value if isinstance(value, SecretDict) else SecretDict(value or {})
