"""Running operations on an application as cards that renew themselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import etag

from apps.accounts.models import BatchAccount
from apps.applications.views.shared import AccountView, address
from apps.core.exceptions import NotVisible
from apps.operations.models import Operation, Status
from apps.operations.presentation import shown
from apps.operations.selectors import operation_get, operation_version
from apps.people.roles import Permission


class JobView(AccountView):
    """The card of one operation; its polls cost one query while nothing changes."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, request: Any, operation: uuid.UUID, **_: Any) -> HttpResponse:
        found = operation_get(actor=self.actor, operation_id=operation)
        if found.account_id != self.account.pk:
            raise NotVisible
        version = f'"{operation_version(found)}|{get_language()}"'
        answer = etag(lambda *_: version)(lambda _request: self._card(found))(request)
        answer["Cache-Control"] = "private, no-cache"
        return answer

    def _card(self, operation: Operation) -> HttpResponse:
        return self.page("components/job.html", job(self.account, operation))


def jobs(account: BatchAccount, operations: Iterable[Operation]) -> list[dict[str, Any]]:
    return [job(account, operation) for operation in operations]


def job(account: BatchAccount, operation: Operation) -> dict[str, Any]:
    """An operation as components/job.html takes it."""
    seen = shown(operation)
    card: dict[str, Any] = {
        "id": f"upload-{operation.pk}",
        "title": seen.title,
        "href": seen.url,
        "badge_text": seen.status_text,
        "badge_tone": seen.tone,
        "badge_icon": seen.icon,
    }
    if seen.is_active:
        return card | _progress(account, operation, seen)
    ended = {"note": seen.message, "note_tone": seen.tone}
    if operation.status == Status.SUCCEEDED and operation.subject_url:
        ended |= {"action_label": gettext("Show the result"), "action_href": operation.subject_url}
    return card | ended


def _progress(account: BatchAccount, operation: Operation, seen: Any) -> dict[str, Any]:
    names = ("phase", "tone", "percent", "first", "last", "done_text", "total_text", "speed", "left")
    return {name: getattr(seen, name) for name in names} | {
        "poll_url": job_url(account, operation),
        "note": _note(operation, seen),
    }


def _note(operation: Operation, seen: Any) -> str:
    started = gettext("Started by %(actor)s.") % {"actor": operation.actor_name}
    if seen.first != 100:
        return started
    return f"{started} {gettext('All bytes are with the server. You may close this page.')}"


def job_url(account: BatchAccount, operation: Operation) -> str:
    return address(account, "job", operation=str(operation.pk))
