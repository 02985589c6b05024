"""Pages for errors: what failed, why, and what to do next; never a traceback, a version or an internal name."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.core.exceptions import PortalError
from apps.core.http import wants_fragment

logger = logging.getLogger(__name__)


_HEADINGS = {403: _("Your role does not allow this"), 404: _("There is nothing at this address")}


def portal_error_response(
    request: HttpRequest, error: PortalError, account: Any = None, role: Any = None
) -> HttpResponse:
    """An expected error as a page or, for htmx, as the fragment that the page shows in its place.

    `account` and `role` are what the visitor may see the menu of.
    """
    template = "core/_error.html" if wants_fragment(request) else "core/error.html"
    heading = _HEADINGS.get(error.status, _("This did not work"))
    context = {"error": error, "heading": heading, "account": account, "role": role}
    return render(request, template, context, status=error.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug of ours: a neutral text and a reference that stands in the log beside the traceback."""
    reference = uuid.uuid4().hex[:12]
    logger.error("Error page shown, reference %s, path %s", reference, request.path)
    return render(request, "500.html", {"reference": reference}, status=500)
