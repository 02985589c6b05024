"""Core hours of pools, by half hours as the service reports them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from emulator.clock import iso
from emulator.domain.pools import PoolRecord
from emulator.wire import times

INTERVAL = timedelta(minutes=30)
KEPT = 48 * 31  # intervals


def meter(pool: PoolRecord, now: datetime) -> None:
    """Count the time of the present nodes' cores up to now. To be called before their number changes."""
    nodes = pool.pool.current_dedicated_nodes + pool.pool.current_low_priority_nodes
    begin = pool.metered or now
    pool.metered = now
    seconds = max(0.0, (now - begin).total_seconds()) * pool.cores
    pool.dedicated_core_seconds += seconds * pool.pool.current_dedicated_nodes
    pool.core_seconds += seconds * nodes
    if not nodes:
        return
    for start, seconds in _spans(begin, now):
        pool.usage[start] = pool.usage.get(start, 0.0) + seconds * nodes * pool.cores
    for old in sorted(pool.usage)[:-KEPT]:
        del pool.usage[old]


def between(pool: PoolRecord, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, float]]:
    """Begin, end and core hours of the intervals that touch a span."""
    for begun, core_seconds in sorted(pool.usage.items()):
        begin = times.moment(begun)
        if begin < end and begin + INTERVAL > start:
            yield begin, begin + INTERVAL, core_seconds / 3600


def last_interval(now: datetime) -> tuple[datetime, datetime]:
    """The last half hour that is over."""
    end = _floor(now)
    return end - INTERVAL, end


def _spans(begin: datetime, end: datetime) -> Iterator[tuple[str, float]]:
    while begin < end:
        start = _floor(begin)
        stop = min(start + INTERVAL, end)
        yield iso(start), (stop - begin).total_seconds()
        begin = stop


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)
