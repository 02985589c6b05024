"""Second factors at rest."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from apps.core.crypto import rotate

# What django-allauth keeps encrypted in an authenticator's data: of an app, and of recovery codes.
_SECRETS = ("secret", "seed")


def second_factors_rotate() -> int:
    """Encrypt every authenticator with the first key of FIELD_ENCRYPTION_KEYS. Returns how many.

    Work of an operator at the machine, so it takes no actor. Raises `cryptography.fernet.InvalidToken`, and changes
    nothing, where a key is missing.
    """
    count = 0
    with transaction.atomic():
        for one in Authenticator.objects.select_for_update():
            kept = {name: rotate(one.data[name]) for name in _SECRETS if name in one.data}
            one.data = {**one.data, **kept}
            one.save(update_fields=["data"])
            count += 1
    return count
