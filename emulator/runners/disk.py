"""The directories of a process node."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from emulator.runners.identities import Identity
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

    def make(self, group: int | None = None) -> None:
        """Make the directories. With a group only its members come in, and write where tasks may share files."""
        for name in _DIRECTORIES:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.expiries.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if group is None:
            return
        for place in (self.folder.parent.parent, self.folder.parent):
            place.chmod(0o711)
        for place, mode in ((self.folder, 0o710), (self.folder / "var", 0o700), (self.root / "shared", 0o2770)):
            os.chown(place, 0, group)
            place.chmod(mode)

    def make_home(self, identity: Identity) -> Path:
        home = self.home(identity.name)
        if not home.exists():
            home.mkdir(parents=True)
            identity.own(home)
        return home

    def wipe(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def disk_of(base: Path, ref: NodeRef) -> Disk:
    # Folded, as the service does not compare case and some disks do not either.
    return Disk(base / ref.account.lower() / ref.pool.lower() / ref.node)


def prepare_task(folder: Path, identity: Identity) -> None:
    """An empty directory for a command: what an earlier attempt wrote is gone, but its working directory stays."""
    (folder / "wd").mkdir(parents=True, exist_ok=True)
    written = [folder / "stdout.txt", folder / "stderr.txt"]
    for file in written:
        file.unlink(missing_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    identity.own_all(folder / "wd")
    identity.own(folder, *written)
