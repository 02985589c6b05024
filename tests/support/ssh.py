"""An ordinary OpenSSH client, as a person has it, with a password typed for it where it asks for one."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

# Nodes come and go with other host keys: people who accept them say yes once; nothing here is remembered.
QUIET = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")


class Key:
    """A key pair of the person's own. `public` is the line for authorized_keys."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "id_ed25519"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.path)]
        subprocess.run(command, check=True)
        self.public = self.path.with_suffix(".pub").read_text().strip()


def with_key(command: Sequence[str], key: Key, what: str, *options: str) -> str:
    """What the node prints for `what`, by the command that the portal shows. Raises AssertionError with ssh's words."""
    return _run(command, ["-i", str(key.path), "-o", "IdentitiesOnly=yes", *options], what, {})


def with_password(command: Sequence[str], password: str, what: str, folder: Path) -> str:
    """The same; the password comes by ssh's own way of asking a program for it."""
    asker = folder / "askpass"
    asker.write_text('#!/bin/sh\necho "$PASSWORD_OF_TEST"\n')
    asker.chmod(0o700)
    asking = {"SSH_ASKPASS": str(asker), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD_OF_TEST": password}
    return _run(command, ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"], what, asking)


def is_refused(command: Sequence[str], key: Key) -> bool:
    """Whether the node no longer lets the key in."""
    try:
        with_key(command, key, "true")
    except AssertionError as error:
        return "Permission denied" in str(error)
    return False


def _run(command: Sequence[str], options: Sequence[str], what: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [command[0], *QUIET, *options, *command[1:], what],
        env={"PATH": "/usr/bin:/bin", **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout
