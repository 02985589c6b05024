"""What the programs of every client do: a package that shouts, a pool that has it, 250 tasks that use it."""

import io
import zipfile
from typing import Any

TASKS = 250
JOB = "crowd"
WRITTEN = [f"VOICE-{number}\n" for number in range(TASKS)]

POOL: dict[str, Any] = {
    "id": "crowd",
    "vmSize": "standard_d2s_v3",
    "virtualMachineConfiguration": {
        "imageReference": {
            "publisher": "canonical",
            "offer": "ubuntu-24_04-lts",
            "sku": "server",
            "version": "latest",
        },
        "nodeAgentSKUId": "batch.node.ubuntu 24.04",
    },
    "targetDedicatedNodes": 2,
    "taskSlotsPerNode": 4,
    "applicationPackageReferences": [{"applicationId": "shout", "version": "1.0"}],
}


def package() -> bytes:
    """A script that says what it is given, loudly."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("shout.sh", 'echo "$1" | tr a-z A-Z\n')
    return content.getvalue()


def command_lines() -> list[dict[str, str]]:
    """The tasks: their ids and commands."""
    script = "$AZ_BATCH_APP_PACKAGE_shout_1_0/shout.sh"
    return [{"id": f"t{number}", "commandLine": f"/bin/sh -c 'sh {script} voice-{number}'"} for number in range(TASKS)]
