"""Durations and moments as the service writes them: text, so that nothing of their precision is lost."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

UNLIMITED = "P10675199DT2H48M5.4775807S"
WEEK = "P7D"

_DURATION = re.compile(
    r"P(?=.)(?:(?P<days>\d+)D)?(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_FRACTION = re.compile(r"\.(\d+)")


@lru_cache(1000)
def seconds(duration: str) -> float:
    """Seconds of an ISO 8601 duration without years and months. Raises ValueError."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not an ISO 8601 duration")
    parts = {name: float(text or 0) for name, text in match.groupdict().items()}
    return parts["days"] * 86400 + parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"]


@lru_cache(1000)
def duration(text: str) -> str:
    """The duration in the service's own spelling: PT01H00M00S is PT1H. Raises ValueError."""
    if text == UNLIMITED:
        return text
    return spelled(seconds(text))


def spelled(total: float) -> str:
    days, rest = divmod(round(total * 10**7), 86400 * 10**7)
    hours, rest = divmod(rest, 3600 * 10**7)
    minutes, ticks = divmod(rest, 60 * 10**7)
    whole, fraction = divmod(ticks, 10**7)
    tail = f"{whole}.{fraction:07d}".rstrip("0").rstrip(".") if fraction else str(whole)
    clock = "".join(
        f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (tail, "S")) if value not in {0, "0"}
    )
    if not days and not clock:
        return "PT0S"
    return f"P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


def is_unlimited(text: str | None) -> bool:
    return text is None or seconds(text) >= 10675199 * 86400


def moment(text: str) -> datetime:
    """A time in UTC from ISO 8601; without a zone it is UTC. Raises ValueError."""
    trimmed = _FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", text.strip())
    found = datetime.fromisoformat(trimmed)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def later(start: datetime, span: str) -> datetime | None:
    """``start`` plus a duration, None when that is beyond all time."""
    try:
        return start + timedelta(seconds=seconds(span))
    except OverflowError:
        return None
