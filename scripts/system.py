"""Programs that tests need from the operating system: Debian's Chromium, PostgreSQL and the OpenSSH client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")


class MissingError(Exception):
    """A program is missing and may not be installed by us; the text names the command that installs it."""


def postgres_folder() -> Path | None:
    """Folder of the newest installed PostgreSQL server's programs."""
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


def ensure_programs() -> None:
    """Install what is missing through apt where we may; otherwise raise with the exact command."""
    packages = []
    if not CHROMIUM.exists():
        packages.append("chromium")
    if postgres_folder() is None:
        packages.append("postgresql")
    if shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        packages.append("openssh-client")
    if packages:
        install(packages)


def install(packages: list[str]) -> None:
    names = " ".join(packages)
    by_hand = f"apt-get update && apt-get install -y --no-install-recommends {names}"
    prefix = privileges()
    if shutil.which("apt-get") is None or prefix is None:
        sudo = "sudo sh -c " if prefix is None else ""
        raise MissingError(f"The tests need {names}. Install with: {sudo}'{by_hand}'")
    print(f"Installing {names} …", flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    try:
        subprocess.run([*apt, "update"], check=True, stdout=sys.stderr)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", *packages], check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise MissingError(f"apt-get ended with status {error.returncode}. Install by hand: {by_hand}") from error


def privileges() -> list[str] | None:
    """What to put before a command that needs root: nothing, sudo without a password, or None where we may not."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    ):
        return ["sudo", "-n"]
    return None
