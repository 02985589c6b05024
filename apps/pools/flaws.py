"""What breaks a rule, and what the rules are checked against."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_duration

from apps.core.messages import message_for
from apps.gateway.types_pools import SupportedImage, VmSize

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flaw:
    """A broken rule, or with `warning` something that the service allows and that is likely to go wrong."""

    path: str
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    warning: bool = False

    @property
    def message(self) -> str:
        return message_for(self.code, self.values)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the account; None where it is not known, and then not checked.

    `packages` are the versions of each application by its id, and `defaults` whether it has a default version, all in
    lower case.
    """

    images: tuple[SupportedImage, ...] | None = None
    sizes: tuple[VmSize, ...] | None = None
    packages: Mapping[str, frozenset[str]] | None = None
    defaults: frozenset[str] = frozenset()
    signs_in_by_key: bool = False
    now: datetime = field(default_factory=timezone.now)

    def size(self, name: Any) -> VmSize | None:
        return next((one for one in self.sizes or () if one.name.lower() == str(name or "").lower()), None)

    def image(self, reference: Document) -> SupportedImage | None:
        key = "/".join(str(reference.get(name) or "") for name in ("publisher", "offer", "sku")).lower()
        return next((one for one in self.images or () if one.key.rsplit("/", 1)[0] == key), None)


def whole(value: Any) -> int | None:
    """A whole number, written as one or as text; None for anything else."""
    if isinstance(value, bool | float) or not re.fullmatch(r"-?[0-9]{1,9}", str(value)):
        return None
    return int(value)


def duration(value: Any) -> timedelta | None:
    """A span as the service writes it (ISO 8601); None for anything else."""
    try:
        return parse_duration(str(value))
    except (OverflowError, ValueError):
        return None


# What reading a document of the wrong shape raises.
SHAPE_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
