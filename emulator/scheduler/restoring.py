"""After a restart: what is under way is read from the store, and runs are found again or started anew."""

from functools import partial

from emulator.domain.jobs import JobRecord
from emulator.scheduler import ending, job_life, recurrence
from emulator.scheduler.ports import NodeSlots
from emulator.scheduler.records import RunRecord
from emulator.scheduler.world import LiveJob, World, job_key, pool_key
from emulator.wire import times


def restore(world: World) -> None:
    for account in world.repositories.accounts.all(""):
        for record in world.repositories.jobs.all(account.name):
            if record.job.state != "completed":
                _restore_job(world, account.name, record)
        for schedule in world.repositories.schedules.all(account.name):
            recurrence.resume(world, account.name, schedule)
        for run in world.repositories.runs.all(account.name):
            _restore_run(world, run)
    for live in world.jobs.values():
        live.tasks_running = len({world.runs[name].group for name in live.runs} - {""})


def _restore_job(world: World, account: str, record: JobRecord) -> None:
    live = world.enliven(account, record)
    job_life.set_limit(world, account, record)
    if live.waiting is not None:
        _restore_waiting(world, account, record, live)
    if record.auto_pool is not None and record.pool is None:
        world.after.append(partial(job_life.make_auto_pool, world, account, record.job.id))


def _restore_waiting(world: World, account: str, record: JobRecord, live: LiveJob) -> None:
    if live.waiting is None:
        return
    found = world.repositories.tasks.all(world.scope(account, record.job.id))
    for task in found:
        if task.satisfies:
            live.waiting.satisfied(task.task.id)
    for task in sorted(found, key=lambda task: task.sequence):
        if task.task.state == "active" and task.run is None:
            live.waiting.wait(task.task.id, task.task.depends_on)


def _restore_run(world: World, run: RunRecord) -> None:
    live = world.jobs.get(job_key(run.account, run.job))
    world.runs[run.run] = run
    world.in_doubt.setdefault(run.ref, {})[run.run] = run
    if run.abandoned or live is None:
        run.fate = run.fate if run.abandoned else "nothing"
        world.abandoned[run.run] = run
    elif run.kind == "jobrelease":
        live.releases.add(run.run)
    else:
        live.add_run(run)
    if run.instance is not None:
        world.groups.setdefault(run.group, []).append(run.run)
        world.groups[run.group].sort(key=lambda name: world.runs[name].instance or 0)
    if run.limit is not None:
        world.set_deadline(times.moment(run.limit), "run", run.account, run.run)


def adopt(world: World, node: NodeSlots) -> None:
    """The runs in doubt on a node that is announced: those it names live, the others are lost."""
    nodes = world.pools[pool_key(node.ref.account, node.ref.pool)]
    here = list(world.in_doubt.pop(node.ref, {}).values())
    for run in here:
        if run.run in node.runs:
            nodes.adopt(node.ref, run.run, run.slots)
    for run in here:
        if run.run not in node.runs and run.run in world.runs:
            ending.run_lost(world, run)


def settle(world: World) -> None:
    """All nodes are announced: what is still in doubt is lost. Jobs that were about to end go on with that."""
    while world.in_doubt:
        _, runs = world.in_doubt.popitem()
        for run in runs.values():
            if run.run in world.runs:
                ending.run_lost(world, run)
    for key in list(world.jobs):
        job_life.check(world, *key)


def forget_account(world: World, account: str) -> None:
    for key in [key for key in world.jobs if key[0] == account.lower()]:
        live = world.jobs[key]
        for name in sorted(live.runs | live.releases):
            run = world.runs[name]
            world.stop(run)
            world.drop_run(run)
            world.groups.pop(run.group, None)
        world.forget_job(key)
        world.forget_counts(*key)
    repositories = world.repositories
    for kind in (
        repositories.jobs,
        repositories.schedules,
        repositories.tasks,
        repositories.task_counts,
        repositories.task_queue,
        repositories.subtasks,
        repositories.preparations,
        repositories.runs,
    ):
        kind.delete_scope(account)
