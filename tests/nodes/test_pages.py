"""The pages of nodes, as each role sees them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import BatchAccount
from apps.nodes.models import NodeSnapshot, NodeWork, PoolUser
from apps.operations.models import Operation
from apps.people.models import User
from apps.pools.models import FleetReading, PoolSnapshot
from emulator.testing import Emulator
from tests.nodes.conftest import SSH_POOL, MakePool, finish, settled, targets
from tests.nodes.test_users import KEY
from tests.people.factories import Cast, signed_in

LIST = "/batch/local/nodes/"


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(cast.operator)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def fleet_of(account: BatchAccount, count: int, **fields: Any) -> PoolSnapshot:
    """A pool as the poller would have kept it, without a service behind."""
    FleetReading.objects.update_or_create(account=account, defaults={"read_at": timezone.now()})
    pool = PoolSnapshot.objects.create(account=account, pool_id=fields.pop("pool_id", "big"), state="active")
    states = ["idle", "running", "unusable", "idle"]
    NodeSnapshot.objects.bulk_create(
        NodeSnapshot(
            pool=pool,
            node_id=f"tvmps_{number:064x}_d",
            state=states[number % 4],
            ip_address=f"10.0.{number // 250}.{number % 250}",
            **fields,
        )
        for number in range(count)
    )
    return pool


# --- The blade ------------------------------------------------------------------------------------------------------
def test_the_blade_shows_pages_counts_and_filters(account: BatchAccount, client: Client) -> None:
    fleet_of(account, 240)
    page = text(client.get(LIST))
    assert page.count('name="node"') == 50
    assert "All 240 nodes that match" in page
    assert re.search(r"Idle\s*<b>120</b>", page)
    assert re.search(r"Unusable\s*<b>60</b>", page)
    page = text(client.get(f"{LIST}?state=unusable&page=1"))
    assert page.count('name="node"') == 50
    assert "All 60 nodes that match" in page
    assert re.search(r"Idle\s*<b>120</b>", page)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=10.0.0.7", 11),
        ("q=tvmps_" + "0" * 62, 200),
        ("pool=BIG", 200),
        ("pool=other", 0),
        ("kind=spot", 0),
        ("errors=yes", 0),
        ("scheduling=enabled", 200),
        ("start_task=failure", 0),
        ("package=blender", 200),
        ("package=blender:4.2", 200),
        ("package=blender:5.0", 0),
        ("stale=yes", 200),
        ("stale=no", 0),
        ("state=running&sort=-boot", 50),
    ],
)
def test_each_filter_narrows(account: BatchAccount, client: Client, query: str, count: int) -> None:
    pool = fleet_of(account, 200, scheduling_state="enabled", last_boot=timezone.now() - timedelta(hours=1))
    pool.packages, pool.packages_changed = [["Blender", "4.2"]], timezone.now()
    pool.save()
    lines = b"".join(client.get(f"{LIST}nodes.csv?{query}").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) - 1 == count


def test_a_page_of_ten_thousand_costs_as_many_queries_as_one_of_ten(
    account: BatchAccount, client: Client, django_assert_max_num_queries: Any
) -> None:
    fleet_of(account, 3000)
    client.get(LIST)
    with django_assert_max_num_queries(18):
        assert "3,000" in text(client.get(LIST))


def test_a_reader_sees_and_does_not_choose(account: BatchAccount, cast: Cast) -> None:
    fleet_of(account, 4)
    page = text(signed_in(cast.reader).get(LIST))
    assert 'name="node"' not in page
    assert "role Operator" in page


def test_before_the_first_reading_the_page_says_so(account: BatchAccount, client: Client) -> None:
    assert "have not been read yet" in text(client.get(LIST))


# --- Acting ---------------------------------------------------------------------------------------------------------
def test_all_that_match_are_acted_on_after_a_confirmation(
    make_pool: MakePool, account: BatchAccount, client: Client
) -> None:
    nodes = targets(make_pool(nodes=3))
    asked = text(client.post(f"{LIST}+act/reboot/", {"all": "1", "query": "pool=render"}))
    assert "Reboot 3 nodes" in asked
    sent = {"all": "1", "query": "pool=render", "expected": "3", "confirmed": "1", "option": "terminate"}
    answer = client.post(f"{LIST}+act/reboot/", sent)
    operation = Operation.objects.get()
    assert answer.status_code == 302
    assert operation.parameters == {"action": "reboot", "option": "terminate"}
    assert NodeWork.objects.filter(operation=operation).count() == len(nodes)
    finish(operation)
    work = text(client.get(answer["Location"]))
    assert "The service took it for all 3 nodes" in work
    assert "data-poll" not in work.split('id="node-work"')[1].split(">")[0]
    csv = b"".join(client.get(f"{answer['Location']}nodes.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert csv.count("done") == 3


def test_what_the_page_did_not_name_is_not_touched(make_pool: MakePool, account: BatchAccount, client: Client) -> None:
    make_pool(nodes=3)
    sent = {"all": "1", "query": "pool=render", "expected": "2", "confirmed": "1", "option": "requeue"}
    answer = client.post(f"{LIST}+act/reboot/", sent)
    assert answer.status_code == 409
    assert "Meanwhile 3 nodes match instead of 2" in answer.content.decode()
    assert not Operation.objects.exists()


def test_removing_asks_for_the_number(make_pool: MakePool, account: BatchAccount, client: Client) -> None:
    nodes = targets(make_pool(nodes=2))
    chosen = {"node": [f"render/{node}" for _pool, node in nodes]}
    assert "Remove 2 nodes" in text(client.post(f"{LIST}+act/remove/", chosen))
    sent = {**chosen, "expected": "2", "confirmed": "1", "option": "requeue", "confirm": "3"}
    answer = client.post(f"{LIST}+act/remove/", sent)
    assert answer.status_code == 422
    assert "Type the number of nodes: 2" in answer.content.decode()
    assert client.post(f"{LIST}+act/remove/", {**sent, "confirm": "2"}).status_code == 302
    finish(Operation.objects.get())
    settled(account, "render", 0)


def test_a_confirmation_of_nothing_says_so(account: BatchAccount, client: Client) -> None:
    answer = client.post(f"{LIST}+act/reboot/", {"node": "render/gone"})
    assert answer.status_code == 422
    assert "No node is chosen" in answer.content.decode()


# --- Details --------------------------------------------------------------------------------------------------------
def test_a_failed_start_task_is_explained_with_its_output(
    make_pool: MakePool, account: BatchAccount, client: Client
) -> None:
    task = {"commandLine": "/bin/sh -c 'echo installing; echo no disk >&2; exit 3'", "waitForSuccess": True}
    pool = make_pool(nodes=1, simulated=False, startTask=task)
    node = pool.nodes.get()
    assert node.state == "starttaskfailed"
    page = text(client.get(f"{LIST}render/{node.node_id}/"))
    assert "The start task failed" in page
    assert "FailureExitCode" in page
    assert "Start task failed" in page
    output = text(client.get(f"{LIST}render/{node.node_id}/output/", headers={"HX-Request": "true"}))
    assert "installing" in output
    assert "no disk" in output
    live = text(client.get(f"{LIST}render/{node.node_id}/live/", headers={"HX-Request": "true"}))
    assert "No task has run" in live
    assert "commandLine" in live


def test_an_unusable_node_without_an_error_is_explained(
    make_pool: MakePool, account: BatchAccount, client: Client, service: Emulator
) -> None:
    node = targets(make_pool(nodes=1))[0][1]
    service.control("POST", "nodes", {"pool": "render", "event": "unusable", "nodes": [node]})
    settled(account, "render", 1)
    assert "lost contact" in text(client.get(f"{LIST}render/{node}/"))


def test_a_service_that_does_not_answer_leaves_the_page_whole(
    make_pool: MakePool, account: BatchAccount, client: Client, service: Emulator
) -> None:
    node = targets(make_pool(nodes=1))[0][1]
    service.fault(operation="data.*", status=500)
    assert "Facts" in text(client.get(f"{LIST}render/{node}/"))
    live = text(client.get(f"{LIST}render/{node}/live/", headers={"HX-Request": "true"}))
    assert "Azure Batch did not give this" in live
    assert client.get(f"{LIST}render/nobody/").status_code == 404


# --- Users ----------------------------------------------------------------------------------------------------------
def form(client: Client, **fields: Any) -> Any:
    page = text(client.get(f"{LIST}+users/+add/?pool=render"))
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    values = {"pool": "render", "token": found[1], "name": "guest", "way": "password", "expires_at": soon(), **fields}
    return client.post(f"{LIST}+users/+add/?pool=render", values), values


def soon() -> str:
    return (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")


def test_the_password_is_shown_once(make_pool: MakePool, account: BatchAccount, client: Client) -> None:
    make_pool(nodes=2, networkConfiguration={"endpointConfiguration": SSH_POOL})
    answer, values = form(client)
    page = text(answer)
    found = re.search(r'data-secret-value="([^"]+)"', page)
    assert found
    assert answer["Cache-Control"] == "no-store"
    finish(Operation.objects.get())
    # The very same form again (a reload) begins nothing, and the page that is read again has no password.
    again = client.post(f"{LIST}+users/+add/?pool=render", values)
    assert again.status_code == 302
    assert Operation.objects.count() == 1
    user_page = text(client.get(again["Location"]))
    assert found[1] not in user_page
    assert user_page.count("ssh -p") >= 2
    assert "guest" in text(client.get(f"{LIST}+users/"))
    config = b"".join(client.get(f"{again['Location']}ssh-config").streaming_content).decode()  # type: ignore[attr-defined]
    assert config.count("HostName") == 2


def test_what_was_typed_stays_when_a_rule_is_broken(make_pool: MakePool, account: BatchAccount, client: Client) -> None:
    make_pool(nodes=1)
    answer, _values = form(client, name="Guest", way="key", ssh_public_key=KEY)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "lower-case letters" in page
    assert KEY in page
    assert not PoolUser.objects.exists()


def test_a_key_can_stay_in_the_profile(make_pool: MakePool, account: BatchAccount, cast: Cast, client: Client) -> None:
    make_pool(nodes=1)
    answer, _values = form(client, way="key", ssh_public_key=KEY, keep_key="on")
    assert answer.status_code == 302
    assert User.objects.get(pk=cast.operator.pk).ssh_public_key == KEY
    assert KEY in text(client.get(f"{LIST}+users/+add/?pool=render"))


def test_a_windows_pool_takes_a_password_and_gives_rdp_files(
    make_pool: MakePool, account: BatchAccount, client: Client
) -> None:
    machine = {
        "imageReference": {"publisher": "microsoftwindowsserver", "offer": "windowsserver", "sku": "2022-datacenter"},
        "nodeAgentSKUId": "batch.node.windows amd64",
    }
    rdp = {"inboundNATPools": [{**SSH_POOL["inboundNATPools"][0], "name": "rdp", "backendPort": 3389}]}
    make_pool(nodes=1, virtualMachineConfiguration=machine, networkConfiguration={"endpointConfiguration": rdp})
    page = text(client.get(f"{LIST}+users/+add/?pool=render"))
    assert "SSH public key" not in page
    answer, _values = form(client)
    assert answer.status_code == 200
    finish(Operation.objects.get())
    page = text(client.get(f"{LIST}+users/render/guest/"))
    found = re.search(r'href="([^"]+/rdp/[^"]+)"', page)
    assert found
    assert "full address:s:" in text(client.get(found[1]))


def test_removing_a_user_from_all_nodes(make_pool: MakePool, account: BatchAccount, client: Client) -> None:
    make_pool(nodes=2)
    form(client)
    finish(Operation.objects.get())
    assert "leave 2 nodes" in text(client.get(f"{LIST}+users/render/guest/remove/"))
    answer = client.post(f"{LIST}+users/render/guest/remove/")
    assert answer.status_code == 302
    finish(Operation.objects.get(kind="node-user-remove"))
    assert client.get(f"{LIST}+users/render/guest/").status_code == 404


# --- Logs -----------------------------------------------------------------------------------------------------------
def test_batch_logs_go_to_a_container(make_pool: MakePool, account: BatchAccount, client: Client) -> None:
    node = make_pool(nodes=1, simulated=False).nodes.get().node_id
    url = f"{LIST}render/{node}/logs/"
    start = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert "Upload logs" in text(client.get(url))
    assert client.post(url, {"container": "No Such", "start": start}).status_code == 422
    answer = client.post(url, {"container": "batch-logs", "start": start}, follow=True)
    assert "files to batch-logs" in text(answer)


# --- Files ----------------------------------------------------------------------------------------------------------
def test_files_are_listed_read_in_pieces_downloaded_and_deleted(
    make_pool: MakePool, account: BatchAccount, client: Client
) -> None:
    task = {"commandLine": "/bin/sh -c 'for i in $(seq 20000); do echo line $i; done'", "waitForSuccess": True}
    node = make_pool(nodes=1, simulated=False, startTask=task).nodes.get().node_id
    base = f"{LIST}render/{node}/files/"
    assert "startup" in text(client.get(f"{base}level/", headers={"HX-Request": "true"}))
    level = text(client.get(f"{base}level/?path=startup", headers={"HX-Request": "true"}))
    assert "stdout.txt" in level
    page = text(client.get(f"{base}file/?path=startup/stdout.txt"))
    assert "line 20000" in page
    assert "line 1\n" not in page
    assert "line 1\n" in text(client.get(f"{base}file/?path=startup/stdout.txt&from=0"))
    piece = client.get(f"{base}piece/?path=startup/stdout.txt&from=0").json()
    assert piece["text"].startswith("line 1\n")
    assert piece["next"] == 65536 < piece["size"]
    end = client.get(f"{base}piece/?path=startup/stdout.txt&from={piece['size']}").json()
    assert (end["text"], end["next"]) == ("", piece["size"])
    got = client.get(f"{base}download/?path=startup/stdout.txt", headers={"Range": "bytes=5-10"})
    assert (got.status_code, b"".join(got.streaming_content)) == (206, b"1\nline")  # type: ignore[attr-defined]
    whole = b"".join(client.get(f"{base}download/?path=startup/stdout.txt").streaming_content)  # type: ignore[attr-defined]
    assert len(whole) == piece["size"]
    assert client.get(f"{base}file/?path=startup/none.txt").status_code == 404
    assert client.get(f"{base}file/?path=../../etc/passwd").status_code == 422
    answer = client.post(f"{base}delete/?path=startup/stdout.txt", {"confirm": "stdout.txt"})
    assert answer.status_code == 302
    assert client.get(f"{base}file/?path=startup/stdout.txt").status_code == 404
