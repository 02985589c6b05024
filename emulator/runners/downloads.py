"""What nodes fetch: files over HTTP, blobs of containers, application packages."""

import asyncio
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from emulator.runners.failures import PreparationError
from emulator.runners.identities import Identity
from emulator.wire.common import ResourceFile

if TYPE_CHECKING:
    from emulator.blobs import BlobStore

DEFAULT_MODE = 0o770
_TIMEOUT = 60  # seconds without an answer
_CHUNK = 1 << 20

_CODES = {401: "BlobAccessDenied", 403: "BlobAccessDenied", 404: "BlobNotFound", 409: "BlobAccessDenied"}

# No proxy of the host: what a node fetches is its own business.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Place:
    """A folder for files, and whose they are to be."""

    folder: Path
    identity: Identity

    def inside(self, name: str) -> Path:
        return inside(self.folder, name)

    def take(self, file: Path) -> None:
        """The file, and the directories on the way to it, go to the user."""
        above = [place for place in file.parents if place.is_relative_to(self.folder) and place != self.folder]
        self.identity.own(file, *above)


async def fetch_all(files: list[ResourceFile], place: Place, blobs: "BlobStore", storage: str | None) -> None:
    """Put resource files in a place. ``storage`` is the linked storage account. Raises PreparationError."""
    for file in files:
        await asyncio.to_thread(_fetch, file, place, blobs, storage)


def _fetch(file: ResourceFile, place: Place, blobs: "BlobStore", storage: str | None) -> None:
    mode = _mode(file.file_mode)
    if file.http_url is not None:
        target = place.inside(file.file_path or "")
        parts = _as_identity(file, blobs)
        if parts is not None:
            _write(parts, target, mode)
        else:
            _download(file.http_url, target, mode)
        place.take(target)
        return
    folder = place.inside(file.file_path) if file.file_path else place.folder
    for name, read in _blobs(file, blobs, storage):
        target = inside(folder, name)
        _write(read, target, mode)
        place.take(target)


def _as_identity(file: ResourceFile, blobs: "BlobStore") -> Iterator[bytes] | None:
    """The file as the node's identity may read it, None without one and for what is not in a connected account."""
    from emulator.blob_client import AzureError  # noqa: PLC0415 - only the first download pays for it

    if file.identity_reference is None or file.http_url is None:
        return None
    try:
        return blobs.read_blob(file.http_url)
    except AzureError as error:
        code = _CODES.get(getattr(error, "status_code", None) or 0, "BlobDownloadMiscError")
        raise PreparationError(code, _MESSAGES[code], BlobUrl=file.http_url) from None


def _blobs(file: ResourceFile, blobs: "BlobStore", storage: str | None) -> Iterator[tuple[str, Iterator[bytes]]]:
    from emulator.blob_client import AzureError  # noqa: PLC0415 - only the first download pays for it

    prefix = file.blob_prefix or ""
    place = file.storage_container_url or file.auto_storage_container_name or ""
    try:
        yield from blobs.read_container(
            url=file.storage_container_url, account=storage, container=file.auto_storage_container_name, prefix=prefix
        )
    except AzureError as error:
        status = getattr(error, "status_code", None)
        code = _CODES.get(status or 0, "BlobDownloadMiscError")
        raise PreparationError(code, _MESSAGES[code], BlobContainer=place.partition("?")[0]) from None
    except LookupError as error:
        raise PreparationError("BlobNotFound", str(error), BlobContainer=place.partition("?")[0]) from None


_MESSAGES = {
    "BlobNotFound": "One of the specified Azure Blob(s) is not found",
    "BlobAccessDenied": "Access for one of the specified Azure Blob(s) is denied",
    "BlobDownloadTimedOut": "Download of one of the specified Azure Blob(s) timed out",
    "BlobDownloadMiscError": "Encountered an error while downloading one of the specified Azure Blob(s)",
}


def _download(url: str, target: Path, mode: int) -> None:
    shown = url.partition("?")[0]
    if urlsplit(url).scheme not in {"http", "https"}:
        raise PreparationError("BlobDownloadMiscError", _MESSAGES["BlobDownloadMiscError"], BlobUrl=shown)
    try:
        with _opener.open(url, timeout=_TIMEOUT) as answer:
            _write(iter(lambda: answer.read(_CHUNK), b""), target, mode)
    except urllib.error.HTTPError as error:
        code = _CODES.get(error.code, "BlobDownloadMiscError")
        raise PreparationError(code, _MESSAGES[code], BlobUrl=shown, HttpStatus=str(error.code)) from None
    except TimeoutError:
        raise PreparationError("BlobDownloadTimedOut", _MESSAGES["BlobDownloadTimedOut"], BlobUrl=shown) from None
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", error))
        raise PreparationError(
            "BlobDownloadMiscError", _MESSAGES["BlobDownloadMiscError"], BlobUrl=shown, Reason=reason
        ) from None


def _write(parts: Iterator[bytes], target: Path, mode: int) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PreparationError(
            "ResourceDirectoryCreateFailed", "A directory of a resource file could not be created", Reason=str(error)
        ) from None
    partial = target.with_name(f"{target.name}.part")
    try:
        with partial.open("wb") as file:
            for part in parts:
                file.write(part)
        partial.chmod(mode)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        code = "DiskFull" if error.errno == 28 else "ResourceFileWriteFailed"
        raise PreparationError(code, "A resource file could not be written", Reason=str(error)) from None


def inside(folder: Path, name: str) -> Path:
    """A path below a folder. Raises PreparationError for one that leads out of it."""
    target = folder / name.lstrip("/")
    if not target.resolve().is_relative_to(folder.resolve()):
        raise PreparationError("ResourceFileCreateFailed", "A file path leads out of its directory", FilePath=name)
    return target


def _mode(text: str | None) -> int:
    try:
        return int(text, 8) & 0o777 if text else DEFAULT_MODE
    except ValueError:
        return DEFAULT_MODE


def empty(folder: Path) -> None:
    """Remove a folder with all it has."""
    shutil.rmtree(folder, ignore_errors=True)
