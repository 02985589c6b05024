"""What the account pages share."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from apps.accounts.models import BatchAccount


def address(account: BatchAccount, name: str, **parts: str) -> str:
    return reverse(f"accounts:{name}", kwargs={"account": account.slug, **parts})


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """On to another page after a form, whether it was sent by htmx or by the browser."""
    return HttpResponseClientRedirect(url) if request.headers.get("HX-Request") else redirect(url)
