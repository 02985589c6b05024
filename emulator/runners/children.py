"""Child processes that are waited for without a thread each, and with what they have used."""

import asyncio
import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from emulator.domain.usage import Usage

_KIB = 1024  # unit of ru_maxrss


class Waitable(Protocol):
    """What ending a process needs; asyncio's processes have it too."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int: ...


class Child:
    """A started process. ``usage`` is known once it has ended, with that of all its children it has waited for."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.pid = process.pid
        self.returncode: int | None = None
        self.usage: Usage | None = None
        try:
            self._loop.add_reader(handle := os.pidfd_open(self.pid), self._ended, handle)
        except (AttributeError, OSError):  # neither macOS nor old kernels have it
            threading.Thread(target=self._wait_in_thread, daemon=True).start()

    async def wait(self) -> int:
        """The exit code, negative for the number of the signal that ended it."""
        await self._over.wait()
        return self.returncode if self.returncode is not None else 0

    def _ended(self, handle: int) -> None:
        self._loop.remove_reader(handle)
        os.close(handle)
        self._reap()

    def _wait_in_thread(self) -> None:
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._reap)

    def _reap(self) -> None:
        usage = _of_disks(self.pid)
        _, status, resources = os.wait4(self.pid, 0)
        usage.user, usage.kernel = resources.ru_utime, resources.ru_stime
        usage.peak = resources.ru_maxrss * _KIB
        self.usage = usage
        self.returncode = self._process.returncode = os.waitstatus_to_exitcode(status)
        self._over.set()


def _of_disks(pid: int) -> Usage:
    """What the kernel has counted of a process that has ended and is not waited for yet. Nothing without /proc."""
    counted: dict[str, int] = {}
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/io").read_text().splitlines():
            name, _, number = line.partition(":")
            counted[name] = int(number)
    return Usage(
        reads=counted.get("syscr", 0),
        writes=counted.get("syscw", 0),
        read_bytes=counted.get("read_bytes", 0),
        written_bytes=counted.get("write_bytes", 0),
    )
