"""Files below a directory: lists, reads by range, properties, deletion. Of nodes and of tasks alike."""

import asyncio
import mimetypes
import os
import re
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from emulator import answers, odata
from emulator.call import Call
from emulator.clock import http_date, iso
from emulator.data import conditions
from emulator.data.listing import listed
from emulator.errors import ServiceError

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_CHUNK = 1 << 18


class Tree:
    """A directory as clients see it. ``url`` is the address of its files."""

    def __init__(self, root: Path, url: str, separator: str = "/") -> None:
        self.root = root
        self.url = url
        self._separator = separator

    def find(self, name: str) -> Path:
        """Raises FileNotFound, also for a path that leads out of the directory."""
        path = self.root / name.replace("\\", "/").strip("/")
        try:
            resolved = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            raise ServiceError("FileNotFound") from None
        if not resolved.is_relative_to(self.root.resolve()) or _is_hidden(path.relative_to(self.root)):
            raise ServiceError("FileNotFound")
        return path

    def name(self, path: Path) -> str:
        return str(path.relative_to(self.root)).replace("/", self._separator)

    def address(self, path: Path) -> str:
        return f"{self.url}/{quote(str(path.relative_to(self.root)))}"

    def walk(self, *, recursive: bool, after: str) -> Iterator[Path]:
        """Everything behind a name, in the order of names. Nothing is held but the directories on the way."""
        return _walk(self.root, self.root, recursive=recursive, after=after)


def _walk(folder: Path, root: Path, *, recursive: bool, after: str) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=_place)
    except OSError:
        return
    for entry in entries:
        path = folder / entry.name
        name = str(path.relative_to(root))
        if _is_hidden(path.relative_to(root)):
            continue
        if name > after:
            yield path
        below = f"{name}/"
        if recursive and entry.is_dir(follow_symlinks=False) and (below > after or after.startswith(below)):
            yield from _walk(path, root, recursive=True, after=after)


def _place(entry: os.DirEntry[str]) -> str:
    return entry.name


def _is_hidden(path: Path) -> bool:
    """Marks of the service itself beside unpacked packages."""
    return path.parts[:1] == ("applications",) and len(path.parts) > 1 and path.parts[1].startswith(".")


async def list_files(call: Call, tree: Tree) -> Response:
    wanted = odata.query(call, odata.fields.FILE)
    recursive = (call.query("recursive") or "").lower() == "true"

    def read(after: str, limit: int) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in tree.walk(recursive=recursive, after=after):
            try:
                found.append((path, path.lstat()))
            except OSError:
                continue  # gone meanwhile
            if len(found) == limit:
                break
        return found

    def present(item: tuple[Path, os.stat_result]) -> tuple[str, dict[str, Any]]:
        return str(item[0].relative_to(tree.root)), _entry(tree, *item)

    return await listed(call, "files", read, present, wanted)


def _entry(tree: Tree, path: Path, found: os.stat_result) -> dict[str, Any]:
    is_directory = stat.S_ISDIR(found.st_mode)
    shown: dict[str, Any] = {"name": tree.name(path), "url": tree.address(path), "isDirectory": is_directory}
    if not is_directory:
        shown["properties"] = {
            "creationTime": iso(_time(found.st_ctime)),
            "lastModified": iso(_time(found.st_mtime)),
            "contentLength": found.st_size,
            "contentType": _content_type(path),
            "fileMode": f"0o{found.st_mode:o}",
        }
    return shown


async def get_file(call: Call, tree: Tree) -> Response:
    """The bytes of a file. A range is answered by 200 too."""
    path = tree.find(call.parameters["filePath"])
    if path.is_dir():
        raise ServiceError("FileNotFound", "The specified path is a directory.")
    found = path.stat()
    if (refused := _unchanged(call, found)) is not None:
        return refused
    first, last = _range(call, found.st_size)
    headers = _headers(tree, path, found, max(0, last - first + 1))
    return StreamingResponse(_bytes(path, first, last), 200, headers, headers["Content-Type"])


async def get_properties(call: Call, tree: Tree) -> Response:
    path = tree.find(call.parameters["filePath"])
    found = path.stat()
    if (refused := _unchanged(call, found)) is not None:
        return refused
    return Response(b"", 200, _headers(tree, path, found, found.st_size if path.is_file() else 0))


async def delete_file(call: Call, tree: Tree) -> Response:
    """A directory that is not empty is removed only with ``recursive``."""
    path = tree.find(call.parameters["filePath"])
    if path.is_dir() and not path.is_symlink():
        if (call.query("recursive") or "").lower() == "true":
            shutil.rmtree(path, ignore_errors=True)
        elif any(path.iterdir()):
            raise ServiceError("DirectoryNotEmpty")
        else:
            path.rmdir()
    else:
        path.unlink(missing_ok=True)
    return answers.empty(200)


def _unchanged(call: Call, found: os.stat_result) -> Response | None:
    """The answer to a conditional read of what did not change. Files have no tags."""
    modified = iso(_time(found.st_mtime))
    try:
        conditions.check(call, "", modified)
    except conditions.NotModified:
        return answers.empty(304, {"Last-Modified": http_date(_time(found.st_mtime))})
    return None


def _range(call: Call, size: int) -> tuple[int, int]:
    text = call.header("ocp-range") or call.header("range")
    if not text:
        return 0, size - 1
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise ServiceError("InvalidHeaderValue", values={"HeaderName": "ocp-range", "HeaderValue": text})
    first, last = int(match[1]), int(match[2]) if match[2] else size - 1
    if first >= size or last < first:
        raise ServiceError("InvalidRange", headers={"Content-Range": f"bytes */{size}"})
    return first, min(last, size - 1)


async def _bytes(path: Path, first: int, last: int) -> AsyncIterator[bytes]:
    """The range, as much of it as is there by the time it is read.

    Other requests are served between two parts, and it is heard that the client left: otherwise a file of 10 GB would
    be read to its end for nobody.
    """
    missing = last - first + 1
    with path.open("rb") as file:
        file.seek(first)
        while missing > 0 and (part := await asyncio.to_thread(file.read, min(_CHUNK, missing))):
            missing -= len(part)
            yield part


def _headers(tree: Tree, path: Path, found: os.stat_result, length: int) -> dict[str, str]:
    return {
        "Content-Length": str(length),
        "Content-Type": _content_type(path),
        "Last-Modified": http_date(_time(found.st_mtime)),
        "ocp-creation-time": http_date(_time(found.st_ctime)),
        "ocp-batch-file-isdirectory": str(path.is_dir()).lower(),
        "ocp-batch-file-url": tree.address(path),
        "ocp-batch-file-mode": f"0o{found.st_mode:o}",
    }


def _content_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
