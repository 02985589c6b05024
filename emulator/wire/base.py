"""What all shapes have in common, and reading them out of a request."""

import re
from typing import Any, NoReturn, TypeVar

import msgspec

from emulator.errors import ServiceError


class Shape(msgspec.Struct, rename="camel", omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """An object of the wire. What is None is absent; a default the service shows is filled in when a thing is made."""


S = TypeVar("S", bound=Shape)

_AT = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")


def read(body: object, shape: type[S]) -> S:
    """The shape of a JSON object. Numbers and booleans may come as text, as some clients send them; null is absent,
    and so are OData's annotations, which clients send back with what they were given.

    Raises MissingRequiredProperty, InvalidPropertyValue or, for a property the service does not know,
    InvalidRequestBody, each naming the property.
    """
    cleaned = _plain(body)
    try:
        return msgspec.convert(cleaned, shape, strict=False)
    except msgspec.ValidationError as error:
        refuse(str(error), cleaned)


def refuse(problem: str, body: object) -> NoReturn:
    """Raise the service's error for a problem as msgspec words it."""
    at = _AT.search(problem)
    path = at[1] if at else ""
    reason = _AT.sub("", problem)
    if match := _MISSING.search(reason):
        name = _joined(path, match[1])
        raise ServiceError(
            "MissingRequiredProperty",
            f"The required property '{name}' is missing from the request body.",
            values={"PropertyName": name},
        )
    if match := _UNKNOWN.search(reason):
        name = _joined(path, match[1])
        raise ServiceError(
            "InvalidRequestBody", values={"PropertyName": name, "Reason": f"The property '{name}' does not exist."}
        )
    raise invalid(path, reason, _value_at(body, path))


def invalid(name: str, reason: str, value: object = None) -> ServiceError:
    """The error for a property whose value is wrong."""
    values = {"PropertyName": name or "body", "Reason": reason}
    if value is not None and not isinstance(value, dict | list):
        values["PropertyValue"] = str(value)
    return ServiceError("InvalidPropertyValue", values=values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _plain(item)
            for key, item in value.items()
            if item is not None and not (isinstance(key, str) and key.startswith("odata."))
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _value_at(body: Any, path: str) -> object:
    found = body
    for name in re.findall(r"\w+", path):
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found.get(name)
        else:
            return None
    return found
