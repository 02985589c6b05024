"""Base views that fail closed: a view without a stated permission cannot be imported."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views import View

from apps.accounts.models import BatchAccount
from apps.accounts.selectors import account_get
from apps.core.errors import portal_error_response
from apps.core.exceptions import PortalError
from apps.core.http import PortalRequest, actor_of, wants_fragment
from apps.people.actors import Actor
from apps.people.roles import PORTAL_PERMISSIONS, Permission


class PortalView(View):
    """A page, fragment or form of the portal.

    `permission` states what the visitor needs: for all methods, or one per method as a dictionary. Subclasses that are
    bases themselves say `abstract = True` in their own body. Routes of a Batch account carry its slug as `account`.
    """

    permission: ClassVar[Permission | dict[str, Permission]]
    abstract: ClassVar[bool] = True
    request: PortalRequest
    actor: Actor
    account: BatchAccount

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.abstract = bool(cls.__dict__.get("abstract", False))
        if not cls.abstract and not getattr(cls, "permission", None):
            raise ImproperlyConfigured(f"{cls.__module__}.{cls.__name__} states no permission.")

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.actor = actor_of(request)

    @classmethod
    def permission_for(cls, method: str) -> Permission:
        """The permission a method needs; a dictionary names HEAD and OPTIONS as GET."""
        stated = cls.permission
        if isinstance(stated, Permission):
            return stated
        asked = "get" if method.lower() in {"head", "options"} else method.lower()
        return stated[asked]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if request.method.lower() not in self.http_method_names or not hasattr(self, request.method.lower()):
                return self.http_method_not_allowed(request, *args, **kwargs)
            self._authorize(request.method)
            return super().dispatch(request, *args, **kwargs)
        except PortalError as error:
            return self.refused(error)

    def _authorize(self, method: str) -> None:
        permission = self.permission_for(method)
        if permission in PORTAL_PERMISSIONS:
            self.actor.require(permission)
        if "account" in self.kwargs:
            self.account = account_get(actor=self.actor, slug=self.kwargs["account"])
            self.actor.require(
                Permission.VIEW_ACCOUNT if permission in PORTAL_PERMISSIONS else permission, self.account
            )
        elif permission not in PORTAL_PERMISSIONS:
            raise ImproperlyConfigured(f"{type(self).__name__} asks for {permission} and has no account to ask it of.")

    def refused(self, error: PortalError) -> HttpResponse:
        """The answer to an error that no handler dealt with: the error page, or its fragment."""
        account = getattr(self, "account", None)
        return portal_error_response(self.request, error, account, self.actor.role_on(account) if account else None)

    def page(self, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
        """Render a page; `account`, `actor` and `role` are always there."""
        account = getattr(self, "account", None)
        role = self.actor.role_on(account) if account else None
        shared = {"account": account, "actor": self.actor, "role": role}
        response = render(self.request, template, shared | (context or {}), status=status)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def page_or_fragment(
        self, template: str, fragment: str, context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        """One view for both: the page includes the very fragment that a poll or filter returns."""
        return self.page(fragment if wants_fragment(self.request) else template, context, status)
