"""Uploads through a running portal to a running service: the bytes come out as they went in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.uploads.portal import Portal, sha256

MIB = 1024 * 1024


def test_new_application_by_tus(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(20 * MIB)
    operation = portal.upload(path, application, "1.0", action="new-application")
    ended = portal.ended(operation)
    assert ended["status"] == "succeeded", portal.log(operation)
    assert portal.content_sha256(application, "1.0") == sha256(path)
    assert ended["done"] == ended["received"] == ended["total"] == path.stat().st_size
