"""Estates that are seeded, snapshots that are brought back, and both as a command line."""

import json
import os
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch import models as m

from emulator.testing import ROOT, Azurite, Emulator, start_emulator
from tests.emulator.conftest import batch_client

POOL = {
    "id": "p",
    "vmSize": "standard_d2s_v3",
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
        "nodeAgentSKUId": "batch.node.ubuntu 24.04",
    },
    "targetDedicatedNodes": 1,
}


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def output(batch: BatchClient, job: str, task: str) -> str:
    return b"".join(batch.download_task_file(job, task, "stdout.txt")).decode()


def succeeded(batch: BatchClient, job: str) -> int:
    return batch.get_job_task_counts(job).task_counts.succeeded


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        call()
    with caught.value as answer:
        return answer.code, json.loads(answer.read())["error"]["message"]


# Estates


def test_the_demo_runs(emulator: Emulator, batch: BatchClient) -> None:
    answer = emulator.seed()
    assert answer["created"] == {
        "applications": 2,
        "packages": 3,
        "pools": 3,
        "jobs": 2,
        "tasks": 221,
        "jobSchedules": 1,
    }
    assert {found.id: list(found.versions) for found in batch.list_applications()} == {
        "frames": ["2_4"],
        "greeter": ["1_0", "1_1"],
    }
    until(lambda: succeeded(batch, "greetings") == 20)
    assert output(batch, "greetings", "greet-7").startswith("greeting 7 from tvm")
    failed = batch.get_task("greetings", "fails").execution_info
    assert failed is not None
    assert failed.exit_code == 3
    assert {pool.id for pool in batch.list_pools()} == {"elastic", "linux", "render"}


def test_seeding_twice_is_as_good_as_once(emulator: Emulator) -> None:
    created = emulator.seed()["created"]
    again = emulator.seed()
    assert again["created"] == {}
    assert again["kept"] == {**created, "accounts": 1}


def test_without_storage_the_demo_has_no_packages(tmp_path: Path) -> None:
    with start_emulator(folder=tmp_path) as running:
        answer = running.seed()
        assert len(answer["leftOut"]) == 2
        with batch_client(running) as batch:
            until(lambda: succeeded(batch, "greetings") == 20)


def test_an_estate_of_ones_own(emulator: Emulator) -> None:
    tasks = [{"id": "t{number}", "commandLine": "/bin/sh -c 'echo {number}'", "repeat": 150}]
    job = {"id": "j", "poolInfo": {"poolId": "p"}, "tasks": tasks}
    answer = emulator.seed({"accounts": {"studio": {"pools": [POOL], "jobs": [job]}}})
    assert answer["created"] == {"accounts": 1, "pools": 1, "jobs": 1, "tasks": 150}
    with batch_client(emulator, "studio") as batch:
        until(lambda: succeeded(batch, "j") == 150)
        assert output(batch, "j", "t149") == "149\n"


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        ({"pools": [{"id": "p"}]}, "vmSize"),
        ({"pools": [{**POOL, "colour": "red"}]}, "colour"),
        ({"jobs": [{"id": "j", "poolInfo": {"poolId": "p"}, "tasks": [{"id": "t"}]}]}, "commandLine"),
        ({"jobs": [{"id": "j", "poolInfo": {}, "tasks": [{"id": "t", "commandLine": "x", "repeat": 0}]}]}, "repeat"),
        ({"storage": "elsewhere"}, "elsewhere"),
        ({"applications": {"a": {"defaultVersion": "2", "versions": {}}}}, "'2'"),
        ({"blobs": []}, "blobs"),
    ],
)
def test_what_is_wrong_with_an_estate_is_named(emulator: Emulator, plan: dict[str, Any], named: str) -> None:
    status, message = refusal(lambda: emulator.seed({"accounts": {"local": plan}}))
    assert status == 400
    assert named in message


# Snapshots


@pytest.mark.parametrize("durable", [True, False], ids=["data folder", "memory"])
def test_a_snapshot_brings_everything_back(durable: bool, tmp_path: Path, azurite: Azurite) -> None:
    data = tmp_path / "data" if durable else None
    with start_emulator(storage=[azurite], data=data, folder=tmp_path) as running, batch_client(running) as batch:
        job = {"id": "j", "poolInfo": {"poolId": "p"}, "tasks": [{"id": "t", "commandLine": "/bin/sh -c 'echo kept'"}]}
        running.seed({"accounts": {"local": {"pools": [POOL], "jobs": [job]}}})
        until(lambda: succeeded(batch, "j") == 1)
        key, node = running.account_key(), next(iter(batch.list_nodes("p"))).id
        taken = running.snapshot("before")
        assert running.control("GET", "snapshots") == {"snapshots": [taken]}
        batch.begin_delete_job("j")
        batch.begin_delete_pool("p")
        until(lambda: not list(batch.list_pools()))
        running.restore("before")
        assert running.account_key() == key
        assert [found.id for found in batch.list_nodes("p")] == [node]
        assert output(batch, "j", "t") == "kept\n"
        batch.create_task("j", m.BatchTaskCreateOptions(id="more", command_line="/bin/sh -c 'echo more'"))
        until(lambda: succeeded(batch, "j") == 2)
        assert output(batch, "j", "more") == "more\n"


def test_what_ran_at_the_time_of_a_snapshot_runs_again(emulator: Emulator, batch: BatchClient) -> None:
    line = "/bin/sh -c 'echo run; sleep 600'"
    job = {"id": "j", "poolInfo": {"poolId": "p"}, "tasks": [{"id": "t", "commandLine": line}]}
    emulator.seed({"accounts": {"local": {"pools": [POOL], "jobs": [job]}}})
    until(lambda: batch.get_task("j", "t").state == "running")
    emulator.snapshot()
    batch.terminate_task("j", "t")
    emulator.restore()
    until(lambda: batch.get_task("j", "t").state == "running")
    found = batch.get_task("j", "t").execution_info
    assert found is not None
    assert found.requeue_count == 1


def test_a_snapshot_outlives_a_kill(tmp_path: Path) -> None:
    with start_emulator(data=tmp_path) as running:
        running.snapshot("kept")
        key = running.account_key()
        running.reset()
        running.kill()
        running.start()
        running.restore("kept")
        assert running.account_key() == key


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", None])
def test_names_of_snapshots(emulator: Emulator, name: str | None) -> None:
    assert refusal(lambda: emulator.control("POST", "snapshots", {"name": name}))[0] == 400


def test_a_snapshot_that_is_not_there(emulator: Emulator) -> None:
    assert refusal(lambda: emulator.restore("never"))[0] == 404


# The command line


def control(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emulator.control", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "BATCH_EMULATOR_URL": url},
        timeout=60,
        check=False,
    )


def answered(url: str, *arguments: str) -> Any:
    done = control(url, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout) if done.stdout else None


def test_the_command_line(emulator: Emulator, tmp_path: Path) -> None:
    url = emulator.url
    assert answered(url, "health")["status"] == "ok"
    estate = tmp_path / "estate.json"
    estate.write_text(json.dumps({"accounts": {"studio": {}}}))
    assert answered(url, "seed", str(estate))["created"] == {"accounts": 1}
    assert answered(url, "snapshot", "one")["name"] == "one"
    assert answered(url, "reset") is None
    assert answered(url, "restore", "one")["documents"] == 2
    assert "one" in {found["name"] for found in answered(url, "snapshots")["snapshots"]}
    assert answered(url, "forget", "one") is None
    assert "one" not in {found["name"] for found in answered(url, "snapshots")["snapshots"]}
    assert answered(url, "clock", "--pause", "--advance", "PT15M")["paused"] is True
    assert answered(url, "clock", "--resume")["paused"] is False
    fault = answered(url, "fault", "operation=data.*", "status=503", "count=2")
    assert answered(url, "faults")["faults"] == [fault]
    assert answered(url, "clear-faults", fault["id"]) is None
    assert answered(url, "faults") == {"faults": []}
    assert answered(url, "requests", "--operation", "data.list_pools") is not None
    assert len(answered(url, "conformance")["operations"]) > 100


def test_the_command_line_says_what_is_wrong(emulator: Emulator, tmp_path: Path) -> None:
    done = control(emulator.url, "clock", "--advance", "soon")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'soon' is neither a number of seconds nor an ISO 8601 duration" in done.stderr
    done = control("http://127.0.0.1:1", "ready")
    assert done.returncode == 1
    assert "nothing answers at http://127.0.0.1:1" in done.stderr
    (tmp_path / "bad.json").write_text("{")
    assert "is not JSON" in control(emulator.url, "seed", str(tmp_path / "bad.json")).stderr
    assert "is not NAME=VALUE" in control(emulator.url, "fault", "status").stderr
