"""The component gallery: every component with sample data, for those who build blades. Only there while DEBUG is on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

_STATES = [("Active", "success"), ("Pending", "warning"), ("Deleting", "neutral"), ("Failed", "danger")]


class SampleForm(forms.Form):
    """Each kind of field once, some with errors."""

    application = forms.CharField(
        label="Application ID", help_text="Letters, digits, - and _, at most 64 characters.", max_length=64
    )
    version = forms.RegexField(r"^[\w-][\w.-]*$", label="Version", max_length=64)
    default = forms.ChoiceField(label="Default version", required=False, choices=[("", "None"), ("2.7", "2.7")])
    notes = forms.CharField(label="Notes", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    updates = forms.BooleanField(
        label="Allow updates", required=False, help_text="Packages may be replaced and deleted."
    )
    running = forms.ChoiceField(
        label="Running tasks",
        widget=forms.RadioSelect,
        choices=[("requeue", "Requeue"), ("terminate", "Terminate"), ("wait", "Wait until they are done")],
    )
    file = forms.FileField(label="Package", help_text="A zip file of at most 100 GiB.")


class SampleAccount:
    """Stands for a Batch account in the frame."""

    slug = "rendering"

    def __str__(self) -> str:
        return self.slug


def _rows(count: int) -> list[dict[str, Any]]:
    now = timezone.now()
    return [
        {
            "name": f"render-engine-{number:02}",
            "state": _STATES[number % 4][0],
            "tone": _STATES[number % 4][1],
            "size": 17 ** (number % 8) * 1024,
            "packages": number % 7,
            "at": now - timedelta(minutes=3 ** (number % 11)),
        }
        for number in range(count)
    ]


def _tree() -> list[dict[str, Any]]:
    program = {"name": "render", "size": 91_002_331, "href": "#"}
    library = {"name": "libcore.so.4", "size": 49_112_215, "href": "#"}
    return [
        {"name": "bin", "is_dir": True, "size": 91_002_331, "open": True, "children": [program]},
        {"name": "lib", "is_dir": True, "size": 49_112_215, "open": False, "children": [library]},
        {"name": "README.txt", "size": 912, "href": "#", "mark": [("READ", True), ("ME.txt", False)]},
    ]


def _events() -> list[dict[str, Any]]:
    now = timezone.now()
    samples: list[tuple[int, str, str, str]] = [
        (20, "info", "Sending blocks to blob storage", ""),
        (120, "warning", "Blob storage answered 503", "Attempt 2 of 5"),
        (240, "success", "Zip checks hold", "12,480 entries"),
        (18_000, "neutral", "Upload created", ""),
    ]
    return [
        {"at": now - timedelta(seconds=age), "tone": tone, "text": text, "detail": detail}
        for age, tone, text, detail in samples
    ]


def sample_context(request: HttpRequest) -> dict[str, Any]:
    """What the gallery shows; also the data of the component tests."""
    form = SampleForm({"application": "render engine", "version": ".7"})
    form.add_error("application", "Only letters, digits, - and _ are allowed. Remove the space.")
    form.add_error(None, "Somebody else changed this application meanwhile. Reload to see the change.")
    return {
        "account": SampleAccount(),
        "page": Paginator(_rows(137), 10).get_page(request.GET.get("page")),
        "empty_page": Paginator([], 10).get_page(1),
        "filters": [{"name": "state", "label": "State", "choices": [(name, name) for name, _tone in _STATES]}],
        "as_of": timezone.now() - timedelta(seconds=12),
        "form": form,
        "nodes": _tree(),
        "events": _events(),
        "stats": [
            {"label": "Packages", "value": 7},
            {"label": "Versions", "value": 31},
            {"label": "Stored", "value": "4.10 GiB"},
        ],
        "tabs": [
            {"label": "Packages", "href": "?", "current": True, "count": 7},
            {"label": "Settings", "href": "?tab=settings", "current": False, "count": None},
        ],
        "confirm_items": ["blender 4.1", "blender 4.2"],
        "tones": ["neutral", "info", "success", "warning", "danger"],
        "big": 1_288_490_189,
    }


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """All components on one page; with `?dialog=1` the confirmation alone, as a delete view answers it."""
    if "dialog" in request.GET:
        return render(request, "core/gallery_confirm.html", sample_context(request))
    return render(request, "core/gallery.html", sample_context(request))
