"""Pages of operations: the blade, the details, the bell."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language, gettext
from django.views.decorators.http import etag

from apps.accounts.selectors import account_list
from apps.core.http import go_to, wants_fragment
from apps.core.views import PortalView
from apps.operations import selectors, services
from apps.operations.models import Kind, Operation, Status
from apps.operations.presentation import event_line, shown
from apps.people.roles import Permission

PAGE_SIZE = 25


class OperationListView(PortalView):
    """All operations of the accounts that the person may see, or of one account."""

    http_method_names = ["get", "head", "options"]
    permission = Permission.SIGNED_IN

    def get(self, request: Any, account: str = "") -> HttpResponse:
        query = request.GET
        narrowed = selectors.OperationFilter(
            search=query.get("q", "").strip()[:200],
            status=query.get("status", ""),
            kind=query.get("kind", ""),
            account=account or query.get("account", ""),
            mine=query.get("mine") == "1",
        )
        rows = selectors.operation_list(actor=self.actor, narrowed=narrowed)
        if not wants_fragment(request):
            return self._list(rows, account)
        version = f'"{selectors.list_version(rows)}|{get_language()}"'
        return private(etag(lambda *_: version)(lambda _request: self._list(rows, account))(request))

    def _list(self, rows: QuerySet[Operation], account: str) -> HttpResponse:
        page = Paginator(rows, PAGE_SIZE).get_page(self.request.GET.get("page"))
        found = [shown(operation) for operation in page.object_list]
        page.object_list = found  # type: ignore[assignment]  # the same page with its rows in words
        context = {"page": page, "filters": self._filters(account), "live": any(one.is_active for one in found)}
        return self.page_or_fragment("operations/list.html", "operations/_list.html", context)

    def _filters(self, account: str) -> list[dict[str, Any]]:
        statuses = [("active", gettext("Under way")), *Status.choices]
        filters: list[dict[str, Any]] = [
            {"name": "status", "label": gettext("Status"), "choices": statuses},
            {"name": "kind", "label": gettext("Kind"), "choices": Kind.choices},
            {"name": "mine", "label": gettext("Started by"), "choices": [("1", gettext("Me"))]},
        ]
        accounts = [] if account else list(account_list(actor=self.actor))
        if len(accounts) > 1:
            choices = [(one.slug, str(one)) for one in accounts]
            filters.append({"name": "account", "label": gettext("Batch account"), "choices": choices})
        return filters


class OperationView(PortalView):
    """A page about one operation; who has no role on its account gets 404."""

    abstract: ClassVar[bool] = True
    operation: Operation

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.operation_id: uuid.UUID = kwargs["operation"]
        return super().dispatch(request, *args, **kwargs)

    def _authorize(self, method: str) -> None:
        super()._authorize(method)
        self.operation = selectors.operation_get(actor=self.actor, operation_id=self.operation_id)
        self.account = self.operation.account

    def to_operation(self, operation: Operation) -> HttpResponse:
        return go_to(self.request, reverse("operations:detail", kwargs={"operation": operation.pk}))

    def details(self) -> HttpResponse:
        operation = self.operation
        events = selectors.operation_events(actor=self.actor, operation=operation)
        context = {
            "operation": operation,
            "shown": shown(operation),
            "events": [event_line(one, operation) for one in events],
            "may_control": selectors.may_control(self.actor, operation),
            "can_retry": selectors.operation_can_retry(operation),
            "retries": list(operation.retries.all()),
        }
        return self.page_or_fragment("operations/detail.html", "operations/_detail.html", context)


class OperationDetailView(OperationView):
    """The details, and the fragment of them that renews itself until the operation has ended."""

    http_method_names = ["get", "head", "options"]
    permission = Permission.SIGNED_IN

    def get(self, request: Any, **_: Any) -> HttpResponse:
        if not wants_fragment(request):
            return self.details()
        version = f'"{selectors.operation_version(self.operation)}|{get_language()}"'
        answer = etag(lambda *_: version)(lambda _request: self.details())(request)
        return private(answer)


class OperationCancelView(OperationView):
    """A question before, the cancellation after."""

    http_method_names = ["get", "head", "options", "post"]
    permission = Permission.SIGNED_IN

    def get(self, _request: Any, **_: Any) -> HttpResponse:
        services.require_cancellable(actor=self.actor, operation=self.operation)
        return self.page("operations/cancel.html", {"operation": self.operation, "shown": shown(self.operation)})

    def post(self, _request: Any, **_: Any) -> HttpResponse:
        services.operation_cancel(actor=self.actor, operation=self.operation)
        return self.to_operation(self.operation)


class OperationRetryView(OperationView):
    """Does the same work again, as a new operation."""

    http_method_names = ["options", "post"]
    permission = Permission.SIGNED_IN

    def post(self, _request: Any, **_: Any) -> HttpResponse:
        again = services.operation_retry(actor=self.actor, operation=self.operation)
        return self.to_operation(again)


class BellView(PortalView):
    """The list under the bell, and a toast for each operation of the person's that ended since the last poll."""

    http_method_names = ["get", "head", "options"]
    permission = Permission.SIGNED_IN

    def get(self, request: Any) -> HttpResponse:
        version = f'"{selectors.bell_version(actor=self.actor)}|{get_language()}"'
        return private(etag(lambda *_: version)(lambda _request: self.bell())(request))

    def bell(self) -> HttpResponse:
        found = selectors.bell(actor=self.actor)
        since = _moment(self.request.GET.get("since", ""))
        ended = [operation.ended_at for operation in found["ended"] if operation.ended_at]
        # Polls ask for what ended after the newest end that this answer shows.
        latest = max([*ended, *([since] if since else [])], default=None)
        context = {
            "active": [shown(operation) for operation in found["active"]],
            "ended": [shown(operation) for operation in found["ended"]],
            "unseen": found["unseen"],
            "count": len(found["active"]) + found["unseen"],
            "toasts": [shown(one) for one in found["ended"] if since and one.ended_at and one.ended_at > since],
            "poll_url": f"{reverse('operations:bell')}?since={(latest or EPOCH).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}",
            # Whoever has nothing running is asked about less often.
            "seconds": 3 if found["active"] else 15,
        }
        return self.page("operations/_bell.html", context)


class BellSeenView(BellView):
    """Takes note that the person has seen how their operations ended."""

    http_method_names = ["options", "post"]
    permission = Permission.SIGNED_IN

    def post(self, request: Any) -> HttpResponse:
        services.operations_seen(actor=self.actor)
        if wants_fragment(request):
            return self.bell()
        return redirect("operations:list")


EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # only printed


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def private(answer: Any) -> HttpResponse:
    """An answer that only its reader's browser may keep, and asks again before showing it."""
    patch_cache_control(answer, private=True, no_cache=True)
    response: HttpResponse = answer
    return response
