"""Account pages against a running local Batch service, with one person per role."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import AuthMethod, BatchAccount
from apps.operations.execution import execute
from apps.operations.models import Operation
from emulator.testing import Azurite, Emulator
from tests.people.factories import Cast, make_cast, signed_in
from tests.support.service import reaching


@pytest.fixture
def service(
    emulator: Emulator, azurite: Azurite, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    with reaching(emulator, azurite, settings, monkeypatch) as running:
        yield running


@pytest.fixture
def account(db: None, service: Emulator) -> BatchAccount:
    """`local` by managed identity, at both planes."""
    return BatchAccount.objects.create(
        slug="local",
        name="local",
        subscription_id=service.subscription,
        resource_group=service.resource_group,
        batch_endpoint=service.account_url(),
        location="westeurope",
        auth_method=AuthMethod.MANAGED_IDENTITY,
    )


@pytest.fixture
def cast(account: BatchAccount) -> Cast:
    return make_cast(account)


Visitor = Callable[[str], Client]


@pytest.fixture
def visitor(cast: Cast) -> Visitor:
    """`visitor("reader")`: a browser in which that member of the cast is signed in."""
    return lambda name: signed_in(cast.person(name))


@pytest.fixture
def shared_key(account: BatchAccount, service: Emulator) -> BatchAccount:
    """The same account, reached by its key alone."""
    account.auth_method = AuthMethod.SHARED_KEY
    account.secrets = {"shared_key": service.account_key()}
    account.save()
    return account


def finished(operation: Operation) -> Operation:
    """Run an operation as a worker would, and read how it ended."""
    execute(operation.pk)
    operation.refresh_from_db()
    return operation
