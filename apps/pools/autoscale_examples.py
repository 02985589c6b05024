"""Formulas to begin with. Variables and functions: Microsoft Learn, "Automatically scale compute nodes"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Example:
    title: StrOrPromise
    formula: str


EXAMPLES = (
    Example(
        _("As many nodes as tasks wait, at most 25"),
        """most = 25;
share = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
tasks = share < 70 ? 1 : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
$TargetDedicatedNodes = min(most, tasks);
$NodeDeallocationOption = taskcompletion;""",
    ),
    Example(
        _("Spot nodes for the load, one dedicated node always"),
        """most = 50;
waiting = max(0, $PendingTasks.GetSample(1));
$TargetDedicatedNodes = 1;
$TargetLowPriorityNodes = min(most, waiting);
$NodeDeallocationOption = requeue;""",
    ),
    Example(
        _("Ten nodes in working hours, two otherwise (UTC)"),
        """now = time();
workday = now.weekday >= 1 && now.weekday <= 5;
busy = workday && now.hour >= 7 && now.hour < 18;
$TargetDedicatedNodes = busy ? 10 : 2;
$NodeDeallocationOption = taskcompletion;""",
    ),
)
