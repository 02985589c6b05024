"""Older API versions of the data plane: one module for each version in which something was last the old way.

The service itself knows the newest version alone. Bodies of older clients are made newer step by step on their way
in, answers older on their way out.
"""

from typing import Any

from emulator.compat import (
    v2016_07_01,
    v2017_01_01,
    v2018_03_01,
    v2018_08_01,
    v2020_03_01,
    v2024_07_01,
)
from emulator.compat.change import Change
from emulator.versions import DATA_PLANE

# From the oldest to the newest.
CHANGES: tuple[Change, ...] = (
    v2016_07_01.CHANGE,
    v2017_01_01.CHANGE,
    v2018_03_01.CHANGE,
    v2018_08_01.CHANGE,
    v2020_03_01.CHANGE,
    v2024_07_01.CHANGE,
)

_AGE = {version: age for age, version in enumerate(DATA_PLANE)}


def newest(version: str, body: dict[str, Any]) -> dict[str, Any]:
    """A request's body as the newest version has it. Changes ``body``."""
    for change in CHANGES:
        if change.request is not None and _AGE[version] <= _AGE[change.last]:
            _visit(body, change.request)
    return body


def older(version: str, body: dict[str, Any]) -> dict[str, Any]:
    """An answer's body as ``version`` has it. Changes ``body``."""
    for change in reversed(CHANGES):
        if change.answer is not None and _AGE[version] <= _AGE[change.last]:
            _visit(body, change.answer)
    return body


def _visit(value: Any, edit: Any) -> None:
    if isinstance(value, dict):
        edit(value)
        for item in value.values():
            _visit(item, edit)
    elif isinstance(value, list):
        for item in value:
            _visit(item, edit)
