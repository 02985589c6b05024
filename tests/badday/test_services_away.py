"""Redis, blob storage, the Batch service or the database go away in the middle of an upload and come back."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from pytest_django import Settings

from apps.applications.uploads.steps import Step, is_reached
from tests.badday.proxy import BUSY, RESET, FaultProxy, between
from tests.badday.test_worker_killed import finished, slow_blocks
from tests.support.stack import Stack
from tests.uploads.portal import Portal, Tus, until

MIB = 1024 * 1024


@pytest.fixture
def proxy(portal: Portal) -> Iterator[FaultProxy]:
    with between(portal.stack) as found:
        yield found


def codes(portal: Portal, operation: str) -> list[str]:
    return [event["code"] for event in portal.operation(operation)["events"]]


def test_redis_killed_and_restarted(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    """Bytes are taken without it, and the workers consume again when it is back."""
    path = package(24 * MIB)
    tus = portal.begin(path, application, "1.0", action="new-application")
    tus.send(4 * MIB)
    portal.stack.kill("redis")
    tus.send(20 * MIB)
    tus.send()
    time.sleep(2)
    portal.stack.start("redis")
    finished(portal, tus.operation, application, "1.0", path)
    # Not only what was under way: new work runs too.
    second = package(2 * MIB)
    operation = portal.upload(second, application, "2.0")
    finished(portal, operation, application, "2.0", second)


def test_upload_started_while_redis_is_away(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(2 * MIB)
    portal.stack.kill("redis")
    tus = portal.begin(path, application, "1.0", action="new-application")
    tus.send()
    portal.stack.start("redis")
    finished(portal, tus.operation, application, "1.0", path)


def test_blob_storage_stopped_for_20_seconds(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(64 * MIB)
    tus = portal.begin(path, application, "1.0", action="new-application")
    tus.send(20 * MIB)
    until(lambda: portal.operation(tus.operation)["done"] > 0, 60, "a block in blob storage")
    portal.stack.kill("azurite")
    tus.send()
    time.sleep(20)
    assert "operation-tries-again" in codes(portal, tus.operation), portal.log(tus.operation)
    portal.stack.start("azurite")
    finished(portal, tus.operation, application, "1.0", path)


def test_batch_service_stopped_for_20_seconds(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(12 * MIB)
    tus = portal.begin(path, application, "1.0", action="new-application")
    portal.stack.kill("emulator")
    tus.send()
    time.sleep(20)
    assert "operation-tries-again" in codes(portal, tus.operation), portal.log(tus.operation)
    portal.stack.start("emulator")
    finished(portal, tus.operation, application, "1.0", path)


def test_batch_service_throttles(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(2 * MIB)
    tus = portal.begin(path, application, "1.0", action="new-application")
    batch = portal.stack.batch
    batch.fault(operation="arm.application_package.*", status=429, code="TooManyRequests", retry_after=25, count=1)
    started = time.monotonic()
    tus.send()
    finished(portal, tus.operation, application, "1.0", path)
    assert time.monotonic() - started >= 25
    assert "operation-tries-again" in codes(portal, tus.operation)


@pytest.mark.parametrize("fault", [BUSY, RESET])
def test_blob_storage_misbehaves(
    portal: Portal, proxy: FaultProxy, application: str, package: Callable[[int], Path], fault: str
) -> None:
    """A third of the requests fail."""
    chance = random.Random(3)
    proxy.rule = lambda _method, _path: fault if chance.random() < 0.33 else None
    path = package(80 * MIB)
    operation = portal.upload(path, application, "1.0", action="new-application")
    until(lambda: not portal.operation(operation)["is_active"], 240, "the end")
    assert portal.operation(operation)["status"] == "succeeded", portal.log(operation)
    proxy.rule = lambda _method, _path: None
    finished(portal, operation, application, "1.0", path)
    assert proxy.struck[fault] > 3


def test_upload_address_is_refused_in_the_middle(
    portal: Portal, proxy: FaultProxy, application: str, package: Callable[[int], Path], settings: Settings
) -> None:
    """As when the storage account's keys were renewed: the signature no longer fits although its time is not up."""
    from apps.applications.models import Upload  # noqa: PLC0415

    settings.FIELD_ENCRYPTION_KEYS = portal.stack.environment()["FIELD_ENCRYPTION_KEYS"].split(",")
    proxy.rule = slow_blocks
    path = package(96 * MIB)
    operation = portal.upload(path, application, "1.0", action="new-application")
    until(lambda: portal.operation(operation)["done"] > 0, 60, "a block in blob storage")
    portal.stack.kill("worker")
    with portal.stack.database():
        upload = Upload.objects.get(operation_id=operation)
        url = upload.destination["url"]
        assert "sig=" in url
        upload.destination = {**upload.destination, "url": url.replace("sig=", "sig=AAAA")}
        upload.save(update_fields=["destination"])
    portal.stack.start("worker")
    finished(portal, operation, application, "1.0", path)
    assert "upload-address-renewed" in codes(portal, operation)


def test_upload_address_ends_while_the_upload_pauses(
    portal: Portal, application: str, package: Callable[[int], Path]
) -> None:
    """Addresses are good for four hours; this one was handed out four hours ago."""
    portal.stack.batch.clock(skew=-4 * 3600 + 30)
    try:
        tus = portal.begin(package(40 * MIB), application, "1.0", action="new-application")
        tus.send(10 * MIB)
        until(lambda: is_reached(portal.state(tus.operation), Step.SENDING), 60, "the first address")
    finally:
        portal.stack.batch.clock(skew=0)
    tus.send()
    finished(portal, tus.operation, application, "1.0", tus.path)
    assert "upload-address-renewed" in codes(portal, tus.operation)


@contextmanager
def locked_database(stack: Stack) -> Iterator[None]:
    """Nobody else can write, as a backup or an administrator's session does it."""
    if stack.database_url.startswith("postgres"):
        with psycopg.connect(stack.database_url) as link:
            link.execute("LOCK TABLE operations_operation, applications_upload IN ACCESS EXCLUSIVE MODE")
            yield
        return
    with closing(sqlite3.connect(stack.database_url.removeprefix("sqlite:///"), timeout=30)) as link:
        link.execute("BEGIN IMMEDIATE")
        yield
        link.rollback()


def test_database_locked_for_25_seconds(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(48 * MIB)
    tus = portal.begin(path, application, "1.0", action="new-application")
    tus.send(10 * MIB)
    sending = threading.Thread(target=lambda: sent(tus))
    with locked_database(portal.stack):
        sending.start()
        time.sleep(25)
    sending.join(120)
    assert tus.offset() == tus.length
    finished(portal, tus.operation, application, "1.0", path)


def sent(tus: Tus) -> None:
    """As a client does that tries again."""
    until(lambda: attempt(tus), 120, "all bytes sent")


def attempt(tus: Tus) -> bool:
    try:
        tus.send()
    except AssertionError:
        time.sleep(1)
        return False
    return True
