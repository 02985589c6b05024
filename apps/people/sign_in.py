"""Who knocks: the caller's address behind proxies, the name that was tried, and the lock after too many failures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.people.models import User

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound: a stand-in where the server names no address


def client_address(request: HttpRequest) -> str:
    """The caller's IP address.

    Each trusted proxy appends the address it was called from to X-Forwarded-For, so the entry that the outermost of
    them wrote is counted from the right; what a caller put there himself stands further left and is never read.
    """
    count = settings.TRUSTED_PROXY_COUNT
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if count else []
    candidate = forwarded[-count] if count and len(forwarded) >= count else ""
    return _clean_address(candidate) or _clean_address(request.META.get("REMOTE_ADDR", "")) or UNKNOWN_ADDRESS


def _clean_address(text: str) -> str:
    """An address in its canonical form, without port, brackets or zone; empty where the text is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def attempted_name(request: HttpRequest | None, credentials: Mapping[str, Any] | None = None) -> str:
    """The name that failures are counted under: the person's user name, whether they typed it or their address.

    An unknown name counts under itself, so that a lock says nothing about who exists.
    """
    typed = request.POST.get("login", "") if request is not None else ""
    known = credentials or {}
    typed = typed or known.get("username") or known.get("login") or known.get("email") or ""
    typed = str(typed).replace("\0", "").strip()[:255]
    person = person_named(typed)
    return (person.username if person else typed).lower()


def person_named(name: str) -> User | None:
    """The person with this user name or email address, in any case."""
    if not name:
        return None
    return User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).first()


def locked_until(request: HttpRequest, credentials: Mapping[str, Any] | None) -> datetime:
    """When the lock on this name and address ends: as soon as the failures that still count fall below the limit."""
    attempts = AccessAttempt.objects.filter(
        username=attempted_name(request, credentials),
        ip_address=client_address(request),
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME,
    )
    rows = list(attempts.order_by("attempt_time").values_list("attempt_time", "failures_since_start"))
    left = sum(failures for _at, failures in rows)
    ends: datetime = timezone.now() + settings.AXES_COOLOFF_TIME
    for at, failures in rows:
        left -= failures
        if left < settings.AXES_FAILURE_LIMIT:
            ends = at + settings.AXES_COOLOFF_TIME
            break
    return ends


def address_exhausted(request: HttpRequest) -> bool:
    """Whether too many failures came from this address, under whatever names."""
    counted = AccessAttempt.objects.filter(
        ip_address=client_address(request), attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    failures = counted.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
    return bool(failures >= settings.SIGN_IN_FAILURE_LIMIT_PER_ADDRESS)


def second_factor_locked(user: User) -> bool:
    """Whether too many wrong codes were entered for a person, from whatever address.

    Only somebody who knows the password gets this far, so this cannot keep a colleague out.
    """
    events = AuditEvent.objects.filter(
        resource=user.username,
        action__in=["second-factor-failed", "person-unlock"],
        at__gte=timezone.now() - settings.AXES_COOLOFF_TIME,
    )
    newest = list(events.order_by("-at", "-id").values_list("action", flat=True)[: settings.AXES_FAILURE_LIMIT])
    return newest == ["second-factor-failed"] * settings.AXES_FAILURE_LIMIT


def is_locked(user: User) -> bool:
    """Whether sign-in is locked for a person from any address."""
    counted = AccessAttempt.objects.filter(
        username=user.username.lower(), attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    sums = counted.values("ip_address").annotate(failures=Sum("failures_since_start"))
    return bool(sums.filter(failures__gte=settings.AXES_FAILURE_LIMIT).exists()) or second_factor_locked(user)


def locked_response(
    request: HttpRequest, original_response: HttpResponse | None, credentials: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The page instead of the form while a name is locked for this address."""
    until = locked_until(request, credentials)
    response = render(request, "account/locked.html", {"until": until}, status=429)
    response["Retry-After"] = str(max(1, int((until - timezone.now()).total_seconds()) + 1))
    return response


def unlock(user: User) -> int:
    """Forget the failures counted against a person. Returns how many counters went."""
    return int(AxesProxyHandler.reset_attempts(username=user.username.lower()))
