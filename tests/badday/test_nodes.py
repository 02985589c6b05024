"""Work on many nodes, and on whole pools, while the worker, the service or the broker goes away in the middle."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.badday.farm import NODES, Farm, make_farm
from tests.support import fleet
from tests.uploads.conftest import token_for
from tests.uploads.portal import Portal, until

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE9UTpRNyTUiYLlBoZVh9ioYVhnMJ/SaGQdHdBvuxLv1"


@pytest.fixture
def farm(stack: Any) -> Iterator[Farm]:
    portal = Portal(stack, token_for(stack, "admin"))
    pool = f"farm-{uuid.uuid4().hex[:8]}"
    yield make_farm(portal, pool)
    stack.mend()
    stack.batch.clock(paused=False)
    fleet.delete_pool(stack.batch, pool)
    portal.http.close()


def in_the_middle(farm: Farm, operation: str) -> None:
    """Wait until some nodes are done and others are not."""
    until(lambda: farm.progress(operation).get("done", 0) > 0, 60, "the first nodes")
    assert farm.progress(operation)["pending"] > 0, "It was over too soon to be disturbed."


def all_done(farm: Farm, operation: str) -> None:
    ended = farm.portal.ended(operation, 180)
    assert ended["status"] == "succeeded", farm.portal.log(operation)
    assert (ended["done"], ended["total"]) == (NODES, NODES)
    assert farm.progress(operation) == {"done": NODES}


# --- The worker -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
def test_killed_while_nodes_are_rebooted(farm: Farm, times: int) -> None:
    """Every node is rebooted, and none twice."""
    farm.portal.stack.batch.fault(operation="data.reboot_node", latency=1.0)
    operation = farm.act("reboot")
    for _ in range(times):
        in_the_middle(farm, operation)
        farm.portal.stack.kill("worker")
        farm.portal.stack.start("worker")
    farm.portal.stack.batch.clear_faults()
    all_done(farm, operation)
    rebooted_once(farm)


def rebooted_once(farm: Farm) -> None:
    taken = farm.asked("data.reboot_node", 202)
    assert len(taken) == NODES
    assert set(taken.values()) == {1}


def test_killed_with_answers_that_it_never_read(farm: Farm) -> None:
    """The service took some reboots and the worker died before it noted them: those nodes show it themselves."""
    stack = farm.portal.stack
    stack.batch.fault(operation="data.reboot_node", latency=1.0)
    operation = farm.act("reboot")
    in_the_middle(farm, operation)
    stack.freeze("worker")
    stack.batch.clear_faults()
    noted = farm.progress(operation)["done"]
    until(lambda: farm.asked("data.reboot_node", 202).total() > noted, 30, "an answer that is not noted")
    stack.kill("worker")
    stack.start("worker")
    all_done(farm, operation)
    rebooted_once(farm)


def test_killed_while_a_user_is_added(farm: Farm) -> None:
    """The user is on every node, each has its address, and the password is gone afterwards."""
    farm.portal.stack.batch.fault(operation="data.create_node_user", latency=1.0)
    operation = farm.add_user(password=f"Aa1!{uuid.uuid4().hex}")
    in_the_middle(farm, operation)
    farm.portal.stack.kill("worker")
    farm.portal.stack.batch.clear_faults()
    farm.portal.stack.start("worker")
    all_done(farm, operation)
    assert len(farm.asked("data.create_node_user", 201)) == NODES
    logins = farm.logins("guest")
    assert len({login["node_id"] for login in logins}) == len(logins) == NODES
    assert no_secret_left(farm)


def no_secret_left(farm: Farm) -> bool:
    from apps.nodes.models import UserSecret  # noqa: PLC0415

    with farm.portal.stack.database():
        return not UserSecret.objects.exists()


def test_told_to_stop_while_a_user_is_added(farm: Farm) -> None:
    """SIGTERM, as with every new version of the portal: the next worker goes on where this one stopped."""
    farm.portal.stack.batch.fault(operation="data.create_node_user", latency=1.0)
    operation = farm.add_user(ssh_public_key=KEY)
    in_the_middle(farm, operation)
    farm.portal.stack.kill("worker", signal.SIGTERM)
    farm.portal.stack.batch.clear_faults()
    farm.portal.stack.start("worker")
    all_done(farm, operation)
    assert set(farm.asked("data.create_node_user", 201).values()) == {1}


def test_killed_while_nodes_leave_and_the_pool_shrinks(farm: Farm) -> None:
    """Nodes are removed a hundred at a time: the second hundred is not forgotten."""
    farm.portal.stack.batch.clock(paused=True)
    operation = farm.act("remove")
    until(lambda: farm.progress(operation).get("done") == 100, 60, "the first hundred")
    farm.portal.stack.kill("worker")
    farm.portal.stack.batch.clock(paused=False)
    farm.portal.stack.start("worker")
    all_done(farm, operation)
    until(lambda: fleet.states(farm.portal.stack.batch, farm.pool) == [], 60, "the nodes to be gone")


# --- Pools ----------------------------------------------------------------------------------------------------------


def test_killed_while_a_pool_grows(farm: Farm) -> None:
    """The resize is asked for once, and followed to its end by the next worker."""
    stack = farm.portal.stack
    stack.batch.clock(paused=True)
    operation = farm.resize(NODES + 20)
    until(lambda: farm.portal.state(operation).get("asked"), 60, "the resize to be asked for")
    stack.kill("worker")
    stack.batch.clock(paused=False)
    stack.start("worker")
    assert farm.portal.ended(operation)["status"] == "succeeded", farm.portal.log(operation)
    assert sum(farm.asked("data.resize_pool", 202).values()) == 1
    assert len(fleet.states(stack.batch, farm.pool)) == NODES + 20


def test_killed_before_the_answer_to_a_resize(farm: Farm) -> None:
    """The service took it, the worker never heard: the next one sees it at work and does not fail over the conflict."""
    stack = farm.portal.stack
    stack.batch.clock(paused=True)
    stack.batch.fault(operation="data.resize_pool", latency=2.0, count=1)
    operation = farm.resize(NODES + 20)
    until(lambda: stack.batch.control("GET", "faults")["faults"][0]["struck"], 60, "the question to arrive")
    stack.freeze("worker")
    until(lambda: not fleet.is_steady(stack.batch, farm.pool), 30, "the service to take it")
    stack.kill("worker")
    stack.start("worker")
    until(lambda: farm.portal.state(operation).get("asked"), 60, "the next worker to find out")
    stack.batch.clock(paused=False)
    assert farm.portal.ended(operation)["status"] == "succeeded", farm.portal.log(operation)
    assert sum(farm.asked("data.resize_pool", 202).values()) == 1
    assert len(fleet.states(stack.batch, farm.pool)) == NODES + 20


def test_killed_while_a_pool_comes(farm: Farm) -> None:
    """Whoever made a pool finds its operation over, with the nodes there."""
    stack, pool = farm.portal.stack, f"{farm.pool}-2"
    stack.batch.clock(paused=True)
    wanted = fleet.document(pool, 3, simulated=True)
    answer = farm.portal.http.post("/accounts/local/pools", json=wanted)
    assert answer.status_code == 201, answer.text
    operation = answer.json()["operation"]
    until(lambda: farm.portal.operation(operation)["phase"] == "pool-resizing", 60, "somebody to follow it")
    stack.kill("worker")
    stack.batch.clock(paused=False)
    stack.start("worker")
    try:
        assert farm.portal.ended(operation)["status"] == "succeeded", farm.portal.log(operation)
        assert len(fleet.states(stack.batch, pool)) == 3
    finally:
        fleet.delete_pool(stack.batch, pool)


def test_killed_while_a_pool_is_deleted(farm: Farm) -> None:
    stack = farm.portal.stack
    stack.batch.clock(paused=True)
    operation = farm.delete()
    until(lambda: farm.portal.state(operation).get("asked"), 60, "the deletion to be asked for")
    stack.kill("worker")
    stack.batch.clock(paused=False)
    stack.start("worker")
    assert farm.portal.ended(operation)["status"] == "succeeded", farm.portal.log(operation)
    assert sum(farm.asked("data.delete_pool", 202).values()) == 1
    until(lambda: farm.seen() == 0, 60, "the portal to forget the nodes")


# --- The poller -----------------------------------------------------------------------------------------------------


def test_killed_while_nodes_are_read(farm: Farm) -> None:
    """The picture stays whole, and the next poller brings it up to date once the lease of the dead one is over."""
    stack = farm.portal.stack
    stack.batch.disturb(farm.pool, "unusable", count=5)
    stack.batch.fault(operation="data.list_nodes", latency=3.0)
    farm.portal.http.get(f"/accounts/local/pools/{farm.pool}/nodes")
    until(lambda: stack.batch.control("GET", "faults")["faults"][0]["struck"], 60, "a poller at work")
    stack.kill("worker")
    assert farm.seen() == farm.seen(state="idle") == NODES
    stack.batch.clear_faults()
    stack.start("worker")
    until(lambda: farm.seen(state="unusable") == 5, 60, "the next reading")
    assert farm.seen() == NODES


# --- The service and the broker -------------------------------------------------------------------------------------


def test_service_away_for_20_seconds(farm: Farm) -> None:
    stack = farm.portal.stack
    stack.batch.fault(operation="data.create_node_user", latency=1.0)
    operation = farm.add_user(ssh_public_key=KEY)
    in_the_middle(farm, operation)
    stack.kill("emulator")
    time.sleep(20)
    assert farm.portal.operation(operation)["is_active"]
    stack.start("emulator")
    all_done(farm, operation)
    assert len(farm.logins("guest")) == NODES


def test_throttled(farm: Farm) -> None:
    """The service takes one in three and says when to come again."""
    batch = farm.portal.stack.batch
    batch.fault(operation="data.reboot_node", status=429, retry_after=1, probability=0.66, seed=3, count=60)
    operation = farm.act("reboot")
    all_done(farm, operation)
    assert sum(farm.asked("data.reboot_node", 429).values()) == 60
    assert set(farm.asked("data.reboot_node", 202).values()) == {1}


def test_redis_killed(farm: Farm) -> None:
    """The queue goes away and comes back in the middle."""
    stack = farm.portal.stack
    stack.batch.fault(operation="data.reboot_node", latency=1.0)
    operation = farm.act("reboot")
    in_the_middle(farm, operation)
    stack.kill("redis")
    time.sleep(3)
    stack.start("redis")
    stack.batch.clear_faults()
    all_done(farm, operation)
    assert set(farm.asked("data.reboot_node", 202).values()) == {1}
