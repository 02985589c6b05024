"""The API's base: deny by default, one error shape, paging."""

from __future__ import annotations

import logging
import uuid
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.views import exception_handler as drf_exception_handler

from apps.accounts.models import BatchAccount
from apps.accounts.selectors import account_get
from apps.core.exceptions import PortalError
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
        return stated.get(asked) or stated["get" if asked in {"head", "options"} else asked]

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
            self.actor.require(Permission.VIEW_ACCOUNT if permission in PORTAL_PERMISSIONS else permission, self.account)

    def allowed_methods_lower(self) -> set[str]:
        return {method.lower() for method in self.allowed_methods}


class PortalPagination(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 200


def error_body(code: str, message: str, *, field: str = "", reference: str = "", **more: Any) -> dict[str, Any]:
    """The one shape of errors: `{"error": {"code", "message", "field"?, "reference"?, ...}}`."""
    found = {"code": code, "message": message, "field": field, "reference": reference, **more}
    return {"error": {name: value for name, value in found.items() if value}}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Translate every error into the one shape; unknown ones are logged with a reference and say nothing else."""
    if isinstance(exc, PortalError):
        return Response(
            error_body(exc.code, exc.message, field=exc.field, reference=exc.reference), status=exc.status
        )
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    response = drf_exception_handler(exc, context)
    if response is None:
        return _unexpected(exc)
    if isinstance(exc, exceptions.ValidationError):
        response.data = error_body("invalid", "The input is not valid.", fields=response.data)
    elif isinstance(exc, exceptions.APIException):
        response.data = error_body(str(exc.get_codes()), str(exc.detail))
    return response


def _unexpected(exc: Exception) -> Response:
    reference = uuid.uuid4().hex[:12]
    logger.error("API error, reference %s", reference, exc_info=exc)
    body = error_body("internal-error", "An error in the portal.", reference=reference)
    return Response(body, status=status.HTTP_500_INTERNAL_SERVER_ERROR)
