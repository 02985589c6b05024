"""The second main job: a user on every node of a pool in one step, and a login by the command that the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import People
from tests.support.stack import Stack

IMAGE = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest"}
NODES = 2
QUIET = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")


@pytest.fixture
def pool(stack: Stack) -> Iterator[str]:
    """A Linux pool whose nodes run their start task and open SSH."""
    name = f"linux-{uuid.uuid4().hex[:8]}"
    ssh = {"name": "ssh", "protocol": "tcp", "backendPort": 22}
    ports = {"frontendPortRangeStart": 41000, "frontendPortRangeEnd": 41100}
    document = {
        "id": name,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {"imageReference": IMAGE, "nodeAgentSKUId": "batch.node.ubuntu 22.04"},
        "targetDedicatedNodes": NODES,
        "startTask": {"commandLine": "/bin/sh -c 'echo ready'", "waitForSuccess": True},
        "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": [{**ssh, **ports}]}},
    }
    call(stack, "POST", "/pools", document)
    yield name
    call(stack, "DELETE", f"/pools/{name}")


def call(stack: Stack, method: str, path: str, body: object = None) -> None:
    stack.batch._request(method, f"/local{path}?api-version=2025-06-01", body, {"Authorization": "Bearer test"})


def open_form(page: Page, pool: str) -> None:
    """The form for the whole pool, once the portal has seen its nodes at work."""
    page.goto(f"/batch/local/nodes/?pool={pool}&state=idle")
    for _ in range(60):
        if page.locator("tbody tr").count() == NODES:
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator("tbody tr")).to_have_count(NODES)
    page.get_by_role("link", name="Add user").click()
    expect(page.get_by_text(f"{NODES} nodes of {pool}")).to_be_visible()


def commands(page: Page) -> list[list[str]]:
    """The commands that the page shows, once there is one for every node."""
    shown = page.locator("#logins code")
    expect(shown).to_have_count(NODES, timeout=60_000)
    return [shlex.split(text) for text in shown.all_inner_texts()]


def login(command: list[str], *options: str, environment: dict[str, str] | None = None) -> str:
    """What a node answers to an ordinary ssh client with this command."""
    done = subprocess.run(
        [command[0], *QUIET, *options, *command[1:], "echo on $(whoami)"],
        env={"PATH": "/usr/bin:/bin", **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_user_with_a_key_logs_in_to_every_node(people: People, pool: str, tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    page = people.page("administrator")
    open_form(page, pool)
    page.get_by_label("User name").fill("visitor")
    page.get_by_label("SSH public key").last.fill(key.with_suffix(".pub").read_text())
    page.get_by_role("button", name=f"Add user to {NODES} nodes").click()
    for command in commands(page):
        assert "on " in login(command, "-i", str(key), "-o", "IdentitiesOnly=yes")
    with page.expect_download() as started:
        page.get_by_role("link", name="SSH configuration").click()
    config = tmp_path / "config"
    started.value.save_as(config)
    answer = login(["ssh", f"{pool}-1"], "-F", str(config), "-i", str(key), "-o", "IdentitiesOnly=yes")
    assert "on " in answer


def test_a_password_is_shown_once_and_opens_every_node(people: People, pool: str, tmp_path: Path) -> None:
    page = people.page("administrator")
    open_form(page, pool)
    page.get_by_label("User name").fill("guest")
    page.get_by_label("Password", exact=True).first.check()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("input[name=password]")).to_have_value(re.compile(".{20}"))
    page.get_by_role("button", name=f"Add user to {NODES} nodes").click()
    password = page.locator("#node-password").get_attribute("data-secret-value")
    assert password
    asker = tmp_path / "askpass"
    asker.write_text('#!/bin/sh\necho "$PASSWORD_OF_TEST"\n')
    asker.chmod(0o700)
    asking = {"SSH_ASKPASS": str(asker), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD_OF_TEST": password}
    for command in commands(page):
        assert "on " in login(command, "-o", "PubkeyAuthentication=no", environment=asking)
    page.reload()
    expect(page.locator("#logins code")).to_have_count(NODES)
    assert password not in page.content()
    page.get_by_role("link", name="Remove from all nodes").click()
    page.get_by_role("button", name="Remove user").click()
    expect(page.get_by_text("The user guest is gone from 2 nodes")).to_be_visible(timeout=60_000)
