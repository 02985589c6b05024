"""The ``stats`` of what is asked for with ``$expand=stats``: what really ran, as far as it is over."""

from typing import Any

from emulator.call import Call
from emulator.clock import iso
from emulator.domain.jobs import TaskCounts
from emulator.domain.pools import PoolRecord
from emulator.domain.usage import JobUsage, Usage
from emulator.nodes import usage as metering
from emulator.wire import times

_GIB = 1 << 30


def of_task(task: dict[str, Any], used: Usage | None) -> dict[str, Any] | None:
    """None until a run is over."""
    if used is None:
        return None
    started = task["executionInfo"].get("startTime")
    wait = times.moment(started) - times.moment(task["creationTime"]) if started else None
    return {
        **_span(task, used),
        **_common(used),
        "waitTime": times.spelled(max(0.0, wait.total_seconds())) if wait else "PT0S",
    }


def of_job(job: dict[str, Any], usage: JobUsage) -> dict[str, Any]:
    """Of a job, or of a schedule with all its jobs."""
    return {
        **_span(job, usage.used),
        **_common(usage.used),
        "numSucceededTasks": str(usage.succeeded),
        "numFailedTasks": str(usage.failed),
        "numTaskRetries": str(usage.retries),
        "waitTime": "PT0S",  # reported of whole accounts alone
    }


def usage_of_job(call: Call, job: str) -> JobUsage:
    found = call.services.repositories.task_counts.get(call.batch_account.name, job)
    return (found or TaskCounts()).usage


def usage_of_schedule(call: Call, schedule: str) -> JobUsage:
    """Of the jobs there are and of those that were deleted."""
    repositories, account = call.services.repositories, call.batch_account.name
    record = repositories.schedules.get(account, schedule)
    total = record.past if record is not None else JobUsage()
    prefix = f"{schedule.lower()}:"
    for row in repositories.job_rows.all(account):
        job = str(row.job["id"])
        if job.lower().startswith(prefix):
            usage = usage_of_job(call, job)
            total.add(usage, times.moment(max(usage.used.updated, total.used.updated) or iso(call.now)))
    return total


def of_pool(call: Call, record: PoolRecord) -> dict[str, Any]:
    """Memory and disks as wholes, and networks, are not measured: nodes share those of this machine."""
    metering.meter(record, call.now)
    used = call.services.fleet.estate.usage((call.batch_account.name, record.pool.id))
    span = {"startTime": record.pool.creation_time, "lastUpdateTime": iso(call.now)}
    busy = used.user + used.kernel
    return {
        **span,
        "usageStats": {**span, "dedicatedCoreTime": times.spelled(record.dedicated_core_seconds)},
        "resourceStats": {
            **span,
            "avgCPUPercentage": round(100 * busy / record.core_seconds, 6) if record.core_seconds else 0.0,
            "peakMemoryGiB": used.peak / _GIB,
            "diskReadIOps": str(used.reads),
            "diskWriteIOps": str(used.writes),
            "diskReadGiB": used.read_bytes / _GIB,
            "diskWriteGiB": used.written_bytes / _GIB,
        },
    }


def added(body: dict[str, Any], stats: dict[str, Any] | None) -> dict[str, Any]:
    """The resource with its statistics, whose address is below its own."""
    return body if stats is None else {**body, "stats": {"url": f"{body['url']}/stats", **stats}}


def _span(body: dict[str, Any], used: Usage) -> dict[str, str]:
    return {"startTime": body["creationTime"], "lastUpdateTime": used.updated or body["creationTime"]}


def _common(used: Usage) -> dict[str, Any]:
    return {
        "userCPUTime": times.spelled(used.user),
        "kernelCPUTime": times.spelled(used.kernel),
        "wallClockTime": times.spelled(used.wall),
        "readIOps": str(used.reads),
        "writeIOps": str(used.writes),
        "readIOGiB": used.read_bytes / _GIB,
        "writeIOGiB": used.written_bytes / _GIB,
    }
