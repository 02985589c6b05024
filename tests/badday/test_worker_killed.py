"""A worker killed with SIGKILL at each persisted step of an upload: another one finishes it, with the right bytes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.applications.uploads.steps import Step, is_reached
from tests.badday.proxy import HOLD, FaultProxy, between
from tests.uploads.portal import Portal, sha256, until

MIB = 1024 * 1024


def finished(portal: Portal, operation: str, application: str, version: str, path: Path) -> None:
    ended = portal.ended(operation, 120)
    assert ended["status"] == "succeeded", portal.log(operation)
    assert portal.content_sha256(application, version) == sha256(path)


def kill_when(portal: Portal, operation: str, reached: Callable[[dict[str, Any]], bool]) -> None:
    """Kill the worker as soon as the recorded state is so."""
    until(lambda: reached(portal.state(operation)), 60, "the step to be recorded")
    portal.stack.kill("worker")


@pytest.mark.parametrize("step", list(Step))
def test_killed_at_each_step(portal: Portal, application: str, package: Callable[[int], Path], step: Step) -> None:
    """Right after it was recorded, and before anything else: the next worker goes on from there."""
    path = package(12 * MIB)
    dying = {"DJANGO_SETTINGS_MODULE": "tests.badday.dying", "DIE_AFTER": step.value}
    portal.stack.restart("worker", environment=dying)
    operation = portal.upload(path, application, "1.0", action="new-application")
    until(lambda: not portal.stack.is_running("worker"), 60, "the death of the worker")
    assert portal.state(operation)["steps"][-1] == step
    assert portal.operation(operation)["is_active"]
    portal.stack.start("worker")
    finished(portal, operation, application, "1.0", path)
    assert portal.state(operation)["steps"] == list(Step)
    assert portal.staged() == []


@pytest.fixture
def proxy(portal: Portal) -> Iterator[FaultProxy]:
    with between(portal.stack) as found:
        yield found


def test_killed_while_blocks_are_sent(
    portal: Portal, proxy: FaultProxy, application: str, package: Callable[[int], Path]
) -> None:
    """Blocks that are there are not sent again."""
    path = package(64 * MIB)
    blocks: list[str] = []

    def rule(method: str, target: str) -> str | None:
        if method == "PUT" and "comp=block&" in target:
            blocks.append(target)
            return HOLD if len(blocks) > 4 else None
        return None

    proxy.rule = rule
    operation = portal.upload(path, application, "1.0", action="new-application")
    until(lambda: portal.operation(operation)["done"] >= 4 * 8 * MIB, 60, "four blocks")
    portal.stack.kill("worker")
    before = len(blocks)
    proxy.rule = lambda method, target: blocks.append(target) if "comp=block&" in target else None
    proxy.released.set()
    portal.stack.start("worker")
    finished(portal, operation, application, "1.0", path)
    assert len(blocks) - before <= 5


def test_killed_while_the_block_list_is_committed(
    portal: Portal, proxy: FaultProxy, application: str, package: Callable[[int], Path]
) -> None:
    path = package(20 * MIB)
    proxy.rule = lambda method, target: HOLD if method == "PUT" and "comp=blocklist" in target else None
    operation = portal.upload(path, application, "1.0", action="new-application")
    kill_when(portal, operation, lambda state: is_reached(state, Step.COMMITTING))
    proxy.rule = lambda _method, _target: None
    proxy.released.set()
    portal.stack.start("worker")
    finished(portal, operation, application, "1.0", path)


def test_killed_again_and_again(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    """At moments nobody chose."""
    chance = random.Random(7)
    path = package(96 * MIB)
    operation = portal.upload(path, application, "1.0", action="new-application")
    for _ in range(4):
        time.sleep(chance.uniform(0.2, 3.0))
        portal.stack.kill("worker")
        portal.stack.start("worker")
    finished(portal, operation, application, "1.0", path)


def test_stopped_politely_hands_over_at_once(
    portal: Portal, proxy: FaultProxy, application: str, package: Callable[[int], Path]
) -> None:
    """SIGTERM: the step ends, the lease is given back, and the next worker need not wait for it to run out."""
    import signal  # noqa: PLC0415

    path = package(64 * MIB)
    proxy.rule = slow_blocks
    operation = portal.upload(path, application, "1.0", action="new-application")
    until(lambda: portal.operation(operation)["done"] > 0, 60, "a block")
    portal.stack.kill("worker", signal.SIGTERM)
    from apps.operations.models import Operation  # noqa: PLC0415

    with portal.stack.database():
        found = Operation.objects.get(pk=operation)
        assert found.lease_until is None
        assert found.not_before is not None
        assert found.is_active
    portal.stack.start("worker")
    finished(portal, operation, application, "1.0", path)


def slow_blocks(method: str, target: str) -> str | None:
    if method == "PUT" and "comp=block&" in target:
        time.sleep(1)
    return None
