"""Users on nodes: added to all that can take one, updated, waited for, removed; passwords stay nowhere."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core import serializers
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import BatchAccount
from apps.audit.models import AuditEvent
from apps.core.exceptions import Conflict, Invalid, NotPermitted
from apps.gateway import nodes as gateway
from apps.gateway import pools
from apps.gateway.types import Connection
from apps.nodes.logins import logins, ssh_config
from apps.nodes.models import NodeWork, PoolUser, PoolUserNode, UserSecret
from apps.nodes.rules import clean_password, password_generate
from apps.nodes.services.upkeep import secrets_purge, users_expire, users_follow
from apps.nodes.services.users import WantedUser, pool_user_add, pool_user_remove
from apps.operations.execution import execute
from apps.operations.models import Operation, OperationEvent, Status
from apps.people.actors import Actor
from emulator.testing import Emulator
from tests.nodes.conftest import SSH_POOL, MakePool, finish, settled, targets
from tests.people.factories import Cast

PASSWORD = "Tr0ub4dor&Three-Horses"


def public_key() -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} someone@desk"


KEY = public_key()


def add(operator: Actor, account: BatchAccount, **wanted: object) -> Operation:
    values = {"name": "guest", "password": PASSWORD, **wanted}
    return pool_user_add(actor=operator, account=account, pool_id="render", wanted=WantedUser(**values))  # type: ignore[arg-type]


def ssh_pool(make_pool: MakePool, nodes: int) -> list[tuple[str, str]]:
    network = {"endpointConfiguration": SSH_POOL}
    return targets(make_pool(nodes=nodes, networkConfiguration=network))


def disturb(service: Emulator, event: str, node: str) -> None:
    service.control("POST", "nodes", {"pool": "render", "event": event, "nodes": [node]})


def test_a_user_comes_to_all_nodes_with_the_commands_to_log_in(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    nodes = ssh_pool(make_pool, 5)
    operation = finish(add(operator, account))
    assert operation.status == Status.SUCCEEDED
    user = PoolUser.objects.get()
    found = logins(user)
    assert [one.node_id for one in found] == [node for _pool, node in nodes]
    assert len({(one.address, one.port) for one in found}) == 5
    assert found[0].command == f"ssh -p {found[0].port} guest@{found[0].address}"
    config = "".join(ssh_config(user, found))
    assert f"Host {found[0].node_id} render-1\n    HostName {found[0].address}\n    Port {found[0].port}\n" in config
    # One call for each node's user, one list for all addresses.
    calls = [one for one in service.requests() if "/users" in one["path"]]
    assert len(calls) == 5
    assert not [one for one in service.requests() if one["path"].endswith("remoteloginsettings")]


def test_the_password_is_nowhere_once_the_work_has_ended(
    make_pool: MakePool, account: BatchAccount, operator: Actor
) -> None:
    ssh_pool(make_pool, 2)
    operation = add(operator, account)
    secret = UserSecret.objects.get(operation=operation)
    assert secret.secret["password"] == PASSWORD
    with database.cursor() as cursor:
        cursor.execute("SELECT secret FROM nodes_usersecret")
        assert PASSWORD not in str(cursor.fetchall())
    finish(operation)
    assert not UserSecret.objects.exists()
    kept = [*Operation.objects.all(), *OperationEvent.objects.all(), *AuditEvent.objects.all()]
    kept += [*NodeWork.objects.all(), *PoolUser.objects.all(), *PoolUserNode.objects.all()]
    assert PASSWORD not in json.dumps(json.loads(serializers.serialize("json", kept)))


def test_an_existing_user_is_updated(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    ssh_pool(make_pool, 2)
    finish(add(operator, account))
    later = timezone.now() + timedelta(days=5)
    operation = finish(add(operator, account, password="", ssh_public_key=KEY, expires_at=later))
    assert operation.status == Status.SUCCEEDED
    user = PoolUser.objects.get()
    assert user.by_key
    assert user.expires_at == later
    assert [one["method"] for one in service.requests() if "/users/guest" in one["path"]] == ["PUT", "PUT"]


def test_an_administrator_is_made_anew_because_the_service_cannot_change_that(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    ssh_pool(make_pool, 1)
    finish(add(operator, account))
    assert finish(add(operator, account, is_admin=True)).status == Status.SUCCEEDED
    methods = [one["method"] for one in service.requests() if "/users" in one["path"]]
    assert methods == ["POST", "POST", "DELETE", "POST"]


def test_a_node_that_cannot_take_it_now_gets_it_later(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    nodes = ssh_pool(make_pool, 3)
    disturb(service, "unusable", nodes[1][1])
    settled(account, "render", 3)
    operation = add(operator, account)
    execute(operation.pk)
    operation.refresh_from_db()
    assert operation.is_active
    waiting = NodeWork.objects.get(operation=operation, progress="waiting")
    assert waiting.node_id == nodes[1][1]
    assert waiting.code
    assert PoolUserNode.objects.count() == 2
    assert UserSecret.objects.exists()
    disturb(service, "recovered", nodes[1][1])
    settled(account, "render", 3)
    assert finish(operation).status == Status.SUCCEEDED
    assert PoolUserNode.objects.count() == 3


def test_waiting_ends_with_the_reason(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator, settings: Settings
) -> None:
    settings.NODE_USER_WAIT_SECONDS = 0
    nodes = ssh_pool(make_pool, 2)
    disturb(service, "unusable", nodes[0][1])
    settled(account, "render", 2)
    operation = finish(add(operator, account))
    assert operation.status == Status.FAILED
    assert operation.message_values == {"done": 1, "failed": 1}
    assert NodeWork.objects.get(operation=operation, progress="failed").code == "node-state-unusable"
    assert not UserSecret.objects.exists()


def test_a_pool_without_ports_says_so_and_has_the_user_all_the_same(
    make_pool: MakePool, account: BatchAccount, operator: Actor, service: Emulator
) -> None:
    make_pool(nodes=1)
    service.fault(operation="data.*remote_login*", status=409, code="RemoteLoginNotAvailable")
    operation = finish(add(operator, account))
    assert operation.status == Status.SUCCEEDED
    login = logins(PoolUser.objects.get())[0]
    assert not login.command
    assert "port 22" in login.reason


def test_removing_takes_the_user_from_every_node(
    make_pool: MakePool, account: BatchAccount, operator: Actor, connection: Connection
) -> None:
    nodes = ssh_pool(make_pool, 3)
    finish(add(operator, account))
    gateway.user_delete(connection, *nodes[0], "guest")  # somebody was faster
    operation = finish(pool_user_remove(actor=operator, account=account, pool_id="render", name="guest"))
    assert operation.status == Status.SUCCEEDED
    assert not PoolUser.objects.exists()


def test_one_piece_of_work_on_a_user_at_a_time(make_pool: MakePool, account: BatchAccount, operator: Actor) -> None:
    ssh_pool(make_pool, 1)
    add(operator, account)
    with pytest.raises(Conflict):
        add(operator, account, password="", ssh_public_key=KEY)
    assert not PoolUser.objects.get().by_key
    assert UserSecret.objects.count() == 1


def test_new_nodes_get_users_that_follow(
    make_pool: MakePool, account: BatchAccount, operator: Actor, connection: Connection
) -> None:
    ssh_pool(make_pool, 1)
    finish(add(operator, account, password="", ssh_public_key=KEY, follows=True))
    assert users_follow() == []
    pools.pool_resize(connection, "render", dedicated=3, spot=0)
    settled(account, "render", 3)
    begun = users_follow()
    assert len(begun) == 1
    assert finish(begun[0]).status == Status.SUCCEEDED
    assert PoolUserNode.objects.count() == 3
    assert users_follow() == []


def test_expired_users_and_left_passwords_are_forgotten(
    make_pool: MakePool, account: BatchAccount, operator: Actor
) -> None:
    ssh_pool(make_pool, 1)
    operation = add(operator, account)
    Operation.objects.filter(pk=operation.pk).update(status=Status.LOST)
    assert secrets_purge() == 1
    PoolUser.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    users_expire()
    assert not PoolUser.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ({"name": "Guest"}, "node-user-name-linux", "name"),
        ({"name": ""}, "node-user-name-missing", "name"),
        ({"name": "root"}, "node-user-name-taken", "name"),
        ({"password": "short"}, "node-password-length", "password"),
        ({"password": "a" * 20}, "node-password-simple", "password"),
        ({"password": "Abcdefgh1234\n"}, "node-password-unprintable", "password"),
        ({"password": ""}, "node-user-neither", "password"),
        ({"ssh_public_key": KEY}, "node-user-both", "password"),
        (
            {"password": "", "ssh_public_key": "-----BEGIN OPENSSH PRIVATE KEY-----"},
            "ssh-key-private",
            "ssh_public_key",
        ),
        ({"password": "", "ssh_public_key": "ssh-ed25519 nonsense"}, "ssh-key-malformed", "ssh_public_key"),
        ({"password": "", "ssh_public_key": f"{KEY}\n{KEY}"}, "ssh-key-lines", "ssh_public_key"),
        ({"follows": True}, "node-user-follows-key", "follows"),
        ({"expires_at": timezone.now() - timedelta(hours=1)}, "node-user-expired", "expires_at"),
        ({"expires_at": timezone.now() + timedelta(days=900)}, "node-user-expires-late", "expires_at"),
        ({"node_ids": ["nobody"]}, "nodes-none", "node"),
    ],
)
def test_each_rule_is_said_at_its_field(
    make_pool: MakePool, account: BatchAccount, operator: Actor, wanted: dict[str, object], code: str, field: str
) -> None:
    make_pool(nodes=1)
    with pytest.raises(Invalid) as caught:
        add(operator, account, **wanted)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert not PoolUser.objects.exists()


def test_passwords_that_we_make_keep_the_rule() -> None:
    made = {password_generate() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert clean_password(password, windows=False) == password


def test_only_operators_add_users(make_pool: MakePool, account: BatchAccount, cast: Cast) -> None:
    make_pool(nodes=1)
    with pytest.raises(NotPermitted):
        add(Actor(user=cast.reader), account)
