"""The API's base: deny by default, one error shape, paging."""

from __future__ import annotations

import logging
import uuid
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView, set_rollback
from rest_framework.views import exception_handler as drf_exception_handler

from apps.accounts.models import BatchAccount
from apps.accounts.selectors import account_get
from apps.core.exceptions import NotVisible, PortalError
from apps.core.messages import message_for
from apps.people.actors import Actor
from apps.people.models import ApiToken, User
from apps.people.roles import PORTAL_PERMISSIONS, Permission

logger = logging.getLogger(__name__)


def api_actor(request: Request) -> Actor:
    user = request.user if isinstance(request.user, User) else None
    token = request.auth if isinstance(request.auth, ApiToken) else None
    return Actor(user=user, token=token)


class PortalApi(APIView):
    """An API route; like `PortalView` it cannot be imported without a permission."""

    permission: ClassVar[Permission | dict[str, Permission]]
    abstract: ClassVar[bool] = True
    actor: Actor
    account: BatchAccount

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.abstract = bool(cls.__dict__.get("abstract", False))
        if not cls.abstract and not getattr(cls, "permission", None):
            raise ImproperlyConfigured(f"{cls.__module__}.{cls.__name__} states no permission.")

    @classmethod
    def permission_for(cls, method: str) -> Permission:
        stated = cls.permission
        if isinstance(stated, Permission):
            return stated
        asked = method.lower()
        if asked in {"head", "options"}:
            return stated.get("get") or next(iter(stated.values()))
        return stated[asked]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if str(request.method).lower() not in self.allowed_methods_lower():
            raise exceptions.MethodNotAllowed(str(request.method))
        self.actor = api_actor(request)
        permission = self.permission_for(str(request.method))
        if permission in PORTAL_PERMISSIONS:
            self.actor.require(permission)
        if "account" in self.kwargs:
            self.account = account_get(actor=self.actor, slug=self.kwargs["account"])
            self.actor.require(
                Permission.VIEW_ACCOUNT if permission in PORTAL_PERMISSIONS else permission, self.account
            )
        elif permission not in PORTAL_PERMISSIONS:
            raise ImproperlyConfigured(f"{type(self).__name__} asks for {permission} and has no account to ask it of.")

    def allowed_methods_lower(self) -> set[str]:
        return {method.lower() for method in self.allowed_methods}

    def paged(self, rows: Any, serializer: type[BaseSerializer[Any]]) -> Response:
        """One page of a list: `{"count", "next", "previous", "results"}`, by `?page=` and `?page_size=`."""
        paginator = PortalPagination()
        page: Any = paginator.paginate_queryset(rows, self.request, view=self)
        found = serializer(page, many=True, context={"request": self.request, "actor": self.actor})
        return paginator.get_paginated_response(found.data)


class PortalPagination(PageNumberPagination):
    """Pages by number. An order that is not total would show a row twice, so lists say their order to the last key."""

    page_size_query_param = "page_size"
    max_page_size = 200


def error_body(code: str, message: str, **more: Any) -> dict[str, Any]:
    """The one shape of errors, `ErrorOutput` in apps/core/api_schema.py; what is empty is left out."""
    found = {"code": code, "message": message, **more}
    return {"error": {name: value for name, value in found.items() if value}}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Translate every error into the one shape; unknown ones are logged with a reference and say nothing else."""
    if isinstance(exc, PortalError):
        set_rollback()
        return _expected(exc)
    if isinstance(exc, Http404):
        exc = NotVisible()
        return _expected(exc)
    response = drf_exception_handler(exc, context)
    if response is None:
        return _unexpected(exc)
    if isinstance(exc, exceptions.ValidationError):
        response.data = error_body("invalid", message_for("invalid", {}), fields=_fields(exc.detail))
    elif isinstance(exc, exceptions.APIException):
        response.data = error_body(str(exc.get_codes()), str(exc.detail))
    else:
        response.data = error_body("permission_denied", str(exceptions.PermissionDenied.default_detail))
    return response


def _expected(error: PortalError) -> Response:
    """A service's error keeps the service's code and request id, which is what its support asks for."""
    more = {"field": error.field, "reference": error.reference}
    more["service_code"] = getattr(error, "service_code", "")
    response = Response(error_body(error.code, error.message, **more), status=error.status)
    if retry_after := getattr(error, "retry_after", None):
        response["Retry-After"] = str(max(1, round(retry_after)))
    return response


def _fields(detail: Any) -> dict[str, list[str]]:
    """Messages by field; those of no field stand under `non_field_errors`."""
    if isinstance(detail, dict):
        return {str(name): _texts(found) for name, found in detail.items()}
    return {"non_field_errors": _texts(detail)}


def _texts(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [f"{name}: {text}" for name, inner in found.items() for text in _texts(inner)]
    if isinstance(found, list | tuple):
        return [text for inner in found for text in _texts(inner)]
    return [str(found)]


def _unexpected(exc: Exception) -> Response:
    set_rollback()
    reference = uuid.uuid4().hex[:12]
    logger.error("API error, reference %s", reference, exc_info=exc)
    body = error_body("internal-error", message_for("internal-error", {}), reference=reference)
    return Response(body, status=status.HTTP_500_INTERNAL_SERVER_ERROR)


def api_not_found(request: HttpRequest, path: str) -> JsonResponse:
    """Below /api/ even an address that does not exist answers in JSON."""
    error = NotVisible("no-such-route", path=f"/api/{path}"[:200])
    return JsonResponse(error_body(error.code, error.message), status=error.status)
