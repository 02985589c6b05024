"""Which nodes do not have what the referenced packages hold now: defaults that changed, packages that were replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts import reading
from apps.accounts.models import AuthMethod, BatchAccount
from apps.applications.services import application_update
from apps.gateway import management, pools
from apps.gateway.types import Connection
from apps.nodes.models import NodeSnapshot, NodeWork
from apps.operations.models import Operation, Status
from apps.people.actors import Actor
from apps.pools.contents import Content, contents, held_read
from apps.pools.models import PoolSnapshot
from apps.pools.polling import poll_account
from apps.pools.presentation import changes
from apps.pools.selectors import pools_with_package, stale_nodes
from emulator.testing import Emulator
from tests.core.world import small_zip
from tests.people.factories import Cast, signed_in
from tests.pools.conftest import MakePool, finish

MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def package(connection: Connection, version: str, *, default: bool = False) -> None:
    """Put a version of Blender there, or another zip where it is there already."""
    made = management.package_create(connection, "Blender", version)
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
    httpx.put(made.storage_url, content=small_zip(), headers=headers).raise_for_status()
    management.package_activate(connection, "Blender", version)
    if default:
        management.application_update(connection, "Blender", default_version=version)


@pytest.fixture
def blender(service: Emulator, connection: Connection) -> None:
    """An application with two versions; 4.2 is the default."""
    service.link_storage("devstoreaccount1")
    management.application_create(connection, "Blender")
    package(connection, "4.2", default=True)
    package(connection, "4.3")


def again(account: BatchAccount, pool: PoolSnapshot) -> PoolSnapshot:
    """The pool after another reading, which does not take old answers about applications."""
    reading.forget(account)
    assert poll_account(account)
    pool.refresh_from_db()
    return pool


def referring(version: str = "") -> dict[str, object]:
    reference = {"applicationId": "blender", **({"version": version} if version else {})}
    return {"applicationPackageReferences": [reference]}


@pytest.mark.usefixtures("blender")
def test_another_default_version_waits_for_a_reboot(
    make_pool: MakePool, account: BatchAccount, connection: Connection
) -> None:
    pool = make_pool(nodes=2, more=referring())
    assert [(one.means, one.default_since) for one in contents(pool)] == [("4.2", None)]
    assert not stale_nodes(pool).exists()
    management.application_update(connection, "Blender", default_version="4.3")
    pool = again(account, pool)
    assert [one.means for one in contents(pool)] == ["4.3"]
    assert stale_nodes(pool).count() == 2
    (change,) = changes(pool)
    assert "4.3 became the default version" in change.text
    assert change.seen
    # The next reading changes nothing of that.
    since = pool.contents_changed
    assert again(account, pool).contents_changed == since


@pytest.mark.usefixtures("blender")
def test_a_replaced_package_waits_for_a_reboot(
    make_pool: MakePool, account: BatchAccount, connection: Connection
) -> None:
    pool, other = make_pool(nodes=1, more=referring("4.2")), make_pool("other", nodes=1, more=referring("4.3"))
    assert not stale_nodes(pool).exists()
    package(connection, "4.2")
    pool, other = again(account, pool), again(account, other)
    assert stale_nodes(pool).count() == 1
    assert not stale_nodes(other).exists()
    (change,) = changes(pool)
    assert (change.text, change.seen) == ("blender 4.2 was activated", False)
    # A default version that is changed back and forth concerns nobody who names a version.
    management.application_update(connection, "Blender", default_version="4.3")
    assert not stale_nodes(again(account, other)).exists()


@pytest.mark.usefixtures("blender")
def test_a_change_through_the_portal_is_seen_by_the_next_reading(
    make_pool: MakePool, account: BatchAccount, cast: Cast
) -> None:
    pool = make_pool(nodes=1, more=referring())
    application_update(
        actor=Actor(user=cast.admin),
        account=account,
        application_id="Blender",
        display_name="",
        default_version="4.3",
        allow_updates=True,
    )
    assert poll_account(account)
    assert stale_nodes(pool.__class__.objects.get(pk=pool.pk)).count() == 1


@pytest.mark.usefixtures("blender")
def test_while_the_management_plane_is_away_what_is_known_stays(
    make_pool: MakePool, account: BatchAccount, connection: Connection, service: Emulator
) -> None:
    pool = make_pool(nodes=1, more=referring())
    management.application_update(connection, "Blender", default_version="4.3")
    known = again(account, pool).contents
    service.fault(operation="arm.*", status=403)
    assert again(account, pool).contents == known
    assert stale_nodes(pool).count() == 1


@pytest.mark.usefixtures("blender")
def test_an_account_with_the_data_plane_alone_asks_nobody(
    make_pool: MakePool, account: BatchAccount, service: Emulator
) -> None:
    pool = make_pool(nodes=1, more=referring())
    BatchAccount.objects.filter(pk=account.pk).update(auth_method=AuthMethod.SHARED_KEY)
    account.refresh_from_db()
    seen = len(service.requests())
    assert held_read(account, [pool]) == {}
    assert len(service.requests()) == seen


def test_questions_are_as_many_as_applications_and_not_repeated_within_a_minute(
    make_pool: MakePool, account: BatchAccount, service: Emulator, blender: None
) -> None:
    for name in ("one", "two", "three"):
        make_pool(name, more=referring())
    reading.forget(account)
    seen = len(service.requests())
    assert poll_account(account)
    assert poll_account(account)
    asked = [request["operation"] for request in service.requests()[seen:]]
    assert sorted(one for one in asked if one.startswith("arm.")) == [
        "arm.application.get",
        "arm.application_package.list",
    ]


def test_what_a_content_is_survives_being_kept() -> None:
    one = Content("Blender", "", "4.3", MOMENT, MOMENT + timedelta(hours=1))
    assert Content.of(one.as_dict()) == one
    assert (one.changed, one.by_default) == (MOMENT + timedelta(hours=1), True)
    assert Content("Blender", "", "", None, None).changed is None


# --- Rebooting them -------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("blender")
def test_the_pool_page_offers_to_reboot_just_those(
    make_pool: MakePool, account: BatchAccount, connection: Connection, cast: Cast
) -> None:
    client: Client = signed_in(cast.operator)
    make_pool("other", nodes=1, more={"startTask": {"commandLine": "/bin/true"}})
    pool = make_pool(nodes=3)
    fresh = pool.nodes.order_by("node_id")[0]
    pools.pool_patch(connection, "linux", {"startTask": {"commandLine": "/bin/true"}})
    assert poll_account(account)
    NodeSnapshot.objects.filter(pk=fresh.pk).update(last_boot=MOMENT + timedelta(days=36500))
    page = client.get(reverse("pools:detail", kwargs={"account": "local", "pool": "linux"}))
    late = page.context["late"]
    assert (late["count"], [change.text for change in late["changes"]]) == (2, ["The start task was changed"])
    assert "Reboot 2 nodes" in page.content.decode()
    asked = client.get(late["reboot_url"])
    assert asked.status_code == 200
    body = asked.content.decode()
    assert "Reboot 2 nodes" in body
    assert fresh.node_id[-8:] not in body
    assert "No other node" not in body
    sent = {name: asked.context["form"][name].value() for name in ("all", "query", "expected")}
    answer = client.post(
        reverse("nodes:act", kwargs={"account": "local", "action": "reboot"}),
        {**sent, "confirmed": "1", "option": "taskcompletion"},
    )
    assert answer.status_code == 302
    operation = Operation.objects.get(kind="node-reboot")
    named = set(NodeWork.objects.filter(operation=operation).values_list("node_id", flat=True))
    assert named == set(pool.nodes.exclude(pk=fresh.pk).values_list("node_id", flat=True))
    assert finish(operation).status == Status.SUCCEEDED


def test_rebooting_every_node_of_a_pool_says_that_none_is_left(
    make_pool: MakePool, account: BatchAccount, cast: Cast
) -> None:
    make_pool(nodes=2)
    url = reverse("nodes:act", kwargs={"account": "local", "action": "reboot"})
    asked = signed_in(cast.operator).get(url, {"all": "1", "query": "pool=linux"})
    assert "No other node of linux runs tasks" in asked.content.decode()


def test_a_reader_is_not_offered_to_reboot(
    make_pool: MakePool, account: BatchAccount, connection: Connection, cast: Cast
) -> None:
    make_pool(nodes=1)
    pools.pool_patch(connection, "linux", {"startTask": {"commandLine": "/bin/true"}})
    assert poll_account(account)
    page = signed_in(cast.reader).get(reverse("pools:detail", kwargs={"account": "local", "pool": "linux"}))
    assert "has not taken the last change" in page.content.decode()
    assert "+act/reboot" not in page.content.decode()


# --- Who uses a package ---------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("blender")
def test_the_pools_of_a_package(make_pool: MakePool, account: BatchAccount, cast: Cast) -> None:
    for name, version in (("default", ""), ("named", "4.2"), ("newer", "4.3")):
        make_pool(name, more=referring(version))
    make_pool("none")
    actor = Actor(user=cast.reader)

    def of(version: str = "", *, is_default: bool = False) -> list[tuple[str, bool]]:
        found = pools_with_package(
            actor=actor, account=account, application="BLENDER", version=version, is_default=is_default
        )
        return [(use.pool.pool_id, use.by_default) for use in found]

    assert of() == [("default", True), ("named", False), ("newer", False)]
    assert of("4.2", is_default=True) == [("default", True), ("named", False)]
    assert of("4.3") == [("newer", False)]


def test_a_resize_under_way_can_be_stopped_from_any_page_of_the_pool(
    make_pool: MakePool, account: BatchAccount, cast: Cast
) -> None:
    pool = make_pool()
    assert "Stop resize" not in signed_in(cast.operator).get(f"/batch/local/pools/id/{pool.pool_id}/").content.decode()
    PoolSnapshot.objects.filter(pk=pool.pk).update(allocation_state="resizing", target_dedicated=4)
    for name in ("detail", "packages"):
        url = reverse(f"pools:{name}", kwargs={"account": "local", "pool": "linux"})
        page = signed_in(cast.operator).get(url).content.decode()
        assert "4 and 0 are wanted" in page
        assert "Stop resize" in page
        assert "Stop resize" not in signed_in(cast.reader).get(url).content.decode()
