"""A throw-away PostgreSQL server on loopback, from the installed packages."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from scripts.system import MissingError, postgres_folder

# Nothing of it outlives the tests, so nothing of it needs to reach the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server with an empty cluster. Yields the URL of its superuser's database."""
    programs = postgres_folder()
    if programs is None:
        raise MissingError("PostgreSQL's server is not installed: apt-get install -y postgresql")
    folder = Path(tempfile.mkdtemp(prefix="batchportal-postgres-"))
    user = unprivileged_user()
    try:
        password = secrets.token_hex(16)
        create_cluster(programs, folder, password, user)
        port = free_port()
        options = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}", *FAST]
        command = [str(programs / "postgres"), "-D", str(folder / "data")]
        command += [argument for option in options for argument in ("-c", option)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, **as_user(user), stdout=log, stderr=log, cwd=folder)
        try:
            url = f"postgres://postgres:{password}@127.0.0.1:{port}/postgres"
            wait_ready(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # the fast shutdown; SIGTERM would wait for clients to leave
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unprivileged_user() -> int | None:
    """PostgreSQL refuses to run as root: name the user its packages created."""
    return pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None


def as_user(user: int | None) -> dict[str, Any]:
    """Arguments of a subprocess that runs as this user, and as ourselves when there is none to change to."""
    return {} if user is None else {"user": user, "extra_groups": []}


def create_cluster(programs: Path, folder: Path, password: str, user: int | None) -> None:
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    for path in (folder, secret):
        if user is not None:
            os.chown(path, user, -1)
    arguments = ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(
        [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "postgres", *arguments],
        check=True,
        **as_user(user),
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )


def wait_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
