"""Reading and writing a document by paths such as `startTask.resourceFiles[2].filePath`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def steps(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in _STEP.findall(path)]


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set a value, making the objects and lists on the way. Indices come in order."""
    here: Any = document
    wanted = steps(path)
    for step, following in pairwise(wanted):
        fresh: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            while len(here) <= step:
                here.append({})
            here = here[step]
        else:
            here = here.setdefault(step, fresh)
    here[wanted[-1]] = value


def take(document: Any, path: str) -> Any:
    """Remove and return a value, None where there is none."""
    here = document
    *way, last = steps(path)
    for step in way:
        here = _step(here, step)
    if isinstance(here, dict) and isinstance(last, str):
        return here.pop(last, None)
    return None


def _step(here: Any, step: str | int) -> Any:
    if isinstance(here, dict) and isinstance(step, str):
        return here.get(step)
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return here[step]
    return None


def pruned(value: Any) -> Any:
    """Without empty objects and lists, at any depth; None where nothing is left."""
    if isinstance(value, dict):
        found = {name: pruned(item) for name, item in value.items()}
        found = {name: item for name, item in found.items() if item is not None}
        return found or None
    if isinstance(value, list):
        items = [pruned(item) for item in value]
        return [item for item in items if item is not None] or None
    return value


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both; where both have a value that is no object, the first one's."""
    found = dict(second)
    for name, value in first.items():
        other = found.get(name)
        found[name] = merged(value, other) if isinstance(value, dict) and isinstance(other, dict) else value
    return found
