"""What the account pages share."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.models import BatchAccount
from apps.core.exceptions import PortalError


def address(account: BatchAccount, name: str, **parts: str) -> str:
    return reverse(f"accounts:{name}", kwargs={"account": account.slug, **parts})


def asks_again(request: HttpRequest) -> bool:
    """Whether Refresh was pressed: Azure is asked even though a recent answer is known."""
    return "again" in request.GET


def again_query(request: HttpRequest) -> str:
    """What a page that was refreshed adds to the addresses of its fragments."""
    return "?again=1" if asks_again(request) else ""


def form_status(error: PortalError) -> int:
    """The status of a form that comes back with an error: one of the two with which htmx shows it."""
    return 409 if error.status == 409 else 422
