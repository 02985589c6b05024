"""What each list may be filtered by (https://learn.microsoft.com/rest/api/batchservice/odata-filters-in-batch)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FieldKind(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    TIME = "time"
    NUMBER = "number"
    BOOLEAN = "boolean"


_EQUALITY = frozenset({"eq", "ne"})
_ORDER = frozenset({"eq", "ne", "ge", "gt", "le", "lt"})


@dataclass(frozen=True, slots=True)
class Field:
    """``operators`` may hold ``startswith`` besides the comparisons."""

    kind: FieldKind
    operators: frozenset[str]


Fields = Mapping[str, Field]

_ID = Field(FieldKind.TEXT, _ORDER | {"startswith"})
_CHOICE = Field(FieldKind.CHOICE, _EQUALITY)
_TIME = Field(FieldKind.TIME, _ORDER)
_NUMBER = Field(FieldKind.NUMBER, _ORDER)
_BOOLEAN = Field(FieldKind.BOOLEAN, _EQUALITY)

POOL: Fields = {
    "id": _ID,
    "state": _CHOICE,
    "stateTransitionTime": _TIME,
    "allocationState": _CHOICE,
    "allocationStateTransitionTime": _TIME,
    "creationTime": _TIME,
    "lastModified": _TIME,
    "enableAutoScale": _BOOLEAN,
    "enableInterNodeCommunication": _BOOLEAN,
    "vmSize": _ID,
}

JOB: Fields = {
    "id": _ID,
    "state": _CHOICE,
    "stateTransitionTime": _TIME,
    "creationTime": _TIME,
    "lastModified": _TIME,
    "executionInfo/startTime": _TIME,
    "executionInfo/endTime": _TIME,
    "executionInfo/poolId": _ID,
}

SCHEDULE: Fields = {
    "id": _ID,
    "state": _CHOICE,
    "stateTransitionTime": _TIME,
    "creationTime": _TIME,
    "lastModified": _TIME,
    "executionInfo/endTime": _TIME,
    "schedule/doNotRunUntil": _TIME,
    "schedule/doNotRunAfter": _TIME,
}

# lastModifiedTime is how the service calls it here; lastModified is what tasks carry.
TASK: Fields = {
    "id": _ID,
    "state": _CHOICE,
    "stateTransitionTime": _TIME,
    "creationTime": _TIME,
    "lastModifiedTime": _TIME,
    "executionInfo/startTime": _TIME,
    "executionInfo/endTime": _TIME,
    "executionInfo/exitCode": _NUMBER,
    "executionInfo/result": _CHOICE,
}

NODE: Fields = {
    "state": _CHOICE,
    "stateTransitionTime": _TIME,
    "lastBootTime": _TIME,
    "allocationTime": _TIME,
    "startTaskInfo/state": _CHOICE,
    "startTaskInfo/result": _CHOICE,
    "startTaskInfo/exitCode": _NUMBER,
    "startTaskInfo/startTime": _TIME,
    "startTaskInfo/endTime": _TIME,
}

PREPARATION_AND_RELEASE: Fields = {
    "poolId": _ID,
    "nodeId": _ID,
    **{
        f"{task}ExecutionInfo/{name}": field
        for task in ("jobPreparationTask", "jobReleaseTask")
        for name, field in (
            ("state", _CHOICE),
            ("result", _CHOICE),
            ("exitCode", _NUMBER),
            ("startTime", _TIME),
            ("endTime", _TIME),
        )
    },
}

NODE_COUNTS: Fields = {"poolId": Field(FieldKind.TEXT, frozenset({"eq"}))}
USAGE_METRICS: Fields = {"poolId": _ID}
FILE: Fields = {"name": Field(FieldKind.TEXT, frozenset({"startswith"}))}
IMAGE: Fields = {
    "nodeAgentSKUId": _ID,
    "osType": _CHOICE,
    "verificationType": _CHOICE,
}

# Of versions that have these lists.
NODE_AGENT: Fields = {"id": _ID, "osType": _CHOICE}
CERTIFICATE: Fields = {"state": _CHOICE, "stateTransitionTime": _TIME}

# Names that differ between filter and resource.
ALIASES: Mapping[str, str] = {"lastModifiedTime": "lastModified"}
