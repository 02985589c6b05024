"""Puts the documents and the node files of a snapshot in the place of the present ones: both, or neither.

The files are laid beside the present ones first. The documents are replaced in one transaction, which also notes the
swap of the files; from then on it is only a matter of renaming, which a start goes on with after a kill.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from emulator.clock import ClockState
from emulator.domain.snapshots import Swap
from emulator.services import CLOCK, Services
from emulator.store.base import Document

_NEW, _OLD = ".new-", ".old-"


def beside(base: Path) -> Path:
    """Where files are laid that are to become the base."""
    return base.with_name(f"{base.name}{_NEW}{uuid4().hex}")


def replace_documents(services: Services, documents: Iterable[tuple[str, Document]], files: Path) -> None:
    with services.store.transaction():
        services.store.clear()
        for kind, document in documents:
            services.store.put(kind, document.scope, document.key, document.body)
        services.repositories.swaps.put("", "nodes", Swap(files.name))
    services.clock.restore(services.repositories.clock.get("", CLOCK) or ClockState())


def finish(services: Services) -> None:
    """Do what is left of a swap, and remove what is left of those that came to nothing. Nothing runs on nodes now."""
    base = services.fleet.processes.base
    swap = services.repositories.swaps.get("", "nodes")
    if swap is not None:
        new = base.with_name(swap.files)
        if new.exists():
            _put_aside(base)
            _put_in_place(new, base)
        services.repositories.swaps.delete("", "nodes")
    for left in base.parent.glob(f"{base.name}.*-*"):
        if left.name.startswith((f"{base.name}{_NEW}", f"{base.name}{_OLD}")):
            shutil.rmtree(left, ignore_errors=True)


def _put_aside(base: Path) -> None:
    if base.exists():
        base.rename(base.with_name(f"{base.name}{_OLD}{uuid4().hex}"))


def _put_in_place(new: Path, base: Path) -> None:
    new.rename(base)
