from celery import shared_task

from apps.nodes.services.upkeep import secrets_purge, users_expire, users_follow


@shared_task(name="nodes.users")
def nodes_users_task() -> None:
    """Forget users that expired and passwords left behind; give new nodes the users that follow."""
    users_expire()
    secrets_purge()
    users_follow()
