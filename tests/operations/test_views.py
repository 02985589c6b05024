"""The blade, the details, the bell: what they show, to whom, and what idle polls cost."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.operations.models import Operation, OperationEvent, Status
from apps.operations.runners import Outcome
from apps.people.actors import Actor
from apps.people.models import User
from apps.people.roles import Role

Begin = Callable[..., Operation]
Person = Callable[[str, Role | None], User]
POLL = {"HX-Request": "true", "X-Poll": "1"}


@pytest.fixture
def browser(uploader: Actor) -> Client:
    return signed_in(uploader.user)


def signed_in(user: User | None) -> Client:
    assert user is not None
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def end(operation: Operation, status: Status = Status.SUCCEEDED, **more: Any) -> Operation:
    now = timezone.now()
    Operation.objects.filter(pk=operation.pk).update(status=status, ended_at=now, changed_at=now, **more)
    operation.refresh_from_db()
    return operation


def page(operation: Operation, name: str = "detail") -> str:
    return reverse(f"operations:{name}", kwargs={"operation": operation.pk})


def test_empty_blade_says_what_will_be_here(browser: Client) -> None:
    answer = browser.get(reverse("operations:list"))
    assert "No operations yet" in answer.content.decode()


def test_blade_lists_filters_and_searches(browser: Client, begin: Begin) -> None:
    end(begin("alpha"), Status.FAILED, reference="abc123")
    begin("beta")
    url = reverse("operations:list")

    def shown(**query: str) -> set[str]:
        text = browser.get(url, query).content.decode()
        return {name for name in ("alpha", "beta") if f">{name}</a>" in text}

    assert shown() == {"alpha", "beta"}
    assert shown(status="failed") == {"alpha"}
    assert shown(status="active") == {"beta"}
    assert shown(kind="package-upload") == set()
    assert shown(q="alp") == {"alpha"}
    assert shown(q="abc123") == {"alpha"}
    assert shown(q="uploader") == {"alpha", "beta"}
    assert shown(mine="1") == {"alpha", "beta"}
    assert shown(status="nonsense") == {"alpha", "beta"}


def test_blade_pages(browser: Client, begin: Begin) -> None:
    for number in range(30):
        end(begin(f"number{number:02}"))
    url = reverse("operations:list")
    assert browser.get(url).content.decode().count("number") > browser.get(url, {"page": 2}).content.decode().count(
        "number"
    )
    assert "number00" in browser.get(url, {"page": 2}).content.decode()


def test_blade_costs_the_same_for_one_and_many(
    browser: Client, begin: Begin, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        begin(str(number))
    with django_assert_max_num_queries(10):
        browser.get(reverse("operations:list"))


def test_idle_poll_of_the_blade_is_304(browser: Client, begin: Begin) -> None:
    operation = begin()
    url = reverse("operations:account", kwargs={"account": "local"})
    first = browser.get(url, headers=POLL)
    assert b"<html" not in first.content
    again = browser.get(url, headers={**POLL, "If-None-Match": first["ETag"]})
    assert again.status_code == 304
    end(operation)
    assert browser.get(url, headers={**POLL, "If-None-Match": first["ETag"]}).status_code == 200


def test_strangers_get_404_and_readers_see_without_commands(begin: Begin, person: Person) -> None:
    operation = begin()
    stranger, reader = signed_in(person("stranger", None)), signed_in(person("reader", Role.READER))
    for name in ("detail", "cancel"):
        assert stranger.get(page(operation, name)).status_code == 404
    assert stranger.post(page(operation, "cancel")).status_code == 404
    answer = reader.get(page(operation))
    assert answer.status_code == 200
    assert page(operation, "cancel") not in answer.content.decode()
    assert reader.get(page(operation, "cancel")).status_code == 403
    assert reader.post(page(operation, "cancel")).status_code == 403
    assert reader.get(reverse("operations:detail", kwargs={"operation": uuid.uuid4()})).status_code == 404


def test_details_show_log_reference_and_retry(browser: Client, begin: Begin, work: Any) -> None:
    operation = end(begin(), Status.ERRORED, message_code="operation-errored", reference="ref-4711")
    values = {"seconds": 4, "cause": "gateway-unavailable", "causes": {}}
    OperationEvent.objects.create(operation=operation, code="operation-tries-again", level="warning", values=values)
    text = browser.get(page(operation)).content.decode()
    assert "ref-4711" in text
    assert "Trying again in 4 s: Azure does not answer" in text
    assert page(operation, "retry") in text
    assert "data-poll=" not in text.split('id="operation"')[1].split(">")[0]


def test_running_details_poll_with_etag_until_the_end(browser: Client, begin: Begin) -> None:
    operation = begin(total=100, unit="bytes")
    assert f'data-poll="{page(operation)}"' in browser.get(page(operation)).content.decode()
    first = browser.get(page(operation), headers=POLL)
    assert browser.get(page(operation), headers={**POLL, "If-None-Match": first["ETag"]}).status_code == 304
    end(operation)
    last = browser.get(page(operation), headers={**POLL, "If-None-Match": first["ETag"]})
    assert last.status_code == 200
    assert f'data-poll="{page(operation)}"' not in last.content.decode()


def test_reading_changes_nothing(browser: Client, begin: Begin) -> None:
    operation = begin()
    before = Operation.objects.values().get()
    for url in (page(operation), page(operation, "cancel"), reverse("operations:list"), reverse("operations:bell")):
        assert browser.get(url).status_code == 200
    assert Operation.objects.values().get() == before
    assert browser.get(page(operation, "retry")).status_code == 405


def test_cancel_asks_and_then_does(browser: Client, begin: Begin) -> None:
    operation = begin()
    assert "keys" in browser.get(page(operation, "cancel")).content.decode()
    answer = browser.post(page(operation, "cancel"))
    assert answer["Location"] == page(operation)
    operation.refresh_from_db()
    assert operation.cancel_requested_at
    assert "Cancelling" in browser.get(page(operation)).content.decode()


def test_cancel_through_htmx_loads_the_page(browser: Client, begin: Begin) -> None:
    operation = begin()
    answer = browser.post(page(operation, "cancel"), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == page(operation)


def test_cancel_of_what_is_over_says_so(browser: Client, begin: Begin) -> None:
    url = page(end(begin()), "cancel")
    for answer in (browser.get(url), browser.post(url)):
        assert answer.status_code == 409
        assert "already ended" in answer.content.decode()


def test_retry_goes_to_the_new_operation(browser: Client, begin: Begin, work: Any) -> None:
    work(lambda _run: Outcome("operation-over"))
    operation = end(begin(), Status.FAILED)
    answer = browser.post(page(operation, "retry"))
    again = Operation.objects.get(retry_of=operation)
    assert answer["Location"] == page(again)


def test_two_legs_are_one_bar(browser: Client, begin: Begin) -> None:
    operation = begin(total=1000, unit="bytes", received=600)
    Operation.objects.filter(pk=operation.pk).update(
        done=200, status=Status.RUNNING, received_rate=100, rate=50, phase="receiving"
    )
    text = browser.get(page(operation)).content.decode()
    assert "40 %" in text
    assert 'data-first="60"' in text
    assert 'data-last="20"' in text
    assert "16 s left" in text


def test_bell_shows_mine_and_counts_the_unseen(browser: Client, begin: Begin, person: Person) -> None:
    begin("running")
    end(begin("ended"))
    begin("theirs", actor=Actor(user=person("other", Role.UPLOADER)))
    text = browser.get(reverse("operations:bell"), headers=POLL).content.decode()
    assert "running" in text
    assert "ended" in text
    assert "theirs" not in text
    assert 'hx-swap-oob="true">2</span>' in text
    browser.post(reverse("operations:bell-seen"), headers=POLL)
    assert 'hx-swap-oob="true">1</span>' in browser.get(reverse("operations:bell"), headers=POLL).content.decode()


def poll_url(text: str) -> str:
    return text.split('data-poll="')[1].split('"', maxsplit=1)[0].replace("&amp;", "&")


def test_toast_when_one_of_mine_ends_and_only_then(browser: Client, begin: Begin) -> None:
    end(begin("old"))
    operation = begin("new")
    first = browser.get(reverse("operations:bell"), headers=POLL).content.decode()
    assert "data-toast" not in first
    end(operation, Status.FAILED)
    second = browser.get(poll_url(first), headers=POLL).content.decode()
    assert second.count("data-toast ") == 1
    assert page(operation) in second.split("data-toast ")[1]
    third = browser.get(poll_url(second), headers=POLL).content.decode()
    assert "data-toast" not in third


def test_idle_bell_is_304_in_one_query(browser: Client, begin: Begin, django_assert_max_num_queries: Any) -> None:
    begin()
    first = browser.get(reverse("operations:bell"), headers=POLL)
    headers = {**POLL, "If-None-Match": first["ETag"]}
    # Session, person, and one for the operations.
    with django_assert_max_num_queries(4):
        assert browser.get(reverse("operations:bell"), headers=headers).status_code == 304


@pytest.mark.parametrize("since", ["", "yesterday", "2026-13-45T99:00:00Z", "2026-01-01"])
def test_bell_takes_any_nonsense(browser: Client, begin: Begin, since: str) -> None:
    end(begin())
    assert browser.get(reverse("operations:bell"), {"since": since}).status_code == 200


def test_account_blade_shows_only_its_own(browser: Client, begin: Begin, uploader: Actor) -> None:
    from apps.accounts.models import AuthMethod  # noqa: PLC0415
    from apps.people.models import Grant  # noqa: PLC0415

    other = BatchAccount.objects.create(slug="other", name="other", auth_method=AuthMethod.MANAGED_IDENTITY)
    Grant.objects.create(account=other, user=uploader.user, role=Role.READER)
    begin("here")
    fresh = Client()
    fresh.force_login(uploader.user, backend="allauth.account.auth_backends.AuthenticationBackend")  # type: ignore[arg-type]
    text = fresh.get(reverse("operations:account", kwargs={"account": "other"})).content.decode()
    assert ">here</a>" not in text
    assert ">here</a>" in fresh.get(reverse("operations:account", kwargs={"account": "local"})).content.decode()


def test_recently_ended_only(browser: Client, begin: Begin) -> None:
    operation = end(begin("ancient"))
    Operation.objects.filter(pk=operation.pk).update(ended_at=timezone.now() - timedelta(days=3))
    assert "ancient" not in browser.get(reverse("operations:bell"), headers=POLL).content.decode()
