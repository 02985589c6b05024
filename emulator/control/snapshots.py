"""Snapshots: the state of the service at a moment, kept under a name and brought back.

A snapshot is a folder with the documents of the store and a copy of the nodes' directories. Blobs are not part of it:
they belong to the blob store. Bringing one back is like a start after a kill at that moment: what ran then runs again.
"""

import asyncio
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.clock import iso
from emulator.control import swapping
from emulator.errors import ServiceError
from emulator.services import Services
from emulator.store.base import Document

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_DOCUMENTS, _ABOUT, _NODES = "documents", "about.json", "nodes"
_REPLACED = ".replaced-"
_LENGTH = 4  # bytes before each document


class Kept(msgspec.Struct):
    """One document of the store."""

    kind: str
    scope: str
    key: str
    body: bytes


class About(msgspec.Struct):
    """``size`` in bytes, of the documents."""

    name: str
    taken: str
    documents: int
    size: int


async def take_snapshot(call: Call) -> Response:
    """``{"name": "before"}``. An older one of that name is replaced."""
    wanted = await call.json_object()
    name = wanted.get("name")
    if set(wanted) != {"name"} or not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _bad("name must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or digit")
    folder = call.services.folder("snapshots")
    unfinished = Path(tempfile.mkdtemp(prefix=".taking-", dir=folder))
    try:
        about = _write(call.services, unfinished, name, iso(call.now))
        await asyncio.to_thread(_copy_tree, call.services.fleet.processes.base, unfinished / _NODES)
        _keep(unfinished, folder / name, about)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return answers.json(about, status=201)


async def list_snapshots(call: Call) -> Response:
    found = [_about(path) for path in sorted(call.services.folder("snapshots").glob(f"[!.]*/{_ABOUT}"))]
    return answers.json({"snapshots": found})


async def delete_snapshot(call: Call) -> Response:
    shutil.rmtree(_required(call))
    return answers.empty(204)


async def restore_snapshot(call: Call) -> Response:
    """Everything as it was, at once: after a kill in the middle it is all there or as it was before. Faults and the
    request log stay as they are now.
    """
    folder, services = _required(call), call.services
    about = _about(folder / _ABOUT)
    files = swapping.beside(services.fleet.processes.base)
    try:
        await asyncio.to_thread(_copy_tree, folder / _NODES, files)
        services.scheduler.reset()
        await services.fleet.halt()
        swapping.replace_documents(services, _read(folder / _DOCUMENTS), files)
    except BaseException:
        shutil.rmtree(files, ignore_errors=True)
        raise
    # What came in while nodes were halting was of the state that is gone now.
    services.scheduler.reset()
    services.fleet.clear()
    swapping.finish(services)
    services.go_on()
    return answers.json(about)


def recover(services: Services) -> None:
    """After a start: what a kill has left half done is done or undone."""
    swapping.finish(services)
    for old in services.folder("snapshots").glob(f"{_REPLACED}*"):
        place = old.with_name(old.name.removeprefix(_REPLACED))
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(place)


def _write(services: Services, folder: Path, name: str, taken: str) -> About:
    """All documents as they are now: nothing else happens until this returns."""
    number = 0
    encode = msgspec.msgpack.Encoder().encode
    with (folder / _DOCUMENTS).open("wb") as file:
        for kind in services.repositories.kinds():
            for scope, key, body in services.store.scan(kind):
                raw = encode(Kept(kind, scope, key, body))
                file.write(len(raw).to_bytes(_LENGTH, "big") + raw)
                number += 1
        return About(name=name, taken=taken, documents=number, size=file.tell())


def _keep(unfinished: Path, place: Path, about: About) -> None:
    """A folder without its description is none: what a kill leaves half done is never taken for a snapshot. An older
    one of the name goes only when the new one is there.
    """
    (unfinished / _ABOUT).write_bytes(msgspec.json.encode(about))
    old = place.with_name(f"{_REPLACED}{place.name}")
    if place.exists():
        place.rename(old)
    unfinished.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _read(path: Path) -> Iterator[tuple[str, Document]]:
    decode = msgspec.msgpack.Decoder(Kept).decode
    with path.open("rb") as file:
        while length := file.read(_LENGTH):
            kept = decode(file.read(int.from_bytes(length, "big")))
            yield kept.kind, Document(kept.scope, kept.key, kept.body)


def _about(path: Path) -> About:
    return msgspec.json.decode(path.read_bytes(), type=About)


def _required(call: Call) -> Path:
    name = call.parameters["name"]
    found = call.services.folder("snapshots") / name
    if not _NAME.fullmatch(name) or not (found / _ABOUT).exists():
        raise ServiceError("ResourceNotFound", f"There is no snapshot {name!r}.")
    return found


def _copy_tree(source: Path, target: Path) -> None:
    """Files, directories and links; what vanishes meanwhile, pipes and sockets are left out."""
    target.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        return
    for entry in os.scandir(source):
        place = target / entry.name
        try:
            if entry.is_symlink():
                place.symlink_to(Path(entry.path).readlink())
            elif entry.is_dir():
                _copy_tree(Path(entry.path), place)
            elif stat.S_ISREG(entry.stat().st_mode):
                shutil.copy2(entry.path, place)
            _keep_owner(Path(entry.path), place)
        except FileNotFoundError:
            continue
    shutil.copystat(source, target)
    _keep_owner(source, target)


def _keep_owner(source: Path, target: Path) -> None:
    """Files of tasks belong to users of their own where the service is root."""
    if os.geteuid() == 0 and os.path.lexists(target):
        found = source.lstat()
        os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)


def _bad(reason: str) -> ServiceError:
    return ServiceError("InvalidRequestContent", reason)
