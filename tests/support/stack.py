"""A whole portal of real processes with a database of its own, as `make run` starts it, for journeys and bad days."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.db import connection
from psycopg import sql
from pytest_django import DjangoDbBlocker

from emulator.testing import Emulator
from scripts.install import ROOT
from scripts.parts import Site
from scripts.run import build_static
from tests.support.processes import Processes, clean_environment, free_ports

# Recovery and fresh pictures of nodes in seconds, so that tests see them.
QUICK = {
    "OPERATION_LEASE_SECONDS": "5",
    "OPERATIONS_RECONCILE_SECONDS": "1",
    "FLEET_WATCHED_SECONDS": "2",
    "FLEET_LEASE_SECONDS": "10",
    "LOG_LEVEL": "INFO",
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """One of the demo's people. `role` is administrator, uploader or reader."""

    username: str
    password: str
    role: str


class Stack(Processes):
    """Parts: web, worker, beat, redis, azurite, emulator. `url` is the portal's address."""

    everything = ("redis", "azurite", "emulator", "web", "worker", "beat")

    def __init__(self, state: Path, settings: Mapping[str, str], blocker: DjangoDbBlocker) -> None:
        self.database_url = create_database(state)
        merged = {**QUICK, "DATABASE_URL": self.database_url, **settings}
        super().__init__(Site(state=state, ports=free_ports(), settings=merged))
        self._blocker = blocker
        self.people: dict[str, SignIn] = {}
        # Faults, clock, request log and management plane of the local Batch service; this one starts no process.
        self.batch = Emulator(self.logs, [], None, ())
        self.batch.url = self.site.emulator_url

    @property
    def url(self) -> str:
        return self.site.url

    def open(self) -> None:
        """Bring everything up, migrated and with the demo's people and account."""
        build_static(self.site, self.environment())
        self.start("redis", "azurite", "emulator", wait=False)
        self.manage("migrate", "--noinput", "-v0")
        self.start("web", "worker", "beat", wait=False)
        self.wait_ready(self.everything)
        users = json.loads(self.manage("demo", "--json"))["users"]
        self.people = {user["role"]: SignIn(user["username"], user["password"], user["role"]) for user in users}

    def mend(self) -> None:
        """Have every part running again, whatever the last test did to them."""
        for name in list(self.frozen):
            self.thaw(name)
        self.start(*self.everything)
        self.batch.clear_faults()

    def environment(self) -> dict[str, str]:
        return {**clean_environment(), **self.site.environment()}

    def manage(self, *arguments: str) -> str:
        """Run a management command of this portal. Returns what it printed; raises with its errors when it fails."""
        done = subprocess.run(
            self.site.manage(*arguments), cwd=ROOT, env=self.environment(), check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    @contextmanager
    def database(self) -> Iterator[None]:
        """Let this process's models read and write the database of the running portal."""
        # Set aside, not closed: closing does nothing to a test database in memory, and would lose it if it did.
        settings, link = connection.settings_dict, connection.connection
        with self._blocker.unblock():
            connection.connection = None
            connection.settings_dict = {**settings, **django_database(self.database_url)}
            try:
                yield
            finally:
                connection.close()
                connection.settings_dict, connection.connection = settings, link


def create_database(state: Path) -> str:
    """URL of a new, empty database: on the server of DATABASE_URL where that is PostgreSQL, else an SQLite file."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        return f"sqlite:///{state / 'batchportal.sqlite3'}"
    name = f"stack_{os.getpid()}_{state.name}".replace("-", "_")
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server.rsplit('/', 1)[0]}/{name}"


def django_database(url: str) -> dict[str, object]:
    """What Django's connection must be told to reach this database."""
    return {"NAME": url.rsplit("/", 1)[1] if url.startswith("postgres") else url.removeprefix("sqlite:///")}
