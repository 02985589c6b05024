"""The whole of it as a program does it: upload a package, make a pool, submit 250 tasks, read what each has written."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.core.credentials import AzureNamedKeyCredential
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import (
    ActivateApplicationPackageParameters,
    Application,
    ApplicationPackage,
    ApplicationProperties,
)

from emulator.testing import Emulator
from tests.emulator.clients import environments
from tests.emulator.clients.conftest import Secure
from tests.emulator.clients.crowd import TASKS, WRITTEN, command_lines
from tests.emulator.clients.crowd import package as shout


@pytest.fixture
def package(linked: Emulator, management: BatchManagementClient, upload: Callable[[str, bytes], None]) -> str:
    """An application whose script says what it is given, loudly."""
    names = linked.resource_group, "local", "shout"
    management.application.create(*names, Application(properties=ApplicationProperties()))
    made = management.application_package.create(*names, "1.0", ApplicationPackage())
    assert made.properties is not None
    assert made.properties.storage_url is not None
    upload(made.properties.storage_url, shout())
    management.application_package.activate(*names, "1.0", ActivateApplicationPackageParameters(format="zip"))
    return "shout"


def new_pool(application: str) -> m.BatchPoolCreateOptions:
    return m.BatchPoolCreateOptions(
        id="crowd",
        vm_size="standard_d2s_v3",
        virtual_machine_configuration=m.VirtualMachineConfiguration(
            image_reference=m.BatchVmImageReference(
                publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
            ),
            node_agent_sku_id="batch.node.ubuntu 24.04",
        ),
        target_dedicated_nodes=2,
        task_slots_per_node=4,
        application_package_references=[m.BatchApplicationPackageReference(application_id=application, version="1.0")],
    )


def new_job() -> m.BatchJobCreateOptions:
    return m.BatchJobCreateOptions(id="crowd", pool_info=m.BatchPoolInfo(pool_id="crowd"))


def new_tasks() -> list[m.BatchTaskCreateOptions]:
    return [m.BatchTaskCreateOptions(id=task["id"], command_line=task["commandLine"]) for task in command_lines()]


def test_sync(linked: Emulator, package: str) -> None:
    credential = AzureNamedKeyCredential("local", linked.account_key())
    with BatchClient(linked.account_url(), credential) as client:
        client.create_pool(new_pool(package))
        client.create_job(new_job())
        client.create_tasks("crowd", new_tasks())
        deadline = time.monotonic() + 120
        while client.get_job_task_counts("crowd").task_counts.completed < TASKS:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        written = [b"".join(client.download_task_file("crowd", f"t{n}", "stdout.txt")).decode() for n in range(TASKS)]
        assert written == WRITTEN
        exits = [task.execution_info.exit_code for task in client.list_tasks("crowd") if task.execution_info]
        assert exits == [0] * TASKS
        client.begin_delete_job("crowd", polling_interval=1).wait()
        client.begin_delete_pool("crowd", polling_interval=1).wait()
        assert list(client.list_pools()) == []


def test_async(linked: Emulator, package: str, tmp_path: Path) -> None:
    """In an environment of its own: the SDK's own way over the network is a library that nothing here needs."""
    interpreter = environments.python(tmp_path, "15.1.0", "aiohttp")
    arguments = linked.account_url(), "local", linked.account_key(), package
    written = environments.run(str(interpreter), str(environments.PROGRAMS / "asynchronous.py"), *arguments)
    assert json.loads(written) == WRITTEN


def test_javascript(secure: Secure, tmp_path: Path) -> None:
    """With a sign-in, for the package goes through the management plane."""
    folder = environments.javascript(tmp_path, *environments.MANAGEMENT)
    file = tmp_path / "shout.zip"
    file.write_bytes(shout())
    command = "node", str(environments.PROGRAMS / "crowd.mjs"), secure.url, secure.storage, str(file)
    written = environments.run(*command, cwd=folder, NODE_EXTRA_CA_CERTS=str(secure.trusted))
    assert json.loads(written) == WRITTEN
