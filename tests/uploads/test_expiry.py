"""Uploads whose bytes stop coming, and staged bytes that nobody wants any more."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import AuthMethod, BatchAccount
from apps.applications.models import Upload, UploadAction
from apps.applications.uploads import staging
from apps.applications.uploads.errors import NoSpaceError
from apps.applications.uploads.receiving import receive
from apps.applications.uploads.services import uploads_expire
from apps.operations.execution import execute
from apps.operations.models import Kind, Operation, Status

Make = Callable[..., Upload]


@pytest.fixture
def make(db: None, settings: Settings, tmp_path: Path) -> Make:
    """An upload of 100 bytes, of which `offset` are staged, that expires in `hours`."""
    settings.UPLOAD_STAGING_DIR = tmp_path / "staging"
    account = BatchAccount.objects.create(slug="local", name="local", auth_method=AuthMethod.MANAGED_IDENTITY)

    def build(*, hours: float, offset: int = 40, status: Status = Status.RUNNING) -> Upload:
        name = uuid.uuid4().hex
        operation = Operation.objects.create(
            account=account, kind=Kind.PACKAGE_UPLOAD, subject="a 1", subject_key=name, status=status, actor_name="x"
        )
        upload = Upload.objects.create(
            operation=operation,
            account=account,
            action=UploadAction.ADD,
            application_id="a",
            version="1",
            filename="a.zip",
            length=100,
            offset=offset,
            expires_at=timezone.now() + timedelta(hours=hours),
            staged_name=f"{name}.part",
        )
        staging.path_of(upload).write_bytes(b"x" * offset)
        return upload

    return build


def after(upload: Upload) -> Upload:
    return Upload.objects.select_related("operation").get(pk=upload.pk)


def test_unfinished_one_fails_with_the_reason_and_its_bytes_go(make: Make) -> None:
    upload = make(hours=-1)
    path = staging.path_of(upload)
    assert uploads_expire() == 1
    execute(upload.operation_id)
    ended = after(upload)
    assert ended.operation.status == Status.FAILED
    assert ended.operation.message_code == "upload-expired"
    assert not path.exists()
    assert ended.staged_removed_at is not None


def test_one_that_is_still_good_is_left_alone(make: Make) -> None:
    upload = make(hours=1)
    assert uploads_expire() == 0
    assert staging.path_of(upload).exists()


def test_complete_one_that_is_being_sent_is_never_taken_away(make: Make) -> None:
    upload = make(hours=-1, offset=100)
    uploads_expire()
    assert staging.path_of(upload).exists()
    assert after(upload).operation.status == Status.RUNNING


def test_bytes_kept_for_a_retry_go_when_their_time_is_up(make: Make) -> None:
    upload = make(hours=-1, offset=100, status=Status.FAILED)
    path = staging.path_of(upload)
    assert uploads_expire() == 1
    assert not path.exists()
    assert after(upload).staged_name == ""
    assert uploads_expire() == 0


def test_files_of_nobody_go_after_a_day(make: Make) -> None:
    kept = staging.path_of(make(hours=1))
    orphan, young = staging.folder() / "orphan.part", staging.folder() / "young.part"
    orphan.write_bytes(b"x")
    young.write_bytes(b"x")
    old = time.time() - 2 * 86_400
    os.utime(orphan, (old, old))
    os.utime(kept, (old, old))
    uploads_expire()
    assert kept.exists()
    assert young.exists()
    assert not orphan.exists()


class Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data


def test_receiving_prolongs_the_time(make: Make) -> None:
    upload = make(hours=1)
    assert receive(upload, 40, Bytes(b"y" * 30)) == 70
    assert after(upload).expires_at > timezone.now() + timedelta(hours=2)
    assert after(upload).offset == 70
    assert staging.path_of(upload).read_bytes() == b"x" * 40 + b"y" * 30


def test_volume_without_space_keeps_what_was_acknowledged(make: Make) -> None:
    """/dev/full answers every write as a full volume does."""
    upload = make(hours=1)
    path = staging.path_of(upload)
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.raises(NoSpaceError):
        receive(upload, 40, Bytes(b"y" * 60))
    found = after(upload)
    assert found.offset == 40
    assert found.writer is None
    assert found.operation.is_active


def test_space_that_others_announced_is_not_free(make: Make, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    make(hours=1)  # 60 bytes are still to come
    settings.UPLOAD_KEEP_FREE_BYTES = 1000
    monkeypatch.setattr(staging, "free_bytes", lambda: 1100)
    staging.require_space(40)
    with pytest.raises(NoSpaceError):
        staging.require_space(41)
