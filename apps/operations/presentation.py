"""Operations as people read them: words for codes, figures for progress."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.formats import duration_text, size_text
from apps.core.messages import message_for, registry
from apps.operations.models import Operation, OperationEvent, Status

TONES = {
    Status.QUEUED: "neutral",
    Status.RUNNING: "info",
    Status.PAUSED: "warning",
    Status.SUCCEEDED: "success",
    Status.FAILED: "danger",
    Status.ERRORED: "danger",
    Status.CANCELLED: "neutral",
    Status.LOST: "danger",
}
# Written this way so that the icons are found when the sprite is made.
ICONS = {
    Status.QUEUED: {"icon": "clock"},
    Status.RUNNING: {"icon": "loader-2"},
    Status.PAUSED: {"icon": "player-pause"},
    Status.SUCCEEDED: {"icon": "circle-check"},
    Status.FAILED: {"icon": "alert-octagon"},
    Status.ERRORED: {"icon": "bug"},
    Status.CANCELLED: {"icon": "circle-x"},
    Status.LOST: {"icon": "ghost"},
}
LEVEL_TONES = {"info": "neutral", "warning": "warning", "error": "danger"}
STEP = {"icon": "point"}


def words(code: str, values: dict[str, Any]) -> str:
    """The sentence of a code; `cause` and `causes` among the values are themselves a code with its values."""
    if "cause" in values:
        values = {**values, "cause_text": message_for(str(values["cause"]), values.get("causes") or {})}
    return message_for(code, values)


@dataclass(frozen=True, slots=True)
class EventLine:
    """A line of the log, as templates/components/timeline.html takes it."""

    at: datetime
    text: str
    tone: str
    icon: str = ""
    detail: str = ""


def event_line(event: OperationEvent, operation: Operation) -> EventLine:
    """A step of the operation; the last one of those that succeeded says so."""
    values = event.values.get("causes") or event.values
    detail = " · ".join(str(values[name]) for name in ("service_code", "service_message") if values.get(name))
    done = operation.status == Status.SUCCEEDED and event.code == operation.message_code
    tone = "success" if done else LEVEL_TONES[event.level]
    icon = STEP["icon"] if tone == "neutral" else ""
    return EventLine(event.at, words(event.code, event.values), tone, icon, detail)


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation in words and figures; percent values are 0 to 100, None while unknown or not applicable."""

    operation: Operation
    title: str
    url: str
    status_text: str
    tone: str
    icon: str
    at: datetime
    message: str
    phase: str
    percent: int | None
    first: int | None
    last: int | None
    done_text: str
    total_text: str
    speed: str
    left: str
    unseen: bool

    @property
    def is_active(self) -> bool:
        return self.operation.is_active

    @property
    def took(self) -> timedelta | None:
        ended, started = self.operation.ended_at, self.operation.started_at
        return ended - started if ended and started else None


def shown(operation: Operation) -> Shown:
    first, last, percent = _percents(operation)
    active = operation.is_active
    unit = operation.unit
    return Shown(
        operation=operation,
        title=f"{operation.get_kind_display()} · {operation.subject}",
        url=reverse("operations:detail", kwargs={"operation": operation.pk}),
        status_text=_status_text(operation),
        tone=TONES[Status(operation.status)],
        icon=ICONS[Status(operation.status)]["icon"],
        at=operation.ended_at or operation.created_at,
        message=words(operation.message_code, operation.message_values) if operation.message_code else "",
        phase=_phase_text(operation),
        percent=percent if active else None,
        first=first,
        last=last,
        done_text=_amount(_done(operation), unit) if operation.total else "",
        total_text=_amount(operation.total, unit) if operation.total else "",
        speed=_speed(operation) if active else "",
        left=_left(operation) if active else "",
        unseen=not active and operation.seen_at is None,
    )


def _percents(operation: Operation) -> tuple[int | None, int | None, int | None]:
    total = operation.total
    if not total:
        return None, None, None
    last = _percent(operation.done, total)
    if operation.received is None:
        return None, None, last
    return _percent(operation.received, total), last, _percent(operation.received + operation.done, 2 * total)


def _percent(done: int, total: int) -> int:
    # 100 is said only when nothing is left.
    return min(100, math.floor(100 * done / total))


def _done(operation: Operation) -> int:
    """Of the leg that people wait for: what has come in until all has, then what has gone on."""
    if operation.received is None or operation.received >= operation.total:
        return operation.done
    return operation.received


def _status_text(operation: Operation) -> str:
    if operation.is_active and operation.cancel_requested_at:
        return _("Cancelling")
    return str(operation.get_status_display())


def _phase_text(operation: Operation) -> str:
    if operation.is_active and operation.cancel_requested_at:
        return _("Cancelling")
    code = f"phase-{operation.phase}"
    if operation.status == Status.QUEUED or code not in registry():
        return _status_text(operation)
    return message_for(code, {})


def _amount(count: int, unit: str) -> str:
    return size_text(count) if unit == "bytes" else str(count)


def _receiving(operation: Operation) -> bool:
    return operation.received is not None and operation.received < operation.total


def _speed(operation: Operation) -> str:
    rate = operation.received_rate if _receiving(operation) else operation.rate
    if not rate or operation.status != Status.RUNNING or operation.done >= operation.total:
        return ""
    return _("%(amount)s/s") % {"amount": _amount(rate, operation.unit)}


def _left(operation: Operation) -> str:
    """Time left by the slower leg; "" while that cannot be said."""
    if operation.status != Status.RUNNING or not operation.total:
        return ""
    legs = [(operation.total - operation.done, operation.rate or operation.received_rate)]
    if _receiving(operation):
        legs.append((operation.total - int(operation.received or 0), operation.received_rate))
    if any(rest > 0 and not rate for rest, rate in legs):
        return ""
    seconds = max((rest / rate for rest, rate in legs if rest > 0), default=0)
    return duration_text(timedelta(seconds=math.ceil(seconds))) if seconds else ""
