"""The Applications blade as people see it."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.snapshot import snapshot_forget
from apps.applications.views import listing
from apps.gateway import management
from apps.operations.models import Kind
from apps.operations.services import operation_create
from apps.people.models import Team
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage

URL = "/batch/local/applications/"
# Names that other tools can put at the service, or that people type, and that must never become markup or formulas.
HOSTILE = '<script>alert("x")</script>\'"&{{ 7*7 }}{% now %}'


def text(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def rows_of(page: str) -> list[str]:
    """Application IDs in the order of the table."""
    return re.findall(r'<a href="/batch/local/applications/([^/"]+)/">', page.partition("<tbody>")[2])


@pytest.mark.parametrize(
    ("name", "status"), [("administrator", 200), ("uploader", 200), ("reader", 200), ("stranger", 404)]
)
def test_every_role_sees_it_and_a_stranger_does_not(cast: Cast, name: str, status: int) -> None:
    assert cast.client(name).get(URL).status_code == status


def test_nobody_without_signing_in(cast: Cast) -> None:
    response = Client().get(URL)
    assert response.status_code == 302
    assert "/accounts/login/" in response.headers["Location"]


def test_empty_with_the_first_step(cast: Cast) -> None:
    page = text(cast.client("uploader").get(URL))
    assert "No applications yet" in page
    assert page.partition("No applications yet")[2].count('href="/batch/local/applications/+new/"') == 1


def test_a_reader_is_told_why_there_is_nothing_to_press(cast: Cast) -> None:
    page = text(cast.client("reader").get(URL))
    assert "only allows reading" in page
    assert 'href="/batch/local/applications/+new/"' not in page


def test_who_has_no_team_is_told_so(cast: Cast) -> None:
    cast.team.members.remove(cast.uploader)
    page = text(cast.client("uploader").get(URL))
    assert "no team yet" in page
    assert 'href="/batch/local/applications/+new/"' not in page


def test_without_a_storage_account_the_page_leads_to_linking_one(
    cast: Cast, account: BatchAccount, service: Emulator
) -> None:
    service.arm("PATCH", service.account_id(), {"properties": {"autoStorage": None}})
    snapshot_forget(account)
    page = text(cast.client("administrator").get(URL))
    assert "No storage account is linked" in page
    assert "Link a storage account" in page
    assert 'href="/batch/local/storage/"' in page
    assert "No applications yet" not in page
    assert "Ask an administrator" in text(cast.client("reader").get(URL))


def test_by_shared_key_it_says_what_is_missing_and_how_to_fix_it(
    cast: Cast, shared_key_account: BatchAccount, service: Emulator
) -> None:
    service.arm("PUT", f"{service.account_id()}/applications/found", {})
    page = text(cast.client("administrator").get(URL))
    assert "Connected by shared key" in page
    assert "Azure Batch Account" in page
    assert "Default version" not in page


def test_state_stands_in_the_address(cast: Cast, put_package: PutPackage) -> None:
    for name, team in (("beta", cast.team), ("alpha", cast.team), ("gamma", cast.other_team)):
        put_package(name, "1", team=team)
    client = cast.client("reader")
    assert rows_of(text(client.get(URL))) == ["alpha", "beta", "gamma"]
    assert rows_of(text(client.get(f"{URL}?sort=-id"))) == ["gamma", "beta", "alpha"]
    page = text(client.get(f"{URL}?q=a&team=render&sort=-id"))
    assert rows_of(page) == ["beta", "alpha"]
    # Sorting keeps the filters, and the CSV follows them.
    assert 'href="?q=a&amp;team=render&amp;sort=id"' in page
    assert "/batch/local/applications/applications.csv?q=a&amp;team=render&amp;sort=-id" in page
    assert "Nothing matches" in text(client.get(f"{URL}?q=zzz"))


def test_paging(cast: Cast, account: BatchAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    connection = connection_for(account)
    for number in range(3):
        management.application_create(connection, f"app{number}")
    client = cast.client("reader")
    first = text(client.get(URL))
    assert rows_of(first) == ["app0", "app1"]
    assert rows_of(text(client.get(f"{URL}?page=2"))) == ["app2"]
    assert rows_of(text(client.get(f"{URL}?page=nonsense"))) == rows_of(first)


@pytest.mark.parametrize(("limit", "tone"), [(20, "neutral"), (2, "warning"), (1, "danger")])
def test_the_quota_is_shown_and_used_up_means_no_new_one(
    cast: Cast, put_package: PutPackage, settings: Settings, limit: int, tone: str
) -> None:
    settings.APPLICATION_QUOTA = limit
    put_package("one", "1")
    if limit == 2:
        settings.APPLICATION_QUOTA = 1.2  # 1 of 1.2: above 80 %
    page = text(cast.client("uploader").get(URL))
    assert f"1 of {settings.APPLICATION_QUOTA}" in page
    assert f'data-tone="{tone}"' in page
    assert ("quota of applications is used up" in page) is (tone == "danger")


def test_hostile_names_stay_text(cast: Cast, account: BatchAccount, put_package: PutPackage) -> None:
    hostile = Team.objects.create(name=HOSTILE[:60], slug="hostile")
    put_package("app", "1", team=hostile)
    management.application_update(connection_for(account), "app", display_name=HOSTILE)
    operation_create(
        actor=cast.actor("uploader"),
        account=account,
        kind=Kind.PACKAGE_UPLOAD,
        subject=HOSTILE,
        subject_key="package:other:1",
    )
    snapshot_forget(account)
    client = cast.client("administrator")
    for path in (URL, f"{URL}?q=%3Cscript%3E&team=hostile", f"{URL}app/", f"{URL}app/team/", f"{URL}app/packages/1/"):
        page = text(client.get(path))
        assert "<script>alert" not in page
        assert "alert(" in page or "q=" in path
        assert "49" not in re.findall(r"&#x27;&quot;&amp;(\d+)", page)


def test_csv_holds_the_filtered_rows(cast: Cast, put_package: PutPackage) -> None:
    put_package("alpha", "1.0", team=cast.team)
    put_package("alpha", "1.1")
    put_package("beta", "1")
    response = cast.client("reader").get(f"{URL}applications.csv?q=alpha")
    data = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(data)))
    assert [row["Application ID"] for row in rows] == ["alpha"]
    assert rows[0]["Active packages"] == "2"
    assert rows[0]["Owning team"] == "Render"
    assert response.headers["Content-Disposition"] == 'attachment; filename="local-applications.csv"'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_csv_holds_no_formulas(cast: Cast, account: BatchAccount, put_package: PutPackage, start: str) -> None:
    put_package("-id", "1")
    formula = f'{start}HYPERLINK("http://example.org")'
    management.application_update(connection_for(account), "-id", display_name=formula)
    snapshot_forget(account)
    response = cast.client("reader").get(f"{URL}applications.csv")
    data = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    row = list(csv.reader(io.StringIO(data, newline="")))[1]
    assert row[0] == "'-id"
    assert row[1].lstrip("'") == formula.strip() or row[1] == f"'{formula}"
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)


def test_refresh_asks_azure_and_a_filter_does_not(cast: Cast, account: BatchAccount, service: Emulator) -> None:
    client = cast.client("reader")
    client.get(URL)
    service.arm("PUT", f"{service.account_id()}/applications/made-elsewhere", {})
    htmx = {"HX-Request": "true"}
    filtered = client.get(f"{URL}?q=made", headers={**htmx, "HX-Current-URL": f"http://testserver{URL}"})
    assert "made-elsewhere" not in rows_of(text(filtered))
    again = client.get(URL, headers={**htmx, "HX-Current-URL": f"http://testserver{URL}"})
    assert "made-elsewhere" in rows_of(text(again))


def test_while_azure_is_away_the_page_says_how_old_it_is(
    cast: Cast, account: BatchAccount, put_package: PutPackage, service: Emulator
) -> None:
    put_package("alpha", "1")
    snapshot_forget(account)
    client = cast.client("reader")
    client.get(URL)
    for plane in ("arm.*", "data.*"):
        service.fault(operation=plane, status=503)
    response = client.get(URL, headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{URL}"})
    page = text(response)
    assert response.status_code == 200
    assert "Azure does not answer now" in page
    assert rows_of(page) == ["alpha"]


def test_a_refused_plane_is_named_with_code_and_request(cast: Cast, put_package: PutPackage, service: Emulator) -> None:
    put_package("alpha", "1")
    service.fault(operation="data.*", status=403, code="AuthenticationFailed")
    cache.clear()
    page = text(cast.client("reader").get(URL))
    assert "The data plane did not answer as expected" in page
    assert "AuthenticationFailed" in page
    assert rows_of(page) == ["alpha"]


def test_a_get_never_writes(cast: Cast, put_package: PutPackage, service: Emulator) -> None:
    put_package("alpha", "1", team=cast.team)
    client = cast.client("administrator")
    since = max(entry["number"] for entry in service.requests())
    for path in (URL, f"{URL}+new/", f"{URL}alpha/", f"{URL}alpha/delete/", f"{URL}alpha/packages/1/delete/"):
        assert client.get(path).status_code == 200
    methods = {entry["method"] for entry in service.requests(since=since) if entry["operation"].startswith("arm.")}
    assert methods == {"GET"}
