"""A portal of nothing but its front end: the gallery, an upload form, and a tus server small enough to misbehave."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template import engines
from django.urls import include, path

from apps.core.gallery import gallery, sample_context
from apps.people.models import User

PAGE = """{% extends "base.html" %}{% load static %}
{% block title %}Add package{% endblock %}
{% block header %}{% blade_header "Add package" icon="package" %}{% endblade_header %}{% endblock %}
{% block content %}
<form class="bp-form" method="post" action="/upload/new/" data-upload-form>{% csrf_token %}{% form_errors form %}
{% field form.version narrow=True %}{% field form.file drop=True %}
<div class="bp-form-actions"><button type="submit" class="btn btn-primary">Upload</button></div></form>
{% include "components/upload.html" %}
{% endblock %}
{% block scripts %}<script defer src="{% static 'upload.js' %}"></script>{% endblock %}"""


class UploadForm(forms.Form):
    version = forms.CharField(label="Version")
    file = forms.FileField(label="Package")


@dataclass
class Stored:
    """What the small server holds and how it behaves."""

    size: int
    content: bytearray = field(default_factory=bytearray)


uploads: dict[str, Stored] = {}
# Answers to give instead of working, first in, first out, for PATCH requests
refusals: list[tuple[int, str]] = []
created: list[str] = []


def forget_all() -> None:
    uploads.clear()
    refusals.clear()
    created.clear()


def person(request: HttpRequest) -> None:
    theme = request.COOKIES.get("theme", "system")
    request.user = User(username="admin", email="admin@example.test", is_superuser=True, theme=theme)


def show_gallery(request: HttpRequest) -> HttpResponse:
    person(request)
    if request.method == "POST":
        if request.POST.get("confirm") != "blender":
            context = sample_context(request) | {"confirm_error": "The name differs."}
            return render(request, "core/gallery_confirm.html", context, status=422)
        return redirect("/gallery/?page=2")
    return gallery(request)


def upload_page(request: HttpRequest) -> HttpResponse:
    person(request)
    return HttpResponse(engines["django"].from_string(PAGE).render({"form": UploadForm()}, request))


def upload_new(request: HttpRequest) -> HttpResponse:
    if request.POST["version"].startswith("."):
        errors = {"version": ["A version does not begin with a dot."], "__all__": ["Look at the version."]}
        return JsonResponse({"errors": errors}, status=422)
    name = uuid.uuid4().hex
    created.append(name)
    uploads[name] = Stored(int(request.POST["file_size"]))
    body = {
        "operation": name,
        "title": f"blender {request.POST['version']}",
        "progress_url": f"/upload/{name}/progress/",
        "operation_url": "/home/",
        "chunk": 256 * 1024,
    }
    return JsonResponse(body, status=201, headers={"Location": f"/upload/{name}/"})


def upload_tus(request: HttpRequest, name: str) -> HttpResponse:
    stored = uploads.get(name)
    if stored is None:
        return HttpResponse(status=404)
    if request.method == "DELETE":
        del uploads[name]
        return HttpResponse(status=204)
    if request.method == "PATCH":
        if refusals:
            status, text = refusals.pop(0)
            return JsonResponse({"error": {"code": "refused", "message": text}}, status=status)
        if int(request.headers["Upload-Offset"]) != len(stored.content):
            return HttpResponse(status=409)
        stored.content += request.body
    headers = {"Upload-Offset": str(len(stored.content)), "Upload-Length": str(stored.size), "Tus-Resumable": "1.0.0"}
    return HttpResponse(status=204, headers=headers)


def upload_progress(request: HttpRequest, name: str) -> HttpResponse:
    stored = uploads[name]
    done = len(stored.content) >= stored.size
    first = 100 * len(stored.content) // stored.size
    context: dict[str, Any] = {"id": f"upload-{name}", "title": "blender", "first": first, "last": first // 2}
    if done:
        context |= {"badge_text": "Succeeded", "badge_tone": "success", "note": "The package is active."}
    else:
        context |= {"phase": "Sending", "percent": first * 3 // 4, "poll_url": request.path}
    return render(request, "components/job.html", context)


def bell(request: HttpRequest) -> HttpResponse:
    count = '<span id="bell-count" class="bp-count" aria-hidden="true" hx-swap-oob="true">2</span>'
    return HttpResponse(f'<div id="bell-list"><h2>Operations</h2>Two are running.</div>{count}')


def preferences(request: HttpRequest) -> HttpResponse:
    response = redirect("/gallery/")
    response.set_cookie("theme", request.POST["theme"])
    return response


def blank(request: HttpRequest, **_kwargs: str) -> HttpResponse:
    return HttpResponse("<!doctype html><title>blank</title>")


def group(name: str, *routes: str) -> Any:
    """Routes that lead nowhere, so that the menus have their entries."""
    patterns = [path(f"{name}/<slug:account>/{route}/", login_not_required(blank), name=route) for route in routes]
    return include((patterns, name))


urlpatterns = [
    path("", login_not_required(blank), name="home"),
    path("search/", login_not_required(blank), name="search"),
    path("gallery/", login_not_required(show_gallery), name="gallery"),
    path("upload/", login_not_required(upload_page)),
    path("upload/new/", login_not_required(upload_new)),
    path("upload/<str:name>/", login_not_required(upload_tus)),
    path("upload/<str:name>/progress/", login_not_required(upload_progress)),
    path("bell/", include(([path("", login_not_required(bell), name="bell")], "operations"))),
    path("people/", include(([path("", login_not_required(preferences), name="preferences")], "people"))),
    path("sign-in/", include("allauth.urls")),
    path("g/", group("accounts", "list", "overview", "storage", "keys", "edit", "roles")),
    path("g/", group("applications", "list")),
    path("g/", group("pools", "list")),
]
