"""Application packages: the bytes are really in the blob store."""

import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import ActivateApplicationPackageParameters, ApplicationPackage
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient

from emulator.testing import Azurite, Emulator, start_azurite, start_emulator
from tests.emulator.conftest import batch_client, management_client
from tests.emulator.helpers import application, code, message

Upload = Callable[[str, bytes], None]
ZIP = ActivateApplicationPackageParameters(format="zip")


@pytest.fixture
def blender(linked: Emulator, management: BatchManagementClient) -> BatchManagementClient:
    management.application.create("local", "local", "Blender_App")
    return management


def create(management: BatchManagementClient, version: str = "2.7") -> ApplicationPackage:
    return management.application_package.create("local", "local", "Blender_App", version)


def activate(management: BatchManagementClient, version: str = "2.7") -> ApplicationPackage:
    return management.application_package.activate("local", "local", "Blender_App", version, ZIP)


def add(management: BatchManagementClient, upload: Upload, version: str, content: bytes = b"bytes") -> None:
    upload(str(create(management, version).storage_url), content)
    activate(management, version)


def download(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        return bytes(response.read())


def test_create_upload_activate(blender: BatchManagementClient, upload: Upload) -> None:
    pending = create(blender)
    assert (pending.name, pending.state, pending.format) == ("2.7", "Pending", None)
    upload(pending.storage_url, b"first bytes")
    active = activate(blender)
    assert (active.state, active.format) == ("Active", "zip")
    assert abs(active.last_activation_time - datetime.now(UTC)) < timedelta(minutes=1)
    assert download(active.storage_url) == b"first bytes"
    assert (
        download(blender.application_package.get("local", "local", "blender_app", "2.7").storage_url) == b"first bytes"
    )


def test_the_storage_url(azurite: Azurite, blender: BatchManagementClient) -> None:
    package = create(blender)
    address, _, query = package.storage_url.partition("?")
    container, _, blob = address.removeprefix(f"{azurite.url}/devstoreaccount1/").partition("/")
    assert container.startswith("app-blender-app-")
    assert len(container) == len("app-blender-app-") + 32
    assert blob == "2.7"
    assert "sp=rw" in query
    assert "sr=b" in query
    lifetime = package.storage_url_expiry - datetime.now(UTC)
    assert timedelta(hours=3, minutes=59) < lifetime <= timedelta(hours=4)


def test_versions_of_one_application_share_a_container(blender: BatchManagementClient) -> None:
    containers = {create(blender, version).storage_url.split("?")[0].rpartition("/")[0] for version in ("1", "2")}
    assert len(containers) == 1


def test_activating_without_bytes_is_a_conflict(blender: BatchManagementClient) -> None:
    create(blender)
    with pytest.raises(HttpResponseError) as caught:
        activate(blender)
    assert code(caught.value) == (409, "ApplicationPackageBlobNotFound")


def test_uncommitted_blocks_are_not_bytes(blender: BatchManagementClient) -> None:
    with BlobClient.from_blob_url(create(blender).storage_url) as blob:
        blob.stage_block("0001", b"staged only")
        with pytest.raises(HttpResponseError) as caught:
            activate(blender)
        assert code(caught.value) == (409, "ApplicationPackageBlobNotFound")
        blob.commit_block_list([BlobBlock("0001")])
    assert activate(blender).state == "Active"


def test_only_zip_is_a_format(blender: BatchManagementClient, upload: Upload) -> None:
    upload(create(blender).storage_url, b"x")
    with pytest.raises(HttpResponseError) as caught:
        blender.application_package.activate(
            "local", "local", "Blender_App", "2.7", ActivateApplicationPackageParameters(format="tar")
        )
    assert caught.value.status_code == 400


def test_replacing_keeps_the_old_bytes_until_new_ones_are_committed(
    blender: BatchManagementClient, upload: Upload
) -> None:
    add(blender, upload, "2.7", b"old")
    again = create(blender)
    assert again.state == "Active"
    with BlobClient.from_blob_url(again.storage_url) as blob:
        blob.stage_block("0001", b"new")
        assert download(again.storage_url) == b"old"
        blob.commit_block_list([BlobBlock("0001")])
    replaced = activate(blender)
    assert download(replaced.storage_url) == b"new"


def test_activating_again_moves_time_and_etag(blender: BatchManagementClient, upload: Upload) -> None:
    add(blender, upload, "2.7")
    first = blender.application_package.get("local", "local", "Blender_App", "2.7")
    second = activate(blender)
    assert second.last_activation_time > first.last_activation_time
    assert second.etag != first.etag


def test_deleting_takes_the_blob_and_clears_the_default(blender: BatchManagementClient, upload: Upload) -> None:
    add(blender, upload, "2.7")
    blender.application.update("local", "local", "Blender_App", application(default_version="2.7"))
    url = blender.application_package.get("local", "local", "Blender_App", "2.7").storage_url
    blender.application_package.delete("local", "local", "Blender_App", "2.7")
    assert blender.application.get("local", "local", "Blender_App").default_version is None
    with pytest.raises(urllib.error.HTTPError) as gone:
        download(url)
    gone.value.close()
    assert gone.value.code == 404
    blender.application_package.delete("local", "local", "Blender_App", "2.7")


def test_deleting_another_version_keeps_the_default(blender: BatchManagementClient, upload: Upload) -> None:
    for version in ("1", "2"):
        add(blender, upload, version)
    blender.application.update("local", "local", "Blender_App", application(default_version="1"))
    blender.application_package.delete("local", "local", "Blender_App", "2")
    assert blender.application.get("local", "local", "Blender_App").default_version == "1"


def test_without_updates_versions_can_only_be_added(blender: BatchManagementClient, upload: Upload) -> None:
    add(blender, upload, "1")
    create(blender, "pending")
    blender.application.update("local", "local", "Blender_App", application(allow_updates=False))
    for version in ("1", "pending"):
        with pytest.raises(HttpResponseError) as replacing:
            create(blender, version)
        assert code(replacing.value) == (409, "ApplicationPackageUpdateNotAllowed")
    with pytest.raises(HttpResponseError) as deleting:
        blender.application_package.delete("local", "local", "Blender_App", "1")
    assert code(deleting.value) == (409, "ApplicationPackageUpdateNotAllowed")
    add(blender, upload, "2")
    assert blender.application_package.get("local", "local", "Blender_App", "1").state == "Active"


def test_an_application_with_packages_cannot_be_deleted(azurite: Azurite, blender: BatchManagementClient) -> None:
    container = create(blender).storage_url.split("?")[0].split("/")[-2]
    with pytest.raises(HttpResponseError) as caught:
        blender.application.delete("local", "local", "Blender_App")
    assert code(caught.value) == (409, "ApplicationPackagesNotEmpty")
    blender.application_package.delete("local", "local", "Blender_App", "2.7")
    blender.application.delete("local", "local", "Blender_App")
    with BlobServiceClient.from_connection_string(azurite.connection_strings[0]) as blobs:
        assert not blobs.get_container_client(container).exists()


@pytest.mark.parametrize("version", [".1", "a/b", "1" * 65, "1 0"])
def test_a_version_that_breaks_the_rules_is_refused(blender: BatchManagementClient, version: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        create(blender, version.replace("/", "%2F"))
    assert code(caught.value) == (400, "InvalidResourceName")


def test_versions_keep_their_case_and_do_not_compare_it(blender: BatchManagementClient) -> None:
    create(blender, "RC1")
    assert create(blender, "rc1").name == "RC1"
    assert len(list(blender.application_package.list("local", "local", "Blender_App"))) == 1


def test_what_is_not_there(blender: BatchManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        blender.application_package.get("local", "local", "Blender_App", "9")
    assert code(missing.value)[1] == "ApplicationPackageNotFound"
    assert message(missing.value).startswith("The specified application package does not exist.\nRequestId:")
    assert missing.value.error is not None
    assert missing.value.error.target == "BatchAccount"
    with pytest.raises(ResourceNotFoundError) as orphan:
        blender.application_package.create("local", "local", "nosuch", "1")
    assert code(orphan.value)[1] == "ApplicationNotFound"


def test_lists_come_in_pages_without_urls(blender: BatchManagementClient) -> None:
    for version in ("1.0", "1.1", "1.2"):
        create(blender, version)
    pages = [
        list(page) for page in blender.application_package.list("local", "local", "Blender_App", maxresults=2).by_page()
    ]
    assert [[found.name for found in page] for page in pages] == [["1.0", "1.1"], ["1.2"]]
    assert {found.storage_url for page in pages for found in page} == {None}


def test_the_quota_of_packages_holds(azurite: Azurite) -> None:
    with start_emulator(storage=[azurite], arguments=["--package-quota", "2"]) as small:
        small.link_storage("devstoreaccount1")
        with management_client(small) as management:
            management.application.create("local", "local", "Blender_App")
            for version in ("1", "2", "1"):
                create(management, version)
            with pytest.raises(HttpResponseError) as caught:
                create(management, "3")
            assert code(caught.value) == (409, "ApplicationPackageQuotaReached")


@pytest.mark.usefixtures("emulator")
def test_without_linked_storage_there_are_no_applications(management: BatchManagementClient) -> None:
    for action in (
        lambda: list(management.application.list("local", "local")),
        lambda: management.application.create("local", "local", "a"),
        lambda: management.application_package.create("local", "local", "a", "1"),
    ):
        with pytest.raises(HttpResponseError) as caught:
            action()
        assert code(caught.value) == (409, "AccountNotEnabledForAutoStorage")


def test_a_managed_identity_gets_an_address_without_signature(
    linked: Emulator, management: BatchManagementClient
) -> None:
    link = {"storageAccountId": linked.storage_id("packages2"), "authenticationMode": "BatchAccountManagedIdentity"}
    with pytest.raises(HttpResponseError) as caught:
        management.batch_account.update("local", "local", {"properties": {"autoStorage": link}})
    assert code(caught.value)[1] == "InvalidAutoStorageAccount"
    identity = {"type": "SystemAssigned"}
    management.batch_account.update("local", "local", {"identity": identity, "properties": {"autoStorage": link}})
    management.application.create("local", "local", "Blender_App")
    assert "?" not in create(management).storage_url


def test_an_expired_address_is_refused_by_the_blob_store(
    linked: Emulator, blender: BatchManagementClient, upload: Upload
) -> None:
    linked.clock(skew=-5 * 3600)
    package = create(blender)
    linked.clock(skew=0)
    with pytest.raises(HttpResponseError) as caught:
        upload(package.storage_url, b"late")
    assert caught.value.status_code == 403


def test_many_at_once_on_one_version(blender: BatchManagementClient, linked: Emulator, upload: Upload) -> None:
    add(blender, upload, "2.7", b"x")

    def work(number: int) -> int:
        with management_client(linked) as management:
            try:
                if number % 4 == 0:
                    management.application_package.delete("local", "local", "Blender_App", "2.7")
                elif number % 4 == 1:
                    activate(management)
                else:
                    upload(str(create(management).storage_url), b"y")
            except HttpResponseError as error:
                return error.status_code or 0
            return 200

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(work, range(24)))
    assert statuses <= {200, 404, 409}
    for found in blender.application_package.list("local", "local", "Blender_App"):
        if found.state == "Active":
            package = blender.application_package.get("local", "local", "Blender_App", str(found.name))
            assert download(package.storage_url) == b"y"


def test_only_active_versions_are_usable_on_the_data_plane(
    linked: Emulator, blender: BatchManagementClient, upload: Upload
) -> None:
    blender.application.update("local", "local", "Blender_App", application(display_name="Blender"))
    with batch_client(linked) as batch:
        create(blender, "pending")
        assert list(batch.list_applications()) == []
        add(blender, upload, "2.7")
        (usable,) = batch.list_applications()
        assert (usable.id, usable.display_name, usable.versions) == ("Blender_App", "Blender", ["2.7"])
        assert batch.get_application("blender_app").versions == ["2.7"]
        with pytest.raises(ResourceNotFoundError):
            batch.get_application("nosuch")


def test_a_blob_store_that_is_away_is_named_and_comes_back(upload: Upload) -> None:
    with start_azurite() as blobs, start_emulator(storage=[blobs]) as service:
        service.link_storage("devstoreaccount1")
        with management_client(service) as management:
            management.application.create("local", "local", "Blender_App")
            upload(str(create(management).storage_url), b"x")
            blobs.stop()
            with pytest.raises(HttpResponseError) as caught:
                activate(management)
            assert code(caught.value) == (503, "AutoStorageUnavailable")
            assert "devstoreaccount1" in message(caught.value)
            blobs.start()
            assert activate(management).state == "Active"
