"""The SSH protocol's side of a node's listener: who may come in, and sessions with shells, commands and SFTP."""

import asyncio
import os
import pty
import signal
from asyncio.subprocess import Process
from contextlib import suppress
from functools import partial

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
        process_factory=partial(_serve, disk),
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

    def begin_auth(self, username: str) -> bool:
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


async def _serve(disk: Disk, client: asyncssh.SSHServerProcess[bytes]) -> None:
    """One shell or command, on a pseudo-terminal when the client asks for one."""
    shell = Shell(str(client.get_extra_info("username")), disk)
    try:
        if client.term_type is None:
            code = await _with_pipes(shell, client)
        else:
            code = await _with_terminal(shell, client)
    except OSError as error:
        client.stderr.write(f"{error}\n".encode())
        code = 126
    if code >= 0:
        client.exit(code)
    else:
        client.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))


async def _with_pipes(shell: Shell, client: asyncssh.SSHServerProcess[bytes]) -> int:
    process = await shell.run(client.command, None, None)
    feeding = [asyncio.create_task(work) for work in (_feed(client, process), _outlive(client, process))]
    try:
        await asyncio.gather(_copy(process.stdout, client.stdout), _copy(process.stderr, client.stderr))
        return await process.wait()
    finally:
        await _finish(process, feeding)


async def _feed(client: asyncssh.SSHServerProcess[bytes], process: Process) -> None:
    """What the client sends goes to the process, also signals and the end."""
    stdin = process.stdin
    while stdin is not None:
        try:
            data = await client.stdin.read(_CHUNK)
        except asyncssh.SignalReceived as sent:
            _signal(process, sent.signal)
            continue
        except asyncssh.BreakReceived:
            _signal(process, "INT")
            continue
        if not data:
            stdin.close()
            return
        with suppress(ConnectionError):
            stdin.write(data)
            await stdin.drain()


async def _copy(reader: asyncio.StreamReader | None, writer: asyncssh.SSHWriter[bytes]) -> None:
    while reader is not None and (data := await reader.read(_CHUNK)):
        writer.write(data)
        await writer.drain()


async def _with_terminal(shell: Shell, client: asyncssh.SSHServerProcess[bytes]) -> int:
    master, terminal = pty.openpty()
    set_size(master, *client.term_size[:2])
    try:
        process = await shell.run(client.command, client.term_type, terminal)
    except OSError:
        os.close(master)
        raise
    finally:
        os.close(terminal)
    os.set_blocking(master, False)
    feeding = [asyncio.create_task(work) for work in (_type(client, process, master), _outlive(client, process))]
    try:
        await _show(master, client.stdout)
        return await process.wait()
    finally:
        await _finish(process, feeding)
        os.close(master)


async def _type(client: asyncssh.SSHServerProcess[bytes], process: Process, master: int) -> None:
    """What the client types goes to the terminal."""
    while True:
        try:
            data = await client.stdin.read(_CHUNK)
        except asyncssh.TerminalSizeChanged as changed:
            set_size(master, changed.width, changed.height)
            continue
        except asyncssh.SignalReceived as sent:
            _signal(process, sent.signal)
            continue
        except asyncssh.BreakReceived:
            continue
        if not data:
            return
        await _write(master, data)


async def _write(master: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(master, data) :]
        except BlockingIOError:
            await asyncio.sleep(0.01)  # nobody reads what was typed before
        except OSError:
            return


async def _show(master: int, writer: asyncssh.SSHWriter[bytes]) -> None:
    """What the terminal shows goes to the client, until the last process has closed it."""
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
            writer.write(data)
            await writer.drain()
    finally:
        loop.remove_reader(master)


def _signal(process: Process, name: str) -> None:
    number = getattr(signal, f"SIG{name}", None)
    if number is not None:
        signal_group(process.pid, number)


async def _outlive(client: asyncssh.SSHServerProcess[bytes], process: Process) -> None:
    """A command does not outlive the connection it was given over."""
    await client.channel.wait_closed()
    await end(process)


async def _finish(process: Process, feeding: list[asyncio.Task[None]]) -> None:
    for task in feeding:
        task.cancel()
    if process.returncode is None:
        await end(process)
