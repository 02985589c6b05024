"""Which pools use an application or a package: on its page, and before it is deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.applications.services import application_update
from apps.pools.models import FleetReading, PoolSnapshot
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage

BASE = "/batch/local/applications/Blender/"
pytestmark = pytest.mark.django_db(transaction=True)


def text(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def section(page: str) -> str:
    """What stands below "Used by pools"."""
    return page.partition("Used by pools")[2].partition("</section>")[0]


@pytest.fixture
def blender(cast: Cast, put_package: PutPackage, account: BatchAccount) -> None:
    put_package("Blender", "2.7", team=cast.team)
    put_package("Blender", "2.8")
    application_update(
        actor=cast.actor("administrator"), account=account, application_id="Blender", default_version="2.8"
    )
    FleetReading.objects.create(account=account, read_at=timezone.now())
    for pool, packages in {
        "old": [["blender", "2.7"]],
        "new": [["Blender", "2.8"], ["Maya", "1"]],
        "latest": [["BLENDER", ""]],
        "other": [["Maya", "1"]],
    }.items():
        PoolSnapshot.objects.create(account=account, pool_id=pool, state="active", packages=packages)


@pytest.mark.usefixtures("blender")
def test_the_page_of_a_package_names_the_pools_that_use_it(cast: Cast, service: Emulator) -> None:
    client = cast.client("reader")
    old, default = (section(text(client.get(f"{BASE}packages/{version}/"))) for version in ("2.7", "2.8"))
    assert ">old<" in old
    assert ">latest<" not in old
    assert ">new<" in default
    assert ">latest<" in default
    assert "default version" in default
    assert ">other<" not in default
    whole = section(text(client.get(BASE)))
    assert all(f">{pool}<" in whole for pool in ("old", "new", "latest"))
    assert not [one for one in service.requests() if one["operation"].startswith("data.pool")]


@pytest.mark.usefixtures("blender")
def test_nodes_that_lack_the_last_change_are_counted_and_linked(cast: Cast, account: BatchAccount) -> None:
    pool = PoolSnapshot.objects.get(pool_id="old")
    now = timezone.now()
    PoolSnapshot.objects.filter(pk=pool.pk).update(contents_changed=now)
    pool.nodes.create(node_id="before", state="idle", last_boot=now - timedelta(hours=1))
    pool.nodes.create(node_id="after", state="idle", last_boot=now + timedelta(hours=1))
    page = section(text(cast.client("reader").get(f"{BASE}packages/2.7/")))
    assert 'nodes/?pool=old&amp;stale=yes">1</a>' in page


@pytest.mark.usefixtures("blender")
def test_a_package_that_no_pool_uses_says_so(cast: Cast, account: BatchAccount) -> None:
    PoolSnapshot.objects.all().delete()
    client = cast.client("reader")
    assert "No pool references this package" in text(client.get(f"{BASE}packages/2.7/"))
    assert "No pool references this application" in text(client.get(BASE))
    FleetReading.objects.update(read_at=None)
    assert "have not been read yet" in text(client.get(BASE))


@pytest.mark.usefixtures("blender")
def test_before_deleting_the_pools_are_named(cast: Cast) -> None:
    client = cast.client("uploader")
    asked = text(client.get(f"{BASE}packages/2.8/delete/"))
    assert "Pool new, which references 2.8" in asked
    assert "Pool latest, which references the default version" in asked
    assert "Pool old" not in asked
    assert "cannot install it until" in asked
    whole = text(client.get(f"{BASE}delete/"))
    assert all(f"Pool {pool}" in whole for pool in ("old", "new", "latest"))
    PoolSnapshot.objects.all().delete()
    assert "cannot install it until" not in text(client.get(f"{BASE}packages/2.7/delete/"))


@pytest.mark.usefixtures("blender")
def test_of_very_many_pools_some_are_named_and_the_others_counted(cast: Cast, account: BatchAccount) -> None:
    rows = [
        PoolSnapshot(account=account, pool_id=f"p{number:03}", packages=[["Blender", "2.7"]]) for number in range(30)
    ]
    PoolSnapshot.objects.bulk_create(rows)
    asked = text(cast.client("uploader").get(f"{BASE}packages/2.7/delete/"))
    assert "and 11 pools more" in asked
