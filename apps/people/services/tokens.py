"""API tokens: made once, shown once, kept as a hash.

People make tokens for themselves. A token of a team is made by portal administrators only: it goes on working when the
person who made it leaves the team, so making one is as weighty as adding a member. Every member may revoke it, which
only ever takes power away.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.audit.services import audit_record
from apps.core.exceptions import Invalid, NotPermitted, NotVisible
from apps.people.actors import Actor
from apps.people.models import ApiToken, Team
from apps.people.roles import Permission, Role
from apps.people.tokens import NewSecret, new_secret

logger = logging.getLogger(__name__)

DEFAULT_DAYS = 90
LONGEST_DAYS = 365
LAST_USED_EVERY = timedelta(minutes=5)


def token_create(
    *, actor: Actor, name: str, role: Role, days: int = DEFAULT_DAYS, team: Team | None = None
) -> tuple[ApiToken, str]:
    """A new token and its full text, which is nowhere to be had again.

    `days` is the time to expiry, 1 to 365. Raises `Invalid` with field `name` or `days`, and `NotPermitted` for tokens
    that would make tokens and for team tokens of anybody but a portal administrator.
    """
    _require_maker(actor, team)
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid("token-days", field="days", longest=LONGEST_DAYS)
    owner = {"team": team} if team else {"user": actor.user}
    with transaction.atomic():
        if ApiToken.objects.filter(name__iexact=name, revoked_at__isnull=True, **owner).exists():
            raise Invalid("token-name-taken", field="name", name=name)
        secret = _unused_secret()
        token = ApiToken.objects.create(
            name=name,
            role=role,
            prefix=secret.prefix,
            digest=secret.digest,
            created_by=actor.user,
            expires_at=timezone.now() + timedelta(days=days),
            **owner,
        )
        audit_record(
            actor=actor, action="token-create", resource=str(token), role=role.value, days=days, team=str(team or "")
        )
    return token, secret.text


def token_revoke(*, actor: Actor, token: ApiToken) -> None:
    """End a token now: one's own, one of one's team's, or any for a portal administrator. Twice is no error."""
    own = actor.user is not None and actor.token is None and token.user_id == actor.user.pk
    member = actor.token is None and token.team_id in actor.teams
    if not (own or member or actor.is_portal_administrator):
        raise NotVisible
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            audit_record(actor=actor, action="token-revoke", resource=str(token))


def token_mark_used(*, token: ApiToken) -> None:
    """Note that a token was used, at most once in five minutes.

    The one write that a GET may cause. It is bookkeeping, not an effect of the request: losing it is harmless, so a
    busy database costs the note and not the answer.
    """
    now = timezone.now()
    if token.last_used_at and now - token.last_used_at < LAST_USED_EVERY:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_EVERY)
    try:
        with transaction.atomic():
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    except DatabaseError:
        logger.warning("The use of token %s could not be noted.", token.prefix)


def _require_maker(actor: Actor, team: Team | None) -> None:
    if actor.token or actor.user is None:
        raise NotPermitted("token-by-token")
    actor.require(Permission.MANAGE_PORTAL if team else Permission.SIGNED_IN)


def _unused_secret() -> NewSecret:
    while True:
        secret = new_secret()
        if not ApiToken.objects.filter(prefix=secret.prefix).exists():
            return secret
