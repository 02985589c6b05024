"""Takes runs off nodes, and does what was decided about their tasks once the runs are really over."""

from functools import partial

from emulator.domain import tasks
from emulator.domain.tasks import TaskRecord
from emulator.scheduler import starting
from emulator.scheduler.records import Fate, RunRecord
from emulator.scheduler.world import LiveJob, World, job_key
from emulator.wire.common import FailureInfo


def runs_of(world: World, account: str, job: str, task: str) -> list[RunRecord]:
    """Runs of a task that hold slots, also of one that is completed or deleted by now."""
    live = world.jobs.get(job_key(account, job))
    return [world.runs[run] for run in sorted(live.runs_of_task.get(task.lower(), ()))] if live else []


def wait_for_runs(world: World, account: str, job: str, record: TaskRecord) -> None:
    """A task that is new or active again waits for a node, or first for runs to be over that are still being stopped:
    its own, or those of a deleted task with its id, whose directory it gets.
    """
    same = job_key(account, job), record.task.id.lower()
    left = runs_of(world, account, job, record.task.id)
    left += [run for run in world.abandoned.values() if (job_key(run.account, run.job), run.task.lower()) == same]
    for run in left:
        run.fate = "requeue"
        world.save_run(run)
    if not left:
        wait(world, world.jobs.get(job_key(account, job)), account, job, record)


def stop(world: World, run: RunRecord, fate: Fate) -> None:
    """End a run. One that was never started, waiting for the job's preparation, is over at once."""
    run.fate = fate
    if run.is_started:
        world.save_run(run)
        world.stop(run)
    else:
        over(world, run)


def requeue(world: World, record: TaskRecord, runs: list[RunRecord]) -> None:
    """Take a task off its nodes and let it wait again. It starts again only when its runs are over."""
    if not runs:
        return
    with world.changing(runs[0].account, runs[0].job, record):
        tasks.requeue(record, world.now(), counted=any(run.is_started for run in runs))
    for run in runs:
        stop(world, run, "requeue")


def complete(world: World, record: TaskRecord, runs: list[RunRecord], failure: FailureInfo) -> None:
    """A task that somebody ended: it is completed now, its runs are over when they are."""
    with world.changing(runs[0].account, runs[0].job, record):
        tasks.complete(record, world.now(), exit_code=None, failure=failure)
    for run in runs:
        stop(world, run, "nothing")


def over(world: World, run: RunRecord) -> None:
    """The run is over on its node: free its slots. The last of a group lets its task wait again if it is to.

    A job that was ended by force, or the next one of its name, counts it no more.
    """
    world.drop_run(run)
    live = world.jobs.get(job_key(run.account, run.job))
    is_its_own = live is not None and run.run in live.runs
    if live is not None:
        live.drop_run(run)
        live.releases.discard(run.run)
    if not _group_is_over(world, run):
        return
    if live is not None and is_its_own:
        live.tasks_running -= 1
    if run.deleted:
        world.after.append(partial(world.runners.forget, run.ref, starting.folder(run)))
    if run.fate == "requeue" and (record := world.task(run.account, run.job, run.task)) is not None:
        wait(world, live, run.account, run.job, record)


def wait(world: World, live: LiveJob | None, account: str, job: str, record: TaskRecord) -> None:
    """An active task without a run waits: for tasks it depends on, or for a node."""
    if record.task.state != "active" or record.run is not None:
        return
    if live is not None and live.waiting is not None and live.waiting.wait(record.task.id, record.task.depends_on):
        return
    world.enqueue(account, job, record)


def _group_is_over(world: World, run: RunRecord) -> bool:
    """Whether this was a task's only run or the last of its group."""
    if not run.group:
        return False
    group = world.groups.get(run.group)
    if group is None:
        return True
    group.remove(run.run)
    if group:
        return False
    del world.groups[run.group]
    return True
