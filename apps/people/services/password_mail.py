"""Links to set a password: made for somebody, or sent to whoever says they forgot theirs."""

from __future__ import annotations

from urllib.parse import urljoin

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from celery import current_app
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from apps.core.exceptions import PortalError
from apps.people.models import User


class MailUnavailable(PortalError):
    """Mail cannot be queued now."""

    code = "mail-unavailable"
    status = 503


def password_link_path(user: User) -> str:
    """The path of the page where this person sets a password; holds the proof that they may."""
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})


def password_mail_request(*, email: str, base_url: str) -> None:
    """Have a link sent to this address, if anybody has it. The work is a task so that both cases take as long.

    Anonymous by nature, so it takes no actor. `base_url` is the portal's address as the visitor typed it, which Django
    checked against ALLOWED_HOSTS. Raises `MailUnavailable` while the broker is away.
    """
    try:
        current_app.send_task("people.password_mail", args=[email, base_url], expires=600)
    except OperationalError as error:
        raise MailUnavailable from error


def password_mail_send(*, email: str, base_url: str) -> int:
    """Send the link to each active person with this address (one at most). Returns how many were sent."""
    people = list(User.objects.filter(email__iexact=email, is_active=True))
    for user in people:
        with translation.override(user.language or None):
            body = render_to_string(
                "people/password_mail.txt", {"person": user, "link": urljoin(base_url, password_link_path(user))}
            )
            send_mail(_("Set a new password for Batchportal"), body, None, [user.email])
    return len(people)
