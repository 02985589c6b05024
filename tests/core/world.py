"""A portal with one of everything, connected to a running local Batch service."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuthMethod, BatchAccount
from apps.accounts.selectors import connection_for
from apps.applications.models import ApplicationOwner, Upload, UploadAction
from apps.gateway import management, pools
from apps.gateway.errors import GatewayError
from apps.nodes.models import PoolUser
from apps.operations.models import Kind, Operation
from apps.people.models import ApiToken
from apps.people.roles import Role
from apps.pools.models import PoolSnapshot
from emulator.testing import Emulator
from tests.people.factories import Cast, make_cast, make_token, signed_in

APPLICATION, VERSION, POOL = "Blender", "4.2", "linux"
NODE, POOL_USER = "tvmps_0_d", "guest"


@dataclass(frozen=True)
class World:
    """The cast, an application of the uploader's team with an Active package, an operation with its upload, a token,
    and a pool whose only node is gone by now, with a user on it and work on it.
    """

    cast: Cast
    application: str
    version: str
    pool: str
    operation: Operation
    upload: Upload
    team_token: ApiToken
    node: str
    pool_user: str
    node_operation: Operation
    service: Emulator
    cookies: dict[str, str]

    def client(self, name: str) -> Client:
        """The browser of a member of the cast, signed in."""
        client = Client()
        if key := self.cookies.get(name):
            client.cookies[settings.SESSION_COOKIE_NAME] = key
        return client

    def mend(self) -> None:
        """Make the application and its package in the service where they are not as they were."""
        connection = connection_for(self.cast.account)
        try:
            application = management.application_get(connection, APPLICATION)
            packages = management.package_list(connection, APPLICATION)
            untouched = application.allow_updates and [package.state for package in packages] == ["Active"]
            untouched = untouched and not pools.pool_get(connection, POOL).auto_scale
        except GatewayError:
            untouched = False
        if not untouched:
            self.service.reset()
            fill_service(self.service, self.cast.account)


def make_account(service: Emulator) -> BatchAccount:
    """The connected account `local`, by managed identity."""
    return BatchAccount.objects.create(
        slug="local",
        name="local",
        subscription_id=service.subscription,
        resource_group=service.resource_group,
        batch_endpoint=service.account_url(),
        location="westeurope",
        auth_method=AuthMethod.MANAGED_IDENTITY,
    )


def fill_service(service: Emulator, account: BatchAccount) -> None:
    """An application with one Active package in the service."""
    service.link_storage("devstoreaccount1")
    connection = connection_for(account)
    management.application_create(connection, APPLICATION)
    package = management.package_create(connection, APPLICATION, VERSION)
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
    httpx.put(package.storage_url, content=small_zip(), headers=headers).raise_for_status()
    management.package_activate(connection, APPLICATION, VERSION)
    pools.pool_create(connection, pool_document())


def pool_document() -> dict[str, Any]:
    """The least that makes a pool."""
    image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    machine = {"imageReference": image, "nodeAgentSKUId": "batch.node.ubuntu 24.04"}
    return {"id": POOL, "vmSize": "standard_d2s_v5", "virtualMachineConfiguration": machine}


def small_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bin/run.sh", "#!/bin/sh\necho ready\n")
    return buffer.getvalue()


def make_world(service: Emulator) -> World:
    cast = make_cast(make_account(service))
    ApplicationOwner.objects.create(
        account=cast.account, application_id=APPLICATION, application_key=APPLICATION.lower(), team=cast.team
    )
    operation = Operation.objects.create(
        kind=Kind.PACKAGE_UPLOAD,
        account=cast.account,
        subject=f"{APPLICATION} 5.0",
        subject_key=f"package:{APPLICATION.lower()}:5.0",
        user=cast.uploader,
        actor_name="uploader",
    )
    upload = Upload.objects.create(
        operation=operation,
        account=cast.account,
        action=UploadAction.ADD,
        application_id=APPLICATION,
        version="5.0",
        team=cast.team,
        filename="blender.zip",
        length=1000,
        expires_at=timezone.now() + timedelta(days=1),
    )
    pool = PoolSnapshot.objects.create(account=cast.account, pool_id=POOL, state="active", allocation_state="steady")
    node_operation = make_node(pool, cast)
    token, _text = make_token(cast.team, Role.UPLOADER)
    return World(
        cast=cast,
        application=APPLICATION,
        version=VERSION,
        pool=POOL,
        operation=operation,
        upload=upload,
        team_token=token,
        node=NODE,
        pool_user=POOL_USER,
        node_operation=node_operation,
        service=service,
        cookies={name: session_of(cast, name) for name in Cast.NAMES[1:]},
    )


def make_node(pool: PoolSnapshot, cast: Cast) -> Operation:
    """A node that the poller has seen and the service does not know any more, with a user; work on it."""
    pool.nodes.create(node_id=NODE, state="idle")
    later = timezone.now() + timedelta(days=1)
    user = PoolUser.objects.create(account=cast.account, pool_id=POOL, name=POOL_USER, expires_at=later)
    user.nodes.create(node_id=NODE, address="127.0.0.1", port=40000)
    operation = Operation.objects.create(
        kind=Kind.NODE_REBOOT,
        account=cast.account,
        subject=POOL,
        subject_key=f"node-reboot:{POOL}",
        user=cast.operator,
        actor_name="operator",
    )
    operation.nodes.create(pool_id=POOL, node_id=NODE)
    return operation


def session_of(cast: Cast, name: str) -> str:
    return signed_in(cast.person(name)).cookies[settings.SESSION_COOKIE_NAME].value
