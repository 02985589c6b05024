"""Applications against a running local Batch service and Azurite, with one person per role."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.connections import connection_for
from apps.accounts.models import AuthMethod, BatchAccount
from apps.applications.models import ApplicationOwner
from apps.gateway import blobs, clients, management
from apps.gateway.errors import GatewayNotFound
from apps.gateway.types import Connection, Package
from apps.operations.execution import execute
from apps.operations.models import Operation
from apps.people.actors import Actor
from apps.people.models import Grant, Team, User
from apps.people.roles import Role
from emulator.testing import Azurite, Emulator


@pytest.fixture
def service(
    emulator: Emulator, azurite: Azurite, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    """The service as new with a storage account linked, and a portal that may reach both."""
    settings.GATEWAY_ARM_ENDPOINT = emulator.url
    settings.GATEWAY_PRIVATE_HOSTS = [emulator.netloc, azurite.url.partition("://")[2]]
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{emulator.url}/_emulator/identity/token")
    monkeypatch.setenv("IDENTITY_HEADER", "test")
    clients.forget()
    emulator.link_storage("devstoreaccount1")
    yield emulator
    clients.forget()


@pytest.fixture
def account(db: None, service: Emulator) -> BatchAccount:
    """Connected by managed identity, at both planes."""
    return BatchAccount.objects.create(
        slug="local",
        name="local",
        title="Rendering",
        subscription_id=service.subscription,
        resource_group=service.resource_group,
        batch_endpoint=service.account_url(),
        auth_method=AuthMethod.MANAGED_IDENTITY,
    )


@pytest.fixture
def shared_key_account(account: BatchAccount, service: Emulator) -> BatchAccount:
    """The same account, connected to the data plane alone."""
    connect_by_shared_key(account, service)
    return account


def connect_by_shared_key(account: BatchAccount, service: Emulator) -> None:
    account.auth_method = AuthMethod.SHARED_KEY
    account.secrets = {"shared_key": service.account_key()}
    account.save()


@dataclass
class Cast:
    """One person per role on the account, two teams, and a stranger."""

    administrator: User
    uploader: User
    colleague: User
    other: User
    reader: User
    stranger: User
    team: Team
    other_team: Team

    def actor(self, name: str) -> Actor:
        return Actor(user=getattr(self, name))

    def client(self, name: str) -> Client:
        """A browser in which the person is signed in."""
        client = Client()
        client.force_login(getattr(self, name), backend="allauth.account.auth_backends.AuthenticationBackend")
        return client


@pytest.fixture
def cast(account: BatchAccount) -> Cast:
    names = ("administrator", "uploader", "colleague", "other", "reader", "stranger")
    people = {name: User.objects.create_user(name, f"{name}@example.org", "x" * 14) for name in names}
    roles = {
        "administrator": Role.ADMINISTRATOR,
        "uploader": Role.UPLOADER,
        "colleague": Role.UPLOADER,
        "other": Role.UPLOADER,
        "reader": Role.READER,
    }
    for name, role in roles.items():
        Grant.objects.create(account=account, user=people[name], role=role)
    team = Team.objects.create(name="Render", slug="render")
    other_team = Team.objects.create(name="Simulation", slug="simulation")
    team.members.add(people["uploader"], people["colleague"], people["reader"])
    other_team.members.add(people["other"])
    return Cast(**people, team=team, other_team=other_team)


FILES = {"bin/render": b"#!/bin/sh\necho hello\n" * 200, "README.txt": b"Read me\n"}


def zipped(files: Mapping[str, bytes] | None = None) -> bytes:
    """A zip of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (files or FILES).items():
            archive.writestr(name, data)
    return target.getvalue()


PutPackage = Callable[..., Package]


@pytest.fixture
def put_package(account: BatchAccount) -> PutPackage:
    """Make a package as another tool would: straight at the service.

    `put_package("blender", "2.7", data=..., activate=False, team=...)`; `data=None` uploads nothing.
    """

    def put(
        application_id: str,
        version: str,
        *,
        data: bytes | None = zipped(),
        activate: bool = True,
        team: Team | None = None,
    ) -> Package:
        connection = connection_for(account)
        try:
            management.application_get(connection, application_id)
        except GatewayNotFound:
            management.application_create(connection, application_id)
        package = management.package_create(connection, application_id, version)
        if data is not None:
            block = blobs.block_id(0)
            blobs.block_stage(package.storage_url, block, data, len(data))
            blobs.blocks_commit(package.storage_url, [block])
        if team is not None:
            own(account, application_id, team)
        if activate:
            package = management.package_activate(connection, application_id, version)
        return package

    return put


def own(account: BatchAccount, application_id: str, team: Team) -> None:
    """Make the team own the application."""
    ApplicationOwner.objects.update_or_create(
        account=account,
        application_key=application_id.lower(),
        defaults={"application_id": application_id, "team": team},
    )


def finish(operation: Operation) -> Operation:
    """Run an operation as a worker would, and read how it ended."""
    execute(operation.pk)
    operation.refresh_from_db()
    return operation


def operations_ended() -> list[Operation]:
    """Run all operations that wait; returns them, newest first."""
    return [finish(operation) for operation in Operation.objects.all()]


@pytest.fixture
def connection(account: BatchAccount) -> Connection:
    return connection_for(account)
