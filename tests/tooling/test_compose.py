"""docker-compose.yml and the Dockerfile: valid, closed, and each command of ours really runs.

No container engine is at hand in every place this runs, so the commands are started natively, with the variables and
secrets that the file gives them, against PostgreSQL and Redis.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from scripts import compose_secrets
from scripts.install import ROOT
from scripts.postgres import postgres
from tests.support.processes import LEASH, free_ports

COMPOSE = ROOT / "docker-compose.yml"
BIN = Path(sys.executable).parent
Service = dict[str, Any]


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    found: dict[str, Service] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as url:
        yield url


def tool(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)


def test_compose_file_follows_its_schema() -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert done.returncode == 0, done.stdout


def test_dockerfile_is_clean() -> None:
    done = tool("hadolint", ROOT / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_every_service_is_closed_and_watched(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "healthcheck" in service or name == "migrate", name
        assert "privileged" not in service, name


def test_only_the_local_batch_service_needs_a_profile(services: dict[str, Service]) -> None:
    assert {name for name, service in services.items() if service.get("profiles") == ["local"]} == {
        "azurite",
        "emulator",
    }


def test_database_and_broker_are_reached_from_inside_alone(services: dict[str, Service]) -> None:
    published = {name for name, service in services.items() if "ports" in service}
    assert published == {"web"}
    assert {name for name, service in services.items() if service["networks"] == ["data"]} == {"postgres", "redis"}


def test_no_secret_stands_in_the_files() -> None:
    for name in ("docker-compose.yml", "Dockerfile"):
        for line in (ROOT / name).read_text().splitlines():
            given = re.search(r"(SECRET_KEY|ENCRYPTION_KEYS|PASSWORD|DATABASE_URL)(_FILE)?[:=]\s*(\S+)", line)
            assert given is None or given[3].startswith("/run/secrets/"), line


def test_what_the_image_copies_is_let_in_and_exists() -> None:
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert source.split("/")[0] in admitted, source
                assert (ROOT / source).exists(), source


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    compose_secrets.main(folder)
    first = {file.name: file.read_text() for file in folder.iterdir()}
    compose_secrets.main(folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == first
    assert folder.stat().st_mode & 0o777 == 0o700
    named = yaml.safe_load(COMPOSE.read_text())["secrets"]
    assert {Path(entry["file"]).name for entry in named.values()} <= set(first)


@pytest.fixture
def deployed(
    services: dict[str, Service], database: str, redis_url: str, tmp_path: Path
) -> Callable[[str], tuple[list[str], dict[str, str]]]:
    """Command and environment of a service as the compose file has them, with this machine's addresses."""
    name = f"compose_{secrets.token_hex(4)}"
    with psycopg.connect(database, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}".encode())
    folder = tmp_path / "run-secrets"
    compose_secrets.main(folder)
    (folder / "database_url").write_text(database.rsplit("/", 1)[0] + f"/{name}")
    state = tmp_path / "state"
    (state / "staging").mkdir(parents=True)
    port = free_ports().web

    def of(name: str) -> tuple[list[str], dict[str, str]]:
        service = services[name]
        given = {key: resolve(str(value), folder) for key, value in service["environment"].items()}
        image = {
            "DJANGO_SETTINGS_MODULE": "batchportal.settings.production",
            "BATCHPORTAL_STATE_DIR": str(state),
            "STATIC_ROOT": str(ROOT / "build" / "collected"),
            "WEB_BIND": f"0.0.0.0:{port}",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(tmp_path),  # a container's own
        }
        clean = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}
        return service["command"], {**clean, **image, **given, "REDIS_URL": redis_url}

    return of


def resolve(value: str, secrets_folder: Path) -> str:
    """Compose's own `${NAME:-default}`, and the place secrets are mounted at."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("/run/secrets", str(secrets_folder))


def test_each_command_runs_natively(
    services: dict[str, Service], deployed: Callable[[str], tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    command, environment = deployed("migrate")
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    running = {}
    try:
        for name in ("web", "worker", "beat"):
            command, environment = deployed(name)
            with (tmp_path / f"{name}.log").open("wb") as log:
                running[name] = subprocess.Popen(
                    [*LEASH, *command], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
                )
        for name, process in running.items():
            become_healthy(services[name], deployed(name)[1], process, tmp_path / f"{name}.log")
    finally:
        for process in running.values():
            process.terminate()
        statuses = {name: process.wait(timeout=60) for name, process in running.items()}
    assert statuses == {"web": 0, "worker": 0, "beat": 0}


def become_healthy(service: Service, environment: dict[str, str], process: subprocess.Popen[bytes], log: Path) -> None:
    """Run the service's own health check until it is content."""
    check = service["healthcheck"]["test"][1:]
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(check, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{done.stderr}\n{log.read_text()}"


def test_health_checks_find_what_is_dead(
    services: dict[str, Service], deployed: Callable[[str], tuple[list[str], dict[str, str]]]
) -> None:
    for name in ("web", "worker", "beat"):
        environment = deployed(name)[1]
        check = services[name]["healthcheck"]["test"][1:]
        done = subprocess.run(check, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1, name
        assert done.stderr.strip(), name
