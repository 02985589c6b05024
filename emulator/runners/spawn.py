"""Real processes: started clean, in a session of their own, ended with all they started."""

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from emulator.runners.children import Child, Waitable
from emulator.runners.failures import PreparationError
from emulator.runners.identities import Identity

GRACE = 0.5  # seconds between the request to end and the end

# Variables by which a process is known to belong to a node or a task.
_MARKS = (b"AZ_BATCH_NODE_ROOT_DIR=", b"AZ_BATCH_TASK_DIR=")

# Limits are set by a shell that becomes the command: between fork and exec this process must not run Python.
_LAUNCHER = ("/bin/sh", "-c", 'umask 022; ulimit -c 0; ulimit -n 4096 2>/dev/null; exec "$@"', "sh")


def split(command_line: str) -> list[str]:
    """The words of a command line. Nothing is expanded: for that it has to invoke a shell."""
    try:
        return shlex.split(command_line)
    except ValueError:
        return command_line.split()


def locate(argv: Sequence[str], cwd: Path, path: str) -> list[str]:
    """The command with its program found. Raises PreparationError."""
    program = argv[0] if argv else ""
    found = str(cwd / program) if "/" in program else shutil.which(program, path=path)
    if not found or not Path(found).exists():
        raise PreparationError(
            "CommandProgramNotFound", "The specified command program is not found", CommandProgram=program
        )
    if not os.access(found, os.X_OK) or Path(found).is_dir():
        raise PreparationError("CommandLaunchFailed", "Failed to launch the specified command", CommandProgram=program)
    return [found, *argv[1:]]


def spawn(argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], identity: Identity) -> Child:
    """Start a command in a task's directory; what it writes is added to the two files there. Raises OSError."""
    other: dict[str, Any] = {"user": identity.uid, "group": identity.gid, "extra_groups": []}
    with (folder / "stdout.txt").open("ab") as out, (folder / "stderr.txt").open("ab") as err:
        started = subprocess.Popen(
            [*_LAUNCHER, *argv],
            cwd=folder / "wd",
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            **(other if identity.uid is not None else {}),
        )
    return Child(started)


async def end(process: Waitable) -> None:
    """Ask the process and its group to end, then make them."""
    signal_group(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE)
    signal_group(process.pid, signal.SIGKILL)
    await process.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def kill_below(folder: Path, *, also_by_place: bool = True) -> list[int]:
    """Kill every process that was started for a node or a task in a folder, whatever session it moved to.

    With ``also_by_place`` also those that only work there, such as shells. That is how leftovers are found: those of
    a killed service, and those that a task left behind. Needs /proc; where there is none nothing is found.
    """
    killed: list[int] = []
    while found := [pid for pid in _processes() if pid not in killed and _belongs(pid, folder, also_by_place)]:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed += found
    return killed


def _processes() -> list[int]:
    try:
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    except FileNotFoundError:
        return []
    return [pid for pid in found if pid != os.getpid()]


def _belongs(pid: int, folder: Path, also_by_place: bool) -> bool:
    place = Path("/proc") / str(pid)
    try:
        if also_by_place and (place / "cwd").readlink().is_relative_to(folder):
            return True
        variables = (place / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    marks = [entry.partition(b"=")[2] for entry in variables if entry.startswith(_MARKS)]
    return any(Path(os.fsdecode(mark)).is_relative_to(folder) for mark in marks)
