from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from apps.gateway import clients
from emulator.testing import Azurite, Emulator
from tests.core.world import World, make_world
from tests.people.factories import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture(scope="module")
def service(running_emulator: Emulator, azurite: Azurite) -> Iterator[Emulator]:
    """The local Batch service, and a portal that may reach it and its blob store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "GATEWAY_ARM_ENDPOINT", running_emulator.url)
        patch.setattr(settings, "GATEWAY_PRIVATE_HOSTS", [running_emulator.netloc, azurite.url.partition("://")[2]])
        patch.setenv("IDENTITY_ENDPOINT", f"{running_emulator.url}/_emulator/identity/token")
        patch.setenv("IDENTITY_HEADER", "test")
        clients.forget()
        yield running_emulator
    clients.forget()


@pytest.fixture(scope="module")
def whole_world(service: Emulator, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once for all tests of a module, because making it costs more than most of them."""
    with django_db_blocker.unblock():
        yield make_world(service)
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def world(db: None, whole_world: World) -> World:
    """One of everything. The database forgets what a test does; the service is put right where a test changed it."""
    whole_world.mend()
    return whole_world
