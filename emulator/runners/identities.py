"""Which user of this machine a command runs as.

Where the service runs as root, commands without elevation run as users that exist nowhere else: their numbers are made
from the node's and the user's name, so that tasks of one node cannot reach into another. Nothing is written to the
machine's list of users. Anywhere else every command runs as the service itself does.
"""

import os
import stat
import subprocess
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emulator.runners.failures import PreparationError
from emulator.scheduler.ports import NodeRef
from emulator.wire.common import UserIdentity
from emulator.wire.machines import UserAccount

POOL_USER, TASK_USER = "_azbatch", "_azbatchtask"

_FIRST = 1_900_000_000  # far above the numbers that systems give to users and ranges of theirs
_SPAN = 1 << 24


@dataclass(frozen=True, slots=True)
class Identity:
    """``uid`` and ``gid`` are None for the user that the service runs as."""

    name: str
    uid: int | None = None
    gid: int | None = None

    def own(self, *paths: Path) -> None:
        """Give files or directories to the user. Links are not followed."""
        if self.gid is not None:
            for path in paths:
                os.chown(path, self.uid or 0, self.gid, follow_symlinks=False)

    def own_all(self, folder: Path) -> None:
        """Give a directory with all it has to the user, unless it is theirs already."""
        if self.gid is None or folder.stat().st_uid == (self.uid or 0):
            return
        for place, folders, files in os.walk(folder):
            self.own(*(Path(place) / name for name in (*folders, *files)))
        self.own(folder)


class Identities:
    """``base`` is where the nodes are: users other than root must be able to go there."""

    def __init__(self, base: Path) -> None:
        base.mkdir(parents=True, exist_ok=True)
        self.are_separate = os.geteuid() == 0 and _is_reachable(base) and _can_change_user()
        if self.are_separate:
            base.chmod(0o711)

    def group(self, ref: NodeRef) -> int | None:
        """The group that all commands on a node have in common."""
        return _number("/".join(ref)) if self.are_separate else None

    def of(self, ref: NodeRef, folder: Path, wanted: UserIdentity | None, accounts: Iterable[UserAccount]) -> Identity:
        """The user of a command. Raises PreparationError for one that the pool has not."""
        if wanted is not None and wanted.username is not None:
            account = next((found for found in accounts if found.name == wanted.username), None)
            if account is None:
                raise PreparationError(
                    "CommandLaunchFailed", "The pool has no user account of this name", UserName=wanted.username
                )
            return self._identity(ref, account.name, account.name, account.elevation_level)
        auto = wanted.auto_user if wanted is not None else None
        if auto is not None and auto.scope == "task":
            return self._identity(ref, TASK_USER, str(folder), auto.elevation_level)
        return self._identity(ref, POOL_USER, POOL_USER, auto.elevation_level if auto is not None else None)

    def _identity(self, ref: NodeRef, name: str, key: str, elevation: str | None) -> Identity:
        group = self.group(ref)
        if group is None:
            return Identity(name)
        if elevation == "admin":
            return Identity("root", 0, group)
        return Identity(name, _number("/".join((*ref, key))), group)


def _number(name: str) -> int:
    return _FIRST + zlib.crc32(name.lower().encode()) % _SPAN


def _is_reachable(base: Path) -> bool:
    """Whether others may pass through every directory above."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in base.parents)


def _can_change_user() -> bool:
    """Root in a container may lack the right to."""
    try:
        done = subprocess.run(["/bin/sh", "-c", ":"], user=_FIRST, group=_FIRST, extra_groups=[], check=False)
    except (OSError, ValueError):
        return False
    return done.returncode == 0
