"""Errors that people meet. An error carries a stable code and values; `apps.core.messages` holds the words."""

from typing import Any

from apps.core.messages import message_for


class PortalError(Exception):
    """Something a person can understand and act on.

    `code` names the message; `values` fill its placeholders; `field` names the form or API field it belongs to.
    `reference` is the id that the service or our log knows it by.
    """

    code = "error"
    status = 400

    def __init__(self, code: str = "", *, field: str = "", reference: str = "", **values: Any) -> None:
        self.code = code or self.code
        self.field = field
        self.reference = reference
        self.values = values
        super().__init__(self.code, values)

    @property
    def message(self) -> str:
        return message_for(self.code, self.values)


class NotVisible(PortalError):
    """The thing does not exist for this actor, whether or not it exists for others."""

    code = "not-found"
    status = 404


class NotPermitted(PortalError):
    code = "not-permitted"
    status = 403


class Invalid(PortalError):
    """Input that breaks a rule; `field` says where."""

    code = "invalid"
    status = 422


class Conflict(PortalError):
    code = "conflict"
    status = 409
