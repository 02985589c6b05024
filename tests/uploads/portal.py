"""A client of a running portal, as a CI job would be one: tus, curl's PUT, operations; and what the service has."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from azure.storage.blob import BlobClient

from tests.support.stack import Stack

ACCOUNT = "local"
PATCH = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
OVER = {"succeeded", "failed", "errored", "cancelled", "lost"}


class Failed(AssertionError):
    """Something did not come about in time."""


def until(check: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
    """The first true value of `check`. Raises `Failed` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.05)
    raise Failed(f"Not within {seconds} s: {what or check}")


def make_zip(path: Path, size: int, entries: int = 3) -> Path:
    """A zip of about `size` bytes that do not compress, all different from those of any other."""
    each = max(1, size // entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(entries):
            with archive.open(f"bin/part{number}.dat", "w", force_zip64=True) as entry:
                left = each
                while left > 0:
                    left -= entry.write(os.urandom(min(left, 1 << 20)))
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Portal:
    """One person's API token on a portal."""

    def __init__(self, stack: Stack, token: str) -> None:
        self.stack = stack
        self.token = token
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=f"{stack.url}/api/v1", headers=headers, timeout=90, trust_env=False)

    # --- Bytes in -----------------------------------------------------------------------------------------------

    def create(self, length: int, **metadata: str) -> httpx.Response:
        named = {"account": ACCOUNT, "filename": "package.zip", **metadata}
        pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in named.items())
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": pairs}
        return self.http.post("/uploads/", headers=headers)

    def begin(self, path: Path, application: str, version: str, **metadata: str) -> Tus:
        answer = self.create(path.stat().st_size, application=application, version=version, **metadata)
        assert answer.status_code == 201, answer.text
        return Tus(self, answer.headers["Location"], answer.headers["Upload-Operation"], path)

    def upload(self, path: Path, application: str, version: str, **metadata: str) -> str:
        """Everything at once; returns the operation's id."""
        tus = self.begin(path, application, version, **metadata)
        tus.send()
        return tus.operation

    # --- Operations ---------------------------------------------------------------------------------------------

    def operation(self, operation: str, wait: float = 0) -> dict[str, Any]:
        answer = self.http.get(f"/operations/{operation}", params={"wait": wait} if wait else None)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, operation: str, seconds: float = 90) -> dict[str, Any]:
        """The operation when it is over; `Failed` with its log when that takes longer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.operation(operation, wait=1)
            if found["status"] in OVER:
                return found
        raise Failed(f"Still not over after {seconds} s: {self.log(operation)}")

    def log(self, operation: str) -> str:
        found = self.operation(operation)
        lines = [f"{event['at']} {event['level']} {event['code']}: {event['message']}" for event in found["events"]]
        return "\n".join([f"{found['status']} {found['phase']} {found['message']}", *lines])

    def state(self, operation: str) -> dict[str, Any]:
        """What the steps recorded, from the portal's database."""
        from apps.operations.models import Operation  # noqa: PLC0415  # only once Django is set up

        with self.stack.database():
            return dict(Operation.objects.get(pk=operation).state)

    # --- What the service has -----------------------------------------------------------------------------------

    def package(self, application: str, version: str) -> dict[str, Any] | None:
        """The version as the management plane tells it; None when there is none."""
        try:
            path = f"{self.stack.batch.account_id(ACCOUNT)}/applications/{application}/versions/{version}"
            found: dict[str, Any] = self.stack.batch.arm("GET", path)
        except Exception as error:
            if getattr(error, "code", None) == 404:
                return None
            raise
        return found

    def content_sha256(self, application: str, version: str) -> str:
        """The SHA-256 of the blob that the service names, read with Microsoft's SDK."""
        package = self.package(application, version)
        assert package is not None
        assert package["properties"]["state"] == "Active", package
        digest = hashlib.sha256()
        for part in BlobClient.from_blob_url(package["properties"]["storageUrl"]).download_blob().chunks():
            digest.update(part)
        return digest.hexdigest()

    def staged(self) -> list[Path]:
        return sorted((self.stack.site.state / "staging").glob("*"))


class Tus:
    """One upload by the protocol, sent piece by piece."""

    def __init__(self, portal: Portal, location: str, operation: str, path: Path) -> None:
        self.portal = portal
        self.location = location
        self.operation = operation
        self.path = path
        self.length = path.stat().st_size

    def offset(self) -> int:
        answer = self.portal.http.head(self.location, headers={"Tus-Resumable": "1.0.0"})
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    def patch(self, offset: int, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
        named = {**PATCH, "Upload-Offset": str(offset), **headers}
        return self.portal.http.patch(self.location, content=content, headers=named)

    def send(self, upto: int | None = None) -> None:
        """From where the server is to `upto` (the end), in one request; 423 is waited out as clients do."""
        end = self.length if upto is None else upto
        offset = self.offset()
        answer = until(lambda: self._try(offset, end), 40, "423 all the time")
        assert answer.status_code == 204, answer.text
        assert int(answer.headers["Upload-Offset"]) == end

    def _try(self, offset: int, end: int) -> httpx.Response | None:
        headers = {"Content-Length": str(end - offset)}
        answer = self.patch(offset, self.pieces(offset, end), **headers)
        return None if answer.status_code == 423 else answer

    def pieces(self, offset: int, end: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(offset)
            while offset < end:
                data = file.read(min(1 << 20, end - offset))
                offset += len(data)
                yield data
