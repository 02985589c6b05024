from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from apps.core.exceptions import PortalError
from apps.nodes.states import state_label, state_tone
from apps.people.roles import Permission
from apps.pools.document import exported, masked, pretty
from apps.pools.models import PoolSample
from apps.pools.presentation import hourly_cost
from apps.pools.selectors import pool_live
from apps.pools.sheet import sheet
from apps.pools.views.shared import PoolView

SPANS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "24h": timedelta(days=1), "14d": timedelta(days=14)}
MOST_POINTS = 1500


class PoolDetailView(PoolView):
    """A pool at a glance, from the picture that the poller keeps."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]
    tab = "detail"
    template = "pools/detail.html"

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        pool = self.snapshot()
        span = request.GET.get("span", "6h")
        context = {
            "cost": hourly_cost(pool),
            "may_price": self.actor.may(Permission.MANAGE_ACCOUNT, self.account),
            "span": span if span in SPANS else "6h",
            "spans": SPANS,
            "broken": self._broken(pool.by_state),
        }
        return self.pool_page(context, pool=pool)

    def _broken(self, by_state: dict[str, int]) -> list[tuple[str, int]]:
        wanted = ("starttaskfailed", "unusable", "unknown")
        return [(state_label(state), by_state[state]) for state in wanted if by_state.get(state)]


class PoolHistoryView(PoolView):
    """The chart's data: nodes by state over time, as columns. `?span=` is a key of `SPANS`."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        pool = self.snapshot()
        since = timezone.now() - SPANS.get(request.GET.get("span", ""), SPANS["6h"])
        samples = list(pool.samples.filter(at__gte=since).order_by("at"))
        # What it was before the span began holds until the first sample in it.
        before = pool.samples.filter(at__lt=since).order_by("-at").first()
        samples = [*([before] if before else []), *samples]
        return JsonResponse(_columns(_thinned(samples)))


def _thinned(samples: list[PoolSample]) -> list[PoolSample]:
    """At most `MOST_POINTS`, the last one among them."""
    step = -(-len(samples) // MOST_POINTS) or 1
    return samples[:-1:step] + samples[-1:]


def _columns(samples: list[PoolSample]) -> dict[str, Any]:
    states = sorted({state for sample in samples for state in sample.by_state})
    return {
        "times": [int(sample.at.timestamp()) for sample in samples],
        "target": [sample.target for sample in samples],
        "states": [
            {
                "state": state,
                "label": state_label(state),
                "tone": state_tone(state),
                "nodes": [sample.by_state.get(state, 0) for sample in samples],
            }
            for state in states
        ],
        "now": int(timezone.now().timestamp()),
    }


class PoolConfigurationView(PoolView):
    """The whole configuration, as a sheet and as JSON. The service is asked after the page is there."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]
    tab = "configuration"
    template = "pools/configuration.html"

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        if "live" not in request.GET:
            return self.pool_page()
        context: dict[str, Any] = {"pool_id": self.kwargs["pool"]}
        try:
            document = seen_document(self, self.kwargs["pool"])
            context |= {"sections": sheet(document), "json": pretty(document)}
        except PortalError as error:
            context["error"] = error
        context["may_operate"] = self.actor.may(Permission.OPERATE, self.account)
        return self.page("pools/_configuration.html", context)


class PoolJsonView(PoolView):
    """The document that makes a pool like this one, as a file for `az batch pool create --json-file`."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, pool: str, **_more: Any) -> HttpResponse:
        document = seen_document(self, pool)
        response = HttpResponse(pretty(document), content_type="application/json; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{document.get("id", "pool")}.json"'
        return response


def seen_document(view: PoolView, pool_id: str) -> dict[str, Any]:
    """The pool's document as this person may see it: who may not act sees no secret that somebody put into it."""
    found = exported(pool_live(actor=view.actor, account=view.account, pool_id=pool_id).wire)
    if view.actor.may(Permission.OPERATE, view.account):
        return found
    hidden: dict[str, Any] = masked(found, values_too=True)
    return hidden
