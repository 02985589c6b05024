"""A pool as the JSON document that creates it: taken from a pool that exists, and made fit to be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from apps.core.exceptions import Invalid
from apps.pools.rules import PROPERTIES

HIDDEN = "•••"
MOST_CHARACTERS = 512 * 1024
_SECRETS = frozenset({"password", "accountkey", "saskey", "sshprivatekey", "protectedsettings"})
_WITH_AUTO_SCALE = ("targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout")
_FIXED = ("autoScaleFormula", "autoScaleEvaluationInterval")


def exported(wire: Mapping[str, Any]) -> dict[str, Any]:
    """What creates a pool like this one: without what the service decides, in the order people expect.

    Passwords and account keys are not there: the service gives them to nobody.
    """
    found = {name: value for name, value in wire.items() if name in PROPERTIES and value is not None}
    for name in _WITH_AUTO_SCALE if found.get("enableAutoScale") else _FIXED:
        found.pop(name, None)
    machine = found.get("virtualMachineConfiguration")
    if isinstance(machine, Mapping):
        image = {name: value for name, value in machine.get("imageReference", {}).items() if name != "exactVersion"}
        found["virtualMachineConfiguration"] = {**machine, "imageReference": image}
    order = ("id", "displayName", "vmSize", "virtualMachineConfiguration")
    return {name: found[name] for name in (*order, *(name for name in found if name not in order)) if name in found}


def masked(value: Any, *, values_too: bool = False) -> Any:
    """The document with secrets hidden: passwords, keys, the signatures of addresses.

    `values_too` hides the values of environment variables, which often are secrets too.
    """
    if isinstance(value, Mapping):
        return {name: _masked_member(name, item, values_too) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, values_too=values_too) for item in value]
    if isinstance(value, str) and "?" in value and "sig=" in value:
        return f"{urlsplit(value)._replace(query='', fragment='').geturl()}?{HIDDEN}"
    return value


def _masked_member(name: str, item: Any, values_too: bool) -> Any:
    if name.lower() in _SECRETS and item:
        return HIDDEN
    if name == "environmentSettings" and values_too:
        return [{**setting, "value": HIDDEN} for setting in item or ()]
    return masked(item, values_too=values_too)


def pretty(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def parsed(text: str) -> Any:
    """JSON as somebody pasted it. Raises `Invalid` with line and column."""
    if len(text) > MOST_CHARACTERS:
        raise Invalid("pool-json-long", field="document", most=MOST_CHARACTERS)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        values: Any = {"problem": error.msg, "line": error.lineno, "column": error.colno}
        raise Invalid("pool-json-invalid", field="document", **values) from None
    except (RecursionError, ValueError):  # too deep, or a number too long for any service
        raise Invalid("pool-json-shape", field="document") from None
