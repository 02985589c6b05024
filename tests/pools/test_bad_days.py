"""What pages of pools say when the service refuses, is busy, or has lost the pool: why, and what to do next."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from apps.accounts.models import BatchAccount
from apps.gateway import pools
from apps.gateway.types import Connection
from apps.operations.models import Kind, Operation, Status
from apps.pools.models import PoolSnapshot
from apps.pools.polling import poll_account
from emulator.testing import Emulator
from tests.people.factories import Cast, signed_in
from tests.pools.conftest import MakePool, document, finish, is_gone, until
from tests.pools.test_pages import text, url

LIVE = {"live": "1"}
TARGETS = {"dedicated": "3", "spot": "0", "deallocation": "requeue"}
BUSY = {"status": 429, "code": "TooManyRequests", "retry_after": 60}


@pytest.fixture
def operator(cast: Cast) -> Client:
    return signed_in(cast.operator)


# --- Deleted meanwhile ----------------------------------------------------------------------------------------------
@pytest.fixture
def gone(make_pool: MakePool, connection: Connection) -> str:
    """A pool that the portal shows and that somebody else has deleted."""
    make_pool(nodes=1)
    pools.pool_delete(connection, "linux")
    until(lambda: is_gone(connection, "linux"))
    return "linux"


@pytest.mark.parametrize("name", ["configuration", "scale", "start-task", "packages", "metadata"])
def test_what_is_asked_of_a_pool_that_is_gone_says_so(gone: str, operator: Client, name: str) -> None:
    page = text(operator.get(url(name, pool=gone), LIVE, headers={"HX-Request": "true"}))
    assert "The pool is gone" in page
    assert f'href="{url("list")}"' in page


def test_a_change_of_a_pool_that_is_gone_changes_nothing(gone: str, operator: Client) -> None:
    for name in ("scale", "start-task", "packages", "metadata"):
        answer = operator.post(url(name, pool=gone), TARGETS)
        assert answer.status_code in {404, 422}, name
        assert "deleted" in text(answer), name
    assert not Operation.objects.exists()
    answer = operator.get(url("new"), {"from": gone})
    assert answer.status_code == 404
    assert "There is no pool linux" in text(answer)


def test_deleting_a_pool_that_is_gone_succeeds(gone: str, operator: Client, account: BatchAccount) -> None:
    assert operator.post(url("delete", pool=gone), {"confirm": gone}).status_code == 302
    assert finish(Operation.objects.get(kind=Kind.POOL_DELETE)).status == Status.SUCCEEDED
    assert poll_account(account)
    assert not PoolSnapshot.objects.exists()
    assert operator.get(url("detail", pool=gone)).status_code == 404


# --- Under way ------------------------------------------------------------------------------------------------------
def test_while_a_resize_is_under_way_it_can_be_stopped(
    make_pool: MakePool, operator: Client, connection: Connection, service: Emulator
) -> None:
    make_pool(nodes=1)
    service.clock(paused=True)
    pools.pool_resize(connection, "linux", dedicated=4, spot=0)
    for name, sent in (("scale", TARGETS), ("formula", {"formula": "$TargetDedicatedNodes = 7;", "evaluate": "1"})):
        answer = operator.post(url(name, pool="linux"), sent)
        page = text(answer)
        assert answer.status_code == 409
        assert "linux is being resized. Wait for its end, or stop the resize." in page
        assert "A resize is under way" in page
        assert url("stop-resize", pool="linux") in page
    assert not Operation.objects.exists()


# --- Quotas ---------------------------------------------------------------------------------------------------------
def test_no_room_for_another_pool_keeps_what_was_typed(operator: Client, service: Emulator) -> None:
    service.fault(operation="data.create_pool", status=409, code="PoolQuotaReached", message="There are 100 pools.")
    answer = operator.post(url("new-json"), {"document": json.dumps(document("one-more"))})
    page = text(answer)
    assert answer.status_code == 409
    assert "A quota of the Batch account is reached: There are 100 pools." in page
    assert "ask for more in the Azure portal" in page
    assert "one-more" in page


def test_no_cores_left_is_told_on_the_pool_with_a_remedy(
    make_pool: MakePool, operator: Client, account: BatchAccount
) -> None:
    make_pool()
    operator.post(url("scale", pool="linux"), {**TARGETS, "dedicated": "5000"})
    operation = finish(Operation.objects.get(kind=Kind.POOL_RESIZE))
    assert operation.status == Status.FAILED
    assert poll_account(account)
    page = text(operator.get(url("detail", pool="linux")))
    assert "The last resize did not reach its targets" in page
    assert "Shrink another pool, choose a smaller size, or ask for" in page
    assert "AccountCoreQuotaReached" in text(operator.get(url("list")))


# --- Throttled ------------------------------------------------------------------------------------------------------
def test_a_busy_service_offers_another_try(make_pool: MakePool, operator: Client, service: Emulator) -> None:
    make_pool(nodes=1)
    service.fault(operation="data.*", **BUSY)
    for name in ("configuration", "scale", "start-task", "packages", "metadata"):
        page = text(operator.get(url(name, pool="linux"), LIVE, headers={"HX-Request": "true"}))
        assert "Azure asks to slow down" in page, name
        assert f'href="{url(name, pool="linux")}"' in page, name
    answer = operator.get(url("json", pool="linux"))
    assert answer.status_code == 503
    assert "Try again" in text(answer)
    # What the portal knows by itself is there as ever.
    assert "Nodes by state" in text(operator.get(url("detail", pool="linux")))


def test_a_busy_service_loses_nothing_that_was_typed(operator: Client, service: Emulator) -> None:
    service.fault(operation="data.create_pool", **BUSY)
    answer = operator.post(url("new-json"), {"document": json.dumps(document("typed-by-hand"))})
    page = text(answer)
    assert answer.status_code == 503
    assert "Azure asks to slow down" in page
    assert "typed-by-hand" in page
