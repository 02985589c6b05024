"""The picture of pools and nodes: complete, only changed where the service changed, and honest when it is old."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.gateway import nodes as gateway_nodes
from apps.gateway import pools
from apps.gateway.calls import counted
from apps.gateway.types import Connection
from apps.gateway.types_nodes import Node
from apps.nodes.models import NodeSnapshot, NodeStateChange
from apps.pools import picture, polling
from apps.pools.models import FleetReading, PoolSample, PoolSnapshot
from apps.pools.polling import lease_span, poll_account
from apps.pools.recording import NodesRecorder
from apps.pools.selectors import fleet, node_counts, stale_nodes
from emulator.testing import Emulator
from tests.people.factories import Cast
from tests.pools.conftest import MakePool, document, is_gone, ready, until


def test_a_pool_is_seen_with_its_nodes(make_pool: MakePool, service: Emulator) -> None:
    pool = make_pool(nodes=3)
    assert (pool.state, pool.allocation_state, pool.current_dedicated, pool.target_dedicated) == (
        "active",
        "steady",
        3,
        3,
    )
    assert pool.by_state == {"idle": 3}
    assert node_counts(pool.nodes.all()) == {"idle": 3}
    node = pool.nodes.first()
    assert node is not None
    assert (node.vm_size, node.is_dedicated) == (pool.vm_size, True)
    assert node.ip_address
    assert node.last_boot
    assert PoolSample.objects.get(pool=pool).by_state == {"idle": 3}


def test_what_did_not_change_is_not_written(make_pool: MakePool, account: BatchAccount) -> None:
    make_pool(nodes=5)
    with CaptureQueriesContext(database) as queries:
        assert poll_account(account)
    written = [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert all("pools_fleetreading" in sql for sql in written), written


def test_the_service_is_asked_once_per_list(make_pool: MakePool, account: BatchAccount, service: Emulator) -> None:
    make_pool("empty")
    make_pool("full", nodes=2)
    with counted() as calls:
        assert poll_account(account)
    assert [call.path.rpartition("/")[2] for call in calls.calls] == ["pools", "nodes"]


def test_changes_of_state_become_history(make_pool: MakePool, account: BatchAccount, connection: Connection) -> None:
    pool = make_pool(nodes=1)
    node = pool.nodes.get()
    gateway_nodes.node_disable_scheduling(connection, "linux", node.node_id)
    until(lambda: gateway_nodes.node_get(connection, "linux", node.node_id).state == "offline")
    assert poll_account(account)
    changes = NodeStateChange.objects.filter(node_id=node.node_id).order_by("id")
    assert [(change.before, change.after) for change in changes] == [("", "idle"), ("idle", "offline")]
    node.refresh_from_db()
    assert (node.state, node.scheduling_state) == ("offline", "disabled")
    pool.refresh_from_db()
    assert pool.by_state == {"offline": 1}


def test_nodes_that_left_go_and_leave_history(
    make_pool: MakePool, account: BatchAccount, connection: Connection
) -> None:
    pool = make_pool(nodes=2)
    gone = pool.nodes.order_by("node_id").values_list("node_id", flat=True)[0]
    pools.nodes_remove(connection, "linux", [gone])
    ready(connection, "linux", 1)
    assert poll_account(account)
    assert not NodeSnapshot.objects.filter(node_id=gone).exists()
    last = NodeStateChange.objects.filter(node_id=gone).order_by("-id")[0]
    assert last.after == ""


def test_a_pool_that_is_gone_is_forgotten(make_pool: MakePool, account: BatchAccount, connection: Connection) -> None:
    make_pool(nodes=1)
    pools.pool_delete(connection, "linux")
    until(lambda: is_gone(connection, "linux"))
    assert poll_account(account)
    assert not PoolSnapshot.objects.exists()
    assert not NodeSnapshot.objects.exists()


def test_a_pool_made_anew_under_its_id_begins_a_new_history(
    make_pool: MakePool, account: BatchAccount, connection: Connection
) -> None:
    first = make_pool(nodes=1)
    pools.pool_delete(connection, "linux")
    until(lambda: is_gone(connection, "linux"))
    pools.pool_create(connection, document("LINUX"))
    assert poll_account(account)
    second = PoolSnapshot.objects.get()
    assert (second.pk != first.pk, second.pool_id) == (True, "LINUX")


def test_nodes_that_booted_before_a_change_have_not_taken_it(
    make_pool: MakePool, account: BatchAccount, connection: Connection
) -> None:
    pool = make_pool(nodes=2)
    assert not stale_nodes(pool).exists()
    pools.pool_patch(connection, "linux", {"startTask": {"commandLine": "/bin/true"}})
    assert poll_account(account)
    pool.refresh_from_db()
    assert pool.has_start_task
    assert stale_nodes(pool).count() == 2
    first = pool.nodes.order_by("node_id")[0]
    gateway_nodes.node_reboot(connection, "linux", first.node_id)

    def rebooted() -> bool:
        found = gateway_nodes.node_get(connection, "linux", first.node_id)
        return found.state == "idle" and found.last_boot != first.last_boot

    until(rebooted)
    assert poll_account(account)
    assert [node.node_id for node in stale_nodes(pool)] == [node.node_id for node in pool.nodes.order_by("node_id")[1:]]


def test_metadata_reaches_no_node_and_makes_none_stale(
    make_pool: MakePool, account: BatchAccount, connection: Connection
) -> None:
    pool = make_pool(nodes=1)
    pools.pool_patch(connection, "linux", {"metadata": [{"name": "team", "value": "render"}]})
    assert poll_account(account)
    pool.refresh_from_db()
    assert pool.metadata == [["team", "render"]]
    assert not stale_nodes(pool).exists()


# --- Bad days -------------------------------------------------------------------------------------------------------
def test_while_azure_is_away_the_last_picture_stays_and_says_so(
    make_pool: MakePool, account: BatchAccount, service: Emulator, cast: Cast
) -> None:
    make_pool(nodes=1)
    service.fault(operation="data.*", status=503, code="ServerBusy", retry_after=90)
    assert not poll_account(account)
    found = fleet(actor=cast.actor("reader"), account=account)
    assert found.read_at is not None
    assert found.problem is not None
    assert found.problem.code == "gateway-throttled"
    reading = FleetReading.objects.get()
    assert reading.due_at is not None
    assert reading.due_at > timezone.now() + timedelta(seconds=80)
    assert PoolSnapshot.objects.get().current_dedicated == 1
    service.clear_faults()
    assert poll_account(account)
    assert fleet(actor=cast.actor("reader"), account=account).problem is None


def test_nodes_that_cannot_be_read_keep_their_rows(
    make_pool: MakePool, account: BatchAccount, service: Emulator
) -> None:
    make_pool(nodes=2)
    service.fault(operation="data.list_nodes", status=500, code="InternalError")
    assert not poll_account(account)
    assert NodeSnapshot.objects.count() == 2
    assert FleetReading.objects.get().problem_code == "gateway-service-failed"


def test_only_one_poller_reads_an_account(make_pool: MakePool, account: BatchAccount, service: Emulator) -> None:
    make_pool()
    FleetReading.objects.update(lease_until=timezone.now() + lease_span())
    before = len(service.requests())
    assert not poll_account(account)
    assert len(service.requests()) == before
    FleetReading.objects.update(lease_until=timezone.now() - timedelta(seconds=1))  # its holder was killed
    assert poll_account(account)


def test_a_poller_that_lost_its_lease_writes_nothing(make_pool: MakePool, connection: Connection) -> None:
    pool = make_pool(nodes=1)
    found = [node for page in gateway_nodes.node_pages(connection, "linux") for node in page]

    def lost() -> None:
        raise polling.LeaseLost

    pool.nodes.update(state="unknown")
    with pytest.raises(polling.LeaseLost):
        NodesRecorder(pool, lost, 1).record(found)
    assert pool.nodes.get().state == "unknown"


def test_accounts_are_due_sooner_while_somebody_looks(make_pool: MakePool, account: BatchAccount) -> None:
    assert polling.due_accounts() == [account.pk]
    make_pool()
    assert polling.due_accounts() == []
    FleetReading.objects.update(read_at=timezone.now() - timedelta(seconds=30))
    assert polling.due_accounts() == []
    polling.watch(account)
    assert polling.due_accounts() == [account.pk]


def test_history_is_kept_for_a_while_only(make_pool: MakePool) -> None:
    pool = make_pool(nodes=1)
    NodeStateChange.objects.create(
        pool=pool, node_id="n", before="a", after="b", at=timezone.now() - timedelta(days=15)
    )
    PoolSample.objects.create(pool=pool, at=timezone.now() - timedelta(days=15))
    assert polling.history_purge() == 2
    assert NodeStateChange.objects.count() == 1


def test_ten_thousand_nodes_are_written_in_few_statements(make_pool: MakePool) -> None:
    pool = make_pool()
    nodes = [Node(id=f"tvmps_{index:05}_d", state="idle") for index in range(10_000)]
    with CaptureQueriesContext(database) as first:
        NodesRecorder(pool, lambda: None, len(nodes)).record(nodes)
    assert pool.nodes.count() == 10_000
    again = NodesRecorder(pool, lambda: None, len(nodes))
    with CaptureQueriesContext(database) as unchanged:
        again.record(nodes)
        again.forget_others()
    assert len(unchanged) == 11  # one for a thousand, and the count
    # SQLite takes at most 999 values in a statement, which is some 45 rows.
    assert len(first) < 400


# --- Large pools ----------------------------------------------------------------------------------------------------
def filters(service: Emulator, *, after: int) -> list[str]:
    """The filters of the questions about nodes since the first `after` requests."""
    asked = [request for request in service.requests()[after:] if request["operation"] == "data.list_nodes"]
    return [request["query"].get("$filter", "") for request in asked]


@pytest.fixture
def large(make_pool: MakePool, account: BatchAccount, monkeypatch: pytest.MonkeyPatch) -> PoolSnapshot:
    """A pool that counts as large, and was read whole."""
    monkeypatch.setattr(picture, "LARGE", 2)
    monkeypatch.setattr(picture, "OVERLAP", timedelta(0))
    return make_pool(nodes=4)


def test_of_a_large_pool_only_changes_are_asked_for(
    large: PoolSnapshot, account: BatchAccount, connection: Connection, service: Emulator
) -> None:
    node = large.nodes.order_by("-node_id")[0]
    gateway_nodes.node_disable_scheduling(connection, "linux", node.node_id)
    until(lambda: gateway_nodes.node_get(connection, "linux", node.node_id).state == "offline")
    before = len(service.requests())
    assert poll_account(account)
    [asked] = filters(service, after=before)
    assert asked.startswith("stateTransitionTime ge DateTime'")
    large.refresh_from_db()
    assert large.by_state == {"idle": 3, "offline": 1}
    assert large.nodes.get(state="offline").node_id == node.node_id


def test_nodes_that_left_a_large_pool_go_at_once(
    large: PoolSnapshot, account: BatchAccount, connection: Connection, service: Emulator
) -> None:
    gone = large.nodes.order_by("node_id")[0].node_id
    pools.nodes_remove(connection, "linux", [gone])
    ready(connection, "linux", 3)
    before = len(service.requests())
    assert poll_account(account)
    assert [bool(asked) for asked in filters(service, after=before)] == [True, False]
    assert not large.nodes.filter(node_id=gone).exists()
    assert large.nodes.count() == 3


def test_a_large_pool_is_read_whole_now_and_then(large: PoolSnapshot, account: BatchAccount, service: Emulator) -> None:
    cache.clear()  # as time does
    large.nodes.update(running_tasks=7)  # which no change of state tells
    before = len(service.requests())
    assert poll_account(account)
    assert filters(service, after=before) == [""]
    assert not large.nodes.filter(running_tasks=7).exists()


def test_many_pools_cost_no_more_queries_than_few(make_pool: MakePool, account: BatchAccount) -> None:
    def queries() -> int:
        assert poll_account(account)
        with CaptureQueriesContext(database) as captured:
            assert poll_account(account)
        return len(captured)

    make_pool("first")
    one = queries()
    for number in range(6):
        pools.pool_create(connection_for(account), document(f"more{number}"))
        ready(connection_for(account), f"more{number}", 0)
    assert queries() == one
