from celery import shared_task

from apps.people.services.password_mail import password_mail_send


@shared_task(name="people.password_mail", acks_late=False, expires=600)
def password_mail_task(email: str, base_url: str) -> None:
    """Not repeated after a crash: two mails would confuse more than one that has to be asked for again."""
    password_mail_send(email=email, base_url=base_url)
