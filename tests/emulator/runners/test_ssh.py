"""Logging in to nodes: with asyncssh and with the ssh program."""

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from azure.batch import BatchClient
from azure.batch.models import (
    BatchInboundNatPool,
    BatchNodeUserCreateOptions,
    BatchNodeUserReplaceOptions,
    BatchPoolEndpointConfiguration,
    NetworkConfiguration,
)
from azure.core.exceptions import HttpResponseError

from emulator.testing import Emulator
from tests.emulator.estate import REBOOT, node_is, nodes_in, pool, simulated
from tests.emulator.helpers import code
from tests.emulator.runners.conftest import is_alive

SECRET = "Correct-Horse-1"


def connect(batch: BatchClient, node_id: str, **options: Any) -> Any:
    place = batch.get_node_remote_login_settings("p", node_id)
    return asyncssh.connect(
        place.remote_login_ip_address,
        place.remote_login_port,
        known_hosts=None,
        **{"username": "reader", "client_keys": (), "agent_path": None, **options},
    )


async def test_a_password_opens_a_shell_in_the_nodes_tree(batch: BatchClient, node_id: str) -> None:
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", password=SECRET))
    async with connect(batch, node_id, password=SECRET) as session:
        done = await session.run("pwd; ls batch; env; exit 3", check=False)
        assert done.exit_status == 3
        assert f"/{node_id}/home/reader\n" in done.stdout
        assert "startup\n" in done.stdout
        assert "AZ_BATCH_" not in done.stdout.replace("batch", "")
        assert "DJANGO" not in done.stdout
        echoed = await session.run("cat; echo trouble >&2", input="typed")
        assert (echoed.stdout, echoed.stderr) == ("typed", "trouble\n")


async def test_a_terminal_is_a_terminal(batch: BatchClient, node_id: str) -> None:
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", password=SECRET))
    async with connect(batch, node_id, password=SECRET) as session:
        shell = await session.create_process(term_type="xterm", term_size=(100, 30))
        shell.stdin.write("tty; stty size; echo $((40+2))\n")
        seen = await _read_until(shell.stdout, "42")
        assert "/dev/pts/" in seen
        assert "30 100" in seen
        shell.change_terminal_size(80, 20)
        await asyncio.sleep(0.2)
        shell.stdin.write("stty size\n")
        assert "20 80" in await _read_until(shell.stdout, "20 80")
        shell.stdin.write("sleep 1000\n")
        await asyncio.sleep(0.2)
        shell.stdin.write("\x03echo interrupted-$((1+1))\n")
        await _read_until(shell.stdout, "interrupted-2")
        shell.stdin.write("exit 5\n")
        assert (await shell.wait()).exit_status == 5


async def _read_until(stream: Any, wanted: str) -> str:
    seen = ""
    while wanted not in seen:
        part = await asyncio.wait_for(stream.read(1000), 10)
        assert part, f"ended after {seen!r}"
        seen += part
    return seen


async def test_a_key_opens_too_and_a_replacement_closes(batch: BatchClient, node_id: str) -> None:
    key, other = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode()
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", ssh_public_key=public))
    async with connect(batch, node_id, client_keys=[key]) as session:
        assert (await session.run("id -u")).exit_status == 0
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(batch, node_id, client_keys=[other])
    batch.replace_node_user("p", node_id, "reader", BatchNodeUserReplaceOptions(password=SECRET))
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(batch, node_id, client_keys=[key])
    batch.delete_node_user("p", node_id, "reader")
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(batch, node_id, password=SECRET)


async def test_users_expire(emulator: Emulator, batch: BatchClient, node_id: str) -> None:
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", password=SECRET))
    emulator.clock(advance="P1D")
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(batch, node_id, password=SECRET)
    later = datetime.now(UTC) + timedelta(days=3)
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", password=SECRET, expiry_time=later))
    async with connect(batch, node_id, password=SECRET) as session:
        assert (await session.run("true")).exit_status == 0


async def test_files_go_both_ways(batch: BatchClient, node_id: str, tmp_path: Path) -> None:
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", password=SECRET))
    (tmp_path / "up").write_text("sent")
    async with connect(batch, node_id, password=SECRET) as session, session.start_sftp_client() as sftp:
        await sftp.put(str(tmp_path / "up"), "/mnt/batch/tasks/shared/up")
        assert "etc" not in await sftp.listdir("/")
        await sftp.get("/mnt/batch/tasks/shared/up", str(tmp_path / "down"))
    assert (tmp_path / "down").read_text() == "sent"
    assert b"".join(batch.download_node_file("p", node_id, "shared/up")) == b"sent"


async def test_nothing_is_forwarded_into_the_host(batch: BatchClient, node_id: str, emulator: Emulator) -> None:
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", password=SECRET))
    port = int(emulator.url.rpartition(":")[2])
    async with connect(batch, node_id, password=SECRET) as session:
        with pytest.raises(asyncssh.ChannelOpenError):
            await session.open_connection("127.0.0.1", port)


async def test_what_a_client_started_ends_with_its_connection(batch: BatchClient, node_id: str) -> None:
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", password=SECRET))
    async with connect(batch, node_id, password=SECRET) as session:
        process = await session.create_process("echo $$; exec sleep 123456")
        pid = int(await process.stdout.readline())
        assert is_alive(pid)
    for _ in range(100):
        if not is_alive(pid):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the process outlived its connection")


def test_the_ssh_program(batch: BatchClient, node_id: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = key.with_suffix(".pub").read_text()
    batch.create_node_user("p", node_id, BatchNodeUserCreateOptions(name="reader", ssh_public_key=public))
    place = batch.get_node_remote_login_settings("p", node_id)
    command = [
        *(
            "ssh",
            "-F",
            "none",
            "-i",
            str(key),
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            f"UserKnownHostsFile={tmp_path}/known",
        ),
        *("-o", "BatchMode=yes", "-p", str(place.remote_login_port), f"reader@{place.remote_login_ip_address}"),
    ]
    done = subprocess.run([*command, "pwd; exit 7"], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout.endswith("/home/reader\n")) == (7, True), done.stderr


def test_the_port_lies_in_the_nat_pool(batch: BatchClient) -> None:
    nat = BatchInboundNatPool(
        name="ssh", protocol="tcp", backend_port=22, frontend_port_range_start=41000, frontend_port_range_end=41999
    )
    network = NetworkConfiguration(endpoint_configuration=BatchPoolEndpointConfiguration(inbound_nat_pools=[nat]))
    batch.create_pool(pool(target_dedicated_nodes=1, network_configuration=network))
    (node,) = nodes_in(batch, "idle", 1)
    port = batch.get_node_remote_login_settings("p", node.id).remote_login_port
    assert 41000 <= port <= 41999
    assert node.endpoint_configuration is not None
    (endpoint,) = node.endpoint_configuration.inbound_endpoints
    assert (endpoint.name, endpoint.frontend_port, endpoint.backend_port) == ("ssh.0", port, 22)


def test_rules_of_users(batch: BatchClient, emulator: Emulator) -> None:
    batch.create_pool(simulated(target_dedicated_nodes=1))
    (node,) = nodes_in(batch, "idle", 1)
    user = BatchNodeUserCreateOptions(name="reader", password=SECRET)
    batch.create_node_user("p", node.id, user)
    with pytest.raises(HttpResponseError) as twice:
        batch.create_node_user("p", node.id, user)
    assert code(twice.value) == (409, "NodeUserExists")
    with pytest.raises(HttpResponseError) as nobody:
        batch.delete_node_user("p", node.id, "nobody")
    assert code(nobody.value) == (404, "NodeUserNotFound")
    with pytest.raises(HttpResponseError) as unnamed:
        batch.replace_node_user("p", node.id, "nobody", BatchNodeUserReplaceOptions(password=SECRET))
    assert code(unnamed.value) == (404, "NodeUserNotFound")
    emulator.disturb("p", "unusable")
    with pytest.raises(HttpResponseError) as unusable:
        batch.create_node_user("p", node.id, BatchNodeUserCreateOptions(name="other", password=SECRET))
    assert code(unusable.value) == (409, "NodeStateUnusable")


def test_a_reimage_keeps_the_port(batch: BatchClient, node_id: str) -> None:
    before = batch.get_node_remote_login_settings("p", node_id).remote_login_port
    batch.begin_reboot_node("p", node_id, REBOOT)
    node_is(batch, node_id, "idle")
    assert batch.get_node_remote_login_settings("p", node_id).remote_login_port == before
