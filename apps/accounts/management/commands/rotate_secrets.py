"""Write every stored secret anew under the first of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction

from apps.core.crypto import EncryptedJSONField, rotate
from apps.people.services.second_factors import second_factors_rotate


class Command(BaseCommand):
    help = (
        "Encrypt all stored secrets with the first key of FIELD_ENCRYPTION_KEYS. Put a new key in front, restart web "
        "and workers, run this, and then the old key may be removed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for model, column in encrypted_columns():
            count = rotate_column(model, column)
            self.stdout.write(f"{model._meta.label}.{column}: {count} rotated")
        try:
            count = second_factors_rotate()
        except InvalidToken:
            raise CommandError(
                "A second factor was written with a key that FIELD_ENCRYPTION_KEYS lacks. Add that key and run this "
                "again; no second factor was changed."
            ) from None
        self.stdout.write(f"second factors: {count} rotated")


def encrypted_columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedJSONField):
                yield model, str(field.column)


def rotate_column(model: type[models.Model], column: str) -> int:
    """Rotate one column, row by row; returns how many. Raises `CommandError` where no key fits and changes nothing."""
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    count = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {key}, {quote(column)} FROM {table}")  # noqa: S608  # names of our own models
        for identity, token in cursor.fetchall():
            if not token:
                continue
            try:
                fresh = rotate(token)
            except InvalidToken:
                raise CommandError(
                    f"Row {identity} of {model._meta.label} was written with a key that FIELD_ENCRYPTION_KEYS lacks. "
                    "Add that key and run this again; nothing was changed."
                ) from None
            # Only where nobody has saved something newer meanwhile.
            cursor.execute(
                f"UPDATE {table} SET {quote(column)} = %s WHERE {key} = %s AND {quote(column)} = %s",  # noqa: S608
                [fresh, identity, token],
            )
            count += cursor.rowcount
    return count
