"""A portal of real processes for benchmarks, outside pytest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import django

from tests.uploads.portal import Portal

# As in production: no test's hurry with leases.
BENCH_SETTINGS = {"OPERATION_LEASE_SECONDS": "30", "OPERATIONS_RECONCILE_SECONDS": "10", "LOG_LEVEL": "WARNING"}


@contextmanager
def opened_portal(state: Path, settings: Mapping[str, str]) -> Iterator[Portal]:
    """A portal with its local Batch service, storage linked, and the demo's uploader as client."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "batchportal.settings.test", "LOG_LEVEL": "WARNING"}
    django.setup()
    from pytest_django.plugin import DjangoDbBlocker  # noqa: PLC0415

    from tests.support.stack import Stack  # noqa: PLC0415  # Django's settings first
    from tests.uploads.conftest import token_for  # noqa: PLC0415

    state.mkdir(parents=True)
    stack = Stack(state, settings, DjangoDbBlocker(_ispytest=True))
    try:
        stack.open()
        stack.batch.link_storage("localstorage")
        portal = Portal(stack, token_for(stack, "uploader"))
        yield portal
        portal.http.close()
    finally:
        stack.stop()
