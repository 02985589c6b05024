"""Bytes that may not become a package, space that runs out, people who leave: nothing half is ever left."""

from __future__ import annotations

import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.stack import Stack
from tests.uploads.portal import Portal, Tus, make_zip, sha256, until
from tests.uploads.test_tus import RESUMABLE, open_patch

MIB = 1024 * 1024


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def with_bad_crc(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[MIB // 2] ^= 0xFF
    path.write_bytes(data)


def leading_out(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../escape.txt", "x")


BAD = {"truncated": truncated, "bad-crc": with_bad_crc, "leading-out": leading_out}


@pytest.mark.parametrize("spoil", list(BAD.values()), ids=list(BAD))
def test_refused_zip_of_a_new_application_leaves_nothing(
    portal: Portal, application: str, package: Callable[[int], Path], spoil: Callable[[Path], None]
) -> None:
    path = package(10 * MIB)
    spoil(path)
    operation = portal.upload(path, application, "1.0", action="new-application")
    ended = portal.ended(operation)
    assert ended["status"] == "failed"
    assert "nothing was activated" in ended["message"]
    assert portal.package(application, "1.0") is None
    assert portal.http.get(f"/accounts/local/applications/{application}").status_code == 404
    # The same bytes would be refused again.
    assert portal.http.post(f"/operations/{operation}/retry").status_code == 409
    assert not portal.staged()
    # And the name is free for another try.
    good = package(MIB)
    assert portal.ended(portal.upload(good, application, "1.0", action="new-application"))["status"] == "succeeded"


def test_refused_update_leaves_the_active_version_as_it_was(
    portal: Portal, application: str, package: Callable[[int], Path]
) -> None:
    good = package(5 * MIB)
    assert portal.ended(portal.upload(good, application, "1.0", action="new-application"))["status"] == "succeeded"
    bad = package(5 * MIB)
    truncated(bad)
    ended = portal.ended(portal.upload(bad, application, "1.0", action="update"))
    assert ended["status"] == "failed"
    assert portal.content_sha256(application, "1.0") == sha256(good)
    better = package(6 * MIB)
    assert portal.ended(portal.upload(better, application, "1.0", action="update"))["status"] == "succeeded"
    assert portal.content_sha256(application, "1.0") == sha256(better)


def test_active_version_stays_downloadable_while_its_successor_is_uploaded(
    portal: Portal, application: str, package: Callable[[int], Path]
) -> None:
    good, better = package(3 * MIB), package(40 * MIB)
    portal.ended(portal.upload(good, application, "1.0", action="new-application"))
    tus = portal.begin(better, application, "1.0", action="update")
    tus.send(20 * MIB)
    until(lambda: portal.operation(tus.operation)["done"] > 0, 60, "a block in blob storage")
    assert portal.content_sha256(application, "1.0") == sha256(good)
    assert portal.http.delete(tus.location, headers=RESUMABLE).status_code == 204
    assert portal.ended(tus.operation)["status"] == "cancelled"
    assert portal.content_sha256(application, "1.0") == sha256(good)


def test_wrong_sha256_activates_nothing(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(MIB)
    operation = portal.upload(path, application, "1.0", action="new-application", sha256="0" * 64)
    ended = portal.ended(operation)
    assert ended["status"] == "failed"
    assert sha256(path) in ended["message"]
    assert portal.package(application, "1.0") is None


def test_retry_needs_no_bytes_from_the_person(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    """A right was missing: somebody grants it, and the staged bytes are used."""
    path = package(20 * MIB)
    batch = portal.stack.batch
    batch.fault(operation="arm.application_package.activate", status=403, code="AuthorizationFailed")
    operation = portal.upload(path, application, "1.0", action="new-application")
    assert portal.ended(operation)["status"] == "failed", portal.log(operation)
    assert portal.package(application, "1.0") is None
    assert len(portal.staged()) == 1
    batch.clear_faults()
    again = portal.http.post(f"/operations/{operation}/retry")
    assert again.status_code == 202, again.text
    ended = portal.ended(again.json()["id"])
    assert ended["status"] == "succeeded", portal.log(again.json()["id"])
    assert portal.content_sha256(application, "1.0") == sha256(path)
    assert not portal.staged()
    # The bytes went with the retry: the first operation has none to repeat with.
    assert portal.http.post(f"/operations/{operation}/retry").status_code == 409


def test_browser_closed_in_the_middle(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    """After a while it shows as paused; whoever comes back goes on where it stopped."""
    path = package(30 * MIB)
    tus = portal.begin(path, application, "1.0", action="new-application")
    data = path.read_bytes()
    with open_patch(tus, 0, tus.length) as link:
        link.sendall(data[: 12 * MIB])
        time.sleep(1)
    until(lambda: portal.operation(tus.operation)["status"] == "paused", 60, "the pause to show")
    assert 0 < tus.offset() <= 12 * MIB
    tus.send()
    assert portal.operation(tus.operation)["status"] != "paused"
    assert portal.ended(tus.operation)["status"] == "succeeded", portal.log(tus.operation)
    assert portal.content_sha256(application, "1.0") == sha256(path)


@contextmanager
def disk_full_at(stack: Stack, size: int) -> Iterator[None]:
    """No file of the web processes may grow beyond `size`: the write fails as on a full volume, and for real."""
    everyone = [psutil.Process(stack.pid("web")), *psutil.Process(stack.pid("web")).children(recursive=True)]
    for process in everyone:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for process in everyone:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_disk_full_in_the_staging_volume(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(40 * MIB)
    tus = portal.begin(path, application, "1.0", action="new-application")
    with disk_full_at(portal.stack, 24 * MIB):
        answer = tus.patch(0, path.read_bytes())
        assert answer.status_code == 507
        assert answer.json()["error"]["code"] == "upload-no-space"
        kept = tus.offset()
        assert 0 < kept <= 24 * MIB
        assert portal.operation(tus.operation)["is_active"]
    # There is space again: it goes on from what was acknowledged.
    tus.send()
    assert portal.ended(tus.operation)["status"] == "succeeded", portal.log(tus.operation)
    assert portal.content_sha256(application, "1.0") == sha256(path)


def test_space_is_kept_free(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    """An upload that would fill the volume beyond what must stay free is refused before any byte, with figures."""
    from tests.uploads.conftest import token_for  # noqa: PLC0415

    free = psutil.disk_usage(str(tmp_path)).free
    stack = make_stack({"UPLOAD_KEEP_FREE_BYTES": str(free - 8 * MIB)})
    stack.batch.link_storage("localstorage")
    portal = Portal(stack, token_for(stack, "uploader"))
    answer = portal.create(10**9, application="big", version="1", action="new-application")
    assert answer.status_code == 507
    assert answer.json()["error"]["field"] == "file"
    portal.http.close()


def test_socket_that_says_nothing_frees_its_thread(tus_small: Tus) -> None:
    """A client that falls silent in the middle of its request is sent away, and what it sent is kept."""
    with open_patch(tus_small, 0, tus_small.length) as link:
        link.sendall(tus_small.path.read_bytes()[:100_000])
        link.settimeout(40)
        try:
            answer = link.recv(4096)
        except TimeoutError:  # pragma: no cover
            pytest.fail("The request was never ended.")
    assert b" 204 " in answer
    assert tus_small.offset() > 0


@pytest.fixture
def tus_small(portal: Portal, application: str, tmp_path: Path) -> Tus:
    return portal.begin(make_zip(tmp_path / "small.zip", MIB), application, "1", action="new-application")
