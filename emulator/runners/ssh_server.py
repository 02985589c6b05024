"""The SSH protocol's side of a node's listener: who may come in, and sessions with shells, commands and SFTP."""

import asyncio
import os
import pty
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress

import asyncssh

from emulator.domain.node_users import NodeUser
from emulator.runners.disk import Disk
from emulator.runners.spawn import end, signal_group
from emulator.runners.ssh import Shell, Users, set_size
from emulator.scheduler.ports import NodeRef

_CHUNK = 1 << 16


def options(host_key: bytes, users: Users, ref: NodeRef, disk: Disk) -> asyncssh.SSHServerConnectionOptions:
    return asyncssh.SSHServerConnectionOptions(
        server_factory=lambda: _Server(users, ref, disk),
        server_host_keys=[asyncssh.import_private_key(host_key)],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=os.fsencode(disk.folder)),
        allow_scp=True,
        encoding=None,
        line_editor=False,
        login_timeout=30,
        keepalive_interval=60,
        gss_host=None,
        host_based_auth=False,
        kbdint_auth=False,
    )


class _Server(asyncssh.SSHServer):
    def __init__(self, users: Users, ref: NodeRef, disk: Disk) -> None:
        self._users = users
        self._ref = ref
        self._disk = disk
        self._name = ""

    def begin_auth(self, username: str) -> bool:
        self._name = username
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        user = self._user(username)
        return user is not None and user.has_password(password)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        user = self._user(username)
        return user is not None and any(key == known for known in _keys(user))

    def session_requested(self) -> "_Session":
        return _Session(Shell(self._name, self._disk))

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return False  # no forwarding into the host's network

    def _user(self, name: str) -> NodeUser | None:
        return self._users.find(self._ref, name)


def _keys(user: NodeUser) -> list[asyncssh.SSHKey]:
    found = []
    for line in (user.ssh_public_key or "").splitlines():
        with suppress(asyncssh.KeyImportError, ValueError):
            found.append(asyncssh.import_public_key(line.strip()))
    return found


class _Session(asyncssh.SSHServerSession[bytes]):
    """Between an SSH channel and a process."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._command: str | None = None
        self._term: str | None = None
        self._size = (80, 24)
        self._master: int | None = None
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._early_eof = False
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def pty_requested(
        self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        self._term, self._size = term_type, (term_size[0] or 80, term_size[1] or 24)
        return True

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._command = command
        return True

    def session_started(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        if self._master is not None:
            set_size(self._master, width, height)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self._process is None:
            self._early.append(data)
        else:
            self._write(data)

    def eof_received(self) -> bool:
        if self._process is None:
            self._early_eof = True
        elif self._master is None and self._process.stdin is not None:
            self._process.stdin.close()
        return True

    def signal_received(self, signal: str) -> None:
        self._signal(signal)

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def _signal(self, name: str) -> None:
        number = getattr(signal, f"SIG{name}", None)
        if self._process is not None and number is not None:
            signal_group(self._process.pid, number)

    async def _run(self) -> None:
        try:
            code = await (self._with_pipes() if self._term is None else self._with_terminal())
            if code >= 0:
                self._channel.exit(code)
            else:
                self._channel.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
        except OSError as error:
            self._channel.write_stderr(f"{error}\n".encode())
            self._channel.exit(126)
        finally:
            if self._process is not None and self._process.returncode is None:
                await end(self._process)
            if self._master is not None:
                os.close(self._master)
                self._master = None

    async def _with_pipes(self) -> int:
        process = self._process = await self._shell.run(self._command, None, None)
        self._catch_up()
        await asyncio.gather(self._copy(process.stdout, None), self._copy(process.stderr, 1))
        return await process.wait()

    async def _copy(self, reader: asyncio.StreamReader | None, datatype: int | None) -> None:
        while reader is not None and (data := await reader.read(_CHUNK)):
            await self._may_write.wait()
            self._channel.write(data, datatype)

    async def _with_terminal(self) -> int:
        self._master, terminal = pty.openpty()
        set_size(self._master, *self._size)
        try:
            self._process = await self._shell.run(self._command, self._term, terminal)
        finally:
            os.close(terminal)
        self._catch_up()
        os.set_blocking(self._master, False)
        await self._copy_terminal(self._master)
        return await self._process.wait()

    async def _copy_terminal(self, master: int) -> None:
        """Until the last process has closed the terminal."""
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(master, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                try:
                    data = os.read(master, _CHUNK)
                except BlockingIOError:
                    continue
                except OSError:  # the other side is closed
                    return
                if not data:
                    return
                await self._may_write.wait()
                self._channel.write(data)
        finally:
            loop.remove_reader(master)

    def _catch_up(self) -> None:
        for data in self._early:
            self._write(data)
        self._early.clear()
        if self._early_eof:
            self.eof_received()

    def _write(self, data: bytes) -> None:
        if self._master is not None:
            _write_all(self._master, data)
        elif self._process is not None and self._process.stdin is not None:
            with suppress(ConnectionError):
                self._process.stdin.write(data)


def _write_all(terminal: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(terminal, data) :]
        except BlockingIOError:
            return  # nobody reads what is typed
        except OSError:
            return
