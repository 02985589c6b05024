"""``python -m emulator.control``: the ``/_emulator/`` routes as a command line. Prints the answers as JSON."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

DEFAULT_URL = "http://127.0.0.1:10100"

Request = tuple[str, str, object]  # method, path behind /_emulator/, body or None


class UsageError(Exception):
    """What was asked for cannot be sent. The message says why."""


def main(arguments: Sequence[str]) -> int:
    found = _parser().parse_args(arguments)
    try:
        method, path, body = found.request(found)
        answer = _send(found.url, method, path, body)
    except UsageError as error:
        return _fail(str(error))
    except urllib.error.HTTPError as error:
        return _fail(_reason(error))
    except OSError as error:
        return _fail(f"nothing answers at {found.url}: {getattr(error, 'reason', error)}. Is the emulator running?")
    if answer is not None:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(f"emulator.control: {reason}\n")
    return 1


def _send(url: str, method: str, path: str, body: object) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the address is the user's own
        f"{url.rstrip('/')}/_emulator/{path}", data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=600) as response:  # noqa: S310
        raw = response.read()
    return json.loads(raw) if raw else None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        found = json.loads(error.read())["error"]
        return f"{found['code']}: {found['message'].splitlines()[0]}"
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator.control", description="Steer a running emulator.")
    url = os.environ.get("BATCH_EMULATOR_URL") or DEFAULT_URL
    parser.add_argument("--url", default=url, help=f"its address, also BATCH_EMULATOR_URL (default: {DEFAULT_URL})")
    commands = _Commands(parser.add_subparsers(metavar="COMMAND", required=True))
    commands.add("health", "whether the process answers", lambda _: ("GET", "health", None))
    commands.add("ready", "whether the store answers too", lambda _: ("GET", "ready", None))
    commands.add("reset", "back to a first start; blobs and snapshots stay", lambda _: ("POST", "reset", None))
    seed = commands.add("seed", "make an estate, without FILE the demo", _seed)
    seed.add_argument("file", type=Path, nargs="?", metavar="FILE", help="JSON")
    commands.add("snapshots", "list them", lambda _: ("GET", "snapshots", None))
    for name, text, request in (
        ("snapshot", "keep the present state under NAME", lambda found: ("POST", "snapshots", {"name": found.name})),
        ("restore", "bring a state back", lambda found: ("POST", f"snapshots/{quote(found.name)}/restore", None)),
        ("forget", "delete a snapshot", lambda found: ("DELETE", f"snapshots/{quote(found.name)}", None)),
    ):
        commands.add(name, text, request).add_argument("name", metavar="NAME")
    _add_clock(commands)
    _add_faults(commands)
    log = commands.add("requests", "the last requests", _requests)
    log.add_argument("--since", type=int, default=0, metavar="NUMBER")
    log.add_argument("--operation", metavar="NAME")
    commands.add("forget-requests", "empty that list", lambda _: ("DELETE", "requests", None))
    commands.add("conformance", "every operation and its state", lambda _: ("GET", "conformance", None))
    return parser


def _add_clock(commands: "_Commands") -> None:
    clock = commands.add("clock", "show or change the time", _clock)
    running = clock.add_mutually_exclusive_group()
    running.add_argument("--pause", action="store_true")
    running.add_argument("--resume", action="store_true")
    clock.add_argument("--advance", metavar="DURATION", help="seconds or ISO 8601, such as PT15M")
    clock.add_argument("--skew", type=float, metavar="SECONDS")


def _add_faults(commands: "_Commands") -> None:
    fields = "fields as NAME=VALUE, such as operation=data.* status=503 count=2"
    commands.add("faults", "list them", lambda _: ("GET", "faults", None))
    commands.add("fault", "add one", lambda found: ("POST", "faults", _fields(found.fields))).add_argument(
        "fields", nargs="*", metavar="NAME=VALUE", help=fields
    )
    clear = commands.add("clear-faults", "remove all, or one", _clear_faults)
    clear.add_argument("id", nargs="?", metavar="ID")
    commands.add(
        "nodes", "let something befall nodes", lambda found: ("POST", "nodes", _fields(found.fields))
    ).add_argument("fields", nargs="+", metavar="NAME=VALUE", help="such as pool=linux event=preempted count=2")
    commands.add("shortages", "list them", lambda _: ("GET", "shortages", None))
    commands.add(
        "shortage", "let the next resizes get less", lambda found: ("POST", "shortages", _fields(found.fields))
    ).add_argument("fields", nargs="*", metavar="NAME=VALUE", help="such as pool=linux nodes=1 code=AllocationFailed")
    commands.add("clear-shortages", "remove all", lambda _: ("DELETE", "shortages", None))


class _Commands:
    def __init__(self, parsers: Any) -> None:
        self._parsers = parsers

    def add(self, name: str, text: str, request: Any) -> argparse.ArgumentParser:
        """``request`` makes the request of the parsed arguments."""
        made: argparse.ArgumentParser = self._parsers.add_parser(name, help=text, description=text)
        made.set_defaults(request=request)
        return made


def _seed(found: argparse.Namespace) -> Request:
    if found.file is None:
        return "POST", "seed", None
    try:
        return "POST", "seed", json.loads(found.file.read_text())
    except OSError as error:
        raise UsageError(f"cannot read {found.file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{found.file} is not JSON: {error}") from None


def _clock(found: argparse.Namespace) -> Request:
    change: dict[str, object] = {}
    if found.pause or found.resume:
        change["paused"] = bool(found.pause)
    if found.advance is not None:
        change["advance"] = _value(found.advance)
    if found.skew is not None:
        change["skew"] = found.skew
    return ("POST", "clock", change) if change else ("GET", "clock", None)


def _requests(found: argparse.Namespace) -> Request:
    asked = {"since": found.since} | ({"operation": found.operation} if found.operation else {})
    return "GET", f"requests?{urlencode(asked)}", None


def _clear_faults(found: argparse.Namespace) -> Request:
    return "DELETE", f"faults/{quote(found.id)}" if found.id else "faults", None


def _fields(given: Sequence[str]) -> dict[str, object]:
    """Values are JSON where they can be read as such, else text."""
    fields: dict[str, object] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"{item!r} is not NAME=VALUE")
        fields[name] = _value(value)
    return fields


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
