"""What befalls pools and nodes on demand. Names and shapes here are kept stable for scripts."""

from typing import Any, Literal

import msgspec
from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.errors import ServiceError
from emulator.nodes.sizing import Shortage
from emulator.scheduler.ports import NodeRef
from emulator.wire.nodes import NodeError

_MOST = 1000  # nodes of one call


class Disturbance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``nodes`` by their ids, or ``count`` of those the event can befall. ``recovered`` undoes the others."""

    pool: str
    event: Literal["preempted", "unusable", "unknown", "recovered"]
    account: str = "local"
    nodes: list[str] = []
    count: int | None = None
    code: str | None = None
    message: str = ""


async def disturb_nodes(call: Call) -> Response:
    wanted = await _read(call, Disturbance)
    fleet = call.services.fleet
    pool = fleet.pool(wanted.account, wanted.pool)
    key = wanted.account, pool.pool.id
    chosen = wanted.nodes or _choose(call, key, wanted)
    refs = [fleet.node(NodeRef(*key, name))[0] for name in chosen]
    error = NodeError(code=wanted.code, message=wanted.message) if wanted.code else None
    for ref in refs:
        if wanted.event == "recovered":
            fleet.life.recover(ref)
        else:
            fleet.life.disturb(ref, wanted.event, error)
    return answers.json({"nodes": [ref.node for ref in refs]})


def _choose(call: Call, key: tuple[str, str], wanted: Disturbance) -> list[str]:
    """Spot nodes are preempted, working ones get lost, lost ones recover."""
    working = {"idle", "running", "offline"}
    found = [
        row.id
        for row in call.services.fleet.estate.rows(key)
        if (
            row.state in {"preempted", "unusable", "unknown"}
            if wanted.event == "recovered"
            else row.state in working and (wanted.event != "preempted" or not row.is_dedicated)
        )
    ]
    return found[: min(wanted.count or 1, _MOST)]


async def list_shortages(call: Call) -> Response:
    return answers.json({"shortages": call.services.fleet.sizing.shortages})


async def add_shortage(call: Call) -> Response:
    """The next resizes get fewer nodes, or none in time."""
    shortage = await _read(call, Shortage)
    call.services.fleet.sizing.shortages.append(shortage)
    return answers.json(shortage, status=201)


async def clear_shortages(call: Call) -> Response:
    call.services.fleet.sizing.shortages.clear()
    return answers.empty(204)


async def _read(call: Call, shape: Any) -> Any:
    try:
        return msgspec.convert(await call.json_object(), shape)
    except msgspec.ValidationError as error:
        raise ServiceError("InvalidRequestContent", str(error)) from None
