"""Adding users to nodes and removing them, in the background.

A node that cannot take a user now (it boots, is offline or unusable) waits: it is asked again when the picture of the
pool shows it at work, until `wait_until`. What a password needs for that lies encrypted in `UserSecret`, and is deleted
with the end of the operation, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from apps.accounts.connections import connection_for
from apps.core.exceptions import Conflict
from apps.gateway import nodes as gateway
from apps.gateway.errors import GatewayConflict, GatewayError, GatewayInvalid, GatewayNotFound
from apps.gateway.types import Connection
from apps.gateway.types_nodes import Endpoint, NodeUser, RemoteLogin
from apps.nodes.models import NodeSnapshot, NodeWork, PoolUser, PoolUserNode, Progress, UserSecret
from apps.nodes.work import DONE, Answered, Verdict, ended, has_unfinished, keep_unfinished, refused, through, write
from apps.operations.models import Operation, Status
from apps.operations.runners import Kind, Later, Outcome, Run, runner
from apps.people.roles import Permission
from apps.pools.polling import poll_soon

LOOK_AGAIN = 5.0  # seconds between looks at nodes that wait
# States in which the service takes users; an offline node is one whose scheduling is off.
AT_WORK = frozenset({"idle", "running", "offline"})
SSH, RDP = 22, 3389


@dataclass(frozen=True, slots=True)
class Login:
    """Where a node is reached, or why it is not: the user is there all the same."""

    at: RemoteLogin | None = None
    refused: GatewayError | None = None


# --- Adding ---------------------------------------------------------------------------------------------------------
def _forget_secret(run: Run, _status: Status) -> None:
    UserSecret.objects.filter(operation=run.operation).delete()
    # A user that came to no node is not worth remembering.
    parameters = run.operation.parameters
    users = PoolUser.objects.filter(account=run.operation.account, pool_id=parameters["pool"], name=parameters["name"])
    users.filter(nodes=None, follows=False).delete()


def _can_add_again(operation: Operation) -> bool:
    """With a key: nothing secret is needed. A password is gone by then."""
    return bool(operation.parameters.get("by_key")) and has_unfinished(operation)


@runner(
    Kind.NODE_USER_ADD,
    permission=Permission.OPERATE,
    cleanup=_forget_secret,
    can_retry=_can_add_again,
    prepare_retry=keep_unfinished,
)
def _run_add(run: Run) -> Outcome | Later:
    operation = run.operation
    user = _user_of(operation)
    remembered = PoolUser.objects.filter(
        account=operation.account, pool_id=operation.parameters["pool"], name=user.name
    ).first()
    if remembered is None:
        raise Conflict("node-user-forgotten", name=user.name)
    connection = connection_for(operation.account)
    run.phase("nodes-adding-user")
    logins = _logins(connection, remembered.pool_id, run)
    adds = _adding(connection, user, operation.parameters.get("was_admin"))

    def add(row: NodeWork) -> Login:
        adds(row)
        known = logins.get(row.node_id)
        return Login(known) if known else _ask_login(connection, row)

    def keep(batch: list[Answered[Login]]) -> None:
        _keep_logins(remembered, batch)

    through(run, _ready_rows(run), add, _judge_add, keep)
    if _waits(run):
        return Later(LOOK_AGAIN)
    _forget_secret(run, Status.SUCCEEDED)
    return ended(operation, "node-user-added", name=user.name)


def _user_of(operation: Operation) -> NodeUser:
    """Raises `Conflict` where the password is gone."""
    parameters = operation.parameters
    known = PoolUser.objects.filter(
        account=operation.account, pool_id=parameters["pool"], name=parameters["name"]
    ).first()
    secret = UserSecret.objects.filter(operation=operation).first()
    if known is None:
        raise Conflict("node-user-forgotten", name=parameters["name"])
    if not parameters["by_key"] and secret is None:
        raise Conflict("node-user-secret-gone", name=parameters["name"])
    return NodeUser(
        name=known.name,
        is_admin=known.is_admin,
        expires=known.expires_at,
        password=secret.secret.get("password", "") if secret else "",
        ssh_public_key=known.ssh_public_key,
    )


def _adding(connection: Connection, user: NodeUser, was_admin: bool | None) -> Callable[[NodeWork], None]:
    """Add, or update one that is there. Whether administrator cannot be updated, so such a user is made anew."""
    anew = was_admin is not None and was_admin != user.is_admin

    def add(row: NodeWork) -> None:
        try:
            gateway.user_add(connection, row.pool_id, row.node_id, user)
        except GatewayConflict as error:
            if error.service_code != "NodeUserExists":
                raise
            if anew:
                gateway.user_delete(connection, row.pool_id, row.node_id, user.name)
                gateway.user_add(connection, row.pool_id, row.node_id, user)
            else:
                gateway.user_update(connection, row.pool_id, row.node_id, user)

    return add


def _judge_add(_row: NodeWork, error: GatewayError) -> Verdict:
    """Not now is no refusal; a node that is gone is."""
    return refused(error, Progress.WAITING if isinstance(error, GatewayConflict) else Progress.FAILED)


# --- Where nodes are reached ----------------------------------------------------------------------------------------
def _logins(connection: Connection, pool_id: str, run: Run) -> Mapping[str, RemoteLogin]:
    """Addresses of the pool's nodes by the ports that they open: one call for a thousand, instead of one for each."""
    found: dict[str, RemoteLogin] = {}
    few = run.operation.total <= 3
    if few:
        return found
    try:
        for nodes in gateway.node_pages(connection, pool_id, select=("id", "endpointConfiguration")):
            found |= {node.id: login for node in nodes if (login := login_of(node.endpoints))}
    except GatewayError as error:
        if error.retryable:
            raise
    return found


def login_of(endpoints: tuple[Endpoint, ...]) -> RemoteLogin | None:
    """Where a node's SSH or RDP is reached, by its inbound endpoints."""
    for port in (SSH, RDP):
        for one in endpoints:
            if one.backend_port == port and (one.address or one.fqdn):
                return RemoteLogin(address=one.address or one.fqdn, port=one.frontend_port)
    return None


def _ask_login(connection: Connection, row: NodeWork) -> Login:
    try:
        return Login(gateway.remote_login(connection, row.pool_id, row.node_id))
    except GatewayError as error:
        if error.retryable:
            raise
        return Login(refused=error)


def _keep_logins(user: PoolUser, batch: list[Answered[Login]]) -> None:
    now = timezone.now()
    rows = [_login_row(user, one, now) for one in batch if one.verdict.progress == Progress.DONE]
    PoolUserNode.objects.bulk_create(
        rows,
        batch_size=200,
        update_conflicts=True,
        unique_fields=["user", "node_id"],
        update_fields=["address", "port", "code", "values", "added_at"],
    )


def _login_row(user: PoolUser, one: Answered[Login], now: datetime) -> PoolUserNode:
    row = PoolUserNode(user=user, node_id=one.row.node_id, added_at=now)
    login = one.answer or Login()
    if login.at is not None and login.at.address:
        row.address, row.port = login.at.address, login.at.port
    elif login.refused is None or isinstance(login.refused, GatewayConflict | GatewayInvalid):
        row.code = "node-no-login"
    else:
        row.code = login.refused.code
        row.values = {name: str(value) for name, value in login.refused.values.items()}
    return row


# --- Waiting --------------------------------------------------------------------------------------------------------
def _ready_rows(run: Run) -> list[NodeWork]:
    """Rows to ask now: those not asked yet, and those that waited and whose node is at work now."""
    operation = run.operation
    rows = list(operation.nodes.filter(progress__in=[Progress.PENDING, Progress.WAITING]))
    states = dict(
        NodeSnapshot.objects.filter(
            pool__account=operation.account, pool__pool_id=operation.parameters["pool"]
        ).values_list("node_id", "state")
    )
    gone = [row for row in rows if row.progress == Progress.WAITING and row.node_id not in states]
    write(run, [Answered(row, None, Verdict(Progress.FAILED, "node-gone")) for row in gone])
    return [row for row in rows if row.progress == Progress.PENDING or states.get(row.node_id) in AT_WORK]


def _waits(run: Run) -> bool:
    """Whether nodes are still waited for; when it has taken too long they have failed."""
    operation = run.operation
    waiting = list(operation.nodes.filter(progress=Progress.WAITING))
    if not waiting:
        return False
    if timezone.now() < datetime.fromisoformat(operation.parameters["wait_until"]):
        run.phase("nodes-waiting")
        poll_soon(operation.account)
        return True
    write(
        run,
        [Answered(row, None, Verdict(Progress.FAILED, row.code, row.values, row.request_id)) for row in waiting],
    )
    return False


# --- Removing -------------------------------------------------------------------------------------------------------
@runner(Kind.NODE_USER_REMOVE, permission=Permission.OPERATE, can_retry=has_unfinished, prepare_retry=keep_unfinished)
def _run_remove(run: Run) -> Outcome | Later:
    operation = run.operation
    connection, name = connection_for(operation.account), operation.parameters["name"]
    users = PoolUser.objects.filter(account=operation.account, pool_id=operation.parameters["pool"], name=name)
    run.phase("nodes-removing-user")

    def forget(batch: list[Answered[None]]) -> None:
        done = [one.row.node_id for one in batch if one.verdict.progress == Progress.DONE]
        PoolUserNode.objects.filter(user__in=users, node_id__in=done).delete()

    through(
        run,
        _ready_rows(run),
        lambda row: gateway.user_delete(connection, row.pool_id, row.node_id, name),
        _judge_remove,
        forget,
    )
    if _waits(run):
        return Later(LOOK_AGAIN)
    users.filter(nodes=None).delete()
    return ended(operation, "node-user-removed", name=name)


def _judge_remove(_row: NodeWork, error: GatewayError) -> Verdict:
    if isinstance(error, GatewayNotFound):
        return DONE
    return _judge_add(_row, error)
