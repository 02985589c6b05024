"""Health for supervisors and load balancers. Public, and says no more than each part's state."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import JsonResponse
from django.utils.decorators import method_decorator
from django.views import View


@method_decorator(login_not_required, name="dispatch")
class HealthView(View):
    """The process answers."""

    http_method_names = ["get", "head"]

    def get(self, request: Any) -> JsonResponse:
        return JsonResponse({"status": "ok"})


@method_decorator(login_not_required, name="dispatch")
class ReadyView(View):
    """The process answers and its database does; Redis is reported, but pages work without it."""

    http_method_names = ["get", "head"]

    def get(self, request: Any) -> JsonResponse:
        database = _database_answers()
        parts = {"database": database, "redis": _redis_answers()}
        return JsonResponse(
            {"status": "ok" if database else "unavailable", "parts": parts}, status=200 if database else 503
        )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    # The cache swallows connection errors by setting, so a value must come back to prove that Redis is there.
    cache.set("readyz", "ok", 10)
    return bool(cache.get("readyz") == "ok")
