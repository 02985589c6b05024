"""How API requests prove who they are: a bearer token, or the session of the signed-in page."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.core.messages import message_for
from apps.people.models import ApiToken, User
from apps.people.services.tokens import token_mark_used
from apps.people.tokens import digest_of, split_text


class ApiTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer bp_…`. A token of a team leaves the user anonymous; the token itself is the actor."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, ApiToken] | None:
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = _token(text.strip())
        if token is None:
            raise _failed("token-invalid")
        if token.revoked_at is not None:
            raise _failed("token-revoked")
        if not token.is_valid:
            raise _failed("token-expired")
        if token.user is not None and not token.user.is_active:
            raise _failed("token-owner-inactive")
        token_mark_used(token=token)
        return token.user or AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Batchportal"'


class PortalSessionAuthentication(SessionAuthentication):
    """The session cookie, with CSRF for everything that writes; an inactive or anonymous visitor is nobody."""


def _token(text: str) -> ApiToken | None:
    """The token with this text. Which reason an unknown one fails for is not told."""
    parts = split_text(text)
    if parts is None:
        return None
    prefix, secret = parts
    token = ApiToken.objects.select_related("user", "team").filter(prefix=prefix).first()
    expected = token.digest if token else digest_of("")
    return token if secrets.compare_digest(digest_of(secret), expected) and token else None


def _failed(code: str) -> AuthenticationFailed:
    return AuthenticationFailed(message_for(code, {}), code)
