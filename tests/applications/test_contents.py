"""What is in a package: the tree, the search, one file, the whole zip."""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications import contents as contents_module
from apps.applications.contents import Contents, Node, package_contents
from apps.applications.downloads import safe_filename
from apps.applications.models import PackageRecord
from apps.applications.packaging import Entry
from apps.applications.views.contents import marked, printable
from apps.core.exceptions import Conflict, NotVisible
from apps.gateway import blobs
from apps.gateway.calls import counted
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage, zipped

URL = "/batch/local/applications/Blender/packages/2.7/"
HTMX = {"HX-Request": "true"}
RANDOM = os.urandom(3_000_000)
FILES = {
    "bin/render": b"#!/bin/sh\n" * 100,
    "bin/tools/probe": b"p" * 17,
    "lib/libcore.so": RANDOM,
    "README.txt": b"Read me\n",
    "file2.txt": b"2",
    "file10.txt": b"10",
    "empty/": b"",
}


def text(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def streamed(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def contents_of(files: dict[str, bytes]) -> Contents:
    entries = [
        Entry(name, len(data), len(data), 0, 0, None, offset, name.endswith("/"))
        for offset, (name, data) in enumerate(files.items())
    ]
    return Contents(entries)


def names(nodes: list[Node]) -> list[str]:
    return [node.path for node in nodes]


# --- The tree -------------------------------------------------------------------------------------------------------


def test_a_level_has_folders_first_and_numbers_in_order() -> None:
    contents = contents_of(FILES)
    assert names(contents.children()) == ["bin/", "empty/", "lib/", "file2.txt", "file10.txt", "README.txt"]
    assert names(contents.children("bin/")) == ["bin/tools/", "bin/render"]
    assert contents.children("nothing/") == []
    assert contents.children("empty/") == []


def test_folders_sum_up_what_is_below_them() -> None:
    contents = contents_of(FILES)
    folders = {node.path: (node.size, node.files) for node in contents.children() if node.is_dir}
    assert folders == {"bin/": (1017, 2), "empty/": (0, 0), "lib/": (3_000_000, 1)}
    assert (contents.size, contents.files) == (sum(map(len, FILES.values())), 6)


def test_names_that_sort_around_the_slash() -> None:
    contents = contents_of({"a-b/x": b"1", "a/x": b"1", "a0/x": b"1", "a": b"1", "a.txt": b"1"})
    assert sorted(names(contents.children())) == ["a", "a-b/", "a.txt", "a/", "a0/"]
    assert names(contents.children("a/")) == ["a/x"]


PARTS = st.text(st.sampled_from("ab.0-é"), min_size=1, max_size=3)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(st.dictionaries(PATHS, st.integers(0, 9).map(lambda size: b"x" * size), max_size=30))
def test_walking_the_tree_finds_every_file_once(files: dict[str, bytes]) -> None:
    contents = Contents.unpacked(contents_of(files).packed())
    found: dict[str, int] = {}
    waiting = [""]
    while waiting:
        for node in contents.children(waiting.pop()):
            if node.is_dir:
                waiting.append(node.path)
            else:
                assert node.path not in found
                found[node.path] = node.size
                assert contents.entry(node.number).name == node.path
    assert found == {name: len(data) for name, data in files.items()}


def test_search_takes_all_words_in_any_case() -> None:
    contents = contents_of(FILES)
    assert [node.path for node in contents.search("LIB so", 10)[0]] == ["lib/libcore.so"]
    nodes, count = contents.search("txt", 2)
    assert (len(nodes), count) == (2, 3)
    assert contents.search("empty", 10) == ([], 0)


@pytest.mark.parametrize("number", [-1, 99, 4])
def test_a_number_that_is_no_file(number: int) -> None:
    contents = contents_of({"a": b"", "b": b"", "c": b"", "d": b"", "e/": b""})
    with pytest.raises(NotVisible):
        contents.entry(number)


def test_marks_are_cut_where_the_words_hit() -> None:
    assert marked("lib/LibCore.so", "lib so") == [
        ("lib", True),
        ("/", False),
        ("Lib", True),
        ("Core.", False),
        ("so", True),
    ]
    assert marked("a(b", "(") == [("a", False), ("(", True), ("b", False)]


def test_control_characters_are_shown_as_escapes() -> None:
    assert printable("a\x07\u202eb") == "a\\x07\\u202eb"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("bin/render", "render"),
        ("..", "file"),
        ("a\\..\\evil.exe", "evil.exe"),
        ('x"y<z>\r\nSet-Cookie: a', "x_y_z___Set-Cookie_ a"),
        ("dir/ .hidden ", "hidden"),
        ("n" * 300, "n" * 200),
    ],
)
def test_file_names_for_saving_are_harmless(path: str, name: str) -> None:
    assert safe_filename(path) == name


# --- From blob storage ------------------------------------------------------------------------------------------------


@pytest.fixture
def blender(cast: Cast, put_package: PutPackage) -> bytes:
    data = zipped(FILES)
    put_package("Blender", "2.7", data=data, team=cast.team)
    return data


@pytest.mark.usefixtures("blender")
def test_only_the_directory_is_read_and_only_once(
    cast: Cast, account: BatchAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = blobs.blob_read

    def counting(url: str, offset: int, length: int, *, etag: str = "") -> bytes:
        read.append(length)
        return real(url, offset, length, etag=etag)

    monkeypatch.setattr(blobs, "blob_read", counting)
    asked = {"actor": cast.actor("reader"), "account": account, "application_id": "blender", "version": "2.7"}
    found = package_contents(**asked)  # type: ignore[arg-type]
    assert found.contents.files == 6
    assert 0 < sum(read) < 200_000  # of 3 MB
    read.clear()
    package_contents(**asked)  # type: ignore[arg-type]
    assert read == []
    with counted() as log:
        package_contents(**asked, etag=found.etag)  # type: ignore[arg-type]
    assert len(log) == 0


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize(("name", "status"), [("reader", 200), ("other", 200), ("stranger", 404)])
def test_who_sees_and_downloads(cast: Cast, name: str, status: int) -> None:
    client = cast.client(name)
    for path in ("", "contents/", "download/"):
        assert client.get(f"{URL}{path}").status_code == status


@pytest.mark.usefixtures("blender")
def test_the_tree_unfolds_level_by_level_down_to_a_download(cast: Cast) -> None:
    client = cast.client("reader")
    panel = text(client.get(f"{URL}contents/", headers=HTMX))
    assert "<html" not in panel
    assert ">render<" not in panel
    folder = next(url for url in urls(panel, "hx-get") if "path=bin%2F" in url)
    level = text(client.get(folder, headers=HTMX))
    assert ">render</a>" in level.replace("\n", "")
    file = next(url for url in urls(level, "href") if "/file/" in url)
    response = client.get(file)
    assert streamed(response) == FILES["bin/render"]
    assert response.headers["Content-Disposition"] == 'attachment; filename="render"'
    assert response.headers["Content-Length"] == str(len(FILES["bin/render"]))
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def urls(page: str, attribute: str) -> list[str]:
    return [unescape(url) for url in re.findall(rf'{attribute}="([^"]+)"', page)]


@pytest.mark.usefixtures("blender")
def test_search_in_the_package(cast: Cast) -> None:
    page = text(cast.client("reader").get(f"{URL}contents/?q=lib"))
    assert "<mark>lib</mark>" in page
    assert "1 file found" in page
    assert "0 files found" in text(cast.client("reader").get(f"{URL}contents/?q=nothing"))


@pytest.mark.usefixtures("blender")
def test_a_long_folder_comes_in_parts(cast: Cast, put_package: PutPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    put_package("Blender", "2.7", data=zipped({f"file{number}": b"" for number in range(450)}))
    client = cast.client("reader")
    page = text(client.get(f"{URL}contents/"))
    seen = re.findall(r">\s*(file\d+)\s*<", page)
    while more := [url for url in urls(page, "hx-get") if "page=" in url]:
        page = text(client.get(more[0], headers=HTMX))
        seen += re.findall(r">\s*(file\d+)\s*<", page)
    assert seen == [f"file{number}" for number in range(450)]


def test_hostile_entry_names_stay_text(cast: Cast, put_package: PutPackage) -> None:
    names_ = [
        "<img src=x onerror=alert(1)>.txt",
        '"><script>alert(2)</script>',
        "../../etc/passwd",
        "/root",
        "a\u202eb",
    ]
    put_package("Blender", "2.7", data=zipped(dict.fromkeys(names_, b"x")), team=cast.team)
    client = cast.client("reader")
    page = text(client.get(f"{URL}contents/"))
    for found in [page, *(text(client.get(url, headers=HTMX)) for url in urls(page, "hx-get") if "path=" in url)]:
        assert "<img" not in found
        assert "<script>alert" not in found
        assert "\u202e" not in found
    search = text(client.get(f"{URL}contents/?q=%3Cscript%3E"))
    assert "<script>alert" not in search
    for file in [url for url in urls(search, "href") if "/file/" in url]:
        disposition = client.get(file).headers["Content-Disposition"]
        assert "/" not in disposition.partition("filename")[2].replace("UTF-8''", "")


@pytest.mark.usefixtures("blender")
def test_the_zip_passes_through_whole_and_says_its_checksum(cast: Cast, account: BatchAccount, blender: bytes) -> None:
    package = management_package(account)
    PackageRecord.objects.create(
        account=account, application_id="Blender", application_key="blender", version="2.7", version_key="2.7",
        size=len(blender), sha256=hashlib.sha256(blender).hexdigest(), filename="b.zip", uploaded_by_name="uploader",
        blob_etag=blobs.blob_info(package).etag,
    )  # fmt: skip
    response = cast.client("reader").get(f"{URL}download/")
    assert streamed(response) == blender
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="Blender-2.7.zip"'
    assert response.headers["Content-Length"] == str(len(blender))
    assert response.headers["Repr-Digest"].startswith("sha-256=:")
    assert "sig=" not in str(response.headers)


def management_package(account: BatchAccount) -> str:
    from apps.gateway import management  # noqa: PLC0415

    connection = connection_for(account)
    return blobs.blob_read_url(connection, management.package_get(connection, "Blender", "2.7"))


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-20", -20, None), ("bytes=5-999999999", 5, None)],
)
def test_a_download_resumes(cast: Cast, blender: bytes, header: str, start: int, end: int | None) -> None:
    response = cast.client("reader").get(f"{URL}download/", headers={"Range": header})
    wanted = blender[start:end]
    first = start if start >= 0 else len(blender) + start
    assert response.status_code == 206
    assert streamed(response) == wanted
    assert response.headers["Content-Range"] == f"bytes {first}-{first + len(wanted) - 1}/{len(blender)}"


@pytest.mark.parametrize("header", ["bytes=a-b", "bytes=0-1,5-9", "items=0-5", "bytes=-"])
def test_a_range_that_is_none_gives_everything(cast: Cast, blender: bytes, header: str) -> None:
    response = cast.client("reader").get(f"{URL}download/", headers={"Range": header})
    assert (response.status_code, len(streamed(response))) == (200, len(blender))


def test_ranges_outside_old_states_and_unchanged_files(cast: Cast, blender: bytes) -> None:
    client = cast.client("reader")
    outside = client.get(f"{URL}download/", headers={"Range": f"bytes={len(blender)}-"})
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, f"bytes */{len(blender)}")
    tag = client.get(f"{URL}download/").headers["ETag"]
    stale = client.get(f"{URL}download/", headers={"Range": "bytes=0-9", "If-Range": '"old"'})
    assert (stale.status_code, len(streamed(stale))) == (200, len(blender))
    fresh = client.get(f"{URL}download/", headers={"Range": "bytes=0-9", "If-Range": tag})
    assert fresh.status_code == 206
    assert client.get(f"{URL}download/", headers={"If-None-Match": tag}).status_code == 304
    head = client.head(f"{URL}download/")
    assert (head.headers["Content-Length"], streamed(head)) == (str(len(blender)), b"")


def test_a_download_never_mixes_two_versions(
    cast: Cast, blender: bytes, put_package: PutPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is replaced while somebody downloads it: the download breaks off."""
    monkeypatch.setattr("apps.applications.blobs.CHUNK_BYTES", 1_000_000)
    response = cast.client("reader").get(f"{URL}download/")
    pieces = iter(response.streaming_content)  # type: ignore[attr-defined]
    assert next(pieces) == blender[:1_000_000]
    put_package("Blender", "2.7", data=zipped({"other": os.urandom(3_000_000)}))
    with pytest.raises(Exception, match="gateway") as caught:
        list(pieces)
    assert caught.type.__name__ == "GatewayConflict"


@pytest.mark.usefixtures("blender")
def test_a_replaced_package_says_so_instead_of_showing_a_mixture(cast: Cast, put_package: PutPackage) -> None:
    client = cast.client("reader")
    panel = text(client.get(f"{URL}contents/", headers=HTMX))
    put_package("Blender", "2.7", data=zipped({"new": b"n"}))
    file = next(url for url in urls(panel, "href") if "/file/" in url)
    response = client.get(file)
    assert response.status_code == 409
    assert "was replaced meanwhile" in text(response)


@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "No zip has arrived"), (b"no zip", "cannot be read as a zip"), (zipped()[:-25], "cannot be read as a zip")],
)
def test_contents_that_cannot_be_read_say_why_in_the_page(
    cast: Cast, put_package: PutPackage, data: bytes | None, words: str
) -> None:
    put_package("Blender", "2.7", data=data, activate=False, team=cast.team)
    client = cast.client("reader")
    fragment = client.get(f"{URL}contents/", headers=HTMX)
    assert fragment.status_code == 200
    assert words in unescape(text(fragment))
    assert "Try again" in text(fragment)
    assert client.get(f"{URL}contents/").status_code in {404, 409}


def test_a_damaged_file_breaks_off(cast: Cast, put_package: PutPackage) -> None:
    data = bytearray(zipped({"big": RANDOM}))
    data[1_500_000] ^= 0xFF
    put_package("Blender", "2.7", data=bytes(data), team=cast.team)
    client = cast.client("reader")
    file = next(url for url in urls(text(client.get(f"{URL}contents/")), "href") if "/file/" in url)
    with pytest.raises(contents_module.ZipUnreadable):
        streamed(client.get(file))


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize("query", ["", "entry=x", "entry=-1", "entry=99", "entry=999999999999"])
def test_files_that_are_not_there(cast: Cast, account: BatchAccount, query: str) -> None:
    etag = package_contents(actor=cast.actor("reader"), account=account, application_id="Blender", version="2.7").etag
    assert cast.client("reader").get(f"{URL}file/?etag={etag}&{query}").status_code == 404


@pytest.mark.usefixtures("blender")
def test_storage_away_is_said_in_the_page(cast: Cast, service: Emulator) -> None:
    service.fault(operation="arm.application_package.get", status=503)
    fragment = cast.client("reader").get(f"{URL}contents/", headers=HTMX)
    assert "The contents cannot be shown" in text(fragment)


def test_an_etag_of_another_state_is_a_conflict(cast: Cast, account: BatchAccount, blender: bytes) -> None:
    with pytest.raises(Conflict) as caught:
        package_contents(
            actor=cast.actor("reader"), account=account, application_id="Blender", version="2.7", etag="0xOLD"
        )
    assert caught.value.code == "package-replaced"


def test_a_hundred_thousand_entries(cast: Cast, account: BatchAccount, put_package: PutPackage) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"data/{number % 100}/file-{number}.bin"), b"")
    put_package("Blender", "2.7", data=target.getvalue(), team=cast.team)
    found = package_contents(actor=cast.actor("reader"), account=account, application_id="Blender", version="2.7")
    assert found.contents.files == 100_000
    assert len(found.contents.children("data/")) == 100
    assert len(found.contents.children("data/7/")) == 1000
    assert len(found.contents.packed()) < 4_000_000
