from __future__ import annotations

from typing import Any

from django.db.models import Sum
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.exceptions import Invalid, NotVisible, PortalError
from apps.people.roles import Permission
from apps.pools.selectors import pool_jobs
from apps.pools.services.scaling import pool_delete
from apps.pools.views.shared import PoolView

MOST_JOBS = 20


class PoolDeleteView(PoolView):
    """Deleting a pool: what runs there, which jobs point to it, and its id to type."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        return self._question()

    def post(self, request: Any, pool: str, **_more: Any) -> HttpResponse:
        typed = request.POST.get("confirm", "").strip()
        try:
            if typed != pool:
                raise Invalid("pool-confirm-mismatch", field="confirm", name=pool)
            operation = pool_delete(actor=self.actor, account=self.account, pool_id=pool)
        except PortalError as error:
            return self._question(error=error, typed=typed)
        return self.to_operation(operation)

    def _question(self, *, error: PortalError | None = None, typed: str = "") -> HttpResponse:
        pool_id = self.kwargs["pool"]
        context = {
            "pool_id": pool_id,
            "items": [*self._nodes(pool_id), *self._jobs(pool_id)],
            "error": error if error is not None and error.field != "confirm" else None,
            "confirm_error": error.message if error is not None and error.field == "confirm" else "",
            "typed": typed,
            "action": self.request.path,
            "cancel_url": self.address("detail", pool=pool_id),
        }
        return self.page("pools/delete.html", context, error.status if error else 200)

    def _nodes(self, pool_id: str) -> list[str]:
        try:
            pool = self.snapshot()
        except NotVisible:
            return []
        count = pool.current_nodes
        tasks = pool.nodes.aggregate(tasks=Sum("running_tasks"))["tasks"] or 0
        nodes = ngettext("%(count)s node", "%(count)s nodes", count) % {"count": count}
        running = ngettext(
            "%(count)s running task, which goes back to its job",
            "%(count)s running tasks, which go back to their jobs",
            tasks,
        ) % {"count": tasks}
        return [nodes, *([running] if tasks else [])]

    def _jobs(self, pool_id: str) -> list[str]:
        try:
            jobs = pool_jobs(actor=self.actor, account=self.account, pool_id=pool_id, limit=MOST_JOBS + 1)
        except PortalError:
            return [_("The jobs that point to this pool could not be read now.")]
        named = [_("Job %(job)s keeps pointing to it") % {"job": job} for job in jobs[:MOST_JOBS]]
        return [*named, *([_("… and more jobs")] if len(jobs) > MOST_JOBS else [])]
