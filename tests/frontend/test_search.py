"""Search: what is found, by whom, and without asking Azure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from pytest_django import DjangoAssertNumQueries

from apps.accounts import reading
from apps.applications.models import ApplicationOwner, PackageRecord
from apps.core.search import search
from apps.gateway.types import Application
from apps.operations.models import Kind, Operation
from apps.people.actors import Actor
from apps.pools.models import PoolSnapshot
from tests.people.factories import BatchAccountFactory, Cast, make_cast, signed_in


@pytest.fixture
def cast(db: None) -> Cast:
    """An account with applications that only Azure, only the portal, or both know."""
    cache.clear()
    cast = make_cast()
    for name in ("blender", "ffmpeg"):
        ApplicationOwner.objects.create(account=cast.account, application_id=name, application_key=name, team=cast.team)
    for version in ("4.1", "4.2"):
        PackageRecord.objects.create(
            account=cast.account,
            application_id="blender",
            application_key="blender",
            version=version,
            version_key=version,
            size=1,
            sha256="0" * 64,
            filename="blender.zip",
            uploaded_by_name="uploader",
        )
    Operation.objects.create(
        kind=Kind.PACKAGE_UPLOAD,
        account=cast.account,
        subject="blender 4.2",
        subject_key="package:blender:4.2",
        actor_name="uploader",
        reference="0123456789ab",
    )

    def answer() -> tuple[Application, ...]:
        return (Application("Blender", "The renderer", "", allow_updates=True), Application("maya", "", "", True))

    reading.read(cast.account, "applications-managed", answer, fresh_for=timedelta(hours=1))
    return cast


def found(actor: Actor, words: str, limit: int = 5) -> dict[str, list[str]]:
    return {
        str(group.label): [hit.title for hit in group.hits] for group in search(actor=actor, words=words, limit=limit)
    }


def test_an_application_is_found_by_its_id_and_by_its_display_name(cast: Cast) -> None:
    for words in ("BLEND", "renderer", "the blender"):
        assert found(cast.actor("reader"), words)["Applications"] == ["Blender"]


def test_what_azure_said_and_what_the_portal_keeps_are_one_list(cast: Cast) -> None:
    assert found(cast.actor("reader"), "m")["Applications"] == ["ffmpeg", "maya"]


def test_a_package_is_found_by_application_and_version(cast: Cast) -> None:
    assert found(cast.actor("reader"), "blender 4.2")["Packages"] == ["blender 4.2"]
    assert "Packages" not in found(cast.actor("reader"), "blender")


def test_an_operation_is_found_by_subject_and_by_reference(cast: Cast) -> None:
    for words in ("blender 4.2", "0123456789ab"):
        assert found(cast.actor("reader"), words)["Operations"] == ["Upload package blender 4.2"]


def test_an_account_is_found_by_its_name(cast: Cast) -> None:
    assert found(cast.actor("reader"), "loc")["Batch accounts"] == ["local"]


def test_a_stranger_finds_nothing_of_it(cast: Cast) -> None:
    for words in ("blender", "renderer", "4.2", "0123456789ab"):
        assert not found(cast.actor("stranger"), words)
    assert "local" not in found(cast.actor("stranger"), "l").get("Batch accounts", [])


def test_every_word_must_be_there(cast: Cast) -> None:
    assert not found(cast.actor("reader"), "blender nonsense")


@pytest.mark.parametrize("words", ["", "   ", "%", "_", "'", "x" * 5000])
def test_odd_words_find_nothing_and_break_nothing(cast: Cast, words: str) -> None:
    assert not found(cast.actor("reader"), words)


def test_more_than_fits_is_said(cast: Cast) -> None:
    (group,) = [one for one in search(actor=cast.actor("reader"), words="m", limit=1) if one.label == "Applications"]
    assert len(group.hits) == 1
    assert group.more


def test_the_number_of_queries_does_not_grow_with_the_accounts(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    BatchAccountFactory.create_batch(20)
    with django_assert_max_num_queries(8):
        found(Actor(user=cast.portal_admin), "e", limit=50)


def test_the_page_and_the_list_under_the_field(cast: Cast) -> None:
    client = signed_in(cast.reader)
    page = client.get("/search/", {"q": "blender"})
    assert b"<!DOCTYPE html>" in page.content
    part = client.get("/search/", {"q": "blender"}, headers={"HX-Request": "true"})
    assert b"<!DOCTYPE html>" not in part.content
    assert b'href="/batch/local/applications/Blender/"' in part.content
    assert "HX-Request" in part.headers["Vary"]
    nothing = client.get("/search/", {"q": "<script>"}, headers={"HX-Request": "true"})
    assert b"&lt;script&gt;" in nothing.content


def test_pools_and_nodes_are_found_by_whoever_may_see_them(cast: Cast) -> None:
    pool = PoolSnapshot.objects.create(
        account=cast.account, pool_id="render-linux", display_name="Farm", state="active"
    )
    pool.nodes.create(node_id="tvmps_0123456789_d", state="idle", ip_address="10.0.0.7")
    actor = Actor(user=cast.reader)
    for words, title in (("farm", "render-linux"), ("RENDER-", "render-linux"), ("23456", "tvmps_0123456789_d")):
        found = [hit for group in search(actor=actor, words=words, limit=5) for hit in group.hits]
        assert [hit.title for hit in found] == [title]
    (group,) = search(actor=actor, words="10.0.0.7", limit=5)
    assert group.hits[0].url == f"/batch/{cast.account.slug}/nodes/render-linux/tvmps_0123456789_d/"
    assert "Idle · render-linux" in group.hits[0].detail
    assert not search(actor=Actor(user=cast.stranger), words="render-linux", limit=5)
