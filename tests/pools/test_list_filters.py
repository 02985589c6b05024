"""The Pools blade narrowed by each of its filters, from rows as the poller would have kept them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.pools.models import FleetReading, PoolSnapshot
from tests.people.factories import Cast, make_cast, signed_in

ERROR = {"code": "AllocationFailed", "message": "", "details": []}


@pytest.fixture
def cast(db: None) -> Cast:
    cast = make_cast()
    now = timezone.now()
    FleetReading.objects.create(account=cast.account, read_at=now)

    def pool(pool_id: str, **values: Any) -> PoolSnapshot:
        return PoolSnapshot.objects.create(account=cast.account, pool_id=pool_id, state="active", **values)

    small = {"vm_size": "standard_d2s_v5", "allocation_state": "steady"}
    pool("plain", **small)
    pool("short", **small, resize_errors=[ERROR])
    pool("formula", **small, auto_scale=True, auto_scale_error=ERROR)
    stale = pool("stale", vm_size="standard_e4", packages=[["Blender", "4.2"]], packages_changed=now)
    stale.nodes.create(node_id="old", state="idle", last_boot=now - timedelta(hours=1))
    stale.nodes.create(node_id="new", state="idle", last_boot=now + timedelta(hours=1))
    broken = pool("broken", vm_size="standard_e4", packages=[["blender", ""], ["maya", "1"]])
    broken.nodes.create(node_id="bad", state="unusable")
    return cast


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(cast.reader)


def shown(client: Client, cast: Cast, **query: str) -> list[str]:
    page = client.get(f"/batch/{cast.account.slug}/pools/", query)
    assert page.status_code == 200
    return [row.pool.pool_id for row in page.context["page"].object_list]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"trouble": "resize"}, ["short"]),
        ({"trouble": "auto"}, ["formula"]),
        ({"trouble": "stale"}, ["stale"]),
        ({"trouble": "nodes"}, ["broken"]),
        ({"size": "Standard_E4"}, ["broken", "stale"]),
        ({"package": "BLENDER"}, ["broken", "stale"]),
        ({"package": "blender:4.2"}, ["stale"]),
        ({"package": "blender:9"}, []),
        ({"package": "maya", "size": "standard_e4", "trouble": "nodes"}, ["broken"]),
        ({"scale": "auto"}, ["formula"]),
        ({"sort": "-id", "state": "steady"}, ["short", "plain", "formula"]),
    ],
)
def test_each_filter_narrows(client: Client, cast: Cast, query: dict[str, str], expected: list[str]) -> None:
    assert shown(client, cast, **query) == expected


def test_the_list_says_which_pools_lack_a_change_and_leads_to_their_nodes(client: Client, cast: Cast) -> None:
    page = client.get(f"/batch/{cast.account.slug}/pools/").content.decode()
    assert "1 node without the last change" in page
    assert f"/batch/{cast.account.slug}/nodes/?pool=stale&amp;stale=yes" in page


def test_the_filters_offer_what_there_is(client: Client, cast: Cast) -> None:
    page = client.get(f"/batch/{cast.account.slug}/pools/")
    offered = {one["name"]: [value for value, _label in one["choices"]] for one in page.context["filters"]}
    assert offered["size"] == ["standard_d2s_v5", "standard_e4"]
    assert offered["package"] == ["blender", "Blender:4.2", "maya:1"]


def test_a_poll_of_an_unchanged_list_is_not_answered_again(client: Client, cast: Cast) -> None:
    url, poll = f"/batch/{cast.account.slug}/pools/", {"HX-Request": "true", "X-Poll": "1"}
    first = client.get(url, headers=poll)
    assert first.status_code == 200
    assert client.get(url, headers={**poll, "If-None-Match": first["ETag"]}).status_code == 304
