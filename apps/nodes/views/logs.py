from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext

from apps.core.exceptions import PortalError
from apps.core.http import go_to
from apps.nodes.forms import LogsForm, hours_ago
from apps.nodes.selectors import node_snapshot
from apps.nodes.services.logs import node_logs_upload
from apps.nodes.views.shared import NodesView, short_id, show_error
from apps.people.roles import Permission


class NodeLogsView(NodesView):
    """Send a node's Batch logs to a container of the linked storage account."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    def get(self, _request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        return self._ask(pool, node, LogsForm(initial={"start": hours_ago(24)}))

    def post(self, request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        form = LogsForm(request.POST)
        if not form.is_valid():
            return self._ask(pool, node, form, 422)
        try:
            found = node_logs_upload(
                actor=self.actor, account=self.account, pool_id=pool, node_id=node, **form.cleaned_data
            )
        except PortalError as error:
            show_error(form, error)
            return self._ask(pool, node, form, error.status)
        text = gettext("The node sends %(files)s files to %(container)s, below %(folder)s.")
        values = {"files": found.files, "container": form.cleaned_data["container"], "folder": found.folder}
        messages.success(request, text % values)
        return go_to(request, self.address("detail", pool=pool, node=node))

    def _ask(self, pool: str, node: str, form: LogsForm, status: int = 200) -> HttpResponse:
        found = node_snapshot(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        context = {
            "title": gettext("Upload Batch logs of %(node)s") % {"node": short_id(found.node_id)},
            "text": gettext("What the node agent wrote in this time goes to a container, for Microsoft's support."),
            "form": form,
            "submit_label": gettext("Upload logs"),
            "tone": "primary",
            "action_url": self.address("logs", pool=pool, node=node),
            "cancel_url": self.address("detail", pool=pool, node=node),
        }
        return self.page("nodes/act.html", context, status)
