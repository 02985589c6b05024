"""The shell of docs/api.md, run as it stands against a whole portal."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import zipfile
from pathlib import Path

import httpx
import pytest

from apps.accounts.models import BatchAccount
from apps.applications.models import ApplicationOwner
from apps.people.models import User
from apps.people.roles import Role
from tests.people.factories import make_token
from tests.support.stack import Stack

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
SCRIPTS = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
SMALL, LARGE = SCRIPTS
APPLICATION = "documented"


def make_zip(size: int) -> bytes:
    """A zip of about `size` bytes that do not compress."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("bin/blender", os.urandom(size))
    return buffer.getvalue()


@pytest.fixture
def portal(stack: Stack) -> tuple[str, str, str]:
    """Address, slug of the account and a token of the uploader, whose team owns an application."""
    with stack.database():
        slug = BatchAccount.objects.values_list("slug", flat=True).get()
        uploader = User.objects.get(username=stack.people["uploader"].username)
        team = uploader.teams.get()
        _token, text = make_token(uploader, Role.UPLOADER)
        is_there = ApplicationOwner.objects.filter(application_key=APPLICATION).exists()
    if not is_there:
        stack.batch.link_storage("localstorage")
        made = httpx.put(
            f"{stack.url}/api/v1/accounts/{slug}/applications/{APPLICATION}/packages/1.0/content",
            params={"create": "true", "team": team.slug, "wait": "60"},
            headers={"Authorization": f"Bearer {text}"},
            content=make_zip(100),
            timeout=90,
        )
        assert made.json().get("status") == "succeeded", made.text
    return stack.url, slug, text


def run(script: str, portal: tuple[str, str, str], folder: Path, data: bytes) -> subprocess.CompletedProcess[str]:
    url, slug, token = portal
    (folder / "blender.zip").write_bytes(data)
    script = script.replace("https://portal.example.com", url).replace("/accounts/render/", f"/accounts/{slug}/")
    script = script.replace("printf render", f"printf {slug}")
    # An application of its own: other journeys share the portal.
    script = script.replace("applications/blender/", f"applications/{APPLICATION}/")
    script = script.replace("printf blender |", f"printf {APPLICATION} |")
    variables = {"PATH": os.environ["PATH"], "BATCHPORTAL_TOKEN": token}
    return subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
    )


def uploaded(portal: tuple[str, str, str], version: str) -> str:
    """SHA-256 of what the portal gives back."""
    url, slug, token = portal
    address = f"{url}/api/v1/accounts/{slug}/applications/{APPLICATION}/packages/{version}/content"
    content = httpx.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=60).raise_for_status().content
    return hashlib.sha256(content).hexdigest()


def test_the_documented_lines_are_at_most_five() -> None:
    assert [len(script.strip().splitlines()) for script in SCRIPTS] == [4, 5]


def test_a_small_zip(portal: tuple[str, str, str], tmp_path: Path) -> None:
    data = make_zip(200_000)
    done = run(SMALL, portal, tmp_path, data)
    assert done.returncode == 0, done.stderr
    assert uploaded(portal, "4.2") == hashlib.sha256(data).hexdigest()


def test_a_zip_that_is_refused_fails_the_step(portal: tuple[str, str, str], tmp_path: Path) -> None:
    done = run(SMALL.replace("/4.2/", "/4.2-broken/"), portal, tmp_path, b"no zip at all" * 100)
    assert done.returncode == 1, done.stderr


def test_a_large_zip_by_tus(portal: tuple[str, str, str], tmp_path: Path) -> None:
    data = make_zip(30_000_000)
    done = run(LARGE, portal, tmp_path, data)
    assert done.returncode == 0, done.stderr
    url, _slug, token = portal
    headers = {"Authorization": f"Bearer {token}"}
    newest = httpx.get(f"{url}/api/v1/operations?mine=true", headers=headers).json()["results"][0]
    ended = httpx.get(f"{newest['url']}?wait=60", headers=headers, timeout=90).json()
    assert ended["status"] == "succeeded", ended
    assert uploaded(portal, "4.3") == hashlib.sha256(data).hexdigest()
