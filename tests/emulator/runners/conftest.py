"""Pools of real processes, ended with the test."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.batch import BatchClient
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import ActivateApplicationPackageParameters, Application, ApplicationProperties

from emulator.testing import Emulator
from tests.emulator.estate import nodes_in, pool


@pytest.fixture
def node_id(batch: BatchClient) -> str:
    """One idle process node of the pool ``p``."""
    batch.create_pool(pool(target_dedicated_nodes=1))
    return nodes_in(batch, "idle", 1)[0].id


def zipped(files: dict[str, bytes | str], modes: dict[str, int] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o644) << 16 or 0x20  # as Windows marks files
            archive.writestr(info, content)
    return buffer.getvalue()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet has ended all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


ZIP = ActivateApplicationPackageParameters(format="zip")

Publish = Callable[..., None]


@pytest.fixture
def publish(linked: Emulator, management: BatchManagementClient, upload: Callable[[str, bytes], None]) -> Publish:
    """Makes an active version of an application."""

    def do(application: str, version: str, content: bytes, *, default: bool = False) -> None:
        management.application.create("local", "local", application, Application())
        made = management.application_package.create("local", "local", application, version)
        upload(str(made.storage_url), content)
        management.application_package.activate("local", "local", application, version, ZIP)
        if default:
            properties = ApplicationProperties(default_version=version)
            management.application.update("local", "local", application, Application(properties=properties))

    return do
