"""The API's door, in a module of its own: REST framework imports it while it defines the view that apps.core.api extends."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.people.roles import Permission


class SignedIn(BasePermission):
    """A person or a valid token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.auth) or bool(request.user and request.user.is_authenticated)


class DeclaredPermission(SignedIn):
    """The default of every route: signed in, and the route states its permission, as every `PortalApi` does."""

    def has_permission(self, request: Request, view: Any) -> bool:
        stated = getattr(view, "permission", None)
        return super().has_permission(request, view) and isinstance(stated, Permission | dict)
