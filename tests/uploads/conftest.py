"""A portal with one uploader's token, for tests with real processes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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


@pytest.fixture
def portal_of(stack: Stack) -> Iterator[Callable[[str], Portal]]:
    """The portal as a person by username, through a token of theirs."""
    stack.batch.link_storage("localstorage")
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
