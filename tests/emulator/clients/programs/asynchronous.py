# ruff: noqa: T201, ASYNC110 - a small program of its own
"""A program with the asynchronous client of azure-batch 15: a pool with a package, 250 tasks, and what they wrote.

``python asynchronous.py ENDPOINT ACCOUNT KEY APPLICATION``; prints the output of every task as JSON.
"""

import asyncio
import json
import sys

from azure.batch import aio
from azure.batch import models as m
from azure.core.credentials import AzureNamedKeyCredential

TASKS = 250


def new_pool(application: str) -> m.BatchPoolCreateOptions:
    image = m.BatchVmImageReference(publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest")
    return m.BatchPoolCreateOptions(
        id="crowd",
        vm_size="standard_d2s_v3",
        virtual_machine_configuration=m.VirtualMachineConfiguration(
            image_reference=image, node_agent_sku_id="batch.node.ubuntu 24.04"
        ),
        target_dedicated_nodes=2,
        task_slots_per_node=4,
        application_package_references=[m.BatchApplicationPackageReference(application_id=application, version="1.0")],
    )


def task(number: int) -> m.BatchTaskCreateOptions:
    line = f"sh $AZ_BATCH_APP_PACKAGE_shout_1_0/shout.sh voice-{number}"
    return m.BatchTaskCreateOptions(id=f"t{number}", command_line=f"/bin/sh -c '{line}'")


async def output(client: aio.BatchClient, number: int) -> str:
    parts = await client.download_task_file("crowd", f"t{number}", "stdout.txt")
    return b"".join([part async for part in parts]).decode()


async def main(endpoint: str, account: str, key: str, application: str) -> None:
    async with aio.BatchClient(endpoint, AzureNamedKeyCredential(account, key)) as client:
        await client.create_pool(new_pool(application))
        await client.create_job(m.BatchJobCreateOptions(id="crowd", pool_info=m.BatchPoolInfo(pool_id="crowd")))
        await client.create_tasks("crowd", [task(number) for number in range(TASKS)])
        async with asyncio.timeout(120):
            while (await client.get_job_task_counts("crowd")).task_counts.completed < TASKS:
                await asyncio.sleep(0.1)
        written = [await output(client, number) for number in range(TASKS)]
        await (await client.begin_delete_job("crowd", polling_interval=1)).wait()
        await (await client.begin_delete_pool("crowd", polling_interval=1)).wait()
        if [pool async for pool in client.list_pools()]:
            sys.exit("the pool is still there")
    print(json.dumps(written))


asyncio.run(main(*sys.argv[1:]))
