"""The list of accounts: only one's own, found, filtered, sorted, exported, and a first step when it is empty."""

from __future__ import annotations

from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import AuthMethod, BatchAccount
from apps.people.models import Grant
from tests.accounts.conftest import Visitor
from tests.people.factories import BatchAccountFactory, Cast, signed_in

LIST = reverse("accounts:list")


def names(response: object) -> list[str]:
    return [row["account"].name for row in response.context["rows"]]  # type: ignore[attr-defined]


def test_everybody_sees_the_accounts_of_their_roles(visitor: Visitor) -> None:
    assert names(visitor("reader").get(LIST)) == ["local"]
    assert names(visitor("stranger").get(LIST)) == ["other"]
    assert set(names(visitor("portal_admin").get(LIST))) == {"local", "other"}


def test_search_filter_and_order_stand_in_the_address(visitor: Visitor) -> None:
    BatchAccountFactory.create(name="north", slug="north", location="northeurope", auth_method=AuthMethod.SHARED_KEY)
    admin = visitor("portal_admin")
    assert names(admin.get(LIST, {"q": "nor"})) == ["north"]
    assert names(admin.get(LIST, {"location": "northeurope"})) == ["north"]
    assert names(admin.get(LIST, {"method": "shared-key"})) == ["north"]
    assert names(admin.get(LIST, {"sort": "-name"})) == ["other", "north", "local"]
    assert names(admin.get(LIST, {"q": "%", "sort": "bogus"})) == []


def test_the_empty_list_has_a_first_step(db: None, visitor: Visitor, cast: Cast) -> None:
    BatchAccount.objects.all().delete()
    page = visitor("portal_admin").get(LIST).content.decode()
    assert reverse("accounts:connect") in page
    person = visitor("reader").get(LIST).content.decode()
    assert reverse("accounts:connect") not in person
    assert "Ask an administrator" in person


def test_csv_holds_no_secret(shared_key: BatchAccount, visitor: Visitor) -> None:
    response = visitor("portal_admin").get(LIST, {"format": "csv"})
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "local" in text
    assert shared_key.secrets["shared_key"] not in text


def test_more_accounts_cost_no_more_queries(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for account in BatchAccountFactory.create_batch(30):
        Grant.objects.create(account=account, user=cast.reader, role="reader")
    visitor = signed_in(cast.reader)
    with django_assert_max_num_queries(9):
        assert len(names(visitor.get(LIST))) == 31
