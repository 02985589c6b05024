"""The OData parameters of one request."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.errors import ServiceError
from emulator.odata.fields import Fields
from emulator.odata.lexer import FilterError
from emulator.odata.parser import Predicate, parse
from emulator.odata.select import Selection, parse_select, project

if TYPE_CHECKING:
    from emulator.call import Call

_EXPANDABLE = "stats"


@dataclass(frozen=True, slots=True)
class Query:
    """What a request wants of resources in their wire form."""

    predicate: Predicate | None = None
    selection: Selection | None = None
    expands_stats: bool = False

    def matches(self, resource: Mapping[str, Any]) -> bool:
        return self.predicate is None or self.predicate(resource)

    def select(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        return project(resource, self.selection)


def query(call: "Call", fields: Fields | None = None, known: Collection[str] = ()) -> Query:
    """Read ``$filter``, ``$select`` and ``$expand``. Without ``fields`` there is no filter.

    ``known`` are the properties that can be selected. Raises InvalidQueryParameterValue.
    """
    return Query(
        predicate=_filter(call, fields or {}),
        selection=_select(call, known),
        expands_stats=_expand(call),
    )


def _filter(call: "Call", fields: Fields) -> Predicate | None:
    text = call.query("$filter")
    if text is None or not text.strip():
        return None
    try:
        return parse(text, fields)
    except FilterError as error:
        raise _refusal("$filter", text, str(error)) from None


def _select(call: "Call", known: Collection[str]) -> Selection | None:
    text = call.query("$select")
    if text is None or not text.strip():
        return None
    try:
        return parse_select(text, known)
    except FilterError as error:
        raise _refusal("$select", text, str(error)) from None


def _expand(call: "Call") -> bool:
    text = call.query("$expand")
    if text is None or not text.strip():
        return False
    names = {name.strip() for name in text.split(",")}
    if names != {_EXPANDABLE}:
        raise _refusal("$expand", text, f"only {_EXPANDABLE!r} can be expanded")
    return True


def _refusal(name: str, value: str, reason: str) -> ServiceError:
    return ServiceError(
        "InvalidQueryParameterValue",
        values={"QueryParameterName": name, "QueryParameterValue": value, "Reason": reason},
    )
