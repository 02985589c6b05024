"""Access tokens: shaped like those of Entra ID, carrying its claims, but not signed."""

import base64
import binascii
from typing import Any

import msgspec

from emulator.clock import Clock
from emulator.errors import Plane, ServiceError

LIFETIME = 3600

_AUDIENCES = {
    Plane.ARM: ("https://management.azure.com", "https://management.core.windows.net"),
    Plane.DATA: ("https://batch.core.windows.net",),
}
_KIND = "batch-emulator"


class Tokens:
    def __init__(self, clock: Clock, require_issuer: str | None) -> None:
        self._clock = clock
        self._require_issuer = require_issuer

    def issue(self, *, issuer: str, tenant: str, audience: str, application: str) -> tuple[str, int]:
        """A token and the Unix time of its expiry."""
        now = int(self._clock.wall().timestamp())
        expiry = now + LIFETIME
        claims = {
            "aud": audience,
            "iss": issuer,
            "iat": now,
            "nbf": now - 300,
            "exp": expiry,
            "appid": application,
            "oid": application,
            "tid": tenant,
            "idtyp": "app",
            "ver": "1.0",
        }
        header = {"typ": "JWT", "alg": "none", "kid": _KIND}
        return f"{_segment(header)}.{_segment(claims)}.{_KIND}", expiry

    def check(self, token: str, plane: Plane) -> None:
        """Any token is welcome unless an issuer is required. One issued here must be in date and for this plane."""
        header, claims = _opened(token)
        if self._require_issuer and not str(claims.get("iss", "")).startswith(self._require_issuer):
            raise ServiceError("InvalidAuthenticationToken", "The access token is from the wrong issuer.")
        if header.get("kid") != _KIND:
            return
        if claims.get("exp", 0) <= self._clock.wall().timestamp():
            raise ServiceError("ExpiredAuthenticationToken")
        if str(claims.get("aud", "")).rstrip("/") not in _AUDIENCES[plane]:
            raise ServiceError("InvalidAuthenticationTokenAudience")


def audience_of_scope(scope: str) -> str:
    """``https://batch.core.windows.net//.default`` is for ``https://batch.core.windows.net``."""
    return scope.split(maxsplit=1)[0].removesuffix(".default").rstrip("/") if scope.strip() else ""


def _segment(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode()


def _opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        header, claims = (_claims(part) for part in token.split(".")[:2])
    except (ValueError, binascii.Error, msgspec.DecodeError, UnicodeError):
        return {}, {}
    return header, claims


def _claims(segment: str) -> dict[str, Any]:
    padded = segment + "=" * (-len(segment) % 4)
    return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=dict[str, Any])
