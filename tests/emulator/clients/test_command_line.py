"""The Azure command line, signed in to the service as to a cloud of its own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.settings import DEFAULT_TENANT
from tests.emulator.clients import environments
from tests.emulator.clients.conftest import Secure
from tests.emulator.clients.crowd import JOB, POOL, TASKS, WRITTEN, command_lines, package
from tests.emulator.estate import until

APP = "33333333-3333-3333-3333-333333333333"
HERE = "--resource-group", "local", "--name", "local"


@dataclass(frozen=True, slots=True)
class Az:
    """The program in its environment and with settings of its own. ``account`` says which Batch account, and how."""

    program: Path
    folder: Path
    trusted: Path
    account: tuple[str, ...] = ()

    def __call__(self, *arguments: str) -> Any:
        """What it answers, read from JSON."""
        variables = {
            "AZURE_CONFIG_DIR": str(self.folder / "settings"),
            "REQUESTS_CA_BUNDLE": str(self.trusted),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_OUTPUT": "json",
        }
        command = str(self.program), *arguments, *self.account
        written = environments.run(*command, cwd=self.folder, **variables)
        return json.loads(written) if written.strip() else None

    def file(self, name: str, content: object) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)


@pytest.fixture(scope="module")
def signed_in(secure: Secure, tmp_path_factory: pytest.TempPathFactory) -> Az:
    folder = tmp_path_factory.mktemp("az")
    az = Az(environments.command_line(folder), folder, secure.trusted)
    az("cloud", "register", "--name", "local", "--endpoint-resource-manager", secure.url)
    az("cloud", "set", "--name", "local")
    az("login", "--service-principal", "--username", APP, "--password", "secret", "--tenant", DEFAULT_TENANT)
    return az


@pytest.fixture(scope="module")
def batch(signed_in: Az, secure: Secure) -> Az:
    """The same for the data plane of the account, with its key."""
    key = signed_in("batch", "account", "keys", "list", *HERE)["primary"]
    account = ("--account-name", "local", "--account-endpoint", secure.emulator.account_url(), "--account-key", key)
    return Az(signed_in.program, signed_in.folder, signed_in.trusted, account)


def test_a_package_a_pool_and_250_tasks(signed_in: Az, batch: Az, secure: Secure) -> None:
    signed_in("batch", "account", "set", *HERE, "--storage-account", secure.storage)
    signed_in("batch", "application", "create", *HERE, "--application-name", "shout")
    file = signed_in.folder / "shout.zip"
    file.write_bytes(package())
    version = ("--application-name", "shout", "--version-name", "1.0", "--package-file", str(file))
    assert signed_in("batch", "application", "package", "create", *HERE, *version)["state"] == "Active"

    batch("batch", "pool", "create", "--json-file", batch.file("pool.json", POOL))
    batch("batch", "job", "create", "--id", JOB, "--pool-id", POOL["id"])
    added = batch("batch", "task", "create", "--job-id", JOB, "--json-file", batch.file("tasks.json", command_lines()))
    assert [result["status"] for result in added] == ["success"] * TASKS
    done = until(
        lambda: batch("batch", "job", "task-counts", "show", "--job-id", JOB)["taskCounts"],
        lambda counts: counts["completed"] == TASKS,
    )
    assert done["succeeded"] == TASKS
    for number in (0, 7, TASKS - 1):
        place = batch.folder / f"{number}.txt"
        where = ("--task-id", f"t{number}", "--file-path", "stdout.txt", "--destination", str(place))
        batch("batch", "task", "file", "download", "--job-id", JOB, *where)
        assert place.read_text() == WRITTEN[number]
    exits = batch("batch", "task", "list", "--job-id", JOB, "--query", "[].executionInfo.exitCode")
    assert exits == [0] * TASKS

    batch("batch", "job", "delete", "--job-id", JOB, "--yes")
    batch("batch", "pool", "delete", "--pool-id", POOL["id"], "--yes")
    until(lambda: batch("batch", "pool", "list"), lambda pools: pools == [])


def test_the_data_plane_with_a_token(signed_in: Az, secure: Secure) -> None:
    account = ("--account-name", "local", "--account-endpoint", secure.emulator.account_url())
    images = signed_in("batch", "pool", "supported-images", "list", *account, "--query", "[].nodeAgentSkuId")
    assert "batch.node.ubuntu 24.04" in images
