"""The /_emulator/ routes."""

import http.client
import urllib.error
from datetime import datetime, timedelta

import httpx
import pytest
from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.mgmt.batch import BatchManagementClient

from emulator.clock import Clock
from emulator.ids import IdSource
from emulator.testing import Emulator, start_emulator
from tests.emulator.conftest import management_client
from tests.emulator.helpers import code


def test_health_and_readiness(emulator: Emulator) -> None:
    assert emulator.control("GET", "health") == {"status": "ok", "storage": ["devstoreaccount1", "packages2"]}
    assert emulator.control("GET", "ready") == {"status": "ready", "accounts": 1}


def test_reset_is_a_first_start(linked: Emulator, management: BatchManagementClient) -> None:
    management.application.create("local", "local", "blender")
    linked.fault(status=500)
    linked.clock(advance=60, skew=5, paused=True)
    key = linked.account_key
    linked.reset()
    assert management.batch_account.get("local", "local").auto_storage is None
    assert linked.control("GET", "faults") == {"faults": []}
    assert linked.clock()["paused"] is False
    assert [entry["operation"] for entry in linked.requests()] == ["arm.batch_account.get"]
    assert key()


def test_web_pages_cannot_steer_it(emulator: Emulator) -> None:
    response = httpx.post(f"{emulator.url}/_emulator/reset", headers={"Origin": "https://attacker.example"})
    assert response.status_code == 403


def test_a_fault_strikes_as_often_as_it_says(emulator: Emulator, management: BatchManagementClient) -> None:
    emulator.fault(operation="arm.batch_account.*", status=503, count=2, retry_after=7, code="ServerBusy")
    for _ in range(2):
        with pytest.raises(HttpResponseError) as caught:
            management.batch_account.get("local", "local")
        assert code(caught.value) == (503, "ServerBusy")
    assert management.batch_account.get("local", "local").name == "local"
    (fault,) = emulator.control("GET", "faults")["faults"]
    assert (fault["struck"], fault["count"]) == (2, 0)


def test_a_fault_can_say_when_to_try_again(emulator: Emulator) -> None:
    emulator.fault(status=429, retry_after=7, code="TooManyRequests", message="slow down")
    response = httpx.get(f"{emulator.url}/subscriptions?api-version=2022-12-01", headers={"Authorization": "Bearer x"})
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["error"]["message"].startswith("slow down\n")


def test_the_sdk_gets_over_a_busy_service_by_itself(emulator: Emulator) -> None:
    emulator.fault(operation="arm.batch_account.get", status=503, count=2, retry_after=0)
    with management_client(emulator) as client:
        client.batch_account.get("local", "local", retry_total=3)
    assert [entry["status"] for entry in emulator.requests("arm.batch_account.get")] == [503, 503, 200]


def test_a_fault_can_break_the_connection(emulator: Emulator, batch: BatchClient) -> None:
    emulator.fault(operation="data.list_pools", reset=True, count=1)
    with pytest.raises((ServiceResponseError, ServiceRequestError)) as caught:
        list(batch.list_pools())
    assert "reset" in str(caught.value).lower()
    assert list(batch.list_pools()) == []
    assert [entry["status"] for entry in emulator.requests("data.list_pools")] == [0, 200]


def test_a_fault_can_only_delay(emulator: Emulator, batch: BatchClient) -> None:
    emulator.fault(operation="data.list_pools", latency=0.2)
    assert list(batch.list_pools()) == []
    (entry,) = emulator.requests("data.list_pools")
    assert entry["duration_ms"] >= 200


def test_the_same_seed_strikes_the_same_requests(emulator: Emulator) -> None:
    def run() -> list[int]:
        emulator.clear_faults()
        emulator.fault(operation="arm.subscriptions.list", status=500, probability=0.5, seed=7)
        statuses = []
        for _ in range(20):
            url = f"{emulator.url}/subscriptions?api-version=2022-12-01"
            statuses.append(httpx.get(url, headers={"Authorization": "Bearer x"}).status_code)
        return statuses

    first = run()
    assert set(first) == {200, 500}
    assert run() == first


def test_faults_spare_other_operations_and_can_be_taken_back(emulator: Emulator, batch: BatchClient) -> None:
    number = emulator.fault(operation="data.list_jobs", status=500)
    assert list(batch.list_pools()) == []
    emulator.control("DELETE", f"faults/{number}")
    assert list(batch.list_jobs()) == []
    with pytest.raises(urllib.error.HTTPError) as caught:
        emulator.control("DELETE", f"faults/{number}")
    caught.value.close()
    assert caught.value.code == 404


@pytest.mark.parametrize(
    "fault", [{"probability": 2}, {"status": 200}, {"latency": -1}, {"count": 0}, {"colour": "red"}, {"status": "x"}]
)
def test_a_fault_that_makes_no_sense_is_refused(emulator: Emulator, fault: dict[str, object]) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        emulator.fault(**fault)
    caught.value.close()
    assert caught.value.code == 400


def test_the_request_log_counts_and_holds_no_secret(emulator: Emulator, batch: BatchClient) -> None:
    key = emulator.account_key()
    list(batch.list_supported_images(max_results=1000))
    entries = emulator.requests()
    assert [entry["operation"] for entry in entries] == [
        "arm.batch_account.get_keys",
        "arm.batch_account.get_keys",
        "data.list_supported_images",
    ]
    last = entries[-1]
    assert (last["account"], last["method"], last["status"]) == ("local", "GET", 200)
    assert last["query"] == {"maxresults": "1000"}
    assert last["client_request_id"]
    assert key not in str(entries)
    assert "SharedKey" not in str(entries)
    assert emulator.requests(since=last["number"]) == []


def test_the_clock_pauses_and_advances(emulator: Emulator) -> None:
    paused = emulator.clock(paused=True)["now"]
    assert emulator.clock()["now"] == paused
    moved = emulator.clock(advance="P1DT2H3M4.5S")["now"]
    step = timedelta(days=1, hours=2, minutes=3, seconds=4.5)
    assert datetime.fromisoformat(moved) - datetime.fromisoformat(paused) == step


@pytest.mark.parametrize("change", [{"advance": -1}, {"advance": "soon"}, {"advance": True}, {"colour": 1}])
def test_a_clock_change_that_makes_no_sense_is_refused(emulator: Emulator, change: dict[str, object]) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        emulator.clock(**change)
    caught.value.close()
    assert caught.value.code == 400


def test_a_paused_clock_goes_on_where_it_stood() -> None:
    time = [1000.0]
    clock = Clock(source=lambda: time[0])
    clock.pause()
    time[0] += 100
    assert clock.now().timestamp() == 1000
    clock.resume()
    time[0] += 5
    assert clock.now().timestamp() == 1005
    assert clock.wall().timestamp() == 1105


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(timedelta(seconds=-1))


def test_tags_differ_in_the_same_instant_and_seeds_repeat() -> None:
    clock, ids = Clock(source=lambda: 1000.0), IdSource(7)
    assert len({ids.etag(clock.now()) for _ in range(100)}) == 100
    assert IdSource(7).guid() == IdSource(7).guid() != IdSource(8).guid()
    assert IdSource(7).account_key() == IdSource(7).account_key()


def test_a_seed_makes_keys_repeatable() -> None:
    keys = []
    for _ in range(2):
        with start_emulator(arguments=["--seed", "7"]) as seeded:
            keys.append(seeded.account_key())
    assert keys[0] == keys[1]


def test_bodies_of_requests_are_not_needed_to_be_read(emulator: Emulator) -> None:
    host, _, port = emulator.netloc.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    for _ in range(2):
        connection.request("PUT", "/subscriptions/s/resourceGroups/g", body=b"x" * 100_000)
        with connection.getresponse() as response:
            assert response.status == 400
            response.read()
    connection.close()
