"""The person menu: profile, theme, sessions."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View

from apps.core.http import actor_of, go_to, wants_fragment
from apps.people.forms import ProfileForm
from apps.people.models import Theme, User
from apps.people.roles import Permission
from apps.people.selectors import own_grants
from apps.people.services.people import profile_update, sessions_end, theme_set
from apps.people.views.base import ConfirmView, FormView

THEME_COOKIE_AGE = 365 * 24 * 3600


class ProfileView(FormView):
    """One's own name, address, theme, language and time zone, and what one may do where."""

    permission = Permission.SIGNED_IN
    template = "people/profile.html"

    def form(self, data: Any = None) -> ProfileForm:
        user = self.request.user
        fields = ("first_name", "last_name", "email", "theme", "language", "time_zone", "ssh_public_key")
        return ProfileForm(data, user=user, initial={name: getattr(user, name) for name in fields})

    def context(self) -> dict[str, Any]:
        return {"grants": own_grants(actor=self.actor), "teams": list(self.actor.teams.values())}

    def save(self, form: ProfileForm) -> HttpResponse:
        profile_update(actor=self.actor, data=form.data_of())
        messages.success(self.request, _("Your profile was saved."))
        return _with_theme(go_to(self.request, reverse("people:profile")), form.cleaned_data["theme"])


class SessionsEndView(ConfirmView):
    """Signs the person out everywhere but here."""

    permission = Permission.SIGNED_IN

    def question(self) -> dict[str, Any]:
        return {
            "title": _("Sign out everywhere else"),
            "text": _("Every other browser in which you are signed in is signed out. API tokens keep working."),
            "submit_label": _("Sign out everywhere else"),
            "cancel_url": reverse("people:profile"),
        }

    def crumbs(self) -> list[tuple[Any, str]]:
        return [(_("Profile"), reverse("people:profile"))]

    def confirmed(self) -> HttpResponse:
        update_session_auth_hash(self.request, sessions_end(actor=self.actor))
        messages.success(self.request, _("You are signed out everywhere else."))
        return go_to(self.request, reverse("people:profile"))


@method_decorator(login_not_required, name="dispatch")
class PreferencesView(View):
    """Remembers the theme: with the person, and in a cookie for pages before the sign-in."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        theme = request.POST.get("theme", "")
        if theme not in Theme.values:
            return HttpResponseBadRequest(_("There is no such theme."))
        if isinstance(request.user, User):
            theme_set(actor=actor_of(request), theme=theme)
        stays = wants_fragment(request) or request.headers.get("Sec-Fetch-Dest") == "empty"
        answer = HttpResponse(status=204) if stays else HttpResponseRedirect(_safe_next(request))
        return _with_theme(answer, theme)


def _with_theme(response: HttpResponse, theme: str) -> HttpResponse:
    response.set_cookie("theme", theme, max_age=THEME_COOKIE_AGE, samesite="Lax", httponly=True)
    return response


def _safe_next(request: HttpRequest) -> str:
    """The page the form stood on, as a path of this portal."""
    wanted = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        return reverse("home")
    parts = urlsplit(wanted)
    # One slash at the front: two would begin the name of another host.
    path = "/" + parts.path.lstrip("/")
    return parts._replace(scheme="", netloc="", path=path).geturl()
