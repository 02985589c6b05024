"""``$select``: which properties an answer has."""

from collections.abc import Collection, Mapping
from typing import Any

from emulator.odata.lexer import FilterError

Selection = Mapping[str, "Selection | None"]


def parse_select(text: str, known: Collection[str]) -> Selection | None:
    """The wanted properties, None for all of them. ``a/b`` wants one property of an object.

    ``known`` are the names at the top. Raises FilterError for an unknown or empty name.
    """
    if text.strip() == "*":
        return None
    wanted: dict[str, Any] = {}
    for item in text.split(","):
        parts = item.strip().split("/")
        if parts[0] not in known:
            raise FilterError(f"the property {item.strip()!r} cannot be selected")
        _add(wanted, parts)
    return wanted


def _add(wanted: dict[str, Any], parts: list[str]) -> None:
    *above, last = parts
    for name in above:
        if wanted.get(name, wanted) is None:
            return  # the whole object is wanted already
        wanted = wanted.setdefault(name, {})
    wanted[last] = None


def project(resource: Mapping[str, Any], selection: Selection | None) -> Mapping[str, Any]:
    """The resource with the selected properties only, in its own order; what it lacks stays absent."""
    if selection is None:
        return resource
    return {name: _inner(value, selection[name]) for name, value in resource.items() if name in selection}


def _inner(value: Any, selection: Selection | None) -> Any:
    return project(value, selection) if selection is not None and isinstance(value, Mapping) else value
