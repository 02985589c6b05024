"""Pools and nodes as the gateway gives them, and many questions at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from apps.gateway import nodes, pools
from apps.gateway.calls import counted
from apps.gateway.errors import (
    GatewayConflict,
    GatewayError,
    GatewayInvalid,
    GatewayNotFound,
    GatewayThrottled,
    ManagementPlaneMissing,
)
from apps.gateway.together import each, pages_together
from apps.gateway.types import Connection
from apps.gateway.types_nodes import NodeUser
from emulator.testing import Emulator
from tests.pools.conftest import document, ready


@pytest.fixture(params=["token", "key"])
def either(request: pytest.FixtureRequest, connection: Connection, shared_key: Connection) -> Connection:
    return connection if request.param == "token" else shared_key


@pytest.fixture
def node(connection: Connection) -> str:
    """The id of the one node of a pool named `linux`."""
    pools.pool_create(connection, document(targetDedicatedNodes=1))
    ready(connection, "linux", 1)
    [[found]] = nodes.node_pages(connection, "linux")
    return found.id


def test_images_and_sizes(connection: Connection, shared_key: Connection) -> None:
    found = pools.image_list(connection)
    assert {image.os_type for image in found} == {"linux", "windows"}
    assert any(image.end_of_support for image in found)
    [size] = [one for one in pools.vm_size_list(connection, "westeurope") if one.name == "Standard_D4ds_v5"]
    assert (size.cores, size.memory, size.disk, size.spot) == (4, 16, 150, True)
    with pytest.raises(ManagementPlaneMissing):
        pools.vm_size_list(shared_key, "westeurope")


def test_pools_come_page_by_page(either: Connection) -> None:
    for index in range(5):
        pools.pool_create(either, document(f"pool{index}"))
    first = pools.pool_page(either, size=2)
    second = pools.pool_page(either, size=2, token=first.token)
    last = pools.pool_page(either, size=2, token=second.token)
    assert [pool.id for page in (first, second, last) for pool in page.items] == [f"pool{i}" for i in range(5)]
    assert last.token == ""
    [[only]] = pools.pool_pages(either, where="startswith(id, 'pool3')")
    assert only.id == "pool3"


def test_a_page_token_that_leads_elsewhere_is_refused_before_anything_is_sent(connection: Connection) -> None:
    with counted() as calls, pytest.raises(GatewayInvalid) as refused:
        pools.pool_page(connection, token="http://169.254.169.254/pools?$skiptoken=x")
    assert (refused.value.code, len(calls)) == ("gateway-page-token", 0)


def test_what_takes_long_is_asked_and_not_waited_for(service: Emulator, either: Connection) -> None:
    pools.pool_create(either, document())
    ready(either, "linux", 0)
    service.clock(paused=True)
    threads = threading.active_count()
    pools.pool_resize(either, "linux", dedicated=1)
    assert threading.active_count() == threads
    with pytest.raises(GatewayConflict):
        pools.pool_resize(either, "linux", dedicated=2)
    pools.pool_stop_resize(either, "linux")
    pools.pool_delete(either, "linux")
    with pytest.raises(GatewayConflict) as refused:
        pools.pool_patch(either, "linux", {"metadata": []})
    assert refused.value.service_code == "PoolBeingDeleted"


def test_a_change_holds_only_for_what_was_seen(connection: Connection) -> None:
    pools.pool_create(connection, document())
    seen = pools.pool_get(connection, "linux").etag
    pools.pool_patch(connection, "linux", {"metadata": []}, etag=seen)
    with pytest.raises(GatewayConflict) as refused:
        pools.pool_patch(connection, "linux", {"metadata": []}, etag=seen)
    assert (refused.value.http_status, refused.value.service_code) == (412, "ConditionNotMet")


def test_the_service_names_the_property_it_refuses(connection: Connection) -> None:
    with pytest.raises(GatewayInvalid) as refused:
        pools.pool_create(connection, document(resizeTimeout="PT1M"))
    assert "resizeTimeout" in dict(refused.value.service_values).get("Reason", "") + str(refused.value.service_values)


def test_nodes_act(either: Connection, node: str) -> None:
    assert nodes.node_get(either, "linux", node).state == "idle"
    nodes.node_disable_scheduling(either, "linux", node)
    with pytest.raises(GatewayConflict) as refused:
        nodes.node_disable_scheduling(either, "linux", node)
    assert refused.value.service_code == "NodeAlreadyInTargetSchedulingState"
    nodes.node_enable_scheduling(either, "linux", node)
    user = NodeUser("walker", is_admin=True, password="Correct-Horse-7")
    nodes.user_add(either, "linux", node, user)
    with pytest.raises(GatewayConflict) as refused:
        nodes.user_add(either, "linux", node, user)
    assert refused.value.service_code == "NodeUserExists"
    nodes.user_update(either, "linux", node, replace(user, password="Other-Horse-8"))
    nodes.user_delete(either, "linux", node, "walker")
    with pytest.raises(GatewayNotFound):
        nodes.user_delete(either, "linux", node, "walker")
    assert "Horse" not in repr(user)


def test_a_node_that_reboots_boots_anew(connection: Connection, node: str) -> None:
    before = nodes.node_get(connection, "linux", node).last_boot
    nodes.node_reboot(connection, "linux", node)
    deadline = time.monotonic() + 30
    while (found := nodes.node_get(connection, "linux", node)).state != "idle" or found.last_boot == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_cap_bounds_a_list_of_nodes(connection: Connection) -> None:
    pools.pool_create(connection, document(targetDedicatedNodes=5))
    ready(connection, "linux", 5)
    assert [len(page) for page in nodes.node_pages(connection, "linux", cap=3)] == [3]
    assert nodes.node_page(connection, "linux", size=2).token


# --- Many questions -------------------------------------------------------------------------------------------------
def test_many_questions_run_at_a_bounded_number_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def ask(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        return item * 2

    found = dict(each(range(100), ask, workers=7))
    assert found == {item: item * 2 for item in range(100)}
    assert 1 < most <= 7


def test_an_error_belongs_to_its_item_alone() -> None:
    def ask(item: int) -> int:
        if item == 3:
            raise GatewayConflict(service_code="NodeStateUnusable")
        return item

    found = dict(each(range(5), ask))
    assert isinstance(found.pop(3), GatewayConflict)
    assert found == {0: 0, 1: 1, 2: 2, 4: 4}


def test_when_one_is_throttled_all_pause_and_it_is_asked_again() -> None:
    asked: list[tuple[int, float]] = []
    begun = time.monotonic()

    def ask(item: int) -> int:
        asked.append((item, time.monotonic() - begun))
        if item == 0 and len([one for one, _at in asked if one == 0]) == 1:
            raise GatewayThrottled(retry_after=0.5)
        return item

    assert dict(each(range(50), ask, workers=1)) == {item: item for item in range(50)}
    assert all(at >= 0.5 for _item, at in asked[1:])


def test_after_throttling_fewer_ask_at_once() -> None:
    running, most, lock = 0, [0, 0], threading.Lock()
    throttled = threading.Event()

    def ask(item: int) -> int:
        nonlocal running
        if item == 0 and not throttled.is_set():
            throttled.set()
            raise GatewayThrottled(retry_after=0.2)
        begun_after = 8 <= item <= 10
        with lock:
            running += 1
            most[begun_after] = max(most[begun_after], running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return item

    assert dict(each(range(32), ask, workers=8)) == {item: item for item in range(32)}
    assert most[True] < 8


def test_one_throttled_call_holds_back_all_the_others(service: Emulator, connection: Connection) -> None:
    pools.pool_create(connection, document())
    service.fault(operation="data.get_pool", status=429, code="TooManyRequests", retry_after=1, count=1)
    with counted() as calls:
        found = dict(each(range(20), lambda _item: pools.pool_get(connection, "linux").id, workers=4))
    assert set(found.values()) == {"linux"}
    assert sorted(call.status for call in calls.calls) == [200] * 20 + [429]


def test_what_the_service_puts_off_for_long_is_asked_of_nothing_else() -> None:
    asked: list[int] = []

    def ask(item: int) -> int:
        asked.append(item)
        raise GatewayThrottled(retry_after=600)

    found = dict(each(range(200), ask, workers=2))
    assert len(found) == 200
    assert all(isinstance(answer, GatewayThrottled) for answer in found.values())
    assert len(asked) <= 2


def test_pages_of_many_come_as_they_are_read() -> None:
    read: list[tuple[int, int]] = []

    def pages(item: int) -> Iterator[list[int]]:
        for number in range(item):
            read.append((item, number))
            yield [item, number]
        if item == 3:
            raise GatewayConflict(service_code="PoolBeingDeleted")

    found: dict[int, list[Any]] = {}
    for item, page in pages_together(range(5), pages, workers=2):
        found.setdefault(item, []).append(page)
    assert found.pop(3)[:3] == [[3, 0], [3, 1], [3, 2]]
    assert found == {item: [*([item, number] for number in range(item)), None] for item in (0, 1, 2, 4)}
    assert len(read) == len(set(read)) == 10


def test_pages_are_read_one_ahead_and_no_further() -> None:
    read: list[int] = []

    def pages(_item: str) -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    for _pool, number in pages_together(["pool"], pages):
        if number == 9:
            break
    assert len(read) <= 11


def test_a_wait_that_is_too_long_is_handed_to_the_caller() -> None:
    def ask(_item: int) -> int:
        raise GatewayThrottled(retry_after=600)

    [(_item, found)] = each([1], ask)
    assert isinstance(found, GatewayError)
    assert found.retry_after == 600


def test_leaving_early_cancels_what_has_not_begun() -> None:
    asked: list[int] = []

    def ask(item: int) -> int:
        asked.append(item)
        return item

    for _found in each(range(1000), ask, workers=2):
        break
    assert len(asked) < 20
