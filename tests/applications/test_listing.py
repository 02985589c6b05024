"""The list of an account's applications: two list calls, few queries, and what is shown when a plane is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.listing import ApplicationQuery, application_list, natural_key, rows_matching
from apps.applications.models import PackageRecord
from apps.applications.services import application_update
from apps.applications.snapshot import snapshot_forget
from apps.core.exceptions import NotPermitted, NotVisible
from apps.gateway import management
from apps.gateway.calls import counted
from apps.gateway.errors import GatewayError
from apps.operations.models import Kind
from apps.operations.services import operation_create
from apps.people.models import Grant
from emulator.testing import Emulator
from tests.applications.conftest import Cast, PutPackage

LIST_CALLS = ["arm.application.list", "data.list_applications"]


def record(account: BatchAccount, application_id: str, version: str, size: int = 1000) -> PackageRecord:
    return PackageRecord.objects.create(
        account=account,
        application_id=application_id,
        application_key=application_id.lower(),
        version=version,
        version_key=version.lower(),
        size=size,
        sha256="0" * 64,
        filename="a.zip",
        uploaded_by_name="uploader",
    )


def ids(account: BatchAccount, cast: Cast, **parameters: str) -> list[str]:
    found = application_list(actor=cast.actor("reader"), account=account)
    return [row.id for row in rows_matching(found.rows, ApplicationQuery.parse(parameters))]


@pytest.fixture
def three(account: BatchAccount, cast: Cast, put_package: PutPackage) -> None:
    put_package("Blender", "2.10", team=cast.team)
    put_package("Blender", "2.9")
    put_package("ffmpeg", "6", team=cast.other_team)
    put_package("empty", "1", activate=False)
    application_update(actor=cast.actor("administrator"), account=account, application_id="ffmpeg", allow_updates=False)
    management.application_update(
        connection_for(account), "Blender", display_name="The renderer", default_version="2.9"
    )
    snapshot_forget(account)
    record(account, "blender", "2.10", 5000)
    record(account, "blender", "gone", 9000)


def test_rows_join_both_planes_and_our_records(three: None, account: BatchAccount, cast: Cast) -> None:
    rows = {row.id: row for row in application_list(actor=cast.actor("uploader"), account=account).rows}
    blender = rows["Blender"]
    assert set(blender.versions or ()) == {"2.10", "2.9"}
    assert (blender.display_name, blender.default_version, blender.allow_updates) == ("The renderer", "2.9", True)
    # The record of a version that the service no longer has does not count.
    assert (blender.size, blender.sized, blender.size_is_partial) == (5000, 1, True)
    assert blender.last_upload is not None
    assert (blender.team, blender.may_touch) == (cast.team, True)
    assert (rows["ffmpeg"].allow_updates, rows["ffmpeg"].may_touch) == (False, False)
    assert (rows["empty"].packages, rows["empty"].sized, rows["empty"].last_upload) == (0, 0, None)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["Blender", "empty", "ffmpeg"]),
        ({"sort": "-id"}, ["ffmpeg", "empty", "Blender"]),
        ({"sort": "packages"}, ["empty", "ffmpeg", "Blender"]),
        ({"sort": "-size"}, ["Blender", "empty", "ffmpeg"]),
        ({"sort": "size"}, ["Blender", "empty", "ffmpeg"]),
        ({"sort": "default"}, ["Blender", "empty", "ffmpeg"]),
        ({"sort": "team"}, ["Blender", "ffmpeg", "empty"]),
        ({"sort": "nonsense"}, ["Blender", "empty", "ffmpeg"]),
        ({"q": "RENDER"}, ["Blender"]),
        ({"q": "2.10"}, ["Blender"]),
        ({"q": "nothing like it"}, []),
        ({"team": "simulation"}, ["ffmpeg"]),
        ({"team": "-"}, ["empty"]),
        ({"updates": "no"}, ["ffmpeg"]),
        ({"updates": "perhaps"}, ["Blender", "empty", "ffmpeg"]),
        ({"packages": "none"}, ["empty"]),
    ],
)
def test_search_filter_and_order(
    three: None, account: BatchAccount, cast: Cast, parameters: dict[str, str], expected: list[str]
) -> None:
    assert ids(account, cast, **parameters) == expected


def test_numbers_in_names_are_numbers() -> None:
    names = ["2.10", "2.9", "2.9-rc", "V2", "v10", "2", "x²"]
    assert sorted(names, key=natural_key) == ["2", "2.9", "2.9-rc", "2.10", "V2", "v10", "x²"]


def test_two_list_calls_whatever_the_number_of_applications(
    account: BatchAccount, cast: Cast, service: Emulator, put_package: PutPackage
) -> None:
    for number in range(7):
        put_package(f"app{number}", "1")
    since = max(entry["number"] for entry in service.requests())
    application_list(actor=cast.actor("reader"), account=account)
    asked = [entry["operation"] for entry in service.requests(since=since)]
    assert sorted(operation for operation in asked if not operation.startswith("login.")) == LIST_CALLS


def test_calls_of_both_planes_are_counted_with_the_callers(account: BatchAccount, cast: Cast) -> None:
    with counted() as log:
        application_list(actor=cast.actor("reader"), account=account)
    assert sum(call.path.endswith("/applications") for call in log.calls) == 2


def test_a_fixed_number_of_queries(account: BatchAccount, cast: Cast, put_package: PutPackage) -> None:
    def queries() -> int:
        snapshot_forget(account)
        with CaptureQueriesContext(database) as captured:
            application_list(actor=cast.actor("uploader"), account=account)
        return len(captured)

    put_package("first", "1", team=cast.team)
    few = queries()
    for number in range(5):
        put_package(f"app{number}", "1", team=cast.team)
        record(account, f"app{number}", "1")
    assert queries() == few


def test_a_second_reader_asks_azure_nothing(account: BatchAccount, cast: Cast) -> None:
    first = application_list(actor=cast.actor("reader"), account=account)
    with counted() as log:
        second = application_list(actor=cast.actor("uploader"), account=account)
    assert len(log) == 0
    assert second.read_at == first.read_at


def test_asking_again_asks_azure(account: BatchAccount, cast: Cast) -> None:
    first = application_list(actor=cast.actor("reader"), account=account)
    assert application_list(actor=cast.actor("reader"), account=account, fresh=True).read_at > first.read_at


def test_our_own_change_is_seen_at_once(three: None, account: BatchAccount, cast: Cast) -> None:
    application_list(actor=cast.actor("reader"), account=account)
    application_update(actor=cast.actor("uploader"), account=account, application_id="blender", display_name="Changed")
    rows = application_list(actor=cast.actor("reader"), account=account).rows
    assert next(row for row in rows if row.id == "Blender").display_name == "Changed"


def test_an_answer_that_was_asked_before_a_change_is_not_kept(
    three: None, account: BatchAccount, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader whose question overtakes somebody's change must not put the old list back into the cache."""
    real: Callable[..., list[object]] = management.application_list  # type: ignore[assignment]

    def slow(connection: object) -> list[object]:
        answer = real(connection)
        snapshot_forget(account)  # somebody's change comes through while the answer is on its way
        return answer

    monkeypatch.setattr(management, "application_list", slow)
    application_list(actor=cast.actor("reader"), account=account)
    monkeypatch.undo()
    with counted() as log:
        application_list(actor=cast.actor("reader"), account=account)
    assert any(call.path.endswith("/applications") for call in log.calls)


def test_no_storage_account_is_a_state_of_its_own(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    service.arm("PATCH", service.account_id(), {"properties": {"autoStorage": None}})
    found = application_list(actor=cast.actor("reader"), account=account, fresh=True)
    assert found.storage_missing
    assert found.rows == []


def test_without_the_data_plane_settings_are_still_there(
    three: None, account: BatchAccount, cast: Cast, service: Emulator
) -> None:
    service.fault(operation="data.*", status=403, code="AuthenticationFailed")
    found = application_list(actor=cast.actor("reader"), account=account)
    assert [row.id for row in found.rows]
    assert all(row.versions is None and row.allow_updates is not None for row in found.rows)
    assert list(found.problems) == ["data"]
    assert found.problems["data"].message  # type: ignore[index]


def test_without_the_management_plane_active_versions_are_still_there(
    three: None, account: BatchAccount, cast: Cast, service: Emulator
) -> None:
    service.fault(operation="arm.*", status=403, code="AuthorizationFailed")
    found = application_list(actor=cast.actor("reader"), account=account)
    assert {row.id for row in found.rows} == {"Blender", "ffmpeg"}
    assert all(row.versions and row.allow_updates is None for row in found.rows)
    assert list(found.problems) == ["management"]


def test_while_azure_is_away_the_last_answer_stands_with_its_age(
    three: None, account: BatchAccount, cast: Cast, service: Emulator
) -> None:
    before = application_list(actor=cast.actor("reader"), account=account)
    service.fault(operation="*", status=503)
    found = application_list(actor=cast.actor("reader"), account=account, fresh=True)
    assert found.kept
    assert [row.id for row in found.rows] == [row.id for row in before.rows]
    assert found.read_at == before.read_at
    assert found.problems


def test_without_any_answer_the_error_is_azures(account: BatchAccount, cast: Cast, service: Emulator) -> None:
    for plane in ("arm.*", "data.*"):
        service.fault(operation=plane, status=403, code="AuthorizationFailed", message="No right to list.")
    with pytest.raises(GatewayError) as caught:
        application_list(actor=cast.actor("reader"), account=account)
    assert caught.value.service_code == "AuthorizationFailed"
    assert caught.value.message


def test_by_shared_key_the_data_plane_alone_speaks(
    shared_key_account: BatchAccount, cast: Cast, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        management, "application_list", lambda _connection: pytest.fail("the management plane was asked")
    )
    found = application_list(actor=cast.actor("reader"), account=shared_key_account)
    assert (found.managed, found.problems) == (False, {})


def test_the_cache_away_only_costs_time(
    three: None, account: BatchAccount, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "get", lambda _key, default=None: default)
    monkeypatch.setattr(cache, "set", lambda *_: None)
    assert ids(account, cast)


def test_running_operations_are_counted_and_new_applications_announced(
    three: None, account: BatchAccount, cast: Cast
) -> None:
    for application_id in ("Blender", "brand-new"):
        operation_create(
            actor=cast.actor("uploader"),
            account=account,
            kind=Kind.PACKAGE_UPLOAD,
            subject=f"{application_id} 9",
            subject_key=f"package:{application_id.lower()}:9",
        )
    found = application_list(actor=cast.actor("reader"), account=account)
    assert {row.id: row.running for row in found.rows}["Blender"] == 1
    assert [operation.subject for operation in found.coming] == ["brand-new 9"]


def test_strangers_and_the_role_decide(account: BatchAccount, cast: Cast) -> None:
    with pytest.raises(NotVisible):
        application_list(actor=cast.actor("stranger"), account=account)
    Grant.objects.filter(user=cast.reader).delete()
    with pytest.raises((NotVisible, NotPermitted)):
        application_list(actor=cast.actor("reader"), account=account)


def test_ages_are_honest(account: BatchAccount, cast: Cast) -> None:
    before = timezone.now()
    assert before <= application_list(actor=cast.actor("reader"), account=account).read_at <= timezone.now()
