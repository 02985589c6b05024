from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext

from apps.core.exceptions import PortalError
from apps.nodes.actions import TRAITS, NodeAction
from apps.nodes.explain import explained, silent_hint
from apps.nodes.files import PIECE, node_files
from apps.nodes.models import NodeSnapshot, NodeStateChange
from apps.nodes.selectors import node_history, node_live, node_snapshot, pool_users_of_node
from apps.nodes.states import PASSING, state_label, state_tone
from apps.nodes.views.shared import NodesView, short_id
from apps.people.roles import Permission
from apps.pools.polling import watch
from apps.pools.presentation import changes_since
from apps.pools.selectors import fleet, is_stale

STREAMS = ("stdout", "stderr")
MOST_CHANGES = 100

if TYPE_CHECKING:
    from apps.gateway.types_nodes import Node


class NodeDetailView(NodesView):
    """A node as the portal knows it; what the service adds comes after the page."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, _request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        watch(self.account)
        found = node_snapshot(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        failed = found.start_task_result == "failure"
        context = {
            **node_context(self, found),
            "label": state_label(found.state),
            "tone": state_tone(found.state),
            "stale": is_stale(found),
            "fleet": fleet(actor=self.actor, account=self.account),
            "problems": [explained(error) for error in found.errors],
            "start_task_problem": explained(found.start_task_failure) if failed and found.start_task_failure else None,
            "silent": silent_hint(found.state) if not found.errors else "",
            "late": changes_since(found.pool, found.last_boot),
            "history": [_event(change) for change in node_history(actor=self.actor, node=found, most=MOST_CHANGES)],
            "most_changes": MOST_CHANGES,
            "history_days": settings.NODE_HISTORY_DAYS,
            "users": pool_users_of_node(actor=self.actor, node=found),
            "start_task_failed": failed,
        }
        return self.page("nodes/detail.html", context)


def node_context(view: NodesView, node: NodeSnapshot, current: str = "overview") -> dict[str, Any]:
    """What the pages of a node share: commands and tabs."""
    names = {"pool": node.pool.pool_id, "node": node.node_id}
    tabs = [("overview", gettext("Overview"), "detail"), ("files", gettext("Files"), "files")]
    return {
        "node": node,
        "pool": node.pool,
        "short": short_id(node.node_id),
        "key": f"{node.pool.pool_id}/{node.node_id}",
        "actions": [_command(view, node, action) for action in NodeAction],
        "tabs": [
            {"label": label, "href": view.address(route, **names), "current": name == current}
            for name, label, route in tabs
        ],
        "may_act": view.actor.may(Permission.OPERATE, view.account),
    }


def _command(view: NodesView, node: NodeSnapshot, action: NodeAction) -> dict[str, Any]:
    return {
        "action": action.value,
        "label": action.label,
        "url": f"{view.address('act', action=action.value)}?node={node.pool.pool_id}/{node.node_id}",
        "refused": _refused(node, action),
    }


def _refused(node: NodeSnapshot, action: NodeAction) -> str:
    """Why the action makes no sense now, or nothing; the service has the last word."""
    states = TRAITS[action].states
    if states and node.state not in states:
        return gettext("A node that is %(state)s does not take this.") % {"state": state_label(node.state).lower()}
    if action is NodeAction.DISABLE and node.scheduling_state == "disabled":
        return gettext("Scheduling is disabled already.")
    if action is NodeAction.ENABLE and node.scheduling_state == "enabled":
        return gettext("Scheduling is enabled already.")
    return ""


def _event(change: NodeStateChange) -> dict[str, Any]:
    if not change.after:
        text = gettext("Left the pool")
    elif not change.before:
        text = gettext("Seen first: %(state)s") % {"state": state_label(change.after)}
    else:
        text = f"{state_label(change.before)} → {state_label(change.after)}"
    return {"at": change.at, "tone": state_tone(change.after), "text": text, "detail": change.note}


class NodeLiveView(NodesView):
    """What only the service knows of a node: recent tasks, endpoints, and its whole answer."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, _request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        names = {"pool": pool, "node": node}
        context: dict[str, Any] = {"again_url": self.address("live", **names)}
        try:
            found = node_live(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        except PortalError as error:
            context["error"] = error
        else:
            context |= {"live": found, "document": _document(found)}
        return self.page_or_fragment("nodes/live.html", "nodes/_live.html", context)


def _document(node: Node) -> str:
    """The service's answer as people read it. Of the start task only what carries no secret of its maker."""
    wire = dict(node.wire or {})
    task = wire.pop("startTask", None)
    if task:
        wire["startTask"] = {name: task[name] for name in ("commandLine", "waitForSuccess") if name in task}
    return json.dumps(wire, indent=2, default=str, sort_keys=True)


class NodeOutputView(NodesView):
    """What the start task wrote last, and first where that is more than one piece."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, _request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        found = node_snapshot(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        files = node_files(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        names = {"pool": pool, "node": node}
        context = {
            "outputs": [self._output(files, names, stream) for stream in STREAMS],
            # A node on its way to its start task, or in it, writes more.
            "poll_url": self.address("output", **names) if found.state in PASSING else "",
        }
        return self.page_or_fragment("nodes/output.html", "nodes/_output.html", context)

    def _output(self, files: Any, names: dict[str, str], stream: str) -> dict[str, Any]:
        path = f"startup/{stream}.txt"
        shown: dict[str, Any] = {"name": f"{stream}.txt", "path": path, "names": names}
        try:
            size = files.info(path).size
            tail = files.piece(path, max(0, size - PIECE // 4), PIECE // 4)
            head = files.piece(path, 0, min(PIECE // 8, size - len(tail))) if size > len(tail) else b""
        except PortalError as error:
            return shown | {"error": error}
        return shown | {
            "size": size,
            "head": head.decode(errors="replace"),
            "tail": tail.decode(errors="replace"),
            "skipped": size - len(head) - len(tail),
        }
