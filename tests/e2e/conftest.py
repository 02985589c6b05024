"""People in Chromium on one running portal, and Microsoft's SDK beside them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.people import People
from tests.e2e.service import Service, management
from tests.e2e.zips import text_zip
from tests.support.stack import Stack


@pytest.fixture
def people(stack: Stack, browser: Browser) -> Iterator[People]:
    """Opens browsers of the demo's people. Whatever their console complained about fails the test."""
    people = People(stack, browser)
    yield people
    people.leave()
    assert not people.complaints


@pytest.fixture
def service(stack: Stack) -> Iterator[Service]:
    """What the Batch service itself says, through azure-mgmt-batch."""
    with management(stack.batch) as client:
        yield Service(stack, client)


@pytest.fixture
def linked(service: Service) -> Service:
    """The account with its storage account linked."""
    service.link()
    return service


@pytest.fixture
def application(service: Service) -> Iterator[str]:
    """An application ID that nothing else uses; whatever was made of it is gone afterwards."""
    name = f"render-{uuid.uuid4().hex[:8]}"
    yield name
    service.remove(name)


@pytest.fixture
def small_zip(tmp_path: Path) -> Callable[..., Path]:
    """Makes a small zip: `small_zip("render.zip")`; each has other contents."""
    return lambda name="render.zip": text_zip(tmp_path / name)
