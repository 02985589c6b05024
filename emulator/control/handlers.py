"""Health, reset, clock, faults and the request log. Names and shapes here are kept stable for scripts."""

import re
from datetime import timedelta
from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, conformance, first_start
from emulator.call import Call
from emulator.clock import ClockState, iso
from emulator.control import estates, nodes, snapshots
from emulator.errors import Plane, ServiceError
from emulator.faults import Fault
from emulator.operations import Handler, Operation
from emulator.services import CLOCK

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


async def health(call: Call) -> Response:
    """The process answers."""
    return answers.json({"status": "ok", "storage": [found.name for found in call.services.blobs.connections]})


async def ready(call: Call) -> Response:
    """The store answers too."""
    return answers.json({"status": "ready", "accounts": call.services.repositories.accounts.count("")})


async def reset(call: Call) -> Response:
    """Everything back to a first start. Blobs stay where they are."""
    services = call.services
    services.store.clear()
    services.clock.restore(ClockState())
    services.faults.clear()
    services.request_log.clear()
    services.scheduler.reset()
    await services.fleet.reset()
    first_start.prepare(services)
    return answers.empty(204)


async def get_clock(call: Call) -> Response:
    return answers.json(_clock(call))


async def set_clock(call: Call) -> Response:
    """``{"paused": true|false, "advance": seconds or ISO 8601 duration, "skew": seconds}``, all optional."""
    wanted = await call.json_object()
    clock = call.services.clock
    if unknown := set(wanted) - {"paused", "advance", "skew"}:
        raise _bad(f"unknown: {', '.join(sorted(unknown))}")
    step = _seconds(wanted["advance"]) if "advance" in wanted else 0.0
    skew = _seconds(wanted["skew"]) if "skew" in wanted else clock.skew
    if step < 0:
        raise _bad("time only moves forward")
    if wanted.get("paused") is True:
        clock.pause()
    elif wanted.get("paused") is False:
        clock.resume()
    clock.advance(timedelta(seconds=step))
    clock.skew = skew
    call.services.repositories.clock.put("", CLOCK, clock.state())
    await call.services.agenda.catch_up()  # whoever moved the clock finds everything done that was due
    return answers.json(_clock(call))


async def list_faults(call: Call) -> Response:
    return answers.json({"faults": call.services.faults.all()})


async def add_fault(call: Call) -> Response:
    wanted = await call.json_object()
    try:
        fault = msgspec.convert({**wanted, "id": "", "struck": 0}, Fault)
    except (msgspec.ValidationError, ValueError) as error:
        raise _bad(str(error)) from None
    return answers.json(call.services.faults.add(fault), status=201)


async def clear_faults(call: Call) -> Response:
    call.services.faults.clear()
    return answers.empty(204)


async def delete_fault(call: Call) -> Response:
    if not call.services.faults.remove(call.parameters["id"]):
        raise ServiceError("ResourceNotFound")
    return answers.empty(204)


async def list_requests(call: Call) -> Response:
    """``?since=NUMBER`` for later ones only, ``?operation=NAME`` for one operation."""
    since = call.query("since") or "0"
    if not since.isdecimal():
        raise _bad("since must be a number")
    return answers.json(call.services.request_log.since(int(since), call.query("operation")))


async def clear_requests(call: Call) -> Response:
    call.services.request_log.clear()
    return answers.empty(204)


async def list_operations(call: Call) -> Response:
    """Every operation of the two planes and whether it is answered."""
    return answers.json({"operations": conformance.listed()})


def _clock(call: Call) -> dict[str, Any]:
    clock = call.services.clock
    return {
        "now": iso(clock.now()),
        "wall": iso(clock.wall()),
        "paused": clock.paused_at is not None,
        "skew": clock.skew,
    }


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and len(value) > 1 and (match := _DURATION.fullmatch(value)):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds
    raise _bad(f"{value!r} is neither a number of seconds nor an ISO 8601 duration")


def _bad(reason: str) -> ServiceError:
    return ServiceError("InvalidRequestContent", reason)


def _not_from_pages(handler: Handler) -> Handler:
    """Browsers name the page a request comes from: no web page may steer the service of whoever visits it."""

    async def guarded(call: Call) -> Response:
        if call.header("origin"):
            raise ServiceError("AuthenticationFailed", "Control routes do not answer web pages.")
        return await handler(call)

    return guarded


OPERATIONS = tuple(
    Operation(f"control.{handler.__name__}", Plane.CONTROL, method, f"/_emulator/{path}", _not_from_pages(handler))
    for method, path, handler in (
        ("GET", "health", health),
        ("GET", "ready", ready),
        ("POST", "reset", reset),
        ("POST", "seed", estates.seed),
        ("GET", "snapshots", snapshots.list_snapshots),
        ("POST", "snapshots", snapshots.take_snapshot),
        ("DELETE", "snapshots/{name}", snapshots.delete_snapshot),
        ("POST", "snapshots/{name}/restore", snapshots.restore_snapshot),
        ("GET", "clock", get_clock),
        ("POST", "clock", set_clock),
        ("GET", "faults", list_faults),
        ("POST", "faults", add_fault),
        ("DELETE", "faults", clear_faults),
        ("DELETE", "faults/{id}", delete_fault),
        ("GET", "requests", list_requests),
        ("DELETE", "requests", clear_requests),
        ("GET", "conformance", list_operations),
        ("POST", "nodes", nodes.disturb_nodes),
        ("GET", "shortages", nodes.list_shortages),
        ("POST", "shortages", nodes.add_shortage),
        ("DELETE", "shortages", nodes.clear_shortages),
    )
)
