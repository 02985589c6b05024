"""A node's own page, from what the portal keeps of it: what it lacks, its history, its users; and lists by time."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.gateway.types_nodes import RecentTask
from apps.gateway.types_pools import Fault
from apps.nodes.models import NodeSnapshot, NodeStateChange, PoolUser
from apps.pools.contents import Content
from apps.pools.models import FleetReading, PoolSnapshot
from tests.nodes.test_pages import LIST, fleet_of, text
from tests.people.factories import Cast, signed_in

NODE = f"tvmps_{0:064x}_d"
PAGE = f"{LIST}big/{NODE}/"


@pytest.fixture
def pool(account: BatchAccount) -> PoolSnapshot:
    return fleet_of(account, 3, last_boot=timezone.now() - timedelta(hours=2))


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(cast.operator)


def test_what_the_node_lacks_is_named_with_its_time_and_offered_a_reboot(
    pool: PoolSnapshot, client: Client, cast: Cast
) -> None:
    assert "Waits for a reboot" not in text(client.get(PAGE))
    now = timezone.now()
    content = Content("Blender", "", "4.3", now - timedelta(days=9), now - timedelta(hours=1))
    PoolSnapshot.objects.filter(pk=pool.pk).update(
        contents=[content.as_dict()],
        contents_changed=content.changed,
        start_task_changed=now - timedelta(hours=3),  # before this boot: the node has it
    )
    page = text(client.get(PAGE))
    assert "4.3 became the default version of Blender" in page
    assert "the service does not tell" in page
    assert "The start task was changed" not in page
    assert "+act/reboot/?node=big/" in page
    assert (
        "+act/reboot/?node=big/" not in text(signed_in(cast.reader).get(PAGE)).partition("Waits for a reboot")[2][:900]
    )


def test_the_history_says_how_far_it_goes(pool: PoolSnapshot, client: Client) -> None:
    assert "has seen no change" in text(client.get(PAGE))
    now = timezone.now()
    NodeStateChange.objects.bulk_create(
        NodeStateChange(pool=pool, node_id=NODE, before="idle", after="running", at=now - timedelta(minutes=minute))
        for minute in range(101)
    )
    page = text(client.get(PAGE))
    assert "The last 100 changes." in page
    assert "keeps what it sees for 14 days" in page


def test_the_users_of_the_node_are_listed_until_they_expire(
    pool: PoolSnapshot, account: BatchAccount, client: Client
) -> None:
    assert "has added no user to this node" in text(client.get(PAGE))
    for name, hours, node in (("guest", 5, NODE), ("expired", -1, NODE), ("elsewhere", 5, "another")):
        expires = timezone.now() + timedelta(hours=hours)
        user = PoolUser.objects.create(account=account, pool_id="BIG", name=name, expires_at=expires, actor_name="op")
        user.nodes.create(node_id=node)
    page = text(client.get(PAGE))
    assert ">guest<" in page
    assert ">expired<" not in page
    assert ">elsewhere<" not in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("since=1h", 1),
        ("since=10m", 2),
        ("since=7d", 0),
        ("boot=1h", 3),
        ("boot=1d", 0),
        ("busy=yes", 1),
        ("busy=no", 2),
        ("used=yes", 2),
        ("used=no", 1),
        ("since=nonsense&busy=maybe", 3),
    ],
)
def test_filters_by_time_and_tasks(pool: PoolSnapshot, client: Client, query: str, count: int) -> None:
    now = timezone.now()
    for node, minutes, running, total in zip(pool.nodes.order_by("pk"), (5, 30, 90), (0, 0, 2), (0, 4, 9), strict=True):
        values: dict[str, Any] = {"running_tasks": running, "total_tasks": total}
        NodeSnapshot.objects.filter(pk=node.pk).update(state_since=now - timedelta(minutes=minutes), **values)
    assert text(client.get(f"{LIST}?{query}")).count("data-key=") == count


def test_every_order_of_the_list_has_a_head_or_an_entry_in_the_menu(pool: PoolSnapshot, client: Client) -> None:
    page = text(client.get(LIST))
    head, menu = page.partition("<thead>")[2].partition("</thead>")[0], page.partition('id="nodes-sorts"')[2]
    for key in ("id", "pool", "state", "since", "scheduling", "address", "size", "kind", "running", "total", "boot",
                "agent", "start_task"):  # fmt: skip
        assert f"sort={key}" in head or f"sort=-{key}" in head
        assert f"sort={key}" in menu or f"sort=-{key}" in menu


def test_a_poll_costs_nothing_until_the_account_was_read_again(pool: PoolSnapshot, client: Client) -> None:
    poll = {"HX-Request": "true", "X-Poll": "1"}
    first = client.get(LIST, headers=poll)
    assert first.status_code == 200
    assert "<header" not in first.content.decode()
    known = {**poll, "If-None-Match": first["ETag"]}
    assert client.get(LIST, headers=known).status_code == 304
    assert client.get(f"{LIST}?state=idle", headers=known).status_code == 200
    assert client.get(LIST, headers={"If-None-Match": first["ETag"]}).status_code == 200
    FleetReading.objects.update(read_at=timezone.now() + timedelta(seconds=5))
    assert client.get(LIST, headers=known).status_code == 200


def test_recent_tasks_say_how_they_ended() -> None:
    ended = RecentTask("job", "broken", "completed", result="failure", failure=Fault("FailureExitCode", ""))
    tasks = (ended, RecentTask("job", "good", "completed", result="success"), RecentTask("job", "now", "running"))
    page = render_to_string("nodes/_live.html", {"live": SimpleNamespace(recent_tasks=tasks)})
    words = [word for word in ("Failed", "FailureExitCode", "Succeeded", "Running") if word in page]
    assert words == ["Failed", "FailureExitCode", "Succeeded", "Running"]
    assert ">completed<" not in page
