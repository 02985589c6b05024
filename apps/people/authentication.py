"""How API requests prove who they are: a bearer token, or the session of the signed-in page."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from apps.people.models import ApiToken, User


class ApiTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer bp_…`"""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Batchportal"'


class PortalSessionAuthentication(SessionAuthentication):
    """The session cookie, with CSRF for everything that writes."""
