"""Beginning, cancelling and repeating: who may, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from apps.accounts.models import BatchAccount
from apps.audit.models import AuditEvent
from apps.core.exceptions import Conflict, NotPermitted, NotVisible
from apps.operations.models import Operation, Status
from apps.operations.runners import Outcome
from apps.operations.selectors import bell, operation_get, operation_list, operation_mine
from apps.operations.services import operation_cancel, operation_retry, operations_seen
from apps.people.actors import Actor
from apps.people.models import Grant, User
from apps.people.roles import Permission, Role
from tests.people.factories import make_token

Begin = Callable[..., Operation]
Person = Callable[[str, Role | None], User]


def end(operation: Operation, status: Status = Status.FAILED, **more: Any) -> Operation:
    from django.utils import timezone  # noqa: PLC0415

    Operation.objects.filter(pk=operation.pk).update(status=status, ended_at=timezone.now(), **more)
    operation.refresh_from_db()
    return operation


def test_message_goes_out_on_commit_only(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("apps.operations.dispatch.current_app.send_task", lambda _name, args, **_: sent.extend(args))
    with django_capture_on_commit_callbacks(execute=True):
        operation = begin()
        assert sent == []
    assert sent == [str(operation.pk)]


def test_broker_away_does_not_hinder(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("apps.operations.dispatch.current_app.send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        operation = begin()
    operation.refresh_from_db()
    assert operation.status == Status.QUEUED
    assert operation.dispatched_at is None


def test_a_token_that_may_only_read_cancels_nothing(begin: Begin, uploader: Actor) -> None:
    assert uploader.user
    operation = begin()
    reading, uploading = (make_token(uploader.user, role)[0] for role in (Role.READER, Role.UPLOADER))
    with pytest.raises(NotPermitted):
        operation_cancel(actor=Actor(user=uploader.user, token=reading), operation=operation)
    operation_cancel(actor=Actor(user=uploader.user, token=uploading), operation=operation)


def test_whoever_lost_the_role_controls_nothing(begin: Begin, uploader: Actor) -> None:
    operation = begin()
    Grant.objects.update(role=Role.READER)
    with pytest.raises(NotPermitted):
        operation_cancel(actor=Actor(user=uploader.user), operation=operation)
    with pytest.raises(NotPermitted):
        operation_retry(actor=Actor(user=uploader.user), operation=end(operation))


def test_one_active_operation_per_subject(begin: Begin) -> None:
    first = begin()
    with transaction.atomic(), pytest.raises(Conflict) as refused:
        begin()
    assert refused.value.code == "operation-conflict"
    assert "uploader" in refused.value.message
    assert refused.value.values["operation"] == str(first.pk)
    end(first)
    begin()


def test_cancel_twice_is_cancel_once(begin: Begin, uploader: Actor) -> None:
    operation = begin()
    first = operation_cancel(actor=uploader, operation=operation).cancel_requested_at
    assert operation_cancel(actor=uploader, operation=operation).cancel_requested_at == first
    assert AuditEvent.objects.filter(action="operation-cancel").count() == 1


def test_what_is_over_cannot_be_cancelled(begin: Begin, uploader: Actor) -> None:
    with pytest.raises(Conflict) as refused:
        operation_cancel(actor=uploader, operation=end(begin()))
    assert refused.value.code == "operation-over"


@pytest.mark.parametrize(
    ("role", "error"), [(None, NotVisible), (Role.READER, NotPermitted), (Role.OPERATOR, NotPermitted)]
)
def test_others_may_neither_cancel_nor_repeat(
    begin: Begin, person: Person, work: Any, role: Role | None, error: type[Exception]
) -> None:
    other = Actor(user=person("other", role))
    operation = begin()
    with pytest.raises(error):
        operation_cancel(actor=other, operation=operation)
    with pytest.raises(error):
        operation_retry(actor=other, operation=end(operation))


def test_an_administrator_of_the_account_may(begin: Begin, person: Person, work: Any) -> None:
    administrator = Actor(user=person("boss", Role.ADMINISTRATOR))
    operation = begin()
    assert operation_cancel(actor=administrator, operation=operation).cancel_requested_at
    again = operation_retry(actor=administrator, operation=end(operation))
    assert again.retry_of == operation
    assert again.actor_name == "boss"
    assert again.status == Status.QUEUED


def test_whoever_lost_the_role_cannot_repeat(begin: Begin, uploader: Actor, work: Any) -> None:
    work(lambda _run: Outcome("operation-over"), permission=Permission.MANAGE_ACCOUNT)
    with pytest.raises(NotPermitted):
        operation_retry(actor=uploader, operation=end(begin()))


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.RUNNING, Status.QUEUED])
def test_only_what_ended_badly_is_repeated(begin: Begin, uploader: Actor, work: Any, status: Status) -> None:
    operation = end(begin(), status)
    with pytest.raises(Conflict) as refused:
        operation_retry(actor=uploader, operation=operation)
    assert refused.value.code == "operation-not-repeatable"


def test_a_kind_may_refuse_to_be_repeated(begin: Begin, uploader: Actor, work: Any) -> None:
    work(lambda _run: Outcome("operation-over"), can_retry=lambda _operation: False)
    with pytest.raises(Conflict):
        operation_retry(actor=uploader, operation=end(begin()))


def test_strangers_see_nothing(begin: Begin, person: Person, uploader: Actor) -> None:
    operation = begin()
    stranger = Actor(user=person("stranger", None))
    assert list(operation_list(actor=stranger)) == []
    with pytest.raises(NotVisible):
        operation_get(actor=stranger, operation_id=operation.pk)
    assert operation_get(actor=uploader, operation_id=operation.pk) == operation


def test_readers_of_the_account_see_all_of_it(begin: Begin, person: Person) -> None:
    operation = begin()
    reader = Actor(user=person("reader", Role.READER))
    assert list(operation_list(actor=reader)) == [operation]
    assert list(operation_mine(actor=reader)) == []


def test_bell_counts_what_the_person_has_not_seen(begin: Begin, uploader: Actor) -> None:
    begin("one")
    end(begin("two"))
    end(begin("three"), Status.SUCCEEDED)
    found = bell(actor=uploader)
    assert (len(found["active"]), len(found["ended"]), found["unseen"]) == (1, 2, 2)
    assert operations_seen(actor=uploader) == 2
    assert bell(actor=uploader)["unseen"] == 0
    assert operations_seen(actor=uploader) == 0


def test_account_deleted_takes_its_operations(begin: Begin, account: BatchAccount) -> None:
    begin()
    account.delete()
    assert not Operation.objects.exists()
