"""The main journey without a browser but for the token: curl for a small zip, tus for a large one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from scripts.install import MODULES, ROOT, node_folder
from tests.e2e.people import People
from tests.e2e.service import ACCOUNT, Service
from tests.e2e.zips import program_zip, sha256

SHELL = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)[0]


def make_token(people: People) -> str:
    """As a person makes one: under the menu, shown once."""
    page = people.page("uploader")
    page.get_by_role("button", name="Menu of uploader").click()
    page.get_by_role("link", name="API tokens").first.click()
    page.get_by_role("link", name=re.compile("New token")).first.click()
    page.get_by_label("Name").fill("nightly build")
    page.get_by_label("Role").select_option("uploader")
    page.get_by_role("button", name="Make token").click()
    token = page.get_by_text(re.compile(r"^bp_\S+$")).inner_text()
    page.goto("/people/tokens/")
    expect(page.get_by_role("row", name=re.compile("nightly build")).first).to_be_visible()
    expect(page.get_by_text(token)).to_have_count(0)
    return token


def test_from_a_token_to_active_packages(
    people: People, linked: Service, application: str, small_zip: Callable[..., Path], tmp_path: Path
) -> None:
    token, small = make_token(people), small_zip("blender.zip")
    assert len(SHELL.strip().splitlines()) <= 5
    done = run_shell(people, token, application, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert linked.sha256(application, "4.2") == sha256(small)

    large = program_zip(tmp_path / "large.zip", 24)
    operation = run_tus(people, token, {"application": application, "version": "5.0"}, large)
    ended = ask(people, token, f"operations/{operation}?wait=60")
    assert json.loads(ended)["status"] == "succeeded", ended
    assert linked.states(application) == {"4.2": "Active", "5.0": "Active"}
    assert linked.sha256(application, "5.0") == sha256(large)


def run_shell(people: People, token: str, application: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The lines of the documentation with our names in the place of theirs, for an application that is new."""
    script = SHELL.replace("https://portal.example.com", people.stack.url).replace(
        'wait=60"', 'wait=60&create=true"', 1
    )
    script = script.replace("accounts/render/", f"accounts/{ACCOUNT}/").replace(
        "applications/blender", f"applications/{application}"
    )
    environment = {**os.environ, "BATCHPORTAL_TOKEN": token}
    command = ["bash", "-e", "-u", "-c", script]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def run_tus(people: People, token: str, metadata: dict[str, str], file: Path) -> str:
    """Send a file with tus-js-client; the operation that follows."""
    script = file.parent / "client.mjs"
    shutil.copy(Path(__file__).with_name("tus_client.mjs"), script)
    (file.parent / "node_modules").symlink_to(MODULES)
    about = json.dumps({"account": ACCOUNT, "filename": file.name, **metadata})
    command = [
        str(node_folder() / "bin" / "node"),
        str(script),
        f"{people.stack.url}/api/v1/uploads/",
        token,
        about,
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ask(people: People, token: str, path: str) -> str:
    command = ["curl", "-fsS", "-H", f"Authorization: Bearer {token}", f"{people.stack.url}/api/v1/{path}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
