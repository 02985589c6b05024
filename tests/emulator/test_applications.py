"""Applications through azure-mgmt-batch."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.batch import BatchManagementClient

from emulator.testing import Azurite, Emulator, start_emulator
from tests.emulator.conftest import management_client
from tests.emulator.helpers import application, code, message

pytestmark = pytest.mark.usefixtures("linked")


def test_a_new_application_allows_updates_and_has_no_default(management: BatchManagementClient) -> None:
    made = management.application.create("local", "local", "Blender")
    assert (made.name, made.allow_updates, made.default_version, made.display_name) == ("Blender", True, None, None)
    assert str(made.etag).startswith('W/"0x')
    assert str(made.id).endswith("/batchAccounts/local/applications/Blender")


def test_names_keep_their_case_and_do_not_compare_it(management: BatchManagementClient) -> None:
    management.application.create("local", "local", "Blender", application(display_name="first"))
    again = management.application.create("local", "local", "BLENDER", application(allow_updates=False))
    assert (again.name, again.display_name, again.allow_updates) == ("Blender", "first", False)
    assert management.application.get("local", "local", "blender").name == "Blender"
    assert len(list(management.application.list("local", "local"))) == 1


def test_an_update_changes_what_it_names_and_the_etag(management: BatchManagementClient) -> None:
    made = management.application.create("local", "local", "blender", application(display_name="Blender"))
    changed = management.application.update("local", "local", "blender", application(allow_updates=False))
    assert (changed.display_name, changed.allow_updates) == ("Blender", False)
    assert changed.etag != made.etag


@pytest.mark.parametrize("name", ["a.b", "a" * 65, "ä", "a b"])
def test_a_name_that_breaks_the_rules_is_refused(emulator: Emulator, name: str) -> None:
    with management_client(emulator) as management, pytest.raises(HttpResponseError) as caught:
        management.application.create("local", "local", name)
    assert code(caught.value) == (400, "InvalidResourceName")


def test_a_display_name_has_at_most_1024_characters(management: BatchManagementClient) -> None:
    management.application.create("local", "local", "blender", application(display_name="x" * 1024))
    with pytest.raises(HttpResponseError) as caught:
        management.application.update("local", "local", "blender", application(display_name="x" * 1025))
    assert "displayName" in message(caught.value)


def test_what_is_not_there(management: BatchManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        management.application.get("local", "local", "blender")
    assert code(caught.value)[1] == "ApplicationNotFound"
    with pytest.raises(ResourceNotFoundError):
        management.application.update("local", "local", "blender", application())
    management.application.delete("local", "local", "blender")


def test_deleting_an_empty_application(management: BatchManagementClient) -> None:
    management.application.create("local", "local", "blender")
    management.application.delete("local", "local", "blender")
    assert list(management.application.list("local", "local")) == []


def test_lists_come_in_pages(emulator: Emulator, management: BatchManagementClient) -> None:
    names = [f"app{number:02}" for number in range(7)]
    for name in names:
        management.application.create("local", "local", name)
    pages = management.application.list("local", "local", maxresults=3).by_page()
    assert [[found.name for found in page] for page in pages] == [names[:3], names[3:6], names[6:]]
    assert len(emulator.requests("arm.application.list")) == 3


def test_the_quota_of_applications_holds(azurite: Azurite) -> None:
    with start_emulator(storage=[azurite], arguments=["--application-quota", "2"]) as small:
        small.link_storage("devstoreaccount1")
        with management_client(small) as management:
            for name in ("a", "b", "a"):
                management.application.create("local", "local", name)
            with pytest.raises(HttpResponseError) as caught:
                management.application.create("local", "local", "c")
            assert code(caught.value) == (409, "ApplicationQuotaReached")


def test_the_default_version_must_be_an_active_package(management: BatchManagementClient) -> None:
    management.application.create("local", "local", "blender")
    with pytest.raises(HttpResponseError) as missing:
        management.application.update("local", "local", "blender", application(default_version="1"))
    assert code(missing.value)[1] == "ApplicationPackageNotFound"
    management.application_package.create("local", "local", "blender", "1")
    with pytest.raises(HttpResponseError) as pending:
        management.application.update("local", "local", "blender", application(default_version="1"))
    assert code(pending.value) == (409, "RequestedDefaultVersionNotActive")
