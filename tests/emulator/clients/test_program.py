"""The whole of it as a program does it: upload a package, make a pool, submit 250 tasks, read what each has written."""

import io
import json
import time
import zipfile
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

TASKS = 250
PACKAGE = "AZ_BATCH_APP_PACKAGE_shout_1_0"


@pytest.fixture
def package(linked: Emulator, management: BatchManagementClient, upload: Callable[[str, bytes], None]) -> str:
    """An application whose script says what it is given, loudly."""
    names = linked.resource_group, "local", "shout"
    management.application.create(*names, Application(properties=ApplicationProperties()))
    made = management.application_package.create(*names, "1.0", ApplicationPackage())
    assert made.properties is not None
    assert made.properties.storage_url is not None
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("shout.sh", 'echo "$1" | tr a-z A-Z\n')
    upload(made.properties.storage_url, content.getvalue())
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
    return [
        m.BatchTaskCreateOptions(id=f"t{number}", command_line=f"/bin/sh -c 'sh ${PACKAGE}/shout.sh voice-{number}'")
        for number in range(TASKS)
    ]


WRITTEN = [f"VOICE-{number}\n" for number in range(TASKS)]


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
