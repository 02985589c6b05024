"""Celery's door to the poller."""

from celery import shared_task

from apps.accounts.models import BatchAccount
from apps.pools.polling import POLL_TASK, due_accounts, history_purge, poll_account, poll_send


@shared_task(name="pools.poll")
def pools_poll_task() -> None:
    """Send each account that is due to a worker. Coming late or twice does no harm: a poller holds a lease."""
    for account_id in due_accounts():
        poll_send(account_id)


@shared_task(name=POLL_TASK)
def poll_account_task(account_id: int) -> None:
    account = BatchAccount.objects.filter(pk=account_id).first()
    if account is not None:
        poll_account(account)


@shared_task(name="pools.purge")
def pools_purge_task() -> None:
    history_purge()
