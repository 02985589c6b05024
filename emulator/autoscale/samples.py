"""Metrics and their samples."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from emulator.autoscale.operators import UnsupportedError
from emulator.autoscale.values import Interval, Metric, Value, Vector, moved

SAMPLE_PERIOD = 30.0  # seconds
DEFAULT_PERCENT = 70.0

METRICS = frozenset(
    {
        "$ActiveTasks",
        "$CPUPercent",
        "$CurrentDedicatedNodes",
        "$CurrentLowPriorityNodes",
        "$DiskBytes",
        "$DiskReadBytes",
        "$DiskReadOps",
        "$DiskWriteBytes",
        "$DiskWriteOps",
        "$FailedTasks",
        "$MemoryBytes",
        "$NetworkInBytes",
        "$NetworkOutBytes",
        "$PendingTasks",
        "$PreemptedNodeCount",
        "$RunningTasks",
        "$SampleNodeCount",
        "$SucceededTasks",
        "$UsableNodeCount",
        "$WallClockSeconds",
    }
)

# Names of service versions before low-priority nodes.
ALIASES = {
    "$CurrentDedicated": "$CurrentDedicatedNodes",
    "$TargetDedicated": "$TargetDedicatedNodes",
}


class Sample(NamedTuple):
    at: datetime
    value: float


class Samples(Protocol):
    """Where samples come from: one every SAMPLE_PERIOD for each metric, as far as there was something to measure."""

    def history(self, metric: str) -> Sequence[Sample]:
        """All samples of a metric, such as ``$ActiveTasks``, the oldest first."""
        ...


class ShortageError(Exception):
    """Fewer samples than wanted, both in percent."""

    def __init__(self, metric: str, wanted: float, received: float) -> None:
        super().__init__(f"Insufficient data from data set: {metric} wanted {wanted:.0f}%, received {received:.0f}%")


@dataclass(frozen=True, slots=True)
class DataSet:
    """The methods of one metric at one moment."""

    metric: Metric
    history: Sequence[Sample]
    now: datetime

    def call(self, method: str, arguments: Sequence[Value]) -> Value:
        """Raises KeyError for an unknown method, UnsupportedError, ShortageError, OverflowError."""
        return _METHODS[method](self, arguments)

    def get_sample(self, arguments: Sequence[Value]) -> Vector:
        match arguments:
            case []:
                return self._last(len(self.history))
            case [float() as count] if math.isfinite(count):
                return self._last(int(max(count, 0)))
            case [Interval() | datetime() as start]:
                return self._between(start, self.now, DEFAULT_PERCENT)
            case [Interval() | datetime() as start, float() as percent]:
                return self._between(start, self.now, percent)
            case [Interval() | datetime() as start, Interval() | datetime() as end]:
                return self._between(start, end, DEFAULT_PERCENT)
            case [Interval() | datetime() as start, Interval() | datetime() as end, float() as percent]:
                return self._between(start, end, percent)
        raise UnsupportedError

    def get_sample_percent(self, arguments: Sequence[Value]) -> float:
        match arguments:
            case [Interval() | datetime() as start]:
                return self._percent(start, self.now)[0]
            case [Interval() | datetime() as start, Interval() | datetime() as end]:
                return self._percent(start, end)[0]
        raise UnsupportedError

    def get_sample_period(self, arguments: Sequence[Value]) -> Interval:
        _none(arguments)
        return Interval(SAMPLE_PERIOD)

    def count(self, arguments: Sequence[Value]) -> float:
        _none(arguments)
        return float(len(self.history))

    def history_begin_time(self, arguments: Sequence[Value]) -> datetime:
        _none(arguments)
        if not self.history:
            raise ShortageError(self.metric.name, 100, 0)
        return self.history[0].at

    def _last(self, count: int) -> Vector:
        if not self.history:
            raise ShortageError(self.metric.name, 100, 0)
        return tuple(float(sample.value) for sample in self.history[-count:]) if count else ()

    def _between(self, start: Interval | datetime, end: Interval | datetime, wanted: float) -> Vector:
        received, values = self._percent(start, end)
        if received < wanted:
            raise ShortageError(self.metric.name, wanted, received)
        return values

    def _percent(self, start: Interval | datetime, end: Interval | datetime) -> tuple[float, Vector]:
        """How much of what a span should hold is there, and it. Intervals count back from now, in either order."""
        first, last = sorted((self._moment(start), self._moment(end)))
        values = tuple(float(sample.value) for sample in self.history if first < sample.at <= last)
        expected = int((last - first).total_seconds() // SAMPLE_PERIOD)
        return (min(100.0, 100.0 * len(values) / expected) if expected else 100.0 * bool(values)), values

    def _moment(self, given: Interval | datetime) -> datetime:
        return moved(self.now, given, -1) if isinstance(given, Interval) else given


def _none(arguments: Sequence[Value]) -> None:
    if arguments:
        raise UnsupportedError


_METHODS: Mapping[str, Callable[[DataSet, Sequence[Value]], Value]] = {
    "GetSample": DataSet.get_sample,
    "GetSamplePercent": DataSet.get_sample_percent,
    "GetSamplePeriod": DataSet.get_sample_period,
    "Count": DataSet.count,
    "HistoryBeginTime": DataSet.history_begin_time,
}
