"""Run every check of `make lint` and report all that fail, not only the first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from cryptography.fernet import Fernet

CHECKS = {
    "ruff": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "--quiet", "."),
    "import-linter": ("lint-imports", "--no-logo"),
    "djlint": ("djlint", "templates", "--lint", "--quiet"),
    "assets": ("python", "scripts/assets.py"),
    "migrations": ("python", "manage.py", "makemigrations", "--check", "--dry-run"),
    "deployment": ("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
    "mypy": ("mypy",),
}


def main() -> None:
    failed = []
    with tempfile.TemporaryDirectory(prefix="batchportal-lint-") as state:
        environment = {**os.environ, **throwaway_production(state)}
        for name, command in CHECKS.items():
            began = time.monotonic()
            print(f"--- {name}", flush=True)
            program = os.path.join(os.path.dirname(sys.executable), command[0])  # noqa: PTH118, PTH120
            status = subprocess.run([program, *command[1:]], env=environment, check=False).returncode
            print(f"--- {name}: {'ok' if status == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
            if status != 0:
                failed.append(name)
    if failed:
        sys.exit(f"lint: {', '.join(failed)} failed")
    print("lint: all clean")


def throwaway_production(state: str) -> dict[str, str]:
    """Production settings with values that are valid and forgotten afterwards."""
    return {
        "DJANGO_SETTINGS_MODULE": "batchportal.settings.production",
        "BATCHPORTAL_STATE_DIR": state,
        "SECRET_KEY": Fernet.generate_key().decode() * 2,
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": "portal.example",
        "DATABASE_URL": f"sqlite:///{state}/checks.sqlite3",
    }


if __name__ == "__main__":
    main()
