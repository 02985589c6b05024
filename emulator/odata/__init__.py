"""``$filter``, ``$select`` and ``$expand`` of the data plane, over resources in their wire form."""

from emulator.odata import fields
from emulator.odata.fields import Field, FieldKind, Fields
from emulator.odata.parser import MAX_DEPTH, parse
from emulator.odata.query import Query, query
from emulator.odata.select import Selection, parse_select

__all__ = [
    "MAX_DEPTH",
    "Field",
    "FieldKind",
    "Fields",
    "Query",
    "Selection",
    "fields",
    "parse",
    "parse_select",
    "query",
]
