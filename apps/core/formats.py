"""Sizes and durations in the reader's locale."""

from __future__ import annotations

from datetime import timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def size_text(count: int) -> str:
    """A number of bytes in binary units with three significant digits: 512 B, 1.20 KiB, 34.5 MiB, 678 GiB."""
    if abs(count) < 1024:
        return _("%(count)s B") % {"count": number_format(count)}
    value, step = float(count) / 1024, 0
    # 1023.6 would round to "1,024 KiB"; that is 1.00 MiB.
    while abs(value) >= 1023.5 and step < len(_UNITS) - 1:
        value, step = value / 1024, step + 1
    decimals = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    # number_format cuts digits off instead of rounding.
    return f"{number_format(round(value, decimals), decimals)} {_UNITS[step]}"


def size_exact(count: int) -> str:
    """The same in full: 1,288,490,189 bytes."""
    text = ngettext("%(count)s byte", "%(count)s bytes", count)
    return text % {"count": number_format(count, force_grouping=True)}


def duration_text(span: timedelta | float) -> str:
    """A length of time (timedelta or seconds) by its two largest units: 3 d 4 h, 12 min 5 s, 0.4 s."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 0:
        seconds = 0.0
    if seconds < 9.95:
        tenths = round(seconds, 1)
        return _("%(count)s s") % {"count": number_format(tenths, 0 if tenths == int(tenths) else 1)}
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        (days, _("%(count)s d")),
        (hours, _("%(count)s h")),
        (minutes, _("%(count)s min")),
        (left, _("%(count)s s")),
    ]
    first = next((index for index, (count, _unit) in enumerate(parts) if count), 3)
    shown = [unit % {"count": number_format(count)} for count, unit in parts[first : first + 2] if count]
    return " ".join(shown)
