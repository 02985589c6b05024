"""Writes down sign-ins, failures, locks and changes of credentials. Connected when the app is ready."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from apps.audit.models import Outcome
from apps.audit.services import audit_record, audit_record_visitor
from apps.people.actors import Actor
from apps.people.models import User
from apps.people.sign_in import attempted_name, client_address, person_named


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    audit_record(actor=Actor(user=user), action="sign-in", address=client_address(request))


@receiver(user_logged_out)
def signed_out(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        audit_record(actor=Actor(user=user), action="sign-out", address=client_address(request))


@receiver(user_login_failed)
def sign_in_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A refused try during a lock is not written again: the lock itself was."""
    if request is not None and not _refused_by_lock(request):
        _visitor(request, "sign-in-failed", attempted_name(request, credentials))


@receiver(user_locked_out)
def sign_in_locked(sender: Any, request: HttpRequest, username: str, **_: Any) -> None:
    """Written once, by the failure that closed the lock; axes also signals every try that a closed lock refuses."""
    if not _refused_by_lock(request):
        _visitor(request, "sign-in-locked", username)


def _refused_by_lock(request: HttpRequest) -> bool:
    """Whether the lock was closed before this try; the failure that closes it is still counted."""
    counted = getattr(request, "axes_failures_since_start", None) is not None
    return bool(getattr(request, "axes_locked_out", False)) and not counted


def _visitor(request: HttpRequest, action: str, name: str) -> None:
    # Only names that exist are kept: what else is typed into the field may be a password.
    person = person_named(name)
    audit_record_visitor(
        action=action,
        resource=person.username if person else "",
        outcome=Outcome.REFUSED,
        address=client_address(request),
    )


@receiver(authentication_failed)
def second_factor_failed(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    audit_record_visitor(
        action="second-factor-failed", resource=user.username, outcome=Outcome.REFUSED, address=client_address(request)
    )


@receiver([password_changed, password_set])
def changed_password(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    audit_record(actor=Actor(user=user), action="password-change", resource=user.username)


@receiver(password_reset)
def set_password_by_link(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    audit_record(
        actor=Actor(user=user), action="password-reset", resource=user.username, address=client_address(request)
    )


@receiver(authenticator_added)
def added_second_factor(sender: Any, user: User, authenticator: Any, **_: Any) -> None:
    audit_record(actor=Actor(user=user), action="second-factor-add", resource=user.username, type=authenticator.type)


@receiver(authenticator_removed)
def removed_second_factor(sender: Any, user: User, authenticator: Any, **_: Any) -> None:
    audit_record(actor=Actor(user=user), action="second-factor-remove", resource=user.username, type=authenticator.type)


@receiver(authenticator_reset)
def renewed_recovery_codes(sender: Any, user: User, authenticator: Any, **_: Any) -> None:
    audit_record(actor=Actor(user=user), action="recovery-codes-renew", resource=user.username)
