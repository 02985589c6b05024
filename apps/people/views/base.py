"""What the pages of this app share: forms that keep what was typed, confirmations, and where to go afterwards."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse

from apps.core.exceptions import PortalError
from apps.core.views import PortalView

PAGE_SIZE = 50


def page_of(request: HttpRequest, rows: Any, size: int = PAGE_SIZE) -> Page[Any]:
    """The page that `?page=` asks for; a number that is none or too high gives the nearest."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def add_error(form: forms.Form, error: PortalError) -> None:
    """Show an error at the field it belongs to, or above the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)


class FormView(PortalView):
    """A form on a page of its own. Subclasses give the template, `form` and `save`; errors keep what was typed."""

    abstract = True
    template: ClassVar[str]

    def form(self, data: Any = None) -> forms.Form:
        raise NotImplementedError

    def save(self, form: Any) -> HttpResponse:
        """Do it and answer; a `PortalError` becomes an error of the form."""
        raise NotImplementedError

    def context(self) -> dict[str, Any]:
        return {}

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return self.page(self.template, {"form": self.form(), **self.context()})

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        form = self.form(request.POST)
        if form.is_valid():
            try:
                return self.save(form)
            except PortalError as error:
                if error.status in {403, 404}:
                    raise
                add_error(form, error)
        return self.page(self.template, {"form": form, **self.context()}, status=422)


class ConfirmView(PortalView):
    """Asks before something that cannot be taken back: GET shows what will be touched, POST does it."""

    abstract = True
    template = "people/confirm.html"

    def question(self) -> dict[str, Any]:
        """Variables of components/confirm.html but `action`: title, text, items, warning, submit_label, cancel_url…"""
        raise NotImplementedError

    def crumbs(self) -> list[tuple[Any, str]]:
        """The pages above, as label and address; below those of the account, where there is one."""
        raise NotImplementedError

    def confirmed(self) -> HttpResponse:
        raise NotImplementedError

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return self._ask()

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        try:
            return self.confirmed()
        except PortalError as error:
            if error.status in {403, 404}:
                raise
            return self._ask(error)

    def _ask(self, error: PortalError | None = None) -> HttpResponse:
        asked = {"action": self.request.path, "tone": "danger", "crumbs": self.crumbs(), **self.question()}
        if error:
            asked["warning"] = error.message
        return self.page(self.template, asked, status=error.status if error else 200)
