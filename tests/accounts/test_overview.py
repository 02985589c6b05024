"""The overview: at once what is known, then what Azure says, and no failure when it says nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts import reading
from apps.accounts.models import BatchAccount
from apps.accounts.selectors import account_properties
from apps.accounts.services.accounts import snapshot_refresh
from apps.accounts.tasks import accounts_refresh_task
from apps.gateway import clients
from apps.gateway.calls import counted
from apps.people.actors import system_actor
from emulator.testing import Azurite, Emulator, start_emulator
from tests.accounts.conftest import Visitor
from tests.support.service import reaching


def url(name: str) -> str:
    return reverse(f"accounts:{name}", kwargs={"account": "local"})


def test_the_page_itself_asks_azure_nothing(
    visitor: Visitor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    reader = visitor("reader")
    with counted() as calls, django_assert_max_num_queries(10):
        response = reader.get(url("overview"))
    assert response.status_code == 200
    assert len(calls) == 0


def test_facts_are_asked_once_for_everybody(visitor: Visitor) -> None:
    with counted() as calls:
        first = visitor("reader").get(url("facts"))
        visitor("admin").get(url("facts"))
        visitor("admin").get(url("overview"))
    assert "Batch service" in first.content.decode()
    assert sum("batchAccounts" in call.path for call in calls.calls) == 1


@pytest.mark.parametrize("page", ["overview", "storage"])
def test_refresh_asks_azure_again(visitor: Visitor, page: str) -> None:
    admin = visitor("admin")
    for fragment in ("facts", "storage-linked"):
        admin.get(url(fragment))
    shown = admin.get(f"{url(page)}?again=1").content.decode()
    fragment = url("facts" if page == "overview" else "storage-linked")
    assert f'hx-get="{fragment}?again=1"' in shown
    assert "?again=1" not in admin.get(url(page)).content.decode().replace('href="?again=1"', "")
    with counted() as calls:
        answer = admin.get(f"{fragment}?again=1").content.decode()
    assert sum("batchAccounts" in call.path for call in calls.calls) == 1
    assert f'hx-get="{fragment}' not in answer, "it would load itself for ever"


def test_without_linked_storage_the_tile_leads_to_the_blade(visitor: Visitor) -> None:
    page = visitor("reader").get(url("tile-applications")).content.decode()
    assert url("storage") in page
    assert 'data-tone="warning"' in page


def test_the_tile_counts_applications_of_the_quota(visitor: Visitor, service: Emulator) -> None:
    service.link_storage("devstoreaccount1")
    for name in ("blender", "ffmpeg"):
        service.arm("PUT", f"{service.account_id()}/applications/{name}", {})
    page = visitor("reader").get(url("tile-applications")).content.decode()
    assert "of 20" in page
    assert ">2 " in " ".join(page.split()).replace("<small>", " ")


def test_nodes_and_quotas_of_an_empty_account(visitor: Visitor) -> None:
    nodes = visitor("reader").get(url("tile-nodes"))
    assert (nodes.context["total"], nodes.context["states"]) == (0, [])
    quotas = {
        row["label"]: (row["used"], row["limit"]) for row in visitor("reader").get(url("quotas")).context["quotas"]
    }
    assert quotas["Applications"] == (0, 20)
    assert quotas["Pools"][0] == quotas["Active jobs"][0] == quotas["Dedicated cores"][0] == 0


def test_a_shared_key_account_says_what_it_cannot(shared_key: BatchAccount, visitor: Visitor) -> None:
    page = visitor("reader").get(url("facts")).content.decode()
    assert "reaches the data plane alone" in page
    assert visitor("reader").get(url("tile-nodes")).context["total"] == 0


@pytest.fixture
def mortal(azurite: Azurite, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A service of the test's own, to be killed."""
    with start_emulator(storage=[azurite]) as running, reaching(running, azurite, settings, monkeypatch):
        yield running


def test_while_azure_is_away_the_last_known_state_is_shown(
    account: BatchAccount, visitor: Visitor, mortal: Emulator
) -> None:
    BatchAccount.objects.filter(pk=account.pk).update(batch_endpoint=mortal.account_url())
    assert snapshot_refresh(actor=system_actor(), account=account)
    mortal.kill()
    response = visitor("reader").get(url("facts"))
    properties = response.context["properties"]
    assert (properties.value.location, properties.is_kept) == ("westeurope", True)
    assert "this is what it said last" in response.content.decode()
    for name in ("overview", "tile-applications", "tile-nodes", "quotas", "storage", "storage-linked", "storage-bytes"):
        assert visitor("reader").get(url(name)).status_code == 200, name
    mortal.start()
    clients.forget()
    assert account_properties(actor=system_actor(), account=account, again=True).problem is None


def test_what_is_down_is_asked_once_not_by_every_page(
    account: BatchAccount, visitor: Visitor, service: Emulator
) -> None:
    service.fault(operation="data.*", status=500)
    visitor("reader").get(url("tile-nodes"))
    with counted() as calls:
        response = visitor("admin").get(url("tile-nodes"))
    assert response.context["reading"].problem.code == "gateway-service-failed"
    assert len(calls) == 0


def test_a_denied_plane_is_explained_in_its_place(visitor: Visitor, service: Emulator) -> None:
    service.fault(operation="data.*", status=403, code="InsufficientAccountPermissions")
    page = visitor("reader").get(url("tile-nodes")).content.decode()
    assert "Azure Batch Data Contributor" in page


def test_a_change_is_seen_at_once(account: BatchAccount, service: Emulator) -> None:
    actor = system_actor()
    before = account_properties(actor=actor, account=account).value
    service.link_storage("devstoreaccount1")
    assert account_properties(actor=actor, account=account).value == before
    reading.forget(account)
    after = account_properties(actor=actor, account=account).value
    assert after is not None
    assert after.auto_storage is not None


def test_the_scheduled_refresh_keeps_rows_current_and_survives_what_is_down(
    account: BatchAccount, service: Emulator
) -> None:
    service.link_storage("packages2")
    BatchAccount.objects.create(slug="gone", name="gone", subscription_id=service.subscription, resource_group="none",
                                auth_method=account.auth_method)  # fmt: skip
    accounts_refresh_task()
    account.refresh_from_db()
    assert account.snapshot["properties"]["auto_storage"]["storage_account_id"].endswith("packages2")


def test_a_snapshot_of_another_release_is_no_crash(account: BatchAccount, visitor: Visitor) -> None:
    BatchAccount.objects.filter(pk=account.pk).update(
        snapshot={"properties": {"x": 1}, "seen_at": "2026-01-01T00:00:00Z"}
    )
    assert visitor("reader").get(url("overview")).status_code == 200
