"""The tus 1.0 protocol against a running portal."""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from scripts.install import MODULES, ROOT, node_folder
from tests.support.stack import Stack
from tests.uploads.portal import PATCH, Portal, Tus, sha256, until

MIB = 1024 * 1024
RESUMABLE = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def tus(portal: Portal, application: str, package: Callable[[int], Path]) -> Tus:
    """An upload of some 3 MiB that has been admitted and has no byte yet."""
    return portal.begin(package(3 * MIB), application, "1.0", action="new-application")


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def test_options_tell_what_the_server_can(portal: Portal) -> None:
    answer = portal.http.options("/uploads/")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    extensions = set(answer.headers["Tus-Extension"].split(","))
    assert extensions == {"creation", "creation-with-upload", "termination", "checksum", "expiration"}
    assert set(answer.headers["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256", "md5"}
    assert int(answer.headers["Tus-Max-Size"]) > 0


def test_every_request_names_the_version(portal: Portal, tus: Tus) -> None:
    for answer in (portal.http.post("/uploads/"), portal.http.head(tus.location), portal.http.delete(tus.location)):
        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert portal.http.head(tus.location, headers=RESUMABLE).status_code == 200


def test_creation_says_where_and_until_when(portal: Portal, tus: Tus) -> None:
    assert tus.location.startswith(f"{portal.stack.url}/api/v1/uploads/")
    answer = portal.http.head(tus.location, headers=RESUMABLE)
    assert answer.headers["Upload-Offset"] == "0"
    assert answer.headers["Upload-Length"] == str(tus.length)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Upload-Expires"].endswith("GMT")


def test_creation_with_upload(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(MIB)
    pairs = {"account": "local", "application": application, "version": "1", "action": "new-application"}
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())
    metadata += ",filename " + base64.b64encode(b"p.zip").decode()
    headers = {
        **RESUMABLE,
        "Upload-Length": str(path.stat().st_size),
        "Upload-Metadata": metadata,
        "Content-Type": PATCH["Content-Type"],
    }
    answer = portal.http.post("/uploads/", headers=headers, content=path.read_bytes()[: MIB // 2])
    assert answer.status_code == 201, answer.text
    assert answer.headers["Upload-Offset"] == str(MIB // 2)
    tus = Tus(portal, answer.headers["Location"], answer.headers["Upload-Operation"], path)
    tus.send()
    assert portal.ended(tus.operation)["status"] == "succeeded"
    assert portal.content_sha256(application, "1") == sha256(path)


def test_many_small_pieces(portal: Portal, tus: Tus, application: str) -> None:
    for end in (1, 2, 70_000, MIB, MIB + 1, 2 * MIB, tus.length):
        tus.send(end)
        assert tus.offset() == end
    assert portal.ended(tus.operation)["status"] == "succeeded"
    assert portal.content_sha256(application, "1.0") == sha256(tus.path)


def test_wrong_offset_is_a_conflict_and_changes_nothing(tus: Tus) -> None:
    tus.send(1000)
    for offset in (0, 999, 1001):
        answer = tus.patch(offset, b"x")
        assert answer.status_code == 409
        assert code_of(answer) == "upload-offset"
    assert tus.offset() == 1000


def test_more_than_announced_is_refused(tus: Tus) -> None:
    """Every time with the reason, although the client is still sending when it is known."""
    for more in (1, 1, 1, 30 * MIB):
        answer = tus.patch(0, b"\0" * (tus.length + more))
        assert answer.status_code == 413
        assert code_of(answer) == "upload-exceeds"
    assert tus.offset() == 0


def test_chunked_body_is_taken_and_cut_at_the_length(portal: Portal, tus: Tus, application: str) -> None:
    first = tus.patch(0, iter([b"PK", tus.path.read_bytes()[2:MIB]]))
    assert first.status_code == 204
    assert tus.offset() == MIB
    rest = tus.path.read_bytes()[MIB:]
    too_much = tus.patch(MIB, iter([rest, b"more"]))
    assert too_much.status_code == 413
    # What fitted was taken, and it is exactly the file.
    assert portal.ended(tus.operation)["status"] == "succeeded"
    assert portal.content_sha256(application, "1.0") == sha256(tus.path)


def test_other_media_types_are_refused(tus: Tus) -> None:
    answer = tus.patch(0, b"x", **{"Content-Type": "application/octet-stream"})
    assert answer.status_code == 415
    assert tus.offset() == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_checksum_that_holds(tus: Tus, algorithm: str) -> None:
    data = tus.path.read_bytes()[:MIB]
    digest = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    answer = tus.patch(0, data, **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert answer.status_code == 204, answer.text
    assert tus.offset() == MIB


def test_checksum_that_does_not_hold_discards_the_body(tus: Tus) -> None:
    digest = base64.b64encode(hashlib.sha256(b"something else").digest()).decode()
    answer = tus.patch(0, tus.path.read_bytes(), **{"Upload-Checksum": f"sha256 {digest}"})
    assert answer.status_code == 460
    assert tus.offset() == 0
    tus.send()


@pytest.mark.parametrize("value", ["crc32 AAAA", "sha256 ###", "sha256"])
def test_unknown_or_malformed_checksums(tus: Tus, value: str) -> None:
    answer = tus.patch(0, b"x", **{"Upload-Checksum": value})
    assert answer.status_code in {400, 460}
    assert tus.offset() == 0


def test_termination_deletes_bytes_and_leaves_nothing(portal: Portal, tus: Tus, application: str) -> None:
    tus.send(2 * MIB)
    assert portal.http.delete(tus.location, headers=RESUMABLE).status_code == 204
    ended = portal.ended(tus.operation)
    assert ended["status"] == "cancelled", portal.log(tus.operation)
    assert portal.package(application, "1.0") is None
    assert portal.http.get(f"/accounts/local/applications/{application}").status_code == 404
    assert portal.http.head(tus.location, headers=RESUMABLE).status_code == 410
    assert tus.patch(2 * MIB, b"x").status_code == 410
    assert portal.http.delete(tus.location, headers=RESUMABLE).status_code == 204


@pytest.mark.parametrize(
    ("header", "value"), [("Upload-Length", "-1"), ("Upload-Length", "many"), ("Upload-Metadata", "filename ###")]
)
def test_malformed_creation_headers(portal: Portal, header: str, value: str) -> None:
    good = base64.b64encode(b"x").decode()
    headers = {**RESUMABLE, "Upload-Length": "5", "Upload-Metadata": f"account {good}", header: value}
    answer = portal.http.post("/uploads/", headers=headers)
    assert answer.status_code == 400
    assert code_of(answer) == "upload-header"


def test_too_large_is_said_before_any_byte(portal: Portal, application: str) -> None:
    answer = portal.create(10**15, application=application, version="1", action="new-application")
    assert answer.status_code == 413
    assert code_of(answer) == "upload-too-large"


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"application": "no spaces"}, "application_id"),
        ({"version": ".1"}, "version"),
        ({"filename": "package.tar"}, "file"),
        ({"sha256": "abc"}, "sha256"),
        ({"team": "nobody"}, "team"),
    ],
)
def test_bad_metadata_is_told_at_its_field(
    portal: Portal, application: str, metadata: dict[str, str], field: str
) -> None:
    asked = {"application": application, "version": "1", "action": "new-application", **metadata}
    answer = portal.create(5, **asked)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["field"] == field


def test_double_click_makes_one_upload(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(MIB)
    first = portal.begin(path, application, "1", action="new-application")
    second = portal.begin(path, application, "1", action="new-application")
    assert first.location == second.location
    assert first.operation == second.operation


def test_somebody_else_gets_a_clear_conflict(
    portal_of: Callable[[str], Portal], portal: Portal, application: str, package: Callable[[int], Path]
) -> None:
    path = package(MIB)
    portal.ended(portal.upload(path, application, "1", action="new-application"))
    portal.begin(path, application, "2")
    answer = portal_of("admin").create(path.stat().st_size, application=application, version="2")
    assert answer.status_code == 409
    assert "uploader" in answer.json()["error"]["message"]


def test_strangers_to_the_upload(portal_of: Callable[[str], Portal], tus: Tus) -> None:
    assert portal_of("reader").http.head(tus.location, headers=RESUMABLE).status_code == 403
    nobody = httpx.patch(tus.location, headers={**PATCH, "Upload-Offset": "0"}, content=b"x", trust_env=False)
    assert nobody.status_code == 401
    assert tus.offset() == 0


def test_browser_session_needs_its_csrf_token(stack: Stack, portal: Portal, tus: Tus) -> None:
    person = next(one for one in stack.people.values() if one.role == "uploader")
    with httpx.Client(base_url=stack.url, trust_env=False, follow_redirects=True) as browser:
        browser.get("/accounts/login/")
        form = {"login": person.username, "password": person.password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        browser.post("/accounts/login/", data=form, headers={"Referer": f"{stack.url}/accounts/login/"})
        headers = {**PATCH, "Upload-Offset": "0"}
        assert browser.patch(tus.location, headers=headers, content=b"PK").status_code == 403
        headers["X-CSRFToken"] = browser.cookies["csrftoken"]
        assert browser.patch(tus.location, headers=headers, content=b"PK").status_code == 204
    assert tus.offset() == 2


def open_patch(tus: Tus, offset: int, announced: int) -> socket.socket:
    """A PATCH whose body is still to come, on a socket of its own."""
    address = urlsplit(tus.location)
    assert address.hostname is not None
    link = socket.create_connection((address.hostname, address.port or 80), timeout=30)
    lines = [
        f"PATCH {address.path} HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: Bearer {tus.portal.token}",
        "Tus-Resumable: 1.0.0",
        f"Content-Type: {PATCH['Content-Type']}",
        f"Upload-Offset: {offset}",
        f"Content-Length: {announced}",
    ]
    link.sendall("\r\n".join([*lines, "", ""]).encode())
    return link


def test_one_writer_at_a_time(tus: Tus) -> None:
    data = tus.path.read_bytes()
    with open_patch(tus, 0, tus.length) as slow:
        slow.sendall(data[:1000])
        time.sleep(0.5)
        busy = tus.patch(0, data)
        assert busy.status_code == 423
        assert code_of(busy) == "upload-busy"
        slow.sendall(data[1000:])
        assert b" 204 " in slow.recv(4096)
    assert tus.offset() == tus.length


def test_bytes_before_a_lost_connection_are_kept(portal: Portal, tus: Tus, application: str) -> None:
    data = tus.path.read_bytes()
    with open_patch(tus, 0, tus.length) as link:
        link.sendall(data[: 2 * MIB])
        time.sleep(0.3)
    kept = until(tus.offset, 10, "an offset above 0")
    assert 0 < kept <= 2 * MIB
    tus.send()
    assert portal.ended(tus.operation)["status"] == "succeeded"
    assert portal.content_sha256(application, "1.0") == sha256(tus.path)


def test_offset_is_told_while_bytes_still_come(tus: Tus) -> None:
    data = tus.path.read_bytes()
    with open_patch(tus, 0, tus.length) as slow:
        slow.sendall(data[:MIB])
        time.sleep(1.2)
        slow.sendall(data[MIB : 2 * MIB])
        assert until(tus.offset, 10, "an offset while writing") >= MIB


def test_package_by_one_put_of_curl(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(5 * MIB)
    url = f"{portal.stack.url}/api/v1/accounts/local/applications/{application}/packages/1.0/content"
    done = curl(portal, path, f"{url}?create=true&wait=60&sha256={sha256(path)}")
    assert done.stdout.endswith("200"), done.stdout + done.stderr
    assert '"status":"succeeded"' in done.stdout
    assert portal.content_sha256(application, "1.0") == sha256(path)
    again = curl(portal, path, f"{url}?wait=60")
    assert again.stdout.endswith("409")
    other = package(2 * MIB)
    assert curl(portal, other, f"{url}?update=true&wait=60").stdout.endswith("200")
    assert portal.content_sha256(application, "1.0") == sha256(other)


def curl(portal: Portal, path: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sS", "--noproxy", "*", "--upload-file", str(path), "-w", "%{http_code}"]
    command += ["-H", f"Authorization: Bearer {portal.token}", url]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_put_that_breaks_off_leaves_nothing(portal: Portal, application: str, package: Callable[[int], Path]) -> None:
    path = package(2 * MIB)
    address = urlsplit(portal.stack.url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as link:
        target = f"/api/v1/accounts/local/applications/{application}/packages/1/content?create=true"
        head = f"PUT {target} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {portal.token}\r\n"
        link.sendall(f"{head}Content-Length: {path.stat().st_size}\r\n\r\n".encode() + path.read_bytes()[:MIB])
        time.sleep(0.5)
    found = until(lambda: portal.http.get("/operations", params={"search": application}).json()["results"], 10)
    assert portal.ended(found[0]["id"])["status"] == "cancelled"
    assert portal.package(application, "1") is None


NODE_CLIENT = """
import * as tus from "tus-js-client";
import { createReadStream, statSync } from "node:fs";
const [endpoint, token, application, version, path, stopAt] = process.argv.slice(2);
const size = statSync(path).size;
let stopped = false;
const upload = new tus.Upload(createReadStream(path), {
  endpoint,
  uploadSize: size,
  chunkSize: 1024 * 1024,
  retryDelays: [0, 500, 1000],
  headers: { Authorization: `Bearer ${token}` },
  metadata: { account: "local", application, version, action: "new-application", filename: "p.zip" },
  onError: (error) => { console.error(String(error)); process.exit(1); },
  onSuccess: () => { console.log(`done ${upload.url}`); },
  onChunkComplete: (_size, accepted) => {
    if (Number(stopAt) && accepted >= Number(stopAt) && !stopped) {
      stopped = true;
      upload.abort().then(() => {
        console.log(`stopped ${accepted}`);
        const again = new tus.Upload(createReadStream(path), { ...upload.options, uploadUrl: upload.url });
        again.options.onSuccess = () => console.log(`done ${again.url}`);
        again.start();
      });
    }
  },
});
upload.start();
"""


def test_tus_js_client_sends_stops_and_resumes(
    portal: Portal, application: str, package: Callable[[int], Path], tmp_path: Path
) -> None:
    path = package(6 * MIB)
    script = tmp_path / "client.mjs"
    script.write_text(NODE_CLIENT)
    (tmp_path / "node_modules").symlink_to(MODULES)
    command = [str(node_folder() / "bin" / "node"), str(script), f"{portal.stack.url}/api/v1/uploads/", portal.token]
    command += [application, "2.0", str(path), str(2 * MIB)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "stopped" in done.stdout
    assert "done" in done.stdout
    operation = portal.http.head(done.stdout.split("done ")[1].strip(), headers=RESUMABLE).headers["Upload-Operation"]
    assert portal.ended(operation)["status"] == "succeeded", portal.log(operation)
    assert portal.content_sha256(application, "2.0") == sha256(path)


def test_web_killed_in_the_middle_of_a_request(
    portal: Portal, application: str, package: Callable[[int], Path]
) -> None:
    """The lease of the dead writer ends, and nothing that was acknowledged is lost."""
    tus = portal.begin(package(8 * MIB), application, "1", action="new-application")
    data = tus.path.read_bytes()
    with open_patch(tus, 0, tus.length) as link:
        link.sendall(data[: 2 * MIB])
        time.sleep(1.2)
        link.sendall(data[2 * MIB : 3 * MIB])
        told = until(tus.offset, 10, "an acknowledged offset")
        portal.stack.kill("web")
    portal.stack.start("web")
    assert tus.offset() >= told
    tus.send()
    assert portal.ended(tus.operation)["status"] == "succeeded"
    assert portal.content_sha256(application, "1") == sha256(tus.path)


def test_nothing_is_left_on_the_staging_volume(
    portal: Portal, application: str, package: Callable[[int], Path]
) -> None:
    before = set(portal.staged())
    operation = portal.upload(package(MIB), application, "1", action="new-application")
    portal.ended(operation)
    assert set(portal.staged()) <= before
