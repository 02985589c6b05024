"""`make run` and `make emulator` as a person meets them: ports, one state each, a dead part, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.install import ROOT
from scripts.parts import Ports
from scripts.run import StartError, ports_from
from scripts.state import StateError, load_secrets
from tests.support.processes import LEASH, free_ports

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `make emulator` with a state folder and ports of its own."""
    started: list[subprocess.Popen[str]] = []

    def run(**variables: str) -> subprocess.Popen[str]:
        ports = free_ports()
        chosen = {variable: str(getattr(ports, name)) for name, variable in Ports.VARIABLES.items()}
        process = subprocess.Popen(
            [*LEASH, sys.executable, "-m", "scripts.run", "--only", "emulator", "--state", str(tmp_path / "state")],
            cwd=ROOT,
            env={**os.environ, **chosen, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Everything printed up to and with the line that holds `text`."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    pytest.fail(f"{text!r} never came:\n{seen}")


def pid_of(name: str, output: str) -> int:
    found = re.search(rf"{name} started \(pid=(\d+)\)", output)
    assert found, output
    return int(found[1])


def test_interrupt_ends_everything_quietly(start: Start) -> None:
    process = start()
    output = read_until(process, "Ctrl-C ends it")
    assert "The local Batch service: http://127.0.0.1:" in output
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    for name in ("azurite", "emulator"):
        with pytest.raises(ProcessLookupError):
            os.kill(pid_of(name, output), 0)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended with status 0"])
def test_dead_part_is_named_and_ends_the_group(start: Start, how: signal.Signals) -> None:
    process = start()
    output = read_until(process, "Ctrl-C ends it")
    os.kill(pid_of("azurite", output), how)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 1, rest
    assert re.search(r"run: azurite \(status -?\d+\) ended by itself", rest), rest
    with pytest.raises(ProcessLookupError):
        os.kill(pid_of("emulator", output), 0)


def test_taken_port_names_its_variable_before_anything_starts(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start(EMULATOR_PORT=str(port))
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"port {port} for emulator is taken" in output
    assert "EMULATOR_PORT" in output
    assert "started" not in output


def test_state_serves_one_group_at_a_time(start: Start) -> None:
    first = start()
    read_until(first, "Ctrl-C ends it")
    output, _ = start().communicate(timeout=30)
    assert "in use by a portal that is running already" in output


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "80 80"])
def test_port_must_be_a_port(value: str) -> None:
    with pytest.raises(StartError, match="REDIS_PORT must be a port"):
        ports_from({"REDIS_PORT": value})


def test_ports_must_differ() -> None:
    with pytest.raises(StartError, match="BATCHPORTAL_PORT, AZURITE_PORT name the same port"):
        ports_from({"BATCHPORTAL_PORT": "9000", "AZURITE_PORT": "9000"})


def test_secrets_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    assert load_secrets(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert load_secrets(tmp_path / "other") != first


def test_damaged_secrets_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(StateError, match="is damaged"):
        load_secrets(tmp_path)
