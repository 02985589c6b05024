"""Pin every Python and npm package anew, without a word about where they came from."""

from __future__ import annotations

import subprocess
import sys

from scripts.install import ROOT, node_folder

UV = ("uv", "pip", "compile", "--quiet", "--universal", "--upgrade", "--no-emit-index-url", "--no-header")


def main() -> None:
    for name in ("requirements", "requirements-local", "requirements-dev"):
        run(sys.executable, "-m", *UV, "--python-version", "3.11", f"{name}.in", "--output-file", f"{name}.txt")
    npm = node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run(str(node_folder() / "bin" / "node"), str(npm), "install", "--package-lock-only", "--loglevel=error")


def run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
