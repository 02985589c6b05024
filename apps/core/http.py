"""Requests as the portal's views see them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.views.decorators.http import etag
from django_htmx.http import HttpResponseClientRedirect

from apps.people.actors import Actor
from apps.people.models import ApiToken, User

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class PortalRequest(HttpRequest):
    """A request of a signed-in person."""

    htmx: HtmxDetails
    user: User


def wants_fragment(request: HttpRequest) -> bool:
    """Whether the answer is a fragment: an htmx request that is not a boosted page change or a history miss."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def unless_known(request: HttpRequest, version: str, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer with an ETag, or 304 where the poll of a live page has this version already.

    Only polls are spared: a person who opens or reloads a page gets it whole. `version` is about what is shown; address
    and language are added here.
    """
    if "X-Poll" not in request.headers:
        return answer()
    asked = f"{version}|{request.get_full_path()}|{get_language()}"
    tag = f'"{hashlib.sha256(asked.encode()).hexdigest()[:32]}"'
    response: HttpResponse = etag(lambda *_: tag)(lambda _request: answer())(request)
    response["Cache-Control"] = "private, no-cache"
    return response


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """On to another page after a form, whether htmx has sent it (then out of a dialog too) or the browser."""
    return HttpResponseClientRedirect(url) if wants_fragment(request) else HttpResponseRedirect(url)


def actor_of(request: HttpRequest) -> Actor:
    """The actor behind a request, made once per request. Raises `ValueError` for an anonymous one."""
    known: Actor | None = getattr(request, "portal_actor", None)
    if known is None:
        user = request.user if isinstance(request.user, User) and request.user.is_authenticated else None
        token = getattr(request, "auth", None)
        known = Actor(user=user, token=token if isinstance(token, ApiToken) else None)
        request.portal_actor = known  # type: ignore[attr-defined]
    return known
