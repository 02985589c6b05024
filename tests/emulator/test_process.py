"""The process: starting, stopping, crashing, coming back."""

import itertools
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError

from emulator.settings import Settings, parse
from emulator.storage import parse_connection, parse_connections
from emulator.testing import ROOT, Azurite, Emulator, StartError, start_emulator
from tests.emulator.conftest import batch_client, management_client
from tests.emulator.helpers import application

CONNECTION = "AccountName=one;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/one"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emulator", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=30,
        check=False,
    )


def test_a_stop_that_was_asked_for_is_a_success(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running:
        assert running.stop() == 0


def test_a_stop_waits_for_requests_under_way(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running:
        running.fault(operation="arm.subscriptions.list", latency=1)
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(running.arm("GET", "/subscriptions", version="2022-12-01"))
        )
        thread.start()
        while not any(fault["struck"] for fault in running.control("GET", "faults")["faults"]):
            time.sleep(0.01)
        assert running.stop() == 0
        thread.join()
        assert answers[0]["value"]


def test_state_is_there_after_a_restart(tmp_path: Path, azurite: Azurite) -> None:
    with start_emulator(data=tmp_path, storage=[azurite]) as running:
        running.link_storage("devstoreaccount1")
        key = running.account_key()
        with management_client(running) as management:
            made = management.application.create("local", "local", "Blender", application(display_name="B"))
            pending = management.application_package.create("local", "local", "Blender", "1")
            running.stop()
            running.start()
            assert running.account_key() == key
            assert management.application.get("local", "local", "blender") == made
            found = management.application_package.get("local", "local", "Blender", "1")
            assert (found.state, found.etag) == ("Pending", pending.etag)
            assert found.storage_url.split("?")[0] == pending.storage_url.split("?")[0]


def test_virtual_time_does_not_fall_back_in_a_restart(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running:
        before = running.clock(advance="P7D", paused=True)
        running.kill()
        running.start()
        after = running.clock()
        assert (after["now"], after["paused"]) == (before["now"], True)


def test_nothing_acknowledged_is_lost_in_a_crash(tmp_path: Path, azurite: Azurite) -> None:
    """Killed again and again at any moment of a stream of writes."""
    with start_emulator(data=tmp_path, storage=[azurite], arguments=["--application-quota", "100000"]) as running:
        running.link_storage("devstoreaccount1")
        acknowledged: list[str] = []
        numbers = itertools.count()
        for writes in (3, 11, 7, 19):
            _write_until_killed(running, acknowledged, numbers, writes)
            running.start()
            with management_client(running) as management:
                present = {found.name for found in management.application.list("local", "local")}
            assert set(acknowledged) <= present


def _write_until_killed(
    running: Emulator, acknowledged: list[str], numbers: "itertools.count[int]", writes: int
) -> None:
    """Kills in the midst of the next write after so many."""
    enough = threading.Event()
    wanted = len(acknowledged) + writes

    def write() -> None:
        with management_client(running) as management:
            while True:
                name = f"app{next(numbers)}"
                try:
                    management.application.create("local", "local", name)
                except AzureError:
                    return
                acknowledged.append(name)
                if len(acknowledged) >= wanted:
                    enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(30)
    assert running.kill() == -signal.SIGKILL
    writer.join()


def test_one_folder_has_one_owner(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path):
        second = run("--port", "0", "--data", str(tmp_path))
    assert second.returncode == 1
    assert str(tmp_path) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = run("--port", str(port), "--memory")
    assert failed.returncode == 1
    assert failed.stderr == f"emulator: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_newer_folder_is_left_alone(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path):
        pass
    with sqlite3.connect(tmp_path / "emulator.sqlite3") as database:
        database.execute("PRAGMA user_version=99")
    database.close()
    failed = run("--port", "0", "--data", str(tmp_path))
    assert failed.returncode == 1
    assert "newer" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "many"], "--port"),
        (["--cert", "x"], "belong together"),
        (["--storage-connection-string", "AccountName=one"], "AccountKey"),
        (["--storage-connection-string", "AccountName=one;AccountKey=%%%"], "Base64"),
        (["--storage-connection-string", CONNECTION, "--storage-connection-string", CONNECTION], "twice"),
        (["--account", "No_Good"], "account name"),
    ],
)
def test_a_wrong_flag_is_said_plainly(arguments: list[str], said: str) -> None:
    failed = run("--memory", "--port", "0", *arguments)
    assert failed.returncode != 0
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "a2V5" not in failed.stderr


def test_several_accounts_may_be_asked_for() -> None:
    with start_emulator(arguments=["--account", "render", "--account", "lab"]) as running:
        for name in ("render", "lab"):
            with batch_client(running, name) as batch:
                assert list(batch.list_pools()) == []
        with pytest.raises(urllib.error.HTTPError) as caught:
            running.arm("GET", running.account_id("local"))
        caught.value.close()


def test_a_process_that_does_not_start_tells_why() -> None:
    with pytest.raises(StartError, match="belong together"), start_emulator(arguments=["--cert", "x"]):
        pass


def test_the_account_endpoint_can_be_another() -> None:
    template = "{account}.{region}.batch.localhost"
    with start_emulator(arguments=["--account-endpoint", template]) as running:
        account = running.arm("GET", running.account_id())
        assert account["properties"]["accountEndpoint"] == "local.westeurope.batch.localhost"


def test_flags_have_variables_and_win_over_them() -> None:
    environment = {
        "BATCH_EMULATOR_PORT": "1",
        "BATCH_EMULATOR_HOST": "::1",
        "BATCH_EMULATOR_MEMORY": "true",
        "BATCH_EMULATOR_ACCOUNT": "a1b c1d",
        "BATCH_EMULATOR_STORAGE_CONNECTION_STRING": f"{CONNECTION}\n{CONNECTION.replace('one', 'two')}",
    }
    found = parse(["--port", "2"], environment)
    assert (found.port, found.host, found.data, found.accounts) == (2, "::1", None, ("a1b", "c1d"))
    assert [connection.name for connection in found.storage] == ["one", "two"]
    assert parse([], {}) == Settings(data=Path(".local/emulator"))


@pytest.mark.parametrize("variable", ["BATCH_EMULATOR_PORT", "BATCH_EMULATOR_MEMORY"])
def test_a_wrong_variable_is_said_plainly(variable: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([], {variable: "many"})
    assert "many" in capsys.readouterr().err


def test_connection_strings() -> None:
    assert parse_connection("UseDevelopmentStorage=true").name == "devstoreaccount1"
    public = parse_connection("DefaultEndpointsProtocol=https;AccountName=one;AccountKey=a2V5;EndpointSuffix=x.y")
    assert public.blob_endpoint == "https://one.blob.x.y"
    assert "a2V5" not in repr(public)
    assert parse_connections([]) == ()
