"""One of everything, for pages that want something to show."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from tests.e2e.estate import APPLICATION, LONG, VERSION, faces, make_estate
from tests.e2e.pages import Place
from tests.e2e.service import STORAGE
from tests.e2e.zips import hostile_zip, text_zip
from tests.support.stack import Stack
from tests.uploads.conftest import token_for
from tests.uploads.portal import Portal


def make_place(stack: Stack, folder: Path) -> Place:
    """Applications with packages, good and refused uploads, a token, pools and nodes; returns what addresses need."""
    stack.batch.link_storage(STORAGE)
    portal = Portal(stack, token_for(stack, "admin"))
    _upload(portal, folder, APPLICATION, "3.6", "new-application")
    _upload(portal, folder, APPLICATION, "4.3.0-rc1", "add")
    operation = _upload(portal, folder, APPLICATION, VERSION, "add")
    _upload(portal, folder, LONG, LONG, "new-application")
    portal.ended(portal.upload(hostile_zip(folder / "evil.zip"), "Maya", "2026", action="new-application"))
    portal.http.patch(f"/accounts/local/applications/{APPLICATION}", json={"default_version": VERSION})
    estate = make_estate(stack, portal, folder)
    place = Place(_arguments(stack, operation) | estate, stack.batch.storage_id("secondstorage"), faces(portal))
    portal.http.close()
    return place


def _upload(portal: Portal, folder: Path, application: str, version: str, action: str) -> str:
    """An Active version, unless it is there already. Returns the operation."""
    path = text_zip(folder / f"{uuid.uuid4().hex}.zip")
    if portal.package(application, version):
        action = "update"
    operation = portal.upload(path, application, version, action=action)
    assert portal.ended(operation)["status"] == "succeeded", portal.log(operation)
    return operation


def _arguments(stack: Stack, operation: str) -> dict[str, Any]:
    from apps.people.models import ApiToken, Grant, Team  # noqa: PLC0415  # only once Django is set up

    with stack.database():
        team = Team.objects.get(slug="rendering")
        member = team.members.get()
        return {
            "account": "local",
            "application": APPLICATION,
            "version": VERSION,
            "operation": operation,
            "operations:cancel.operation": _waiting(operation),
            "person": member.pk,
            "team": team.slug,
            "grant": Grant.objects.get(user=member).pk,
            "token": ApiToken.objects.filter(user__username="admin").latest("pk").pk,
            "uidb36": "zz",
            "key": "primary",
            "path": "v1/no-such-route",
        }


def _waiting(like: str) -> str:
    """An operation that has not ended: cancelling asks about no other."""
    from apps.operations.models import Operation  # noqa: PLC0415  # only once Django is set up

    waiting = Operation.objects.get(pk=like)
    waiting.pk, waiting.subject_key, waiting.status = uuid.uuid4(), f"waiting {uuid.uuid4()}", "queued"
    waiting.ended_at, waiting.not_before = None, timezone.now() + timedelta(days=1)
    waiting.save(force_insert=True)
    return str(waiting.pk)
