"""The OpenAPI description: lists are paged, every route may answer with an error, and tokens are how one signs in."""

from __future__ import annotations

import inspect
import re
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from apps.core.api import PortalApi, PortalPagination


class ErrorDetail(serializers.Serializer[Any]):
    """What failed. `code` is stable; `message` is for people and follows Accept-Language."""

    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(required=False, help_text="The field it belongs to.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text="Messages by field."
    )
    reference = serializers.CharField(
        required=False, help_text="The id that Azure or the portal's log knows the error by."
    )
    service_code = serializers.CharField(required=False, help_text="Azure's own code.")


class ErrorOutput(serializers.Serializer[Any]):
    error = ErrorDetail()


LONGEST_SUMMARY = 90
# The resources, from the innermost of an address outwards.
_RESOURCES = [
    "nodes",
    "node-actions",
    "pools",
    "packages",
    "applications",
    "storage",
    "audit-events",
    "uploads",
    "operations",
    "accounts",
]


class PortalSchema(AutoSchema):
    """Adds what all routes share."""

    def get_tags(self) -> list[str]:
        """The resource that the address is about."""
        parts = self.path.split("/")
        return [next((name for name in _RESOURCES if name in parts), "people")]

    def get_description(self) -> str:  # type: ignore[override]
        """What the handler or the view says about itself; what its base says is not for callers."""
        handler = getattr(self.view, self.method.lower(), None)
        return inspect.cleandoc(getattr(handler, "__doc__", None) or type(self.view).__doc__ or "")

    def get_summary(self) -> str:
        """The first sentence of the description, for the line of the list; a route may state another."""
        first = re.split(r"[.;](?:\s|$)", " ".join(self.get_description().split()))[0]
        return first if len(first) <= LONGEST_SUMMARY else ""

    def _get_paginator(self) -> Any:
        """Lists are paged; what a POST lists is the answer as a whole."""
        return PortalPagination() if isinstance(self.view, PortalApi) and self.method == "GET" else None

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        failure = self._get_response_for_code(ErrorOutput, "4XX", direction=direction)  # type: ignore[no-untyped-call]
        statuses = {
            "401": "No token or session, or one that no longer counts.",
            "429": "Too many requests; Retry-After says for how many seconds.",
            "4XX": "The request was refused; `error.code` says why.",
            "5XX": "Azure or the portal failed; `error.reference` names the case.",
        }
        for status, description in statuses.items():
            bodies.setdefault(status, {**failure, "description": description})
        return bodies


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer bp_…`"""

    target_class = "apps.people.authentication.ApiTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, made in the portal."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the pages, with X-CSRFToken for everything that writes."""

    target_class = "apps.people.authentication.PortalSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
