"""Automatic scaling: samples of every 30 seconds, formulas at their interval, resizes where the targets differ."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from emulator import autoscale
from emulator.agenda import Branch
from emulator.autoscale import SAMPLE_PERIOD, Evaluation, FormulaError, Sample, Targets
from emulator.clock import Clock, iso
from emulator.domain import pools as rules
from emulator.domain.jobs import Numbers
from emulator.domain.pools import PoolRecord
from emulator.errors import ServiceError
from emulator.nodes.estate import Estate, PoolKey, current
from emulator.nodes.sizing import Sizing
from emulator.repositories import Repositories
from emulator.wire import times
from emulator.wire.common import NameValue
from emulator.wire.pools import AutoScaleError, AutoScaleRun, Deallocation

# What the scheduler knows of a pool: numbers of tasks by the name of the metric.
TaskMetrics = Callable[[str, str], Mapping[str, float]]

_KEPT = 24 * 120  # samples of a day
_INTERVAL = rules.EVALUATION_INTERVAL
_USABLE = ("idle", "running")


class _Samples:
    """Implements ``Samples`` for one pool."""

    def __init__(self) -> None:
        self.by_metric: dict[str, list[Sample]] = {}

    def history(self, metric: str) -> Sequence[Sample]:
        return self.by_metric.get(metric, ())

    def add(self, at: datetime, values: Mapping[str, float]) -> None:
        for metric, value in values.items():
            samples = self.by_metric.setdefault(metric, [])
            samples.append(Sample(at, value))
            del samples[:-_KEPT]


class AutoScaling:
    def __init__(self, *, estate: Estate, sizing: Sizing, agenda: Branch, clock: Clock, metrics: TaskMetrics) -> None:
        self._estate = estate
        self._sizing = sizing
        self._agenda = agenda
        self._clock = clock
        self._metrics = metrics
        self._samples: dict[PoolKey, _Samples] = {}

    def clear(self) -> None:
        self._samples.clear()

    def check(self, formula: str) -> None:
        """Raises the service's error for a formula that cannot be read."""
        try:
            autoscale.parse(formula)
        except FormulaError as error:
            raise _refusal(error) from None

    def watch(self, key: PoolKey) -> None:
        """Begin to sample and to evaluate a pool that is scaled automatically."""
        pool = self._scaled(key)
        if pool is None:
            return
        since = pool.auto_scale_enabled
        if key not in self._samples:
            self._samples[key] = _Samples()
            self._agenda.after(0, partial(self._sample, key, self._clock.now()))
        self._agenda.after(0, partial(self._evaluate, key, since, self._clock.now()))

    def evaluate(self, key: PoolKey, formula: str, record: PoolRecord) -> AutoScaleRun:
        return _run(self._compute(key, formula, record), self._clock.now())

    def _sample(self, key: PoolKey, due: datetime) -> None:
        """One sample, and when time was moved forward those of the time between, which were no different."""
        samples = self._samples.get(key)
        if samples is None or self._scaled(key) is None:
            self._samples.pop(key, None)
            return
        counts = self._estate.counts(key)
        dedicated, low_priority = current(counts)
        usable = sum(number for (_, state), number in counts.items() if state in _USABLE)
        preempted = counts[False, "preempted"]
        values = {
            "$CurrentDedicatedNodes": dedicated,
            "$CurrentLowPriorityNodes": low_priority,
            "$PreemptedNodeCount": preempted,
            "$UsableNodeCount": usable,
            "$SampleNodeCount": usable,
            **self._metrics(*key),
        }
        period, now = timedelta(seconds=SAMPLE_PERIOD), self._clock.now()
        due = max(due, now - period * _KEPT)
        while due <= now:
            samples.add(due, values)
            due += period
        self._agenda.at(due, partial(self._sample, key, due))

    def _evaluate(self, key: PoolKey, since: datetime | None, due: datetime) -> None:
        record = self._scaled(key)
        if record is None or record.auto_scale_enabled != since:
            return  # disabled, or enabled anew with an evaluation of its own
        interval = timedelta(seconds=times.seconds(record.pool.auto_scale_evaluation_interval or _INTERVAL))
        now = self._clock.now()
        following = max(due + interval, now)
        self._agenda.at(following, partial(self._evaluate, key, since, following))
        found = self._compute(key, record.pool.auto_scale_formula or "", record)
        record.pool.auto_scale_run = _run(found, now)
        resizes = found.error is None and record.is_steady and _differ(record, found.targets)
        if resizes:
            record.pool.target_dedicated_nodes = found.targets.dedicated
            record.pool.target_low_priority_nodes = found.targets.low_priority
            rules.start_resizing(record, now, _option(found.targets.deallocation))
        self._estate.save_pool(key[0], record)
        if resizes:
            self._sizing.begin(key)

    def _compute(self, key: PoolKey, formula: str, record: PoolRecord) -> Evaluation:
        now = Targets(
            record.pool.target_dedicated_nodes or 0, record.pool.target_low_priority_nodes or 0, record.deallocation
        )
        return autoscale.evaluate(formula, self._samples.get(key) or _Samples(), self._clock.now(), now)

    def _scaled(self, key: PoolKey) -> PoolRecord | None:
        record = self._estate.pool(*key)
        return record if record is not None and record.pool.enable_auto_scale and not record.is_deleting else None


def _option(text: str) -> Deallocation:
    match text:
        case "terminate" | "taskcompletion" | "retaineddata":
            return text
    return "requeue"


def _differ(record: PoolRecord, targets: Targets) -> bool:
    pool = record.pool
    return (pool.target_dedicated_nodes, pool.target_low_priority_nodes) != (targets.dedicated, targets.low_priority)


def _run(found: Evaluation, now: datetime) -> AutoScaleRun:
    error = found.error
    values = [NameValue(name="Message", value=error.detail)] if error is not None else None
    return AutoScaleRun(
        timestamp=iso(now),
        results=found.results,
        error=AutoScaleError(code=str(error.code), message=error.message, values=values) if error is not None else None,
    )


def _refusal(error: FormulaError) -> ServiceError:
    return ServiceError(str(error.code), error.message, status=400, values={"Reason": error.detail})


def task_metrics(repositories: Repositories, account: str, pool: str) -> dict[str, float]:
    """Tasks of the jobs that run on a pool, by the name of the metric."""
    total = Numbers()
    for row in repositories.jobs.all(account):
        if (row.pool or "").lower() != pool.lower() or row.job.state == "completed":
            continue
        counts = repositories.task_counts.get(account, row.job.id)
        if counts is not None:
            total.active += counts.tasks.active
            total.running += counts.tasks.running
            total.succeeded += counts.tasks.succeeded
            total.failed += counts.tasks.failed
    return {
        "$ActiveTasks": total.active,
        "$RunningTasks": total.running,
        "$PendingTasks": total.active + total.running,
        "$SucceededTasks": total.succeeded,
        "$FailedTasks": total.failed,
    }
