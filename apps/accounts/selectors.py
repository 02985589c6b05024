from django.db.models import QuerySet

from apps.accounts.connections import connection_for as connection_for
from apps.accounts.models import BatchAccount
from apps.core.exceptions import NotVisible
from apps.people.actors import Actor


def account_list(*, actor: Actor) -> QuerySet[BatchAccount]:
    """The accounts on which the actor has any role."""
    accounts = BatchAccount.objects.all()
    return accounts if actor.is_portal_administrator else accounts.filter(pk__in=list(actor.roles))


def account_get(*, actor: Actor, slug: str) -> BatchAccount:
    """One account by slug. Raises `NotVisible` for an unknown one and for a stranger alike."""
    account = account_list(actor=actor).filter(slug=slug).first()
    if account is None:
        raise NotVisible()
    return account
