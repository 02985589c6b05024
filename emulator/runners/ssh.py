"""SSH into process nodes: a listener per node, users as they were added, a shell in the node's tree.

asyncssh takes its time and memory to import, so that happens with the first connection.
"""

import asyncio
import fcntl
import os
import shutil
import socket
import struct
import termios
from asyncio.subprocess import Process
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.clock import Clock
from emulator.domain.node_users import NodeUser
from emulator.runners.disk import Disk
from emulator.runners.variables import SYSTEM_PATH
from emulator.scheduler.ports import NodeRef

if TYPE_CHECKING:
    from emulator.repositories import Repositories

_BACKLOG = 32


class Users:
    """The users of nodes, as they are right now."""

    def __init__(self, repositories: "Repositories", clock: Clock) -> None:
        self._repositories = repositories
        self._clock = clock

    def find(self, ref: NodeRef, name: str) -> NodeUser | None:
        """None also when the user has expired."""
        user = self._repositories.node_users.get("/".join(ref), name)
        return None if user is None or user.is_expired(self._clock.now()) or user.name != name else user


class HostKey:
    """The one host key of all nodes. In a file it stays the same over restarts."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._bytes: bytes | None = None

    def private_key(self) -> bytes:
        if self._bytes is None:
            self._bytes = self._read() or self._make()
        return self._bytes

    def _read(self) -> bytes | None:
        return self._file.read_bytes() if self._file is not None and self._file.exists() else None

    def _make(self) -> bytes:
        import asyncssh  # noqa: PLC0415 - see the module

        made: bytes = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
        if self._file is not None:
            with os.fdopen(os.open(self._file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                file.write(made)
        return made


class Door:
    """Where SSH is answered for one node."""

    def __init__(self, host_key: HostKey, users: Users, ref: NodeRef, disk: Disk, host: str) -> None:
        self._host_key = host_key
        self._users = users
        self._ref = ref
        self._disk = disk
        self._host = host
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self, port: int | None, ports: range | None) -> int:
        """Listen, at the port of before if it is free, else at one of ``ports``, else at any. Returns the port."""
        self._listener = _bind(self._host, [*([port] if port else ()), *(ports or ()), 0])
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._listener))
        return int(self._listener.getsockname()[1])

    async def close(self) -> None:
        for task in [self._accepting, *self._connections]:
            if task is not None:
                task.cancel()
        if self._listener is not None:
            self._listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._serve(connection))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _serve(self, connection: socket.socket) -> None:
        import asyncssh  # noqa: PLC0415 - see the module

        from emulator.runners.ssh_server import options  # noqa: PLC0415 - see the module

        key = await asyncio.to_thread(self._host_key.private_key)
        try:
            served = await asyncssh.run_server(connection, options=options(key, self._users, self._ref, self._disk))
        except (OSError, asyncssh.Error):
            connection.close()
            return
        try:
            await served.wait_closed()
        finally:
            served.abort()


def _bind(host: str, ports: Iterable[int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.bind((host, port))
        except OSError:
            listener.close()
            continue
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        return listener
    raise OSError("no port is free for SSH")


class Shell:
    """A shell or a command of a user, on a pseudo-terminal or with pipes."""

    def __init__(self, user: str, disk: Disk) -> None:
        self._user = user
        self._home = disk.home(user)
        self._disk = disk

    def argv(self, command: str | None) -> list[str]:
        shell = shutil.which("bash", path=SYSTEM_PATH) or "/bin/sh"
        return [shell, "-l"] if command is None else [shell, "-c", command]

    def environment(self, term: str | None) -> dict[str, str]:
        """As a fresh login has it: the variables of tasks are not part of it."""
        found = {
            "PATH": SYSTEM_PATH,
            "LANG": "C.UTF-8",
            "HOME": str(self._home),
            "USER": self._user,
            "LOGNAME": self._user,
            "SHELL": self.argv(None)[0],
            "PS1": rf"{self._user}@{self._disk.folder.name[:14]}:\w\$ ",
        }
        return found | ({"TERM": term} if term else {})

    def make_home(self) -> Path:
        self._home.mkdir(parents=True, exist_ok=True)
        link = self._home / "batch"
        if not link.is_symlink():
            with suppress(OSError):
                link.symlink_to(self._disk.root)
        return self._home

    async def run(self, command: str | None, term: str | None, terminal: int | None) -> Process:
        """Start it. ``terminal`` is the slave of a pseudo-terminal, which becomes its controlling one."""
        argv = self.argv(command)
        pipe = asyncio.subprocess.PIPE
        if terminal is not None:
            # A session leader that opens a terminal gets it as its controlling one.
            argv = ["/bin/sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(terminal), *argv]
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=self.make_home(),
            env=self.environment(term),
            stdin=pipe if terminal is None else terminal,
            stdout=pipe if terminal is None else terminal,
            stderr=pipe if terminal is None else terminal,
            start_new_session=True,
        )


def set_size(terminal: int, columns: int, rows: int) -> None:
    with suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
