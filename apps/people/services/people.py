"""People: portal administrators add, change, deactivate and unlock them; everybody keeps their own profile."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, Invalid
from apps.people.actors import Actor
from apps.people.models import User
from apps.people.roles import Permission
from apps.people.services.password_mail import password_link_path
from apps.people.sign_in import unlock
from apps.people.ssh_keys import clean_public_key


@dataclass(frozen=True, kw_only=True)
class PersonInput:
    """What a portal administrator enters about a person."""

    username: str
    email: str
    first_name: str = ""
    last_name: str = ""
    is_superuser: bool = False


@dataclass(frozen=True, kw_only=True)
class ProfileInput:
    """What people enter about themselves."""

    email: str
    first_name: str
    last_name: str
    theme: str
    language: str
    time_zone: str
    ssh_public_key: str = ""


def person_create(*, actor: Actor, data: PersonInput, password: str = "") -> User:
    """Add a person; without a password they set one by the link of `password_link`.

    Raises `Invalid` with field `username` or `email` where another person has it.
    """
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        _require_free(data.username, data.email)
        user = User(
            username=data.username,
            email=data.email.lower(),
            first_name=data.first_name,
            last_name=data.last_name,
            is_superuser=data.is_superuser,
        )
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save()
        audit_record(
            actor=actor, action="person-create", resource=user.username, portal_administrator=data.is_superuser
        )
    return user


def person_update(*, actor: Actor, user: User, data: PersonInput) -> User:
    """Change a person. Raises `Conflict` where the portal would be left without an administrator."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        user = _locked(user)
        _require_free(data.username, data.email, besides=user)
        if user.is_superuser and not data.is_superuser:
            _require_other_administrator(actor, user)
        before = PersonInput(
            username=user.username,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            is_superuser=user.is_superuser,
        )
        _email_set(user, data.email)
        user.username, user.first_name, user.last_name = data.username, data.first_name, data.last_name
        user.is_superuser = data.is_superuser
        user.save()
        changed = sorted(name for name in vars(before) if getattr(before, name) != getattr(data, name))
        audit_record(
            actor=actor,
            action="person-update",
            resource=user.username,
            changed=changed,
            portal_administrator=user.is_superuser,
        )
    return user


def person_deactivate(*, actor: Actor, user: User) -> None:
    """Close a person's access: sessions end and personal tokens are revoked, now and for good."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        user = _locked(user)
        if actor.user and actor.user.pk == user.pk:
            raise Conflict("person-self-deactivate")
        if user.is_superuser:
            _require_other_administrator(actor, user)
        user.is_active = False
        user.session_generation = F("session_generation") + 1
        user.save(update_fields=["is_active", "session_generation"])
        revoked = user.tokens.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        audit_record(actor=actor, action="person-deactivate", resource=user.username, tokens_revoked=revoked)


def person_activate(*, actor: Actor, user: User) -> None:
    """Let a person sign in again. Roles and teams are as they were; sessions and tokens do not come back."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=True)
        audit_record(actor=actor, action="person-activate", resource=user.username)


def person_unlock(*, actor: Actor, user: User) -> None:
    """Lift the locks that failed sign-ins put on a person, from whatever address."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        unlock(user)
        audit_record(actor=actor, action="person-unlock", resource=user.username)


def second_factor_reset(*, actor: Actor, user: User) -> None:
    """Remove authenticator and recovery codes of a person who lost them."""
    actor.require(Permission.MANAGE_PORTAL)
    with transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk).delete()
        audit_record(actor=actor, action="second-factor-reset", resource=user.username)


def password_link(*, actor: Actor, user: User) -> str:
    """The path by which a person sets a password once, within PASSWORD_RESET_TIMEOUT seconds.

    Using it, signing in or changing the address makes it void; nothing is stored. Raises `Conflict` for an inactive
    person, who could not sign in afterwards.
    """
    actor.require(Permission.MANAGE_PORTAL)
    if not user.is_active:
        raise Conflict("person-inactive")
    with transaction.atomic():
        audit_record(actor=actor, action="password-link-create", resource=user.username)
    return password_link_path(user)


def profile_update(*, actor: Actor, data: ProfileInput) -> User:
    """Change one's own profile. Raises `Invalid` with field `email` where another person has it."""
    actor.require(Permission.SIGNED_IN)
    if actor.user is None:
        raise Invalid("profile-of-person")
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=actor.user.pk)
        _require_free(user.username, data.email, besides=user)
        email_changed = user.email != data.email.lower()
        _email_set(user, data.email)
        user.first_name, user.last_name = data.first_name, data.last_name
        user.theme, user.language, user.time_zone = data.theme, data.language, data.time_zone
        user.ssh_public_key = data.ssh_public_key
        user.save()
        if email_changed:
            audit_record(actor=actor, action="email-change", resource=user.username)
    return user


def ssh_key_keep(*, actor: Actor, ssh_public_key: str) -> None:
    """Keep an SSH public key in one's own profile. Raises `Invalid` at `ssh_public_key`; a token has no profile."""
    actor.require(Permission.SIGNED_IN)
    if actor.user:
        text = clean_public_key(ssh_public_key).text
        User.objects.filter(pk=actor.user.pk).update(ssh_public_key=text)


def theme_set(*, actor: Actor, theme: str) -> None:
    """Remember the theme of a person."""
    actor.require(Permission.SIGNED_IN)
    if actor.user:
        User.objects.filter(pk=actor.user.pk).update(theme=theme)


def sessions_end(*, actor: Actor) -> User:
    """End every session of the person who acts; the caller keeps its own by hashing it anew. Returns the person."""
    actor.require(Permission.SIGNED_IN)
    if actor.user is None:
        raise Invalid("profile-of-person")
    with transaction.atomic():
        User.objects.filter(pk=actor.user.pk).update(session_generation=F("session_generation") + 1)
        audit_record(actor=actor, action="sessions-end", resource=actor.user.username)
    return User.objects.get(pk=actor.user.pk)


def _require_free(username: str, email: str, besides: User | None = None) -> None:
    others = User.objects.exclude(pk=besides.pk) if besides else User.objects.all()
    if others.filter(username__iexact=username).exists():
        raise Invalid("username-taken", field="username", username=username)
    if others.filter(email__iexact=email).exists():
        raise Invalid("email-taken", field="email", email=email)


def _locked(user: User) -> User:
    """The person, locked together with all portal administrators: two of them cannot remove each other at once."""
    rows = User.objects.select_for_update().filter(Q(pk=user.pk) | Q(is_superuser=True)).order_by("pk")
    return next(row for row in rows if row.pk == user.pk)


def _require_other_administrator(actor: Actor, user: User) -> None:
    if actor.user and actor.user.pk == user.pk:
        raise Conflict("portal-administrator-self")
    if not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists():
        raise Conflict("portal-administrator-last")


def _email_set(user: User, email: str) -> None:
    """allauth remembers addresses beside the person; one that was left behind would still sign them in."""
    if user.email != email.lower():
        EmailAddress.objects.filter(user_id=user.pk).delete()
        user.email = email.lower()
