"""The types a formula computes with: double, doubleVec, string, timestamp, timeinterval, and metrics."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A timeinterval. Not a timedelta, which ends at a microsecond."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Metric:
    """A read-only variable: data to be sampled."""

    name: str


Vector = tuple[float, ...]
Value = float | Vector | str | datetime | Interval | Metric

CONSTANTS: dict[str, Interval] = {
    "TimeInterval_Zero": Interval(0),
    "TimeInterval_100ns": Interval(1e-7),
    "TimeInterval_Microsecond": Interval(1e-6),
    "TimeInterval_Millisecond": Interval(1e-3),
    "TimeInterval_Second": Interval(1),
    "TimeInterval_Minute": Interval(60),
    "TimeInterval_Hour": Interval(3600),
    "TimeInterval_Day": Interval(86400),
    "TimeInterval_Week": Interval(7 * 86400),
    "TimeInterval_Year": Interval(365 * 86400),
}


def type_name(value: Value) -> str:
    if isinstance(value, Metric):
        return "data set"
    names = {float: "double", tuple: "doubleVec", str: "string", datetime: "timestamp", Interval: "timeinterval"}
    return names[type(value)]


def shown(value: Value) -> str:
    """How results spell a value."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, tuple):
        return f"[{','.join(shown(item) for item in value)}]"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Interval):
        return _span(value.seconds)
    return value.name if isinstance(value, Metric) else value


def _span(seconds: float) -> str:
    if not math.isfinite(seconds):
        return repr(seconds)
    sign = "-" if seconds < 0 else ""
    ticks = round(abs(seconds) * 10**7)
    whole, fraction = divmod(ticks, 10**7)
    days, clock = divmod(whole, 86400)
    text = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    return f"{sign}{f'{days}.' if days else ''}{text}{f'.{fraction:07}' if fraction else ''}"


def moved(moment: datetime, span: Interval, sign: int = 1) -> datetime:
    """Raises OverflowError beyond the calendar."""
    if not math.isfinite(span.seconds):
        raise OverflowError
    return moment + timedelta(seconds=sign * span.seconds)
