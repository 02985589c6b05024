"""Output files of tasks, uploaded to containers when their command has ended."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.runners.failures import PreparationError
from emulator.wire.common import OutputFile

if TYPE_CHECKING:
    from emulator.blobs import BlobStore

_MAGIC = frozenset("*?[")


async def upload(files: Iterable[OutputFile], wd: Path, root: Path, blobs: "BlobStore", *, succeeded: bool) -> None:
    """Upload what the outcome of the task asks for, of what is below the node's root directory.

    Raises PreparationError with the first failure.
    """
    conditions = {"taskcompletion", "tasksuccess" if succeeded else "taskfailure"}
    for file in files:
        if file.upload_options.upload_condition in conditions:
            await asyncio.to_thread(_upload, file, wd, root, blobs)


def _upload(file: OutputFile, wd: Path, root: Path, blobs: "BlobStore") -> None:
    from emulator.blob_client import AzureError  # noqa: PLC0415 - only the first upload pays for it

    container = file.destination.container
    headers = {header.name: header.value or "" for header in container.upload_headers or ()}
    try:
        for source, name in _named(file, wd):
            if source.resolve().is_relative_to(root):  # a link may lead anywhere
                blobs.upload(container.container_url, name, source, headers)
    except (AzureError, LookupError, ValueError, OSError) as error:
        status = getattr(error, "status_code", None)
        code = "FileUploadContainerNotFound" if status == 404 else "FileUploadMiscError"
        code = "FileUploadAccessDenied" if status in {401, 403} else code
        raise PreparationError(
            code,
            "An error occurred while uploading an output file",
            FilePattern=file.file_pattern,
            Container=container.container_url.partition("?")[0],
        ) from None


def _named(file: OutputFile, wd: Path) -> list[tuple[Path, str]]:
    """Files of the pattern, relative to the working directory, and their blob names."""
    pattern, path = file.file_pattern, file.destination.container.path
    if not _MAGIC & set(pattern):
        source = (wd / pattern).resolve()
        return [(source, path or Path(pattern).name)] if source.is_file() else []
    fixed = Path(*_until_magic(pattern))
    base = (wd / fixed).resolve()
    rest = str(Path(pattern).relative_to(fixed)) if fixed.parts else pattern
    found = sorted(source for source in base.glob(rest) if source.is_file())
    prefix = f"{path.rstrip('/')}/" if path else ""
    return [(source, f"{prefix}{source.relative_to(base)}") for source in found]


def _until_magic(pattern: str) -> list[str]:
    parts: list[str] = []
    for part in Path(pattern).parts:
        if _MAGIC & set(part):
            break
        parts.append(part)
    return parts
