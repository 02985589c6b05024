"""Operations over the API."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.operations.models import Operation, Status
from apps.people.actors import Actor
from apps.people.models import User
from apps.people.roles import Role
from apps.people.services.tokens import token_create

Begin = Callable[..., Operation]
Person = Callable[[str, Role | None], User]


def bearer(user: User | None, role: Role = Role.ADMINISTRATOR) -> dict[str, str]:
    assert user is not None
    _token, text = token_create(actor=Actor(user=user), name=f"t{time.monotonic_ns()}", role=role)
    return {"Authorization": f"Bearer {text}"}


def url(operation: Operation, verb: str = "") -> str:
    return f"/api/v1/operations/{operation.pk}{verb}"


def test_list_and_filters(client: Client, begin: Begin, uploader: Actor) -> None:
    begin("one")
    Operation.objects.filter(pk=begin("two").pk).update(status=Status.FAILED)
    headers = bearer(uploader.user)

    def subjects(**query: Any) -> list[str]:
        answer = client.get("/api/v1/operations", query, headers=headers)
        assert answer.status_code == 200
        return [one["subject"] for one in answer.json()["results"]]

    assert subjects() == ["two", "one"]
    assert subjects(status="active") == ["one"]
    assert subjects(search="two") == ["two"]
    assert subjects(page_size=1) == ["two"]
    assert subjects(mine="true") == ["two", "one"]


def test_one_with_its_log(client: Client, begin: Begin, uploader: Actor) -> None:
    operation = begin(total=10, unit="bytes")
    answer = client.get(url(operation), headers=bearer(uploader.user)).json()
    assert answer["status"] == "queued"
    assert answer["is_active"] is True
    assert answer["account"] == "local"
    assert answer["total"] == 10
    assert answer["events"][0]["code"] == "operation-queued"
    assert answer["url"].endswith(url(operation))


def test_strangers_and_visitors(client: Client, begin: Begin, person: Person) -> None:
    operation = begin()
    stranger = bearer(person("stranger", None))
    assert client.get(url(operation)).status_code == 401
    assert client.get(url(operation), headers=stranger).status_code == 404
    assert client.post(url(operation, "/cancel"), headers=stranger).status_code == 404
    reader = bearer(person("reader", Role.READER))
    assert client.get(url(operation), headers=reader).status_code == 200
    assert client.post(url(operation, "/cancel"), headers=reader).status_code == 403


def test_cancel_and_retry(client: Client, begin: Begin, uploader: Actor, work: Any) -> None:
    operation = begin()
    headers = bearer(uploader.user)
    answer = client.post(url(operation, "/cancel"), headers=headers)
    assert answer.status_code == 202
    assert answer.json()["cancel_requested_at"]
    assert client.post(url(operation, "/retry"), headers=headers).status_code == 409
    Operation.objects.filter(pk=operation.pk).update(status=Status.CANCELLED, ended_at=timezone.now())
    again = client.post(url(operation, "/retry"), headers=headers)
    assert again.status_code == 202
    assert again.json()["retry_of"] == str(operation.pk)


@pytest.mark.parametrize("wait", ["-1", "0", "nan", "0.1"])
def test_wait_is_bounded_below(client: Client, begin: Begin, uploader: Actor, wait: str) -> None:
    answer = client.get(url(begin()), {"wait": wait}, headers=bearer(uploader.user))
    assert answer.status_code == 200


def test_wait_wants_a_number(client: Client, begin: Begin, uploader: Actor) -> None:
    answer = client.get(url(begin()), {"wait": "long"}, headers=bearer(uploader.user))
    assert answer.status_code == 400
    assert "wait" in answer.json()["error"]["fields"]


@pytest.mark.django_db(transaction=True)
def test_wait_holds_until_the_end(client: Client, begin: Begin, uploader: Actor) -> None:
    operation = begin()
    headers = bearer(uploader.user)

    def end_it() -> None:
        from django.db import connection  # noqa: PLC0415

        time.sleep(0.7)
        Operation.objects.filter(pk=operation.pk).update(status=Status.SUCCEEDED, ended_at=timezone.now())
        connection.close()

    thread = threading.Thread(target=end_it)
    thread.start()
    answer = client.get(url(operation), {"wait": "30"}, headers=headers)
    thread.join()
    assert answer.json()["status"] == "succeeded"


def test_whoever_finds_no_place_to_wait_is_answered_at_once(
    client: Client, begin: Begin, uploader: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that wait leave threads for everybody else."""
    operation, places = begin(), threading.BoundedSemaphore(1)
    monkeypatch.setattr("apps.operations.api._places", places)
    monkeypatch.setattr("apps.operations.api.time.sleep", lambda _seconds: pytest.fail("It waited."))
    with places:
        answer = client.get(url(operation), {"wait": "60"}, headers=bearer(uploader.user))
    assert answer.json()["is_active"]
    assert places.acquire(blocking=False)
