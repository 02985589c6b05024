"""How to log in: the command, the OpenSSH client configuration, and the .rdp file of a node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apps.core.messages import message_for
from apps.nodes.models import NodeSnapshot, PoolUser, PoolUserNode
from apps.nodes.states import state_label, state_tone


@dataclass(frozen=True, slots=True)
class Login:
    """A node that has the user. `address` is "" where it is not reached from outside; `reason` says why."""

    node_id: str
    number: int
    state: str
    address: str
    port: int
    command: str
    reason: str = ""

    @property
    def label(self) -> str:
        return state_label(self.state)

    @property
    def tone(self) -> str:
        return state_tone(self.state)


def logins(user: PoolUser) -> list[Login]:
    """The nodes of a user with their present state, in the order of their names."""
    states = dict(
        NodeSnapshot.objects.filter(pool__account=user.account, pool__pool_id=user.pool_id).values_list(
            "node_id", "state"
        )
    )
    rows = enumerate(user.nodes.order_by("node_id"), start=1)
    return [_login(user, row, number, states.get(row.node_id, "")) for number, row in rows if row.node_id in states]


def _login(user: PoolUser, row: PoolUserNode, number: int, state: str) -> Login:
    return Login(
        node_id=row.node_id,
        number=number,
        state=state,
        address=row.address,
        port=row.port,
        command=ssh_command(user.name, row.address, row.port) if row.address else "",
        reason=message_for(row.code, row.values) if row.code else "",
    )


def ssh_command(name: str, address: str, port: int) -> str:
    """What a person types into a shell."""
    return f"ssh -p {port} {name}@{address}" if port != 22 else f"ssh {name}@{address}"


def ssh_config(user: PoolUser, nodes: Iterable[Login]) -> Iterator[str]:
    """Blocks for ~/.ssh/config. Nodes that share an address keep host keys of their own."""
    for login in nodes:
        if not login.address:
            continue
        yield f"Host {login.node_id} {user.pool_id}-{login.number}\n"
        yield f"    HostName {login.address}\n    Port {login.port}\n    User {user.name}\n"
        yield f"    HostKeyAlias {login.node_id}\n    StrictHostKeyChecking accept-new\n\n"


def rdp_file(user: PoolUser, login: Login) -> str:
    """A file that Remote Desktop opens; it asks for the password."""
    lines = [
        f"full address:s:{_host(login.address)}:{login.port}",
        f"username:s:.\\{user.name}",
        "prompt for credentials:i:1",
        "administrative session:i:0",
    ]
    return "\r\n".join([*lines, ""])


def _host(address: str) -> str:
    try:
        return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
    except ValueError:
        return address
