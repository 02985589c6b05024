"""The directories of a process node."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from emulator.scheduler.ports import NodeRef

_DIRECTORIES = ("applications", "fsmounts", "shared", "startup", "volatile", "workitems")


@dataclass(frozen=True, slots=True)
class Disk:
    """``folder`` is all of the node's, ``root`` what nodes call their root directory."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "mnt" / "batch" / "tasks"

    @property
    def applications(self) -> Path:
        return self.root / "applications"

    @property
    def startup(self) -> Path:
        return self.root / "startup"

    @property
    def log(self) -> Path:
        """What the node agent says it does."""
        return self.folder / "var" / "log" / "agent.log"

    @property
    def expiries(self) -> Path:
        """When which task directory is to be removed."""
        return self.folder / "var" / "expiries"

    def home(self, user: str) -> Path:
        return self.folder / "home" / user

    def make(self) -> None:
        for name in _DIRECTORIES:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.home("_azbatch").mkdir(parents=True, exist_ok=True)
        self.expiries.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)

    def wipe(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def disk_of(base: Path, ref: NodeRef) -> Disk:
    # Folded, as the service does not compare case and some disks do not either.
    return Disk(base / ref.account.lower() / ref.pool.lower() / ref.node)


def prepare_task(folder: Path) -> None:
    """An empty directory for a command: what an earlier attempt wrote is gone, but its working directory stays."""
    (folder / "wd").mkdir(parents=True, exist_ok=True)
    for name in ("stdout.txt", "stderr.txt"):
        os.close(os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644))
