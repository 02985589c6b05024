"""Whatever happens in whatever order: no slot is given twice, no task is lost, none runs more often than it may."""

from collections import Counter
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emulator.domain.jobs import TaskCounts
from emulator.errors import ServiceError
from emulator.scheduler import engine, job_life, requests
from emulator.scheduler.ports import Drain, PoolTraits, RunKind
from tests.emulator.scheduler.cluster import ACCOUNT, POOL, Cluster

NODES = ("n1", "n2", "n3")
JOBS = ("j1", "j2")
TASKS = tuple(f"{number}" for number in range(6))
SLOTS = 3


class Wanted(NamedTuple):
    id: str
    slots: int
    retries: int
    after: str | None
    instances: int


WANTED = st.builds(
    Wanted,
    st.sampled_from(TASKS),
    st.integers(1, SLOTS),
    st.integers(0, 2),
    st.sampled_from([None, None, None, *TASKS]),
    st.sampled_from([0, 0, 2]),
)


class Scheduling(RuleBasedStateMachine):
    @initialize(
        fill=st.sampled_from(["spread", "pack"]),
        order=st.sampled_from(["none", "creationtime"]),
        inter_node=st.booleans(),
        prepared=st.booleans(),
    )
    def begin(self, fill: Any, order: Any, inter_node: bool, prepared: bool) -> None:
        self.cluster = Cluster()
        self.slots = 1 if inter_node else SLOTS
        self.cluster.nodes.pools[POOL] = PoolTraits(
            fill=fill, job_order=order, slots_per_node=self.slots, inter_node_communication=inter_node
        )
        self.inter_node = inter_node
        self.online: set[str] = set()
        self.draining: set[str] = set()
        self.reactivations: Counter[tuple[str, str]] = Counter()
        for job in JOBS:
            own = {"jobPreparationTask": {"commandLine": "prepare"}, "jobReleaseTask": {"commandLine": "release"}}
            self.cluster.add_job(job, usesTaskDependencies=True, **(own if prepared else {}))
        self.come(NODES[0])

    # Clients

    @rule(job=st.sampled_from(JOBS), wanted=st.lists(WANTED, min_size=1, max_size=4))
    def add(self, job: str, wanted: list[Wanted]) -> None:
        for task in wanted:
            self._try(lambda task=task: self.cluster.add_task(task.id, job, **self._properties(task)))

    def _properties(self, task: Wanted) -> dict[str, Any]:
        found: dict[str, Any] = {"constraints": {"maxTaskRetryCount": task.retries, "maxWallClockTime": "PT1H"}}
        if self.inter_node and task.instances:
            found["multiInstanceSettings"] = {
                "numberOfInstances": task.instances,
                "coordinationCommandLine": "hello",
            }
        elif not self.inter_node:
            found["requiredSlots"] = task.slots
        if task.after is not None and task.after != task.id:
            found["dependsOn"] = {"taskIdRanges": [{"start": int(task.after), "end": int(task.after)}]}
        return found

    @rule(job=st.sampled_from(JOBS), task=st.sampled_from(TASKS), what=st.sampled_from(["end", "delete", "again"]))
    def change_task(self, job: str, task: str, what: str) -> None:
        found = self.cluster.scheduler.world.task(ACCOUNT, job, task)
        if found is None:
            return
        record = self.cluster.job(job)
        if what == "end":
            self._try(lambda: requests.terminate_task(self.cluster.scheduler, ACCOUNT, record, found))
        elif what == "again":
            if self._try(lambda: requests.reactivate_task(self.cluster.scheduler, ACCOUNT, record, found)):
                self.reactivations[job, task] += 1
                self._forget_starts(job, task)
        else:
            requests.delete_task(self.cluster.scheduler, ACCOUNT, record, found)
            self._forget_starts(job, task)

    @rule(job=st.sampled_from(JOBS), option=st.sampled_from(["requeue", "terminate", "wait"]))
    def disable(self, job: str, option: Any) -> None:
        self._try(lambda: requests.disable_job(self.cluster.scheduler, ACCOUNT, self.cluster.job(job), option))

    @rule(job=st.sampled_from(JOBS))
    def enable(self, job: str) -> None:
        self._try(lambda: requests.enable_job(self.cluster.scheduler, ACCOUNT, self.cluster.job(job)))

    @rule(job=st.sampled_from(JOBS), most=st.sampled_from([-1, 1, 2]), priority=st.integers(-2, 2), gives=st.booleans())
    def change_job(self, job: str, most: int, priority: int, gives: bool) -> None:
        changed = {"maxParallelTasks": most, "priority": priority, "allowTaskPreemption": gives}
        self._try(lambda: self.cluster.change_job(job, **changed))

    @precondition(lambda self: sum(self.reactivations.values()) > 2)
    @rule()
    def end_first_job(self) -> None:
        self._try(lambda: self.cluster.end_job(JOBS[0]))

    # Nodes

    @rule(node=st.sampled_from(NODES))
    def come(self, node: str) -> None:
        self.cluster.online(node, self.slots)
        self.online.add(node)
        self.draining.discard(node)

    @rule(node=st.sampled_from(NODES), option=st.sampled_from(list(Drain)))
    def drain(self, node: str, option: Drain) -> None:
        if node in self.online:
            self.cluster.drain(node, option)
            self.draining.add(node)

    @rule(node=st.sampled_from(NODES))
    def lose(self, node: str) -> None:
        self.cluster.lose(node)
        self.online.discard(node)
        self.draining.discard(node)

    @rule(data=st.data(), code=st.sampled_from([0, 0, 1]))
    def end(self, data: st.DataObject, code: int) -> None:
        if self.cluster.nodes.live:
            run = data.draw(st.sampled_from(sorted(self.cluster.nodes.live)))
            self.cluster.end_run(run, code)

    @rule(data=st.data())
    def coordinate(self, data: st.DataObject) -> None:
        instances = sorted(run for run, start in self.cluster.nodes.live.items() if start.coordination)
        if instances:
            self.cluster.scheduler.run_coordinated(data.draw(st.sampled_from(instances)))

    @rule(minutes=st.sampled_from([1, 61]))
    def wait(self, minutes: int) -> None:
        self.cluster.advance(minutes=minutes)

    @rule(keep=st.booleans())
    def restart(self, keep: bool) -> None:
        self.cluster.restart(dict.fromkeys(sorted(self.online - self.draining), self.slots), keep=keep)
        gone = [run for run, start in self.cluster.nodes.live.items() if start.node.node in self.draining]
        for run in gone:
            del self.cluster.nodes.live[run]
        self.cluster.nodes.stopping &= set(self.cluster.nodes.live)
        self.online -= self.draining
        self.draining.clear()

    # What always holds

    @invariant()
    def no_slot_is_given_twice(self) -> None:
        used: Counter[str] = Counter()
        for start in self.cluster.nodes.live.values():
            used[start.node.node] += start.slots
        assert all(found <= self.slots for found in used.values())
        assert set(used) <= self.online

    @invariant()
    def one_run_of_a_task_at_a_time(self) -> None:
        runs = Counter(
            (start.job, start.task, start.instance, start.node.node if start.slots == 0 else "")
            for start in self.cluster.nodes.live.values()
        )
        doubled = [key for key, number in runs.items() if number > 1]
        assert not [key for key in doubled if self.cluster.scheduler.world.task(ACCOUNT, key[0], key[1])]

    @invariant()
    def started_no_more_often_than_counted(self) -> None:
        starts = Counter(
            (start.job, start.task)
            for start in self.cluster.nodes.started
            if start.kind is RunKind.TASK or (start.kind is RunKind.SUBTASK and start.instance == 0)
        )
        for (job, task), number in starts.items():
            record = self.cluster.scheduler.world.task(ACCOUNT, job, task)
            if record is not None:
                info = record.task.execution_info
                assert number <= 1 + info.retry_count + info.requeue_count

    @invariant()
    def counts_are_what_listing_gives(self) -> None:
        """Except of a job that vanishes task by task."""
        live = self.cluster.scheduler.world.jobs
        for job in JOBS:
            if (ACCOUNT, job) in live and live[ACCOUNT, job].chore == "erase":
                continue
            found = TaskCounts()
            for record in self.cluster.repositories.tasks.all(f"{ACCOUNT}/{job}"):
                found.add(record.task.state, record.task.execution_info.result, record.slots)
            counts = self.cluster.scheduler.world.counts(ACCOUNT, job)
            assert (found.tasks, found.slots) == (counts.tasks, counts.slots)

    @invariant()
    def a_running_task_has_a_run_and_an_active_one_none(self) -> None:
        world = self.cluster.scheduler.world
        for job in JOBS:
            for record in self.cluster.repositories.tasks.all(f"{ACCOUNT}/{job}"):
                assert (record.run is not None) == (record.task.state in {"preparing", "running"})
                if record.run is not None:
                    assert record.run in world.runs

    def teardown(self) -> None:
        """With nodes for everybody and every run ended, each task of an active job that can run has run."""
        if not hasattr(self, "cluster"):
            return
        cluster = self.cluster
        cluster.settle()
        for job in JOBS:
            self._try(lambda job=job: requests.enable_job(cluster.scheduler, ACCOUNT, cluster.job(job)))
            self._try(lambda job=job: cluster.change_job(job, maxParallelTasks=-1))
        for node in (*NODES, "n4", "n5"):  # two new ones: on the others the preparation may have failed
            if node in self.draining or node not in self.online:
                cluster.lose(node)
            cluster.online(node, self.slots)
        cluster.settle()
        while cluster.nodes.live:
            cluster.end_run(next(iter(cluster.nodes.live)))
            cluster.settle()
        for job in JOBS:
            live = cluster.scheduler.world.jobs.get((ACCOUNT, job))
            if live is None or cluster.job(job).job.state != "active":
                continue
            for record in cluster.repositories.tasks.all(f"{ACCOUNT}/{job}"):
                waits = live.waiting is not None and live.waiting.is_waiting(record.task.id)
                assert record.task.state == "completed" or waits, record.task

    def _forget_starts(self, job: str, task: str) -> None:
        started = self.cluster.nodes.started
        started[:] = [start for start in started if (start.job, start.task) != (job, task)]

    def _try(self, call: Any) -> bool:
        try:
            call()
        except ServiceError:
            return False
        return True


TestScheduling = Scheduling.TestCase
TestScheduling.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


class ManySteps(Scheduling):
    """The same when what is done in steps has many of them, with everything else in between."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(job_life, "_STEP", 1)
        self.patch.setattr(job_life, "_ERASED", 1)
        self.patch.setattr(engine, "TURN", 2)

    @rule()
    def go_on(self) -> None:
        self.cluster.scheduler.work()

    @rule(job=st.sampled_from(JOBS), force=st.booleans())
    def delete_job(self, job: str, force: bool) -> None:
        self._try(lambda: self.cluster.end_job(job, "delete", force=force))

    @rule(job=st.sampled_from(JOBS))
    def add_job_again(self, job: str) -> None:
        if self._try(lambda: self.cluster.add_job(job, usesTaskDependencies=True)):
            for task in TASKS:
                self.reactivations.pop((job, task), None)
                self._forget_starts(job, task)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.patch.undo()


TestManySteps = ManySteps.TestCase
TestManySteps.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
