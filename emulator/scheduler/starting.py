"""What a run is told to do."""

from collections.abc import Iterable, Mapping

from emulator.domain.jobs import JobRecord
from emulator.domain.tasks import TaskRecord, identity
from emulator.scheduler.ports import RunKind, TaskStart
from emulator.scheduler.records import RunRecord
from emulator.scheduler.world import World, pool_key
from emulator.wire import times
from emulator.wire.common import Command, EnvironmentSetting
from emulator.wire.jobs import Job

_MASTER_PORT = 6000


def job_folder(job_id: str) -> str:
    """``workitems/JOB/job-1``; a job of a schedule, SCHEDULE:job-3, is ``workitems/SCHEDULE/job-3``."""
    schedule, separator, number = job_id.rpartition(":")
    return f"workitems/{schedule}/{number}" if separator else f"workitems/{job_id}/job-1"


def folder(run: RunRecord) -> str:
    path = f"{job_folder(run.job)}/{run.task}"
    return f"{path}/{run.instance}" if run.instance else path


def task_start(world: World, run: RunRecord, job: JobRecord, record: TaskRecord) -> TaskStart:
    task = record.task
    settings = task.multi_instance_settings
    return TaskStart(
        run=run.run,
        kind=RunKind.TASK if settings is None else RunKind.SUBTASK,
        node=run.ref,
        job=run.job,
        task=task.id,
        folder=folder(run),
        slots=run.slots,
        command=task,
        environment={**_multi_instance(world, run), **_environment(job.job, task.id, task.environment_settings)},
        packages=tuple(task.application_package_references or ()),
        outputs=tuple(task.output_files or ()),
        retention=(task.constraints.retention_time if task.constraints else None) or times.WEEK,
        preparation_folder=_preparation_folder(job.job),
        instance=run.instance,
        coordination=settings.coordination_command_line if settings else None,
        common_files=tuple((settings.common_resource_files if settings else None) or ()),
    )


def preparation_start(run: RunRecord, job: JobRecord) -> TaskStart:
    task = job.job.job_preparation_task
    if task is None:
        raise LookupError(f"{run.job} has no preparation task")
    retention = (task.constraints.retention_time if task.constraints else None) or times.WEEK
    return _own_start(run, job, RunKind.PREPARATION, task, retention)


def release_start(run: RunRecord, job: JobRecord) -> TaskStart:
    task = job.job.job_release_task
    if task is None:
        raise LookupError(f"{run.job} has no release task")
    return _own_start(run, job, RunKind.RELEASE, task, task.retention_time or times.WEEK)


def _own_start(run: RunRecord, job: JobRecord, kind: RunKind, task: Command, retention: str) -> TaskStart:
    command = Command(
        command_line=task.command_line,
        container_settings=task.container_settings,
        resource_files=task.resource_files,
        environment_settings=task.environment_settings,
        user_identity=identity(task.user_identity),
    )
    return TaskStart(
        run=run.run,
        kind=kind,
        node=run.ref,
        job=run.job,
        task=run.task,
        folder=folder(run),
        slots=0,
        command=command,
        environment=_environment(job.job, run.task, task.environment_settings),
        retention=retention,
        preparation_folder=_preparation_folder(job.job),
    )


def _preparation_folder(job: Job) -> str | None:
    task = job.job_preparation_task
    return f"{job_folder(job.id)}/{task.id}" if task else None


def _environment(job: Job, task_id: str, own: Iterable[EnvironmentSetting] | None) -> Mapping[str, str]:
    """The task's settings win over the job's."""
    given = [*(job.common_environment_settings or ()), *(own or ())]
    settings = {setting.name: setting.value or "" for setting in given}
    return {"AZ_BATCH_JOB_ID": job.id, "AZ_BATCH_TASK_ID": task_id, **settings}


def _multi_instance(world: World, run: RunRecord) -> Mapping[str, str]:
    """Which nodes work together, the one of instance 0 first."""
    if run.instance is None:
        return {}
    runs = sorted((world.runs[other] for other in world.groups[run.group]), key=lambda found: found.instance or 0)
    addresses = [_address(world, found) for found in runs]
    return {
        "AZ_BATCH_NODE_LIST": ";".join(addresses),
        "AZ_BATCH_HOST_LIST": ",".join(addresses),
        "AZ_BATCH_MASTER_NODE": f"{addresses[0]}:{_MASTER_PORT}",
        "AZ_BATCH_IS_CURRENT_NODE_MASTER": "true" if run.instance == 0 else "false",
        "CCP_NODES": f"{len(addresses)} "
        + " ".join(f"{address} {found.slots}" for address, found in zip(addresses, runs, strict=True)),
    }


def _address(world: World, run: RunRecord) -> str:
    nodes = world.pools.get(pool_key(run.account, run.pool))
    load = nodes.get(run.ref) if nodes else None
    return load.node.ip_address if load else ""
