"""Where tasks go, in which order, and what follows from how they end."""

from typing import Any

import pytest

from emulator.errors import ServiceError
from emulator.scheduler import requests
from emulator.scheduler.ports import Drain, Phase, PoolTraits
from emulator.wire.common import FailureInfo
from tests.emulator.scheduler.cluster import ACCOUNT, POOL, Cluster, ref

DOWNLOAD_FAILED = FailureInfo(category="usererror", code="BlobNotFound")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_a_task_waits_for_a_node_and_runs_to_its_end(cluster: Cluster) -> None:
    cluster.add_job()
    cluster.add_task("a", environmentSettings=[{"name": "X", "value": "1"}])
    assert cluster.state("a") == "active"
    cluster.online("n1")
    assert cluster.state("a") == "running"
    start = cluster.live("a")
    assert start.folder == "workitems/job/job-1/a"
    assert start.environment == {"AZ_BATCH_JOB_ID": "job", "AZ_BATCH_TASK_ID": "a", "X": "1"}
    cluster.end("a")
    task = cluster.task("a").task
    assert (task.state, task.execution_info.result, task.execution_info.exit_code) == ("completed", "success", 0)
    assert task.node_info is not None
    assert task.node_info.node_id == "n1"
    counts = cluster.scheduler.world.counts(ACCOUNT, "job")
    assert (counts.tasks.completed, counts.tasks.succeeded, counts.tasks.running) == (1, 1, 0)


def test_settings_of_a_task_win_over_those_of_its_job(cluster: Cluster) -> None:
    cluster.add_job(commonEnvironmentSettings=[{"name": "X", "value": "job"}, {"name": "Y", "value": "job"}])
    cluster.add_task("a", environmentSettings=[{"name": "X", "value": "task"}])
    cluster.online("n1")
    environment = cluster.live("a").environment
    assert (environment["X"], environment["Y"]) == ("task", "job")


def test_tasks_start_in_their_order_and_jobs_by_priority(cluster: Cluster) -> None:
    cluster.add_job("low", priority=-5)
    cluster.add_job("high", priority=5)
    for name in ("b", "a", "c"):
        cluster.add_task(name, "low")
    cluster.add_task("z", "high")
    cluster.online("n1")
    order = []
    while cluster.running():
        (task,) = cluster.running()
        order.append(task)
        cluster.end(task, job="high" if task == "z" else "low")
    assert order == ["z", "b", "a", "c"]


@pytest.mark.parametrize(("fill", "expected"), [("spread", {"n1": 2, "n2": 2}), ("pack", {"n1": 4})])
def test_fill_types(cluster: Cluster, fill: Any, expected: dict[str, int]) -> None:
    cluster.nodes.pools[POOL] = PoolTraits(fill=fill, slots_per_node=4)
    cluster.online("n1", 4)
    cluster.online("n2", 4)
    cluster.add_job()
    for number in range(4):
        cluster.add_task(f"t{number}")
    found: dict[str, int] = {}
    for start in cluster.nodes.started:
        found[start.node.node] = found.get(start.node.node, 0) + 1
    assert found == expected


def test_a_task_with_more_slots_waits_while_smaller_ones_pass(cluster: Cluster) -> None:
    cluster.online("n1", 2)
    cluster.add_job()
    cluster.add_task("one")
    cluster.add_task("two", requiredSlots=2)
    cluster.add_task("three")
    assert cluster.running() == ["one", "three"]
    cluster.end("one")
    cluster.end("three")
    assert cluster.running() == ["two"]


def test_affinity_is_kept_when_the_node_has_room(cluster: Cluster) -> None:
    for name in ("n1", "n2", "n3"):
        cluster.online(name)
    cluster.add_job()
    cluster.add_task("a", affinityInfo={"affinityId": "TVM:n3"})
    cluster.add_task("b", affinityInfo={"affinityId": "TVM:n3"})
    assert cluster.live("a").node == ref("n3")
    assert cluster.live("b").node != ref("n3")


def test_no_more_tasks_in_parallel_than_the_job_allows(cluster: Cluster) -> None:
    cluster.online("n1", 8)
    cluster.add_job(maxParallelTasks=2)
    for number in range(4):
        cluster.add_task(f"t{number}")
    assert cluster.running() == ["t0", "t1"]
    cluster.end("t0")
    assert cluster.running() == ["t1", "t2"]
    cluster.change_job(maxParallelTasks=-1)
    assert cluster.running() == ["t1", "t2", "t3"]


def test_retries_stay_on_the_node_and_are_counted(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.online("n2")
    cluster.add_job()
    cluster.add_task("a", constraints={"maxTaskRetryCount": 2})
    first = cluster.live("a")
    cluster.end("a", 1)
    second = cluster.live("a")
    assert second.node == first.node
    assert second.run != first.run
    cluster.end("a", 1)
    cluster.end("a", 1)
    info = cluster.task("a").task.execution_info
    assert (info.retry_count, info.exit_code, info.result) == (2, 1, "failure")
    assert info.failure_info is not None
    assert info.failure_info.code == "FailureExitCode"
    assert cluster.running() == []


def test_only_exit_codes_are_retried(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a", constraints={"maxTaskRetryCount": -1})
    cluster.end("a", None, failure=DOWNLOAD_FAILED, phase=Phase.PREPARING)
    info = cluster.task("a").task.execution_info
    assert (info.retry_count, info.exit_code, info.failure_info) == (0, None, DOWNLOAD_FAILED)


def test_the_jobs_retries_hold_for_tasks_without_their_own(cluster: Cluster) -> None:
    cluster.add_job(constraints={"maxTaskRetryCount": 3})
    assert cluster.add_task("a").task.constraints.max_task_retry_count == 3  # type: ignore[union-attr]
    assert cluster.add_task("b", constraints={"maxTaskRetryCount": 0}).task.constraints.max_task_retry_count == 0  # type: ignore[union-attr]


def test_a_lost_node_requeues_its_tasks(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.lose("n1")
    task = cluster.task("a").task
    assert (task.state, task.execution_info.requeue_count, task.node_info) == ("active", 1, None)
    cluster.online("n2")
    assert cluster.live("a").node == ref("n2")


@pytest.mark.parametrize(
    ("option", "state", "requeues"),
    [(Drain.REQUEUE, "active", 1), (Drain.TERMINATE, "completed", 0), (Drain.TASK_COMPLETION, "running", 0)],
)
def test_draining(cluster: Cluster, option: Drain, state: str, requeues: int) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.drain("n1", option)
    task = cluster.task("a").task
    assert (task.state, task.execution_info.requeue_count) == (state, requeues)
    assert cluster.nodes.drained_nodes == []
    cluster.add_task("b")
    if option is Drain.TASK_COMPLETION:
        cluster.end("a")
    else:
        cluster.obey()
    assert cluster.nodes.drained_nodes == [ref("n1")]
    assert cluster.running() == []
    cluster.online("n1")
    assert len(cluster.running()) == 1


def test_an_empty_node_is_drained_at_once(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.drain("n1", Drain.TASK_COMPLETION)
    assert cluster.nodes.drained_nodes == [ref("n1")]


def test_a_requeued_task_starts_again_only_when_its_run_is_over(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.online("n2")
    cluster.add_job()
    cluster.add_task("a")
    node = cluster.live("a").node.node
    cluster.drain(node, Drain.REQUEUE)
    assert cluster.state("a") == "active"
    assert cluster.running() == []
    cluster.obey()
    assert cluster.live("a").node != ref(node)


def test_dependencies_on_ids_and_ranges(cluster: Cluster) -> None:
    cluster.online("n1", 9)
    cluster.add_job(usesTaskDependencies=True)
    cluster.add_task("last", dependsOn={"taskIds": ["First"], "taskIdRanges": [{"start": 1, "end": 2}]})
    cluster.add_task("first")
    cluster.add_task("1")
    cluster.add_task("2")
    assert cluster.running() == ["first", "1", "2"]
    cluster.end("first")
    cluster.end("1")
    assert cluster.running() == ["2"]
    cluster.end("2")
    assert cluster.running() == ["last"]


@pytest.mark.parametrize(
    ("conditions", "code", "goes_on"),
    [
        (None, 0, True),
        (None, 1, False),
        ({"exitCodes": [{"code": 1, "exitOptions": {"dependencyAction": "satisfy"}}]}, 1, True),
        ({"exitCodeRanges": [{"start": 1, "end": 9, "exitOptions": {"dependencyAction": "satisfy"}}]}, 9, True),
        ({"exitCodeRanges": [{"start": 1, "end": 9, "exitOptions": {"dependencyAction": "satisfy"}}]}, 10, False),
        ({"default": {"dependencyAction": "satisfy"}}, 1, True),
        ({"default": {"dependencyAction": "block"}}, 0, True),
        ({"exitCodes": [{"code": 0, "exitOptions": {"dependencyAction": "block"}}]}, 0, False),
    ],
)
def test_exit_conditions_and_dependents(cluster: Cluster, conditions: Any, code: int, goes_on: bool) -> None:
    cluster.online("n1")
    cluster.add_job(usesTaskDependencies=True)
    cluster.add_task("a", **({"exitConditions": conditions} if conditions else {}))
    cluster.add_task("b", dependsOn={"taskIds": ["a"]})
    cluster.end("a", code)
    assert (cluster.running() == ["b"]) is goes_on


@pytest.mark.parametrize(
    ("options", "phase", "failure", "state"),
    [
        ({"exitCodes": [{"code": 3, "exitOptions": {"jobAction": "disable"}}]}, Phase.COMMAND, None, "disabled"),
        ({"exitCodes": [{"code": 3, "exitOptions": {"jobAction": "terminate"}}]}, Phase.COMMAND, None, "completed"),
        ({"exitCodes": [{"code": 3, "exitOptions": {"jobAction": "none"}}]}, Phase.COMMAND, None, "active"),
        ({"default": {"jobAction": "none"}}, Phase.COMMAND, None, "active"),
        ({"preProcessingError": {"jobAction": "disable"}}, Phase.PREPARING, DOWNLOAD_FAILED, "disabled"),
        ({"fileUploadError": {"jobAction": "disable"}}, Phase.UPLOAD, DOWNLOAD_FAILED, "disabled"),
        ({}, Phase.COMMAND, None, "completed"),
    ],
)
def test_job_actions(cluster: Cluster, options: Any, phase: Phase, failure: FailureInfo | None, state: str) -> None:
    cluster.online("n1")
    cluster.add_job(onTaskFailure="performexitoptionsjobaction")
    cluster.add_task("a", exitConditions=options)
    cluster.add_task("b")
    cluster.end("a", None if phase is Phase.PREPARING else 3, failure=failure, phase=phase)
    cluster.obey()
    job = cluster.job().job
    assert job.state == state
    if state == "completed":
        assert job.execution_info.terminate_reason == "TaskFailed"


def test_a_failing_task_leaves_its_job_alone_unless_the_job_listens(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.end("a", 1)
    assert cluster.job().job.state == "active"


def test_the_longest_time_of_a_task(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a", constraints={"maxWallClockTime": "PT1M", "maxTaskRetryCount": 5})
    cluster.advance(seconds=59)
    assert not cluster.nodes.stopping
    cluster.advance(seconds=1)
    assert cluster.state("a") == "running"
    cluster.obey()
    info = cluster.task("a").task.execution_info
    assert (cluster.state("a"), info.retry_count) == ("completed", 0)
    assert info.failure_info is not None
    assert info.failure_info.code == "TaskEnded"


def test_the_longest_time_of_a_job(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job(constraints={"maxWallClockTime": "PT1M"})
    cluster.add_task("a")
    cluster.add_task("b")
    cluster.advance(minutes=1)
    assert cluster.job().job.state == "terminating"
    cluster.obey()
    job = cluster.job().job
    assert (job.state, job.execution_info.terminate_reason) == ("completed", "MaxWallClockTimeExpiry")
    assert (cluster.state("a"), cluster.state("b")) == ("completed", "active")


def test_a_job_ends_with_its_last_task(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.change_job(onAllTasksComplete="terminatejob")
    assert cluster.job().job.state == "active"
    cluster.end("a", 1)
    job = cluster.job().job
    assert (job.state, job.execution_info.terminate_reason) == ("completed", "AllTasksComplete")
    with pytest.raises(ServiceError, match="JobCompleted"):
        cluster.add_task("b")


def test_an_empty_job_is_complete_at_once(cluster: Cluster) -> None:
    cluster.add_job(onAllTasksComplete="terminatejob")
    assert cluster.job().job.state == "completed"


def test_a_job_manager_ends_its_job(cluster: Cluster) -> None:
    cluster.add_job(jobManagerTask={"id": "boss", "commandLine": "lead"})
    cluster.add_task("a")
    cluster.online("n1", 4)
    assert cluster.running() == ["boss"], "it runs alone"
    assert cluster.live("boss").slots == 4
    cluster.end("boss")
    job = cluster.job().job
    assert (job.state, job.execution_info.terminate_reason) == ("completed", "JMComplete")
    assert cluster.state("a") == "active"


def test_a_job_manager_that_shares_and_stays_off_spot_nodes(cluster: Cluster) -> None:
    manager = {"runExclusive": False, "allowLowPriorityNode": False, "killJobOnCompletion": False}
    cluster.add_job(jobManagerTask={"id": "boss", "commandLine": "lead", **manager})
    cluster.online("s1", 2, dedicated=False)
    assert cluster.running() == []
    cluster.online("n1", 2)
    cluster.add_task("a", affinityInfo={"affinityId": "TVM:n1"})
    assert cluster.live("boss").node == cluster.live("a").node == ref("n1")
    cluster.end("boss")
    assert cluster.job().job.state == "active"


@pytest.mark.parametrize(
    ("option", "state", "job_state"),
    [("requeue", "active", "disabled"), ("terminate", "completed", "disabled"), ("wait", "running", "disabling")],
)
def test_disabling_a_job(cluster: Cluster, option: Any, state: str, job_state: str) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.add_task("b")
    requests.disable_job(cluster.scheduler, ACCOUNT, cluster.job(), option)
    assert cluster.job().job.state == "disabling"
    cluster.obey()
    assert (cluster.state("a"), cluster.job().job.state) == (state, job_state)
    if option == "wait":
        cluster.end("a")
        assert cluster.job().job.state == "disabled"
    assert cluster.running() == []
    requests.enable_job(cluster.scheduler, ACCOUNT, cluster.job())
    assert cluster.job().job.state == "active"
    assert cluster.running() == (["a"] if option == "requeue" else ["b"])


def test_preparation_and_release(cluster: Cluster) -> None:
    cluster.online("n1", 2)
    cluster.online("n2", 2)
    cluster.add_job(
        jobPreparationTask={"commandLine": "prepare"},
        jobReleaseTask={"commandLine": "release"},
    )
    cluster.add_task("a")
    cluster.add_task("b", affinityInfo={"affinityId": f"TVM:{_node_of(cluster, 'jobpreparation')}"})
    assert cluster.running() == ["jobpreparation"]
    assert (cluster.state("a"), cluster.state("b")) == ("preparing", "preparing")
    cluster.end("jobpreparation")
    assert sorted(cluster.running()) == ["a", "b"]
    assert cluster.live("a").preparation_folder == "workitems/job/job-1/jobpreparation"
    cluster.end("a")
    cluster.end_job()
    assert cluster.job().job.state == "terminating"
    cluster.obey()
    assert cluster.running() == ["jobrelease"], "only where the job was prepared"
    assert cluster.job().job.state == "terminating"
    cluster.end("jobrelease")
    assert cluster.job().job.state == "completed"
    (status,) = [found.status for found in cluster.repositories.preparations.all(f"{ACCOUNT}/job")]
    assert status.job_preparation_task_execution_info.result == "success"  # type: ignore[union-attr]
    assert status.job_release_task_execution_info.result == "success"  # type: ignore[union-attr]


def _node_of(cluster: Cluster, task: str) -> str:
    return cluster.live(task).node.node


def test_tasks_go_elsewhere_when_the_preparation_fails(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job(jobPreparationTask={"commandLine": "prepare", "constraints": {"maxTaskRetryCount": 1}})
    cluster.add_task("a")
    cluster.end("jobpreparation", 1)
    assert cluster.running() == ["jobpreparation"], "once more"
    cluster.end("jobpreparation", 1)
    task = cluster.task("a").task
    assert (task.state, task.execution_info.requeue_count) == ("active", 0)
    assert cluster.running() == []
    cluster.online("n2")
    assert _node_of(cluster, "jobpreparation") == "n2"
    cluster.end("jobpreparation")
    assert cluster.live("a").node == ref("n2")


def test_a_job_need_not_wait_for_its_preparations_success(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job(jobPreparationTask={"commandLine": "prepare", "waitForSuccess": False})
    cluster.add_task("a")
    cluster.end("jobpreparation", 1)
    assert cluster.running() == ["a"]


@pytest.mark.parametrize("again", [True, False])
def test_preparing_again_after_a_reboot(cluster: Cluster, again: bool) -> None:
    cluster.online("n1")
    cluster.add_job(jobPreparationTask={"commandLine": "prepare", "rerunOnNodeRebootAfterSuccess": again})
    cluster.add_task("a")
    cluster.end("jobpreparation")
    cluster.end("a")
    cluster.drain("n1", Drain.REQUEUE)
    cluster.online("n1", boot="second")
    cluster.add_task("b")
    assert cluster.running() == (["jobpreparation"] if again else ["b"])


@pytest.mark.parametrize("lost", [True, False])
def test_preparing_again_on_a_new_disk(cluster: Cluster, lost: bool) -> None:
    """Whether it was reimaged or preempted and made anew, and whatever the job wants after reboots."""
    cluster.online("n1", disk="first")
    cluster.add_job(jobPreparationTask={"commandLine": "prepare", "rerunOnNodeRebootAfterSuccess": False})
    cluster.add_task("a")
    cluster.end("jobpreparation")
    cluster.end("a")
    if lost:
        cluster.lose("n1")
    else:
        cluster.drain("n1", Drain.REQUEUE)
    cluster.online("n1", disk="second", boot="second")
    cluster.add_task("b")
    assert cluster.running() == ["jobpreparation"]


def test_a_node_out_of_contact_for_a_while_stays_prepared(cluster: Cluster) -> None:
    cluster.online("n1", boot="first", disk="first")
    cluster.add_job(jobPreparationTask={"commandLine": "prepare"})
    cluster.add_task("a")
    cluster.end("jobpreparation")
    cluster.lose("n1")
    cluster.online("n1", boot="first", disk="first")
    assert cluster.running() == ["a"]


def test_a_failed_preparation_has_a_new_chance_on_a_new_disk_only(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job(jobPreparationTask={"commandLine": "prepare"})
    cluster.add_task("a")
    cluster.end("jobpreparation", 1)
    cluster.drain("n1", Drain.REQUEUE)
    cluster.online("n1", boot="second")
    assert cluster.running() == []
    cluster.drain("n1", Drain.REQUEUE)
    cluster.online("n1", boot="third", disk="second")
    assert cluster.running() == ["jobpreparation"]


def test_a_preparation_cut_off_by_a_reboot_runs_again(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job(jobPreparationTask={"commandLine": "prepare", "rerunOnNodeRebootAfterSuccess": False})
    cluster.add_task("a")
    cluster.drain("n1", Drain.REQUEUE)
    cluster.obey()
    cluster.online("n1", boot="second")
    assert cluster.running() == ["jobpreparation"]
    cluster.end("jobpreparation")
    assert cluster.running() == ["a"]


def test_multi_instance_tasks(cluster: Cluster) -> None:
    cluster.nodes.pools[POOL] = PoolTraits(inter_node_communication=True)
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("mpi", multiInstanceSettings={"numberOfInstances": 2, "coordinationCommandLine": "hello"})
    cluster.add_task("other")
    assert cluster.running() == ["other"], "one node is not enough"
    cluster.online("n2")
    cluster.end("other")
    first, second = sorted(cluster.nodes.live.values(), key=lambda start: start.instance or 0)
    assert (first.instance, second.instance) == (0, 1)
    assert first.environment["AZ_BATCH_NODE_LIST"] == ";".join(f"10.0.0.{s.node.node[-1]}" for s in (first, second))
    assert first.environment["AZ_BATCH_IS_CURRENT_NODE_MASTER"] == "true"
    assert second.environment["AZ_BATCH_IS_CURRENT_NODE_MASTER"] == "false"
    assert (first.folder, second.folder) == ("workitems/job/job-1/mpi", "workitems/job/job-1/mpi/1")
    cluster.scheduler.run_coordinated(second.run)
    assert cluster.nodes.proceeded == []
    cluster.scheduler.run_coordinated(first.run)
    assert cluster.nodes.proceeded == [first.run]
    cluster.end_run(first.run)
    assert cluster.nodes.stopping == {second.run}
    assert cluster.state("mpi") == "completed"
    cluster.obey()
    states = [found.state for found in cluster.repositories.subtasks.all(f"{ACCOUNT}/job/mpi")]
    assert states == ["completed", "completed"]


def test_a_multi_instance_task_fails_with_a_coordination(cluster: Cluster) -> None:
    cluster.nodes.pools[POOL] = PoolTraits(inter_node_communication=True)
    cluster.online("n1")
    cluster.online("n2")
    cluster.add_job()
    cluster.add_task("mpi", multiInstanceSettings={"numberOfInstances": 2, "coordinationCommandLine": "hello"})
    (second,) = [start for start in cluster.nodes.live.values() if start.instance == 1]
    cluster.end_run(second.run, 7)
    cluster.obey()
    info = cluster.task("mpi").task.execution_info
    assert (cluster.state("mpi"), info.exit_code) == ("completed", 7)


def test_a_multi_instance_task_is_requeued_as_a_whole(cluster: Cluster) -> None:
    cluster.nodes.pools[POOL] = PoolTraits(inter_node_communication=True)
    for name in ("n1", "n2", "n3"):
        cluster.online(name)
    cluster.add_job()
    cluster.add_task("mpi", multiInstanceSettings={"numberOfInstances": 2, "coordinationCommandLine": "hello"})
    lost = cluster.nodes.started[1].node.node
    cluster.lose(lost)
    assert (cluster.state("mpi"), cluster.running()) == ("active", [])
    cluster.obey()
    assert cluster.running() == ["mpi", "mpi"]
    assert cluster.task("mpi").task.execution_info.requeue_count == 1


def test_terminating_deleting_and_reactivating_tasks(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    requests.terminate_task(cluster.scheduler, ACCOUNT, cluster.job(), cluster.task("a"))
    assert cluster.state("a") == "completed"
    requests.reactivate_task(cluster.scheduler, ACCOUNT, cluster.job(), cluster.task("a"))
    assert (cluster.state("a"), cluster.running()) == ("active", []), "the old run is not over yet"
    cluster.obey()
    assert cluster.running() == ["a"]
    cluster.end("a")
    with pytest.raises(ServiceError, match="TaskSucceeded"):
        requests.reactivate_task(cluster.scheduler, ACCOUNT, cluster.job(), cluster.task("a"))
    with pytest.raises(ServiceError, match="TaskCompleted"):
        requests.terminate_task(cluster.scheduler, ACCOUNT, cluster.job(), cluster.task("a"))
    requests.delete_task(cluster.scheduler, ACCOUNT, cluster.job(), cluster.task("a"))
    assert cluster.nodes.forgotten == [(ref("n1"), "workitems/job/job-1/a")]
    assert cluster.scheduler.world.counts(ACCOUNT, "job").tasks.completed == 0


def test_deleting_a_running_task_forgets_its_files_after_it_stopped(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    requests.delete_task(cluster.scheduler, ACCOUNT, cluster.job(), cluster.task("a"))
    assert cluster.nodes.forgotten == []
    cluster.obey()
    assert cluster.nodes.forgotten == [(ref("n1"), "workitems/job/job-1/a")]


@pytest.mark.parametrize("force", [True, False])
def test_deleting_a_job(cluster: Cluster, force: bool) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.add_task("b")
    cluster.end_job(how="delete", force=force)
    if not force:
        assert cluster.job().job.state == "deleting"
        cluster.obey()
    assert cluster.repositories.jobs.get(ACCOUNT, "job") is None
    assert cluster.repositories.tasks.count(f"{ACCOUNT}/job") == 0
    assert (ref("n1"), "workitems/job/job-1") in cluster.nodes.forgotten


def test_auto_pools(cluster: Cluster) -> None:
    pool = {"poolLifetimeOption": "job", "autoPoolIdPrefix": "auto", "pool": {"vmSize": "small"}}
    cluster.add_job(poolInfo={"autoPoolSpecification": pool})
    ((name, specification),) = cluster.nodes.auto_pools.items()
    assert name.startswith("auto_")
    assert specification == {"vmSize": "small"}
    assert cluster.job().job.execution_info.pool_id == name
    cluster.end_job()
    assert cluster.nodes.auto_pools == {}


def test_an_auto_pool_that_cannot_be_made_ends_the_job(cluster: Cluster) -> None:
    cluster.nodes.refusal = ServiceError("InvalidPropertyValue")
    pool = {"poolLifetimeOption": "job", "pool": {"vmSize": "none"}}
    cluster.add_job(poolInfo={"autoPoolSpecification": pool})
    job = cluster.job().job
    assert job.state == "completed"
    assert job.execution_info.scheduling_error is not None
    assert job.execution_info.scheduling_error.code == "InvalidPropertyValue"


def test_the_pool_changes_while_disabled(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job(poolInfo={"poolId": "elsewhere"})
    cluster.add_task("a")
    with pytest.raises(ServiceError, match="OperationInvalidForCurrentState"):
        cluster.change_job(poolInfo={"poolId": POOL})
    requests.disable_job(cluster.scheduler, ACCOUNT, cluster.job(), "requeue")
    cluster.change_job(poolInfo={"poolId": POOL})
    requests.enable_job(cluster.scheduler, ACCOUNT, cluster.job())
    assert cluster.running() == ["a"]


def test_nothing_starts_on_a_pool_that_is_deleted(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.nodes.pools[POOL] = PoolTraits(is_schedulable=False)
    cluster.add_job()
    cluster.add_task("a")
    assert cluster.running() == []
    cluster.nodes.pools[POOL] = PoolTraits()
    cluster.scheduler.pool_changed(ACCOUNT, POOL)
    assert cluster.running() == ["a"]


@pytest.mark.parametrize("keep", [True, False])
def test_a_restart_accounts_for_every_run(cluster: Cluster, keep: bool) -> None:
    cluster.online("n1", 2)
    cluster.add_job(usesTaskDependencies=True)
    cluster.add_task("a", constraints={"maxWallClockTime": "PT1H"})
    cluster.add_task("b")
    cluster.add_task("c", dependsOn={"taskIds": ["a", "b"]})
    cluster.end("b")
    cluster.restart({"n1": 2}, keep=keep)
    assert cluster.running() == ["a"]
    assert cluster.task("a").task.execution_info.requeue_count == (0 if keep else 1)
    cluster.end("a")
    assert cluster.running() == ["c"]


def test_a_restart_without_the_node(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.nodes.live.clear()
    cluster.restart({})
    assert cluster.state("a") == "active"
    cluster.online("n2")
    assert cluster.running() == ["a"]


def test_a_restart_ends_what_was_ending(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("a")
    cluster.end_job()
    assert cluster.job().job.state == "terminating"
    cluster.nodes.live.clear()
    cluster.restart({})
    assert cluster.job().job.state == "completed"


def test_ids_of_the_jobs_own_tasks_are_taken(cluster: Cluster) -> None:
    cluster.add_job(
        jobManagerTask={"id": "boss", "commandLine": "x"}, jobPreparationTask={"id": "prep", "commandLine": "x"}
    )
    for name, code in (("Boss", "TaskExists"), ("PREP", "TaskIdSameAsJobPreparationTask")):
        with pytest.raises(ServiceError, match=code):
            cluster.add_task(name)


def test_jobs_and_schedules_share_ids(cluster: Cluster) -> None:
    cluster.add_schedule("night", schedule={"doNotRunUntil": "2999-01-01T00:00:00Z"})
    with pytest.raises(ServiceError, match="JobScheduleWithSameIdExists"):
        cluster.add_job("Night")
    cluster.add_job("day")
    with pytest.raises(ServiceError, match="JobWithSameIdExists"):
        cluster.add_schedule("DAY")
    with pytest.raises(ServiceError, match="JobExists"):
        cluster.add_job("Day")


def test_a_task_added_again_waits_for_the_last_run_of_the_deleted_one(cluster: Cluster) -> None:
    """Both would have the same directory, which goes with the deleted one."""
    cluster.online("n1", 2)
    cluster.add_job()
    cluster.add_task("t")
    requests.delete_task(cluster.scheduler, ACCOUNT, cluster.job(), cluster.task("t"))
    cluster.add_task("t")
    assert cluster.running() == []
    cluster.obey()
    assert cluster.running() == ["t"]
    assert len(cluster.nodes.forgotten) == 1


def test_what_a_job_ended_by_force_has_left_keeps_its_slots(cluster: Cluster) -> None:
    cluster.online("n1")
    cluster.add_job()
    cluster.add_task("t")
    cluster.end_job(how="delete", force=True)
    assert cluster.repositories.jobs.get(ACCOUNT, "job") is None
    cluster.add_job()
    cluster.add_task("t")
    cluster.add_task("u")
    assert cluster.running() == []
    cluster.obey()
    assert cluster.running() == ["t"]
    cluster.end("t")
    assert cluster.running() == ["u"]
