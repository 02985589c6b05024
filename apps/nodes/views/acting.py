from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.http import etag

from apps.core.csv_export import csv_response
from apps.core.exceptions import Conflict, Invalid, NotVisible, PortalError
from apps.core.messages import message_for
from apps.nodes.actions import TRAITS, NodeAction
from apps.nodes.forms import ActionForm
from apps.nodes.listing import selected
from apps.nodes.models import NodeSnapshot, NodeWork
from apps.nodes.selectors import work_counts, work_get, work_rows
from apps.nodes.services.acting import nodes_act
from apps.nodes.states import state_label
from apps.nodes.views.shared import NodesView, short_id, show_error
from apps.operations.models import Operation
from apps.operations.presentation import shown
from apps.operations.selectors import may_control, operation_can_retry, operation_version
from apps.people.roles import Permission

SHOWN = 12  # nodes named on a confirmation
TYPED = frozenset({NodeAction.REMOVE, NodeAction.REIMAGE})  # what they lose does not come back


class NodeActView(NodesView):
    """An action on one, some or all matching nodes: first what it will touch, then the doing.

    A GET names nodes by `?node=pool/node`, or with `all` those that `query` matches; a POST without `confirmed` is the
    selection of the list.
    """

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, action: str, **_: Any) -> HttpResponse:
        chosen = self._action(action)
        return self._ask(chosen, selected(actor=self.actor, account=self.account, data=request.GET))

    def post(self, request: Any, action: str, **_: Any) -> HttpResponse:
        chosen = self._action(action)
        nodes = selected(actor=self.actor, account=self.account, data=request.POST)
        if not request.POST.get("confirmed"):
            return self._ask(chosen, nodes)
        try:
            self._check(chosen, nodes)
            operation = nodes_act(
                actor=self.actor,
                account=self.account,
                action=chosen,
                targets=list(nodes.values_list("pool__pool_id", "node_id")),
                option=request.POST.get("option", ""),
            )
        except PortalError as error:
            return self._ask(chosen, nodes, error)
        return self.to_operation(operation)

    def _action(self, action: str) -> NodeAction:
        if action not in NodeAction:
            raise NotVisible
        return NodeAction(action)

    def _check(self, action: NodeAction, nodes: QuerySet[NodeSnapshot]) -> None:
        """Nothing is done that the page did not say."""
        count, expected = nodes.count(), self.request.POST.get("expected", "")
        if expected != str(count):
            raise Conflict("nodes-changed", count=count, expected=expected[:9] or "–")
        if action in TYPED and self.request.POST.get("confirm", "").strip() != str(count):
            raise Invalid("node-confirm-mismatch", field="confirm", name=str(count))

    def _ask(self, action: NodeAction, nodes: QuerySet[NodeSnapshot], error: PortalError | None = None) -> HttpResponse:
        count = nodes.count()
        if not count:
            raise Invalid("nodes-none")
        traits = TRAITS[action]
        form = ActionForm.of(self.request, count=count, options=traits.takes_option)
        confirm_error = error.message if error is not None and error.field == "confirm" else ""
        if error is not None and not confirm_error:
            show_error(form, error)
        first = list(nodes[:SHOWN])
        items = [f"{node.pool.pool_id} · {short_id(node.node_id)} · {state_label(node.state)}" for node in first]
        if count > len(first):
            items.append(ngettext("and %(more)s more", "and %(more)s more", count - SHOWN) % {"more": count - SHOWN})
        context = {
            "title": question(action, count),
            "text": consequence(action),
            "items": items,
            "warning": _warning(action, nodes),
            "form": form,
            "confirm_name": str(count) if action in TYPED else "",
            "confirm_error": confirm_error,
            "typed": self.request.POST.get("confirm", "") if error else "",
            "submit_label": question(action, count),
            "tone": "danger" if action in TYPED or action is NodeAction.DEALLOCATE else "primary",
            "action_url": self.address("act", action=action.value),
            "cancel_url": _back(self, first, count),
        }
        return self.page("nodes/act.html", context, error.status if error else 200)


def question(action: NodeAction, count: int) -> str:
    texts = {
        NodeAction.REBOOT: ngettext("Reboot %(count)s node", "Reboot %(count)s nodes", count),
        NodeAction.REIMAGE: ngettext("Reimage %(count)s node", "Reimage %(count)s nodes", count),
        NodeAction.DISABLE: ngettext(
            "Disable scheduling on %(count)s node", "Disable scheduling on %(count)s nodes", count
        ),
        NodeAction.ENABLE: ngettext(
            "Enable scheduling on %(count)s node", "Enable scheduling on %(count)s nodes", count
        ),
        NodeAction.DEALLOCATE: ngettext("Deallocate %(count)s node", "Deallocate %(count)s nodes", count),
        NodeAction.START: ngettext("Start %(count)s node", "Start %(count)s nodes", count),
        NodeAction.REMOVE: ngettext("Remove %(count)s node", "Remove %(count)s nodes", count),
    }
    return texts[action] % {"count": count}


def consequence(action: NodeAction) -> str:
    return {
        NodeAction.REBOOT: gettext(
            "The nodes restart, run the start task again and install the packages that the pool references now."
        ),
        NodeAction.REIMAGE: gettext(
            "The nodes get their disks anew: files, users and what tasks left there are lost. "
            "The start task runs again."
        ),
        NodeAction.DISABLE: gettext("The nodes stay and cost what they cost, but get no new tasks."),
        NodeAction.ENABLE: gettext("The nodes get tasks again."),
        NodeAction.DEALLOCATE: gettext(
            "The machines are given back and cost nothing, the nodes stay in the pool and can be started again."
        ),
        NodeAction.START: gettext("Deallocated nodes get machines again."),
        NodeAction.REMOVE: gettext(
            "The nodes leave their pool, with everything on them, and the pool's target gets smaller by as many."
        ),
    }[action]


def _warning(action: NodeAction, nodes: QuerySet[NodeSnapshot]) -> str:
    texts = []
    running = nodes.order_by().aggregate(count=Sum("running_tasks"))["count"] or 0
    if running and TRAITS[action].takes_option:
        texts.append(
            ngettext("%(count)s task runs on them.", "%(count)s tasks run on them.", running) % {"count": running}
        )
    if action in {NodeAction.REBOOT, NodeAction.REIMAGE} and (pool := _emptied(nodes)):
        texts.append(gettext("No other node of %(pool)s runs tasks until they are back.") % {"pool": pool})
    states = TRAITS[action].states
    unfit = nodes.order_by().exclude(state__in=states).count() if states else 0
    if unfit:
        texts.append(
            ngettext(
                "%(count)s node is in a state in which the service will probably refuse this.",
                "%(count)s nodes are in a state in which the service will probably refuse this.",
                unfit,
            )
            % {"count": unfit}
        )
    return " ".join(texts)


def _emptied(nodes: QuerySet[NodeSnapshot]) -> str:
    """A pool all of whose working nodes are among these, where they are more than one."""
    working = Q(state__in=("idle", "running"))
    counted = nodes.order_by().values_list("pool__pool_id", "pool").annotate(count=Count("pk", filter=working))
    for pool_id, key, count in counted:
        if count > 1 and NodeSnapshot.objects.filter(working, pool=key).count() == count:
            return str(pool_id)
    return ""


def _back(view: NodesView, first: list[NodeSnapshot], count: int) -> str:
    data: QueryDict = view.request.POST or view.request.GET
    if count == 1 and not data.get("all"):
        return view.address("detail", pool=first[0].pool.pool_id, node=first[0].node_id)
    return f"{view.address('list')}?{data.get('query', '')}"


class NodeWorkView(NodesView):
    """An operation on nodes: how it is with each of them."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, operation: uuid.UUID, **_: Any) -> HttpResponse:
        found = work_get(actor=self.actor, account=self.account, operation_id=operation)
        version = f'"{operation_version(found)}|{get_language()}|{request.GET.urlencode()}"'
        answer: HttpResponse = etag(lambda *_: version)(lambda _request: self._show(found))(request)
        answer["Cache-Control"] = "private, no-cache"
        return answer

    def _show(self, operation: Operation) -> HttpResponse:
        context = work_context(self, operation)
        return self.page_or_fragment("nodes/work.html", "nodes/_work.html", context)


class NodeWorkCsvView(NodesView):
    """What became of each node, as CSV."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, _request: Any, operation: uuid.UUID, **_: Any) -> HttpResponseBase:
        found = work_get(actor=self.actor, account=self.account, operation_id=operation)
        heads = [gettext("Pool"), gettext("Node ID"), gettext("Progress"), gettext("Reason"), gettext("Request id")]
        rows = work_rows(actor=self.actor, operation=found)
        lines = ([row.pool_id, row.node_id, row.progress, reason(row), row.request_id] for row in rows.iterator())
        return csv_response(f"{found.kind}-{found.pk}", heads, lines)


def work_context(view: NodesView, operation: Operation) -> dict[str, Any]:
    """What `nodes/_work.html` shows."""
    rows = work_rows(actor=view.actor, operation=operation, progress=view.request.GET.get("progress", ""))
    page = Paginator(rows, 100).get_page(view.request.GET.get("page"))
    return {
        "operation": operation,
        "shown": shown(operation),
        "counts": work_counts(operation),
        "page": page,
        "rows": [{"row": row, "short": short_id(row.node_id), "reason": reason(row)} for row in page.object_list],
        "poll_url": view.request.get_full_path() if operation.is_active else "",
        "may_control": may_control(view.actor, operation),
        "can_retry": operation_can_retry(operation),
        "csv_url": view.address("work-csv", operation=operation.pk),
    }


def reason(row: NodeWork) -> str:
    """Why a node failed or waits, in words."""
    return message_for(row.code, row.values) if row.code else ""
