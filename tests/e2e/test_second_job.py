"""The second main job: from a package to a shell on every node of a new pool, in Chromium and by the API.

The nodes are processes: they fetch and unpack the package, run the start task, and answer an ordinary ssh client.
"""

from __future__ import annotations

import re
import shlex
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import People
from tests.e2e.service import Service
from tests.e2e.zips import text_zip
from tests.support import fleet, ssh
from tests.support.stack import Stack
from tests.uploads.conftest import token_for
from tests.uploads.portal import Portal, until

NODES, VERSION = 2, "2.4"
# What somebody who logged in looks at: what the start task wrote, and the program where it says that it is.
LOOK = """echo "I am $USER"; cat ~/batch/startup/stdout.txt
cd "$(sed -n 's/^AZ_BATCH_APP_PACKAGE_[^=]*=//p' ~/batch/startup/stdout.txt)" && sh bin/run.sh"""


@dataclass(frozen=True, slots=True)
class Work:
    """An application with a package and what its program says, a pool that is to be, the file its start task awaits."""

    application: str
    says: str
    pool: str
    gate: Path

    @property
    def variable(self) -> str:
        return f"AZ_BATCH_APP_PACKAGE_{self.application}_{VERSION}".replace("-", "_").replace(".", "_")

    @property
    def start_task(self) -> str:
        waits = f"while [ ! -e {self.gate} ]; do sleep 0.1; done"
        return f"/bin/sh -c 'env | grep ^AZ_BATCH_APP_PACKAGE_; {waits}; echo installed on $AZ_BATCH_NODE_ID'"


@pytest.fixture
def portal(stack: Stack, linked: Service) -> Iterator[Portal]:
    """The administrator's token, as a script would use it."""
    found = Portal(stack, token_for(stack, "admin"))
    yield found
    found.http.close()


@pytest.fixture
def work(portal: Portal, application: str, tmp_path: Path) -> Iterator[Work]:
    pool = f"linux-{uuid.uuid4().hex[:8]}"
    zipped = text_zip(tmp_path / "program.zip")
    with zipfile.ZipFile(zipped) as archive:
        says = archive.read("bin/run.sh").decode().split()[-1]
    operation = portal.upload(zipped, application, VERSION, action="new-application")
    assert portal.ended(operation)["status"] == "succeeded", portal.log(operation)
    yield Work(application, says, pool, tmp_path / "go")
    fleet.delete_pool(portal.stack.batch, pool)


@pytest.fixture
def key(tmp_path: Path) -> ssh.Key:
    return ssh.Key(tmp_path)


def proven(shown: str, user: str, work: Work) -> None:
    """Whoever logged in is who they are, sees that the start task ran, and ran the program of the package."""
    lines = shown.splitlines()
    assert lines[0] == f"I am {user}"
    assert lines[1].startswith(f"{work.variable}=/")
    assert lines[2].startswith("installed on tvmps_")
    assert lines[3:] == [work.says]


# --- In the browser -------------------------------------------------------------------------------------------------


def make_pool(page: Page, work: Work) -> None:
    """The guided form, from a current image to the package."""
    page.goto("/batch/local/pools/")
    page.get_by_role("link", name="New pool").first.click()
    page.get_by_label("Pool ID").fill(work.pool)
    page.locator("[name=image_q]").fill("ubuntu-24")
    images = page.locator("#image-list")
    expect(images).not_to_contain_text("windowsserver")
    images.get_by_text("ubuntu-24_04-lts server", exact=True).click()
    page.locator("[name=size_q]").fill("d2s_v3")
    page.locator("#size-list").get_by_text("Standard_D2s_v3", exact=True).click()
    page.get_by_label("Dedicated nodes").fill(str(NODES))
    page.get_by_label("Command line").fill(work.start_task)
    page.get_by_role("button", name="Add package").click()
    page.get_by_label("Package", exact=True).select_option(label=f"{work.application} {VERSION}")
    page.get_by_label("Remote login").select_option(label="SSH (port 22) through inbound NAT")
    expect(page.locator("#summary")).to_contain_text("Nothing breaks a rule")
    page.get_by_role("button", name="Create pool").click()
    page.wait_for_url("**/operations/**")


def watch_nodes(page: Page, work: Work) -> None:
    """The pool's page, then a node's: states change, and the start task's output is there, without a reload."""
    expect(page.get_by_text(f"{work.pool} has {NODES} dedicated and 0 Spot nodes.").first).to_be_visible(timeout=90_000)
    page.get_by_role("link", name="Go to the resource").click()
    live = page.locator("#pool-live")
    expect(live).to_contain_text("Start task running", timeout=60_000)
    work.gate.touch()
    expect(live).to_contain_text("Idle", timeout=60_000)
    expect(live).not_to_contain_text("Start task running", timeout=60_000)
    page.goto(f"/batch/local/nodes/?pool={work.pool}")
    page.get_by_role("link", name=re.compile("^tvmps_")).first.click()
    output = page.locator("#node-output")
    expect(output).to_contain_text(f"{work.variable}=")
    expect(output).to_contain_text("installed on tvmps_")


def add_user(page: Page, work: Work, name: str) -> None:
    """The form for all nodes of the pool, up to the choice of how they log in."""
    page.goto(f"/batch/local/nodes/?pool={work.pool}")
    page.get_by_role("link", name="Add user").first.click()
    expect(page.get_by_text(f"{NODES} nodes of {work.pool}")).to_be_visible()
    page.get_by_label("User name").fill(name)


def copied_commands(page: Page) -> list[list[str]]:
    """What lies in the clipboard after a click on the button, once there is a command for every node."""
    expect(page.locator("#logins code")).to_have_count(NODES, timeout=60_000)
    page.get_by_role("button", name="Copy all commands").click()
    copied = str(page.evaluate("navigator.clipboard.readText()"))
    assert copied.splitlines() == page.locator("#logins code").all_inner_texts()
    return [shlex.split(line) for line in copied.splitlines()]


def test_by_hand(people: People, work: Work, key: ssh.Key, tmp_path: Path) -> None:
    page = people.page("administrator", permissions=["clipboard-read", "clipboard-write"])
    make_pool(page, work)
    watch_nodes(page, work)

    add_user(page, work, "guest")
    page.get_by_label("Password", exact=True).first.check()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("input[name=password]")).to_have_value(re.compile(".{20}"))
    page.get_by_role("button", name=f"Add user to {NODES} nodes").click()
    password = page.locator("#node-password").get_attribute("data-secret-value")
    assert password
    for command in copied_commands(page):
        proven(ssh.with_password(command, password, LOOK, tmp_path), "guest", work)
    page.reload()
    expect(page.locator("#logins code")).to_have_count(NODES)
    assert password not in page.content()

    add_user(page, work, "visitor")
    page.get_by_label("SSH public key").last.fill(key.public)
    page.get_by_role("button", name=f"Add user to {NODES} nodes").click()
    commands = copied_commands(page)
    for command in commands:
        proven(ssh.with_key(command, key, LOOK), "visitor", work)
    with page.expect_download() as started:
        page.get_by_role("link", name="SSH configuration").click()
    config = tmp_path / "config"
    started.value.save_as(config)
    proven(ssh.with_key(["ssh", f"{work.pool}-1"], key, LOOK, "-F", str(config)), "visitor", work)

    page.get_by_role("link", name="Remove from all nodes").click()
    page.get_by_role("button", name="Remove user").click()
    expect(page.get_by_text(f"The user visitor is gone from {NODES} nodes")).to_be_visible(timeout=60_000)
    assert all(ssh.is_refused(command, key) for command in commands)


# --- By the API -----------------------------------------------------------------------------------------------------


def begin(portal: Portal, method: str, path: str, **options: object) -> None:
    """Ask for something that takes a while, and wait for its good end."""
    answer = portal.http.request(method, f"/accounts/local/pools{path}", **options)  # type: ignore[arg-type]
    assert answer.status_code in {201, 202}, answer.text
    operation = str(answer.json().get("operation") or answer.json()["id"])
    assert portal.ended(operation)["status"] == "succeeded", portal.log(operation)


def idle_nodes(portal: Portal, pool: str) -> int:
    found = portal.http.get(f"/accounts/local/pools/{pool}/nodes", params={"state": "idle"})
    return int(found.json()["count"]) if found.status_code == 200 else 0


def commands_of(portal: Portal, pool: str, user: str) -> list[list[str]]:
    found = portal.http.get(f"/accounts/local/pools/{pool}/users/{user}/logins").json()["results"]
    assert len(found) == NODES
    return [shlex.split(login["command"]) for login in found]


def test_by_script(portal: Portal, work: Work, key: ssh.Key, tmp_path: Path) -> None:
    work.gate.touch()
    wanted = fleet.document(
        work.pool,
        NODES,
        startTask={"commandLine": work.start_task, "waitForSuccess": True},
        applicationPackageReferences=[{"applicationId": work.application, "version": VERSION}],
        networkConfiguration=fleet.ssh_ports(43000, 43100),
    )
    begin(portal, "POST", "", json=wanted)
    until(lambda: idle_nodes(portal, work.pool) == NODES, 90, "nodes at work")

    begin(portal, "POST", f"/{work.pool}/users", json={"name": "visitor", "ssh_public_key": key.public})
    commands = commands_of(portal, work.pool, "visitor")
    for command in commands:
        proven(ssh.with_key(command, key, LOOK), "visitor", work)
    password = f"Aa1!{uuid.uuid4().hex}"
    begin(portal, "POST", f"/{work.pool}/users", json={"name": "guest", "password": password})
    for command in commands_of(portal, work.pool, "guest"):
        proven(ssh.with_password(command, password, LOOK, tmp_path), "guest", work)

    begin(portal, "DELETE", f"/{work.pool}/users/visitor")
    assert all(ssh.is_refused(command, key) for command in commands)
