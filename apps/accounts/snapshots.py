"""The account's properties as they are kept in its row."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.gateway.types import AccountProperties, AutoStorage


def packed(properties: AccountProperties) -> dict[str, Any]:
    """For the JSON field of a row, with the present time."""
    values = asdict(properties)
    if values["auto_storage"]:
        synced = values["auto_storage"]["last_key_sync"]
        values["auto_storage"]["last_key_sync"] = synced.isoformat() if synced else None
    return {"properties": values, "seen_at": timezone.now().isoformat()}


def unpacked(snapshot: dict[str, Any]) -> tuple[AccountProperties, datetime] | None:
    """The properties and when they were read; None for a row without, or with ones of another release."""
    seen_at = parse_datetime(snapshot.get("seen_at", ""))
    if seen_at is None:
        return None
    values = dict(snapshot["properties"])
    try:
        if storage := values["auto_storage"]:
            synced = storage["last_key_sync"]
            storage = AutoStorage(**{**storage, "last_key_sync": parse_datetime(synced) if synced else None})
        values |= {"auto_storage": storage or None, "authentication_modes": tuple(values["authentication_modes"])}
        return AccountProperties(**values), seen_at
    except (KeyError, TypeError):
        return None
