"""A cast for operations, and a kind of work whose runner each test writes itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import AuthMethod, BatchAccount
from apps.operations import runners
from apps.operations.models import Kind, Operation
from apps.operations.runners import Later, Outcome, Run, Runner
from apps.operations.services import operation_create
from apps.people.actors import Actor
from apps.people.models import Grant, User
from apps.people.roles import Permission, Role

KIND = Kind.PACKAGE_DELETE
Work = Callable[[Run], Outcome | Later]


@pytest.fixture
def account(db: None) -> BatchAccount:
    return BatchAccount.objects.create(slug="local", name="local", auth_method=AuthMethod.MANAGED_IDENTITY)


@pytest.fixture
def person(account: BatchAccount) -> Callable[[str, Role | None], User]:
    """Makes somebody with a role on the account, or with none."""

    def make(name: str, role: Role | None) -> User:
        user = User.objects.create_user(name, f"{name}@example.org", "x" * 14)
        if role:
            Grant.objects.create(account=account, user=user, role=role)
        return user

    return make


@pytest.fixture
def uploader(person: Callable[[str, Role | None], User]) -> Actor:
    return Actor(user=person("uploader", Role.UPLOADER))


@pytest.fixture
def begin(account: BatchAccount, uploader: Actor) -> Callable[..., Operation]:
    """Makes an operation of the test's kind."""

    def make(subject: str = "keys", actor: Actor | None = None, **options: Any) -> Operation:
        return operation_create(
            actor=actor or uploader,
            account=account,
            kind=KIND,
            subject=subject,
            subject_key=f"test:{subject}",
            **options,
        )

    return make


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what the runner of the test's kind does."""

    def set_to(run: Work, **options: Any) -> None:
        found = Runner(run, options.pop("permission", Permission.UPLOAD_PACKAGES), **options)
        monkeypatch.setitem(runners._RUNNERS, KIND, found)

    set_to(lambda _run: Outcome("operation-cancelled"))
    return set_to
