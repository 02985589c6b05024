# mypy: ignore-errors
# ruff: noqa: E402, PLC0415, DTZ003, UP031, T201 - old clients, on any Python they still run on
"""What a program of 2016 to 2024 does, with the ``BatchServiceClient`` of azure-batch 1 to 14.

Runs in an environment of its own, which has azure-batch and nothing of this repository:
``python service_client.py ENDPOINT ACCOUNT KEY CERTIFICATE``, the certificate a base64 DER file. Prints what it saw as
JSON. Where the versions of the client differ, it does what each one's own documentation says.
"""

import datetime as dt
import hashlib
import io
import json
import sys
import time
import warnings

warnings.simplefilter("ignore")  # the oldest clients were written for a Python that is gone

import azure.batch.models as m
from azure.batch import BatchServiceClient
from azure.batch.batch_auth import SharedKeyCredentials

endpoint, account, key, certificate = sys.argv[1:]
credentials = SharedKeyCredentials(account, key)
try:
    client = BatchServiceClient(credentials, batch_url=endpoint)
except TypeError:
    client = BatchServiceClient(credentials, base_url=endpoint)


def has(model, name):
    return name in model._attribute_map


def plain(value):
    """Enumerations were strings in some versions."""
    return getattr(value, "value", value)


def images():
    """(agent, image, operating system) of all that the service supports."""
    if hasattr(client.account, "list_supported_images"):
        return [
            (found.node_agent_sku_id, found.image_reference, found.os_type)
            for found in client.account.list_supported_images()
        ]
    return [
        (agent.id, image, agent.os_type)
        for agent in client.account.list_node_agent_skus()
        for image in agent.verified_image_references
    ]


def choose(publisher, system):
    return next(
        (agent, image)
        for agent, image, found in images()
        if image.publisher.lower() == publisher and plain(found) == system and "arm64" not in agent
    )


def add_pool(name, publisher, system, nodes, **more):
    agent, image = choose(publisher, system)
    machine = m.VirtualMachineConfiguration(image_reference=image, node_agent_sku_id=agent)
    target = "target_dedicated_nodes" if has(m.PoolAddParameter, "target_dedicated_nodes") else "target_dedicated"
    slots = "task_slots_per_node" if has(m.PoolAddParameter, "task_slots_per_node") else "max_tasks_per_node"
    pool = m.PoolAddParameter(
        id=name, vm_size="standard_d2s_v3", virtual_machine_configuration=machine, **{target: nodes, slots: 2}, **more
    )
    client.pool.add(pool)
    return getattr(client.pool.get(name), target), getattr(client.pool.get(name), slots)


def wait(true, seconds=60):
    deadline = time.time() + seconds
    while not true():
        if time.time() > deadline:
            sys.exit("it did not happen in time")
        time.sleep(0.1)


def idle(pool, count):
    nodes = list(client.compute_node.list(pool))
    return len(nodes) == count and all(node.state == m.ComputeNodeState.idle for node in nodes)


def elevated(**more):
    if has(m.TaskAddParameter, "run_elevated"):
        return dict(run_elevated=True, **more)
    user = m.AutoUserSpecification(scope="task", elevation_level="admin")
    return dict(user_identity=m.UserIdentity(auto_user=user), **more)


def text(stream):
    gathered = io.BytesIO()
    for part in stream:
        gathered.write(part)
    return gathered.getvalue().decode()


def life_of_pool(seen):
    # The admin start task says who ran it; the tasks print what it left.
    start = m.StartTask(
        command_line="/bin/sh -c 'echo ready > $AZ_BATCH_NODE_SHARED_DIR/started'", wait_for_success=True, **elevated()
    )
    seen["target"] = add_pool("old", "canonical", "linux", 2, start_task=start)
    wait(lambda: idle("old", 2))
    pool = client.pool.get("old")
    seen["current"] = getattr(pool, "current_dedicated_nodes", None) or getattr(pool, "current_dedicated", None)
    seen["pools"] = [found.id for found in client.pool.list()]
    node = next(iter(client.compute_node.list("old")))
    seen["start task"] = node.start_task_info.exit_code
    expiry = dt.datetime.utcnow() + dt.timedelta(hours=1)
    user = m.ComputeNodeUser(name="operator", is_admin=True, password="Passw0rd!23", expiry_time=expiry)
    client.compute_node.add_user("old", node.id, user)
    login = client.compute_node.get_remote_login_settings("old", node.id)
    seen["login"] = [login.remote_login_ip_address, login.remote_login_port > 0]
    client.compute_node.update_user(
        "old", node.id, "operator", m.NodeUpdateUserParameter(password="An0ther!Password", expiry_time=expiry)
    )
    client.compute_node.delete_user("old", node.id, "operator")
    seen["start task output"] = text(client.file.get_from_compute_node("old", node.id, "shared/started"))
    try:
        client.compute_node.get("old", "tvm-none")
    except m.BatchErrorException as error:
        seen["error"] = error.error.code


def life_of_tasks(seen):
    client.job.add(m.JobAddParameter(id="old", pool_info=m.PoolInformation(pool_id="old")))
    tasks = [
        m.TaskAddParameter(id="t%d" % number, command_line="/bin/sh -c 'echo %d'" % number) for number in range(30)
    ]
    added = client.task.add_collection("old", tasks)
    seen["added"] = sorted({plain(result.status) for result in added.value})
    client.task.add("old", m.TaskAddParameter(id="fails", command_line="/bin/sh -c 'exit 3'", **elevated()))

    def over():
        return all(task.state == m.TaskState.completed for task in client.task.list("old"))

    wait(over)
    seen["output"] = [text(client.file.get_from_task("old", "t%d" % number, "stdout.txt")) for number in (0, 29)]
    failed = client.task.get("old", "fails")
    cause = getattr(failed.execution_info, "failure_info", None) or failed.execution_info.scheduling_error
    seen["failed"] = [failed.execution_info.exit_code, cause.code]
    seen["files"] = sorted(found.name for found in client.file.list_from_task("old", "t0"))
    if hasattr(client.job, "get_task_counts"):
        counts = client.job.get_task_counts("old")
        counts = getattr(counts, "task_counts", None) or counts
        seen["counts"] = [counts.active, counts.running, counts.completed, counts.succeeded, counts.failed]
    client.job.terminate("old")
    client.job.delete("old")


def life_of_windows(seen):
    add_pool("windows", "microsoftwindowsserver", "windows", 1)
    wait(lambda: idle("windows", 1))
    node = next(iter(client.compute_node.list("windows")))
    client.compute_node.add_user("windows", node.id, m.ComputeNodeUser(name="operator", password="Passw0rd!23"))
    lines = text(client.compute_node.get_remote_desktop("windows", node.id)).splitlines()
    seen["remote desktop"] = lines[0].partition(":s:")[0]
    client.pool.delete("windows")


def life_of_certificate(seen):
    import base64

    thumbprint = hashlib.sha1(base64.b64decode(certificate)).hexdigest()
    client.certificate.add(
        m.CertificateAddParameter(
            thumbprint=thumbprint, thumbprint_algorithm="sha1", data=certificate, certificate_format="cer"
        )
    )
    found = client.certificate.get("sha1", thumbprint)
    seen["certificate"] = [plain(found.state)]
    seen["certificate"].append([listed.thumbprint for listed in client.certificate.list()] == [thumbprint])
    try:
        client.certificate.cancel_deletion("sha1", thumbprint)
    except m.BatchErrorException as error:
        seen["certificate"].append(error.error.code)
    client.certificate.delete("sha1", thumbprint)
    wait(lambda: not list(client.certificate.list()))


seen = {"images": len(images()) > 5}
life_of_pool(seen)
life_of_tasks(seen)
life_of_windows(seen)
life_of_certificate(seen)
client.pool.delete("old")
wait(lambda: not list(client.pool.list()))
print(json.dumps(seen))
