"""A portal with one uploader's token, for tests with real processes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from tests.support.stack import Stack
from tests.uploads.portal import Portal, make_zip


def token_for(stack: Stack, username: str) -> str:
    from apps.people.actors import Actor  # noqa: PLC0415  # only once Django is set up
    from apps.people.models import User  # noqa: PLC0415
    from apps.people.roles import Role  # noqa: PLC0415
    from apps.people.services.tokens import token_create  # noqa: PLC0415

    with stack.database():
        user = User.objects.get(username=username)
        _token, text = token_create(actor=Actor(user=user), name=uuid.uuid4().hex, role=Role.ADMINISTRATOR)
    return text


def tidy(stack: Stack) -> None:
    """End what earlier tests left running, and make room: a Batch account has few applications."""
    from apps.applications.models import Upload  # noqa: PLC0415
    from apps.operations.models import ACTIVE, Operation, Status  # noqa: PLC0415

    with stack.database():
        left = Operation.objects.filter(status__in=ACTIVE)
        left.update(status=Status.CANCELLED, ended_at=timezone.now(), lease_until=None, not_before=None)
        Upload.objects.update(staged_name="")
    for path in (stack.site.state / "staging").glob("*.part"):
        path.unlink()
    applications = f"{stack.batch.account_id()}/applications"
    for application in stack.batch.arm("GET", applications)["value"]:
        for version in stack.batch.arm("GET", f"{applications}/{application['name']}/versions")["value"]:
            stack.batch.arm("DELETE", f"{applications}/{application['name']}/versions/{version['name']}")
        stack.batch.arm("DELETE", f"{applications}/{application['name']}")


@pytest.fixture
def portal_of(stack: Stack) -> Iterator[Callable[[str], Portal]]:
    """The portal as a person by username, through a token of theirs."""
    stack.batch.link_storage("localstorage")
    tidy(stack)
    made: list[Portal] = []

    def make(username: str) -> Portal:
        made.append(Portal(stack, token_for(stack, username)))
        return made[-1]

    yield make
    for portal in made:
        portal.http.close()


@pytest.fixture
def portal(portal_of: Callable[[str], Portal]) -> Portal:
    return portal_of("uploader")


@pytest.fixture
def application() -> str:
    """An application ID that no other test uses."""
    return f"app-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def package(tmp_path: Path) -> Callable[[int], Path]:
    """Makes a zip of a size."""
    return lambda size: make_zip(tmp_path / f"{uuid.uuid4().hex}.zip", size)
