"""Users of nodes."""

from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.data import nodes
from emulator.data.common import body_of
from emulator.domain import node_users as rules
from emulator.domain import nodes as node_rules
from emulator.domain.node_users import NodeUser
from emulator.errors import ServiceError
from emulator.scheduler.ports import NodeRef
from emulator.wire.nodes import NewUser, UserReplacement


async def create_node_user(call: Call) -> Response:
    wanted = await body_of(call, NewUser)
    ref, node, pool = nodes.find(call)
    node_rules.check_takes_users(node)
    users = call.services.repositories.node_users
    known = users.get("/".join(ref), wanted.name)
    if known is not None and not known.is_expired(call.now):
        raise ServiceError("NodeUserExists")
    user = rules.new_user(wanted, call.now, is_windows=pool.is_windows)
    users.put("/".join(ref), user.name, user)
    url = _address(call, ref, user.name)
    return answers.empty(201, {"DataServiceId": url, "Location": url})


async def replace_node_user(call: Call) -> Response:
    wanted = await body_of(call, UserReplacement)
    ref, node, pool = nodes.find(call)
    node_rules.check_takes_users(node)
    user = _required(call, ref)
    rules.replace(user, wanted, call.now, is_windows=pool.is_windows)
    call.services.repositories.node_users.put("/".join(ref), user.name, user)
    return answers.empty(200, {"DataServiceId": _address(call, ref, user.name)})


async def delete_node_user(call: Call) -> Response:
    ref, node, _ = nodes.find(call)
    node_rules.check_takes_users(node)
    user = _required(call, ref)
    call.services.repositories.node_users.delete("/".join(ref), user.name)
    return answers.empty(200)


def _required(call: Call, ref: NodeRef) -> NodeUser:
    found = call.services.repositories.node_users.get("/".join(ref), call.parameters["userName"])
    if found is None or found.is_expired(call.now):
        raise ServiceError("NodeUserNotFound")
    return found


def _address(call: Call, ref: NodeRef, name: str) -> str:
    return f"{nodes.address(call, ref.pool, ref.node)}/users/{name}"
