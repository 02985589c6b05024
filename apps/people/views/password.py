"""The way back for somebody who forgot the password."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.people.forms import ForgottenPasswordForm
from apps.people.services.password_mail import MailUnavailable


class PasswordResetView(account.PasswordResetView):  # type: ignore[misc]
    """Sends a link where the portal can send mail; else says who makes one."""

    form_class = ForgottenPasswordForm

    def get_form_class(self) -> type[ForgottenPasswordForm]:
        return self.form_class

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail_configured": settings.MAIL_CONFIGURED}

    def form_valid(self, form: ForgottenPasswordForm) -> HttpResponse:
        try:
            answer: HttpResponse = super().form_valid(form)
        except MailUnavailable as error:
            form.add_error(None, error.message)
            answer = self.form_invalid(form)
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.MAIL_CONFIGURED:
            answer: HttpResponse = self.render_to_response(self.get_context_data(form=None), status=409)
        else:
            answer = super().post(request, *args, **kwargs)
        return answer
