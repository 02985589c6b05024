"""Jobs that share a pool: who goes first, and who has to give way."""

from typing import Any

import pytest

from emulator.scheduler.ports import PoolTraits
from tests.emulator.scheduler.cluster import POOL, Cluster

LOW, HIGH = {"priority": -5, "allowTaskPreemption": True}, {"priority": 5}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def traits(cluster: Cluster, **properties: Any) -> None:
    cluster.nodes.pools[POOL] = PoolTraits(**properties)


def places(cluster: Cluster) -> set[str]:
    return {f"{start.job}/{start.task}" for run, start in cluster.nodes.live.items() if run not in stopping(cluster)}


def stopping(cluster: Cluster) -> set[str]:
    return cluster.nodes.stopping


# Jobs of the same priority


def starts(cluster: Cluster, jobs: int = 3, tasks: int = 3) -> str:
    """The jobs of tasks in the order in which one slot was given to them."""
    for job in range(jobs):
        cluster.add_job(f"{job}")
        for task in range(tasks):
            cluster.add_task(f"t{task}", f"{job}")
    cluster.online("n1")
    while cluster.nodes.live:
        cluster.end_run(next(iter(cluster.nodes.live)))
    return "".join(start.job for start in cluster.nodes.started)


def test_jobs_of_the_same_priority_take_turns(cluster: Cluster) -> None:
    assert starts(cluster) == "012012012"


def test_older_jobs_go_first_if_the_pool_says_so(cluster: Cluster) -> None:
    traits(cluster, job_order="creationtime")
    assert starts(cluster) == "000111222"


def test_turns_are_taken_within_one_filling_too(cluster: Cluster) -> None:
    for job in ("a", "b"):
        cluster.add_job(job)
        for task in range(4):
            cluster.add_task(f"t{task}", job)
    cluster.online("n1", 4)
    assert places(cluster) == {"a/t0", "a/t1", "b/t0", "b/t1"}


# Preemption


def test_a_running_task_gives_way_and_runs_again(cluster: Cluster) -> None:
    cluster.add_job("low", **LOW)
    cluster.add_task("t", "low")
    cluster.online("n1")
    first = cluster.live("t", "low").run
    cluster.add_job("high", **HIGH)
    cluster.add_task("t", "high")
    assert stopping(cluster) == {first}
    assert (cluster.state("t", "low"), cluster.state("t", "high")) == ("active", "active")
    cluster.obey()
    assert places(cluster) == {"high/t"}
    info = cluster.task("t", "low").task.execution_info
    assert (info.requeue_count, info.retry_count, info.last_requeue_time is not None) == (1, 0, True)
    cluster.end("t", job="high")
    cluster.end("t", job="low")
    assert cluster.state("t", "low") == "completed"


def test_only_jobs_that_allow_it_give_way(cluster: Cluster) -> None:
    cluster.add_job("low", priority=-5)
    cluster.add_task("t", "low")
    cluster.online("n1")
    cluster.add_job("high", **HIGH)
    cluster.add_task("t", "high")
    assert not stopping(cluster)
    cluster.change_job("low", allowTaskPreemption=True)
    assert len(stopping(cluster)) == 1


def test_only_to_jobs_of_a_higher_priority(cluster: Cluster) -> None:
    cluster.add_job("low", **LOW)
    cluster.add_task("t", "low")
    cluster.online("n1")
    cluster.add_job("same", priority=-5)
    cluster.add_task("t", "same")
    assert not stopping(cluster)
    cluster.change_job("same", priority=-4)
    assert len(stopping(cluster)) == 1


def test_no_more_is_stopped_than_needed(cluster: Cluster) -> None:
    traits(cluster, slots_per_node=4)
    cluster.add_job("low", **LOW)
    for task in range(8):
        cluster.add_task(f"t{task}", "low")
    cluster.online("n1", 4)
    cluster.online("n2", 4)
    cluster.add_job("high", **HIGH)
    cluster.add_task("t", "high", requiredSlots=3)
    assert len(stopping(cluster)) == 3
    cluster.add_task("u", "high")
    assert len(stopping(cluster)) == 4
    cluster.obey()
    assert {"high/t", "high/u"} < places(cluster)
    assert len(places(cluster)) == 6


def test_a_free_slot_is_taken_before_anything_is_stopped(cluster: Cluster) -> None:
    cluster.add_job("low", **LOW)
    cluster.add_task("t", "low")
    cluster.online("n1", 2)
    cluster.add_job("high", **HIGH)
    cluster.add_task("t", "high")
    assert places(cluster) == {"low/t", "high/t"}


def test_what_was_made_free_is_not_taken_by_less_important_tasks(cluster: Cluster) -> None:
    traits(cluster, slots_per_node=2)
    cluster.add_job("low", **LOW)
    for task in range(4):
        cluster.add_task(f"t{task}", "low")
    cluster.online("n1", 2)
    cluster.add_job("high", **HIGH)
    cluster.add_task("t", "high", requiredSlots=2)
    one, two = sorted(stopping(cluster))
    cluster.end_run(one, None)
    assert not places(cluster)
    cluster.end_run(two, None)
    assert places(cluster) == {"high/t"}
    cluster.end("t", job="high")
    assert len(places(cluster)) == 2


def test_what_was_made_free_for_nothing_is_taken_again(cluster: Cluster) -> None:
    cluster.add_job("low", **LOW)
    cluster.add_task("t", "low")
    cluster.online("n1")
    cluster.add_job("high", **HIGH)
    cluster.add_task("t", "high")
    cluster.end_job("high", "delete")
    cluster.obey()
    assert places(cluster) == {"low/t"}


def test_the_least_important_and_of_these_the_latest_goes(cluster: Cluster) -> None:
    traits(cluster, slots_per_node=3)
    cluster.online("n1", 3)
    for job, priority in (("a", 1), ("b", 0), ("c", 0)):
        cluster.add_job(job, priority=priority, allowTaskPreemption=True)
        cluster.add_task("t", job)
    latest = cluster.live("t", "c").run
    cluster.add_job("high", priority=2)
    cluster.add_task("t", "high")
    assert stopping(cluster) == {latest}


def test_a_job_takes_no_more_than_it_may_run(cluster: Cluster) -> None:
    cluster.add_job("low", **LOW)
    for task in range(3):
        cluster.add_task(f"t{task}", "low")
        cluster.online(f"n{task}")
    cluster.add_job("high", **HIGH, maxParallelTasks=2)
    for task in range(3):
        cluster.add_task(f"t{task}", "high")
    assert len(stopping(cluster)) == 2


def test_a_multi_instance_task_clears_whole_nodes(cluster: Cluster) -> None:
    traits(cluster, inter_node_communication=True)
    cluster.add_job("low", **LOW)
    for task in range(3):
        cluster.add_task(f"t{task}", "low")
        cluster.online(f"n{task}")
    cluster.add_job("high", **HIGH)
    settings = {"numberOfInstances": 2, "coordinationCommandLine": "hello"}
    cluster.add_task("wide", "high", multiInstanceSettings=settings)
    assert len(stopping(cluster)) == 2
    cluster.obey()
    assert sorted(start.task for start in cluster.nodes.live.values()) == ["t2", "wide", "wide"]


def test_a_multi_instance_task_gives_way_as_a_whole(cluster: Cluster) -> None:
    traits(cluster, inter_node_communication=True)
    cluster.online("n1")
    cluster.online("n2")
    cluster.add_job("low", **LOW)
    settings = {"numberOfInstances": 2, "coordinationCommandLine": "hello"}
    cluster.add_task("wide", "low", multiInstanceSettings=settings)
    cluster.add_job("high", **HIGH)
    cluster.add_task("t", "high")
    assert len(stopping(cluster)) == 2
    cluster.obey()
    assert places(cluster) == {"high/t"}
