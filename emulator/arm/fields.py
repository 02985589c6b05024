"""Reads request bodies of the management plane, naming the property that is wrong."""

from collections.abc import Collection
from typing import Any

from emulator.errors import ServiceError


class Fields:
    """A JSON object of a request. Absent and null read alike; ``has`` tells them apart."""

    def __init__(self, body: object, path: str = "") -> None:
        if not isinstance(body, dict):
            raise _wrong(path or "body", "must be an object")
        self._body: dict[str, Any] = body
        self._path = path

    def has(self, name: str) -> bool:
        return name in self._body

    def _name(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def text(self, name: str, *, longest: int | None = None, choices: Collection[str] = ()) -> str | None:
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise _wrong(self._name(name), "must be a string")
        if longest is not None and len(value) > longest:
            raise _wrong(self._name(name), f"must have at most {longest} characters")
        return self._chosen(name, value, choices) if choices else value

    def required_text(self, name: str, *, choices: Collection[str] = ()) -> str:
        value = self.text(name, choices=choices)
        if not value:
            raise ServiceError(
                "MissingRequiredProperty",
                f"The required property '{self._name(name)}' is missing.",
                values={"PropertyName": self._name(name)},
            )
        return value

    def boolean(self, name: str) -> bool | None:
        value = self._body.get(name)
        if value is not None and not isinstance(value, bool):
            raise _wrong(self._name(name), "must be true or false")
        return value

    def texts(self, name: str, *, choices: Collection[str] = ()) -> list[str] | None:
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _wrong(self._name(name), "must be a list of strings")
        return [self._chosen(name, item, choices) if choices else item for item in value]

    def table(self, name: str) -> dict[str, str] | None:
        """An object whose values are all strings, such as tags."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise _wrong(self._name(name), "must be an object of strings")
        return value

    def raw(self, name: str) -> dict[str, Any] | None:
        """An object that is kept as it is."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, dict):
            raise _wrong(self._name(name), "must be an object")
        return value

    def fields(self, name: str) -> "Fields":
        """The nested object, empty when it is absent."""
        value = self._body.get(name)
        return Fields({} if value is None else value, self._name(name))

    def _chosen(self, name: str, value: str, choices: Collection[str]) -> str:
        for choice in choices:
            if value.lower() == choice.lower():
                return choice
        raise _wrong(self._name(name), f"must be one of {', '.join(choices)}, not {value}")


def _wrong(name: str, rule: str) -> ServiceError:
    return ServiceError(
        "InvalidRequestContent", f"The property '{name}' {rule}.", values={"PropertyName": name, "Reason": rule}
    )
