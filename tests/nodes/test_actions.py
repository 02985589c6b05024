"""Actions on nodes: what the service is asked, what it refuses, and what is done about that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.audit.models import AuditEvent
from apps.core.exceptions import Conflict, Invalid, NotPermitted, NotVisible
from apps.gateway import nodes as gateway
from apps.gateway import pools
from apps.gateway.types import Connection
from apps.nodes.models import NodeWork
from apps.nodes.services.acting import nodes_act
from apps.operations.execution import execute
from apps.operations.models import Operation, Status
from apps.operations.services import operation_retry
from apps.people.actors import Actor
from emulator.testing import Emulator
from tests.nodes.conftest import MakePool, finish, settled, targets
from tests.people.factories import Cast


def begin(
    operator: Actor, account: BatchAccount, action: str, nodes: list[tuple[str, str]], option: str = ""
) -> Operation:
    return nodes_act(actor=operator, account=account, action=action, targets=nodes, option=option)


def progress(operation: Operation) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in NodeWork.objects.filter(operation=operation):
        found[row.progress] = found.get(row.progress, 0) + 1
    return found


def test_reboot_asks_once_for_each_node(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    pool = make_pool(nodes=5)
    operation = finish(begin(operator, account, "reboot", targets(pool)))
    assert operation.status == Status.SUCCEEDED
    assert progress(operation) == {"done": 5}
    assert (operation.done, operation.total) == (5, 5)
    asked = [one for one in service.requests() if one["path"].endswith("/reboot")]
    assert len(asked) == 5
    event = AuditEvent.objects.get(operation=operation)
    assert (event.action, event.values["nodes"], event.values["option"]) == ("node-reboot", 5, "requeue")


def test_nodes_that_refuse_are_named_and_only_those_are_tried_again(
    make_pool: MakePool, account: BatchAccount, operator: Actor, connection: Connection, service: Emulator
) -> None:
    pool = make_pool(nodes=3)
    nodes = targets(pool)
    gateway.node_disable_scheduling(connection, *nodes[0])
    settled(account, "render", 3)
    operation = finish(begin(operator, account, "deallocate", nodes))
    assert operation.status == Status.SUCCEEDED
    settled(account, "render", 3)
    # Deallocated nodes take no reboot.
    operation = finish(begin(operator, account, "reboot", nodes))
    assert operation.status == Status.FAILED
    assert operation.message_code == "nodes-some-failed"
    row = NodeWork.objects.filter(operation=operation).first()
    assert row is not None
    assert row.request_id
    # They are started; the retry repeats what failed.
    assert finish(begin(operator, account, "start", nodes[1:])).status == Status.SUCCEEDED
    settled(account, "render", 3)
    again = finish(operation_retry(actor=operator, operation=operation))
    assert again.total == 3
    assert progress(again) == {"done": 2, "failed": 1}


def test_scheduling_that_is_off_already_counts_as_done(
    make_pool: MakePool, account: BatchAccount, operator: Actor, connection: Connection
) -> None:
    nodes = targets(make_pool(nodes=2))
    gateway.node_disable_scheduling(connection, *nodes[0])
    operation = finish(begin(operator, account, "disable-scheduling", nodes))
    assert operation.status == Status.SUCCEEDED
    codes = set(NodeWork.objects.filter(operation=operation).values_list("code", flat=True))
    assert codes == {"", "node-already-there"}


def test_a_node_that_is_gone_fails_alone(make_pool: MakePool, account: BatchAccount, operator: Actor) -> None:
    nodes = [*targets(make_pool(nodes=2)), ("render", "tvmps_gone_d")]
    operation = finish(begin(operator, account, "reboot", nodes))
    assert progress(operation) == {"done": 2, "failed": 1}
    assert NodeWork.objects.get(operation=operation, progress="failed").code == "node-gone"


def test_throttling_is_waited_for(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    pool = make_pool(nodes=4)
    service.fault(operation="data.reboot_node", status=429, retry_after=1, count=2)
    operation = finish(begin(operator, account, "reboot", targets(pool)))
    assert operation.status == Status.SUCCEEDED
    statuses = sorted(one["status"] for one in service.requests(operation="data.reboot_node"))
    assert statuses == [202] * 4 + [429] * 2


def test_what_is_throttled_for_long_is_put_off_and_asked_once(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    pool = make_pool(nodes=130, targetDedicatedNodes=0, targetLowPriorityNodes=130)
    service.fault(operation="data.reboot_node", status=429, retry_after=600)
    operation = begin(operator, account, "reboot", targets(pool))
    execute(operation.pk)
    operation.refresh_from_db()
    assert operation.is_active
    assert operation.not_before is not None
    assert operation.not_before > timezone.now() + timedelta(seconds=300)
    # Those under way at that time, and no more; and none of them is in doubt.
    assert len(service.requests(operation="data.reboot_node")) <= settings.NODE_WORKERS
    assert progress(operation) == {"pending": 130}
    assert not operation.nodes.exclude(changed_at=None).exists()
    service.clear_faults()
    begun = service.requests()[-1]["number"]
    assert finish(operation).status == Status.SUCCEEDED
    asked = [one["operation"] for one in service.requests(since=begun)]
    assert (asked.count("data.reboot_node"), asked.count("data.get_node")) == (130, 0)


def test_removing_goes_by_the_hundred_and_waits_for_the_pool(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    pool = make_pool(nodes=130, targetDedicatedNodes=0, targetLowPriorityNodes=130)
    operation = finish(begin(operator, account, "remove", targets(pool)[:120], "terminate"))
    assert operation.status == Status.SUCCEEDED
    removals = [one for one in service.requests() if one["path"].endswith("/removenodes")]
    assert [one["status"] for one in removals if one["status"] == 202] == [202, 202]
    settled(account, "render", 10)


def test_nodes_removed_by_somebody_else_count_as_removed(
    make_pool: MakePool, account: BatchAccount, operator: Actor, connection: Connection
) -> None:
    pool = make_pool(nodes=4)
    nodes = targets(pool)
    pools.nodes_remove(connection, "render", [nodes[0][1]])
    settled(account, "render", 3)
    operation = finish(begin(operator, account, "remove", nodes[:2]))
    assert operation.status == Status.SUCCEEDED
    settled(account, "render", 2)


def test_a_worker_that_died_does_not_reboot_twice(
    make_pool: MakePool, account: BatchAccount, operator: Actor, connection: Connection, service: Emulator
) -> None:
    nodes = targets(make_pool(nodes=2))
    operation = begin(operator, account, "reboot", nodes)
    # As a worker leaves it that was killed between the service's answer and its own note.
    NodeWork.objects.filter(operation=operation, node_id=nodes[0][1]).update(changed_at=timezone.now())
    gateway.node_reboot(connection, *nodes[0])
    finish(operation)
    asked = [one for one in service.requests() if one["path"].endswith(f"/{nodes[0][1]}/reboot")]
    assert len(asked) == 1


def test_the_same_action_on_the_same_nodes_runs_once(
    make_pool: MakePool, account: BatchAccount, operator: Actor
) -> None:
    nodes = targets(make_pool(nodes=2))
    begin(operator, account, "reboot", nodes)
    with pytest.raises(Conflict):
        begin(operator, account, "reboot", list(reversed(nodes)))


def test_what_is_wrong_with_the_input_is_said(account: BatchAccount, operator: Actor) -> None:
    for action, nodes, option, code in (
        ("explode", [("a", "b")], "", "node-action-unknown"),
        ("reboot", [("a", "b")], "maybe", "node-option-unknown"),
        ("reboot", [], "", "nodes-none"),
    ):
        with pytest.raises(Invalid) as caught:
            begin(operator, account, action, nodes, option)
        assert caught.value.code == code


def test_only_operators_act(account: BatchAccount, cast: Cast) -> None:
    with pytest.raises(NotPermitted):
        begin(Actor(user=cast.uploader), account, "reboot", [("a", "b")])
    with pytest.raises(NotVisible):
        begin(Actor(user=cast.stranger), account, "reboot", [("a", "b")])
