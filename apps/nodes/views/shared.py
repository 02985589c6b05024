"""What the views of this app share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext

from apps.core.exceptions import PortalError
from apps.core.http import go_to
from apps.core.views import PortalView
from apps.operations.models import Operation


class NodesView(PortalView):
    """A page of one account's nodes."""

    abstract = True

    def address(self, route: str, /, **parts: Any) -> str:
        return reverse(f"nodes:{route}", kwargs={"account": self.account.slug, **parts})

    def to_operation(self, operation: Operation) -> HttpResponse:
        return go_to(self.request, operation.subject_url)


def show_error(form: forms.BaseForm, error: PortalError) -> None:
    """Put an error of a service where it belongs: at its field, or above the form."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, ValidationError(error_text(error), code=error.code))


def error_text(error: PortalError) -> Any:
    """The message, with a link where a running operation is the reason."""
    operation = error.values.get("operation")
    if not operation:
        return error.message
    address = reverse("operations:detail", kwargs={"operation": operation})
    return format_html('{} <a href="{}">{}</a>', error.message, address, gettext("See the operation"))


def short_id(node_id: str) -> str:
    """A node id that fits a column; ids of the service have 70 characters."""
    return node_id if len(node_id) <= 28 else f"{node_id[:14]}…{node_id[-8:]}"
