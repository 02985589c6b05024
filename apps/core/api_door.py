"""The API's door: who gets in, and how often.

In a module of its own, because REST framework imports it while it defines the view that apps.core.api extends.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.people.models import ApiToken
from apps.people.roles import Permission


class SignedIn(BasePermission):
    """A person or a valid token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.auth) or request.user.is_authenticated


class DeclaredPermission(SignedIn):
    """The default of every route: signed in, and the route states its permission, as every `PortalApi` does."""

    def has_permission(self, request: Request, view: Any) -> bool:
        stated = getattr(view, "permission", None)
        return super().has_permission(request, view) and isinstance(stated, Permission | dict)


class ActorThrottle(BaseThrottle):
    """At most API_REQUESTS_PER_MINUTE requests of one token or person, counted by the clock's minute.

    It keeps a pipeline that runs wild from slowing everybody. Where Redis is away nothing is counted and all is let in.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        key = f"api-rate:{_caller(request)}:{int(time.time() // 60)}"
        try:
            cache.add(key, 0, timeout=120)
            count = cache.incr(key)
        except ValueError:  # the cache lost the key, or is not there
            return True
        return not count or count <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return 60 - time.time() % 60


def _caller(request: Request) -> str:
    return f"token-{request.auth.pk}" if isinstance(request.auth, ApiToken) else f"user-{request.user.pk}"
