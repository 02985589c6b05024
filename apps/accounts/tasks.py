from celery import shared_task

from apps.accounts.models import AuthMethod, BatchAccount
from apps.accounts.services.accounts import snapshot_refresh
from apps.people.actors import system_actor


@shared_task(name="accounts.refresh")
def accounts_refresh_task() -> None:
    """Keep each account's last known properties, for pages while Azure is away. Coming late or twice does no harm."""
    for account in BatchAccount.objects.exclude(auth_method=AuthMethod.SHARED_KEY).iterator():
        snapshot_refresh(actor=system_actor(), account=account)
