"""Compute nodes and what is done to them."""

from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, compat, odata
from emulator.call import Call
from emulator.clock import iso
from emulator.data import pools
from emulator.data.common import body_of
from emulator.data.listing import listed
from emulator.domain import nodes as rules
from emulator.domain.nodes import Action, NodeRecord
from emulator.domain.pools import PoolRecord
from emulator.errors import ServiceError
from emulator.nodes.logs import upload_logs
from emulator.scheduler.ports import NodeRef
from emulator.wire.nodes import Deallocate, DisableScheduling, LogUpload, Reboot, Reimage
from emulator.wire.pools import Deallocation

AGENT_VERSION = "1.12.15"

_SHARED = frozenset(
    {
        "url",
        "affinityId",
        "vmSize",
        "endpointConfiguration",
        "nodeAgentInfo",
        "virtualMachineInfo",
        "ipv6Address",
    }
)
SELECTABLE = frozenset(NodeRecord.__struct_encode_fields__) - rules.PRIVATE | _SHARED


def find(call: Call) -> tuple[NodeRef, NodeRecord, PoolRecord]:
    """The node of the path. Raises PoolNotFound or NodeNotFound."""
    pool = pools.find(call)
    ref = NodeRef(call.batch_account.name, pool.pool.id, call.parameters["nodeId"])
    return *call.services.fleet.node(ref), pool


def host(call: Call) -> str:
    """The address that nodes are reached at from where the client is: that of this service."""
    name = call.request.url.hostname or "127.0.0.1"
    return "127.0.0.1" if name == "localhost" else name


def address(call: Call, pool_id: str, node_id: str) -> str:
    return f"{pools.address(call, pool_id)}/nodes/{node_id}"


def body(call: Call, node: NodeRecord, pool: PoolRecord) -> dict[str, Any]:
    """The wire form: what is the node's own, and what all nodes of its pool share."""
    shown: dict[str, Any] = msgspec.to_builtins(node)
    for name in rules.PRIVATE:
        shown.pop(name, None)
    machine = pool.pool.virtual_machine_configuration.image_reference
    shown["recentTasks"] = [_recent(call, task) for task in shown.get("recentTasks", ())] or None
    shown |= {
        "url": address(call, pool.pool.id, node.id),
        "affinityId": f"TVM:{node.id}",
        "vmSize": pool.pool.vm_size,
        "schedulingState": node.scheduling_state,
        "totalTasksRun": node.total_tasks_run,
        "runningTasksCount": node.running_tasks_count,
        "runningTaskSlotsCount": node.running_task_slots_count,
        "totalTasksSucceeded": node.total_tasks_succeeded,
        "endpointConfiguration": {"inboundEndpoints": _endpoints(call, node, pool)},
        "nodeAgentInfo": {"version": AGENT_VERSION, "lastUpdateTime": node.allocation_time},
        "virtualMachineInfo": {"imageReference": msgspec.to_builtins(machine)},
    }
    return answers.without_none(shown)


def _recent(call: Call, task: dict[str, Any]) -> dict[str, Any]:
    outer = ("jobId", "taskId", "subtaskId", "taskState")
    inner = {name: value for name, value in task.items() if name not in outer}
    shown = {name: task[name] for name in outer if name in task}
    url = f"{call.base}/jobs/{task['jobId']}/tasks/{task['taskId']}"
    return {"taskUrl": url, **shown, "executionInfo": {"retryCount": 0, "requeueCount": 0, **inner}}


def _endpoints(call: Call, node: NodeRecord, pool: PoolRecord) -> list[dict[str, Any]]:
    network = pool.pool.network_configuration
    configured = network.endpoint_configuration if network else None
    name = host(call)
    found = []
    for nat in configured.inbound_nat_pools if configured else ():
        port = node.ssh_port if nat.backend_port == 22 and node.ssh_port else None
        found.append(
            {
                "name": f"{nat.name}.{node.number}",
                "protocol": nat.protocol,
                "publicIPAddress": name,
                "publicFQDN": name,
                "frontendPort": port or nat.frontend_ports[node.number % len(nat.frontend_ports)],
                "backendPort": nat.backend_port,
            }
        )
    return found


async def get_node(call: Call) -> Response:
    wanted = odata.query(call, known=SELECTABLE)
    _, node, pool = find(call)
    shown = compat.older(call.api_version, dict(wanted.select(body(call, node, pool))))
    shape = {"odata.metadata": f"{call.base}/$metadata#nodes/@Element", **shown}
    return answers.json(shape, media_type=answers.DATA_JSON)


async def list_nodes(call: Call) -> Response:
    wanted = odata.query(call, odata.fields.NODE, SELECTABLE)
    pool = pools.find(call)
    key = call.batch_account.name, pool.pool.id

    def present(node: NodeRecord) -> tuple[str, dict[str, Any] | None]:
        """What can be filtered by is the node's own: of 50,000 nodes only those that match get their whole body."""
        is_wanted = wanted.predicate is None or wanted.matches(msgspec.to_builtins(node))
        return node.id.lower(), body(call, node, pool) if is_wanted else None

    def read(after: str, limit: int) -> list[NodeRecord]:
        return call.services.fleet.estate.page(key, after, limit)

    return await listed(call, "nodes", read, present, wanted)


async def reboot_node(call: Call) -> Response:
    wanted = await body_of(call, Reboot)
    return _act(call, "reboot", wanted.node_reboot_option)


async def reimage_node(call: Call) -> Response:
    wanted = await body_of(call, Reimage)
    return _act(call, "reimage", wanted.node_reimage_option)


async def deallocate_node(call: Call) -> Response:
    wanted = await body_of(call, Deallocate)
    return _act(call, "deallocate", wanted.node_deallocate_option)


def _act(call: Call, action: Action, option: Deallocation | None) -> Response:
    ref, _, _ = find(call)
    call.services.fleet.life.act(ref, action, option or "requeue")
    return _accepted(call, ref, action)


async def start_node(call: Call) -> Response:
    ref, _, _ = find(call)
    call.services.fleet.life.start(ref)
    return _accepted(call, ref, "start")


def _accepted(call: Call, ref: NodeRef, action: str, status: int = 202) -> Response:
    return answers.empty(status, {"DataServiceId": f"{address(call, ref.pool, ref.node)}/{action}"})


async def disable_node_scheduling(call: Call) -> Response:
    wanted = await body_of(call, DisableScheduling)
    ref, _, _ = find(call)
    call.services.fleet.life.disable_scheduling(ref, wanted.node_disable_scheduling_option or "requeue")
    return _accepted(call, ref, "disablescheduling", 200)


async def enable_node_scheduling(call: Call) -> Response:
    ref, _, _ = find(call)
    call.services.fleet.life.enable_scheduling(ref)
    return _accepted(call, ref, "enablescheduling", 200)


async def get_node_remote_login_settings(call: Call) -> Response:
    """Where the node's own SSH is answered. Simulated nodes have an address too, but nobody answers there."""
    ref, node, pool = find(call)
    if node.state not in {"idle", "running", "offline", "waitingforstarttask", "starttaskfailed"}:
        raise rules.conflict(node)
    if call.services.settings.require_nat_pools and not _has_ssh(pool):
        raise ServiceError(
            "OperationInvalidForCurrentState", "The pool has no inbound NAT pool for port 22: its nodes are closed."
        )
    shape = {
        "odata.metadata": f"{call.base}/$metadata#remoteloginsettings/@Element",
        "remoteLoginIPAddress": host(call),
        "remoteLoginPort": node.ssh_port or 50000 + node.number % 5000,
    }
    headers = {"DataServiceId": f"{address(call, ref.pool, ref.node)}/remoteloginsettings"}
    return answers.json(shape, media_type=answers.DATA_JSON, headers=headers)


def _has_ssh(pool: PoolRecord) -> bool:
    network = pool.pool.network_configuration
    endpoints = network.endpoint_configuration if network else None
    return any(nat.backend_port in {22, 3389} for nat in (endpoints.inbound_nat_pools if endpoints else ()))


async def upload_node_logs(call: Call) -> Response:
    wanted = await body_of(call, LogUpload)
    ref, _, pool = find(call)
    directory = f"{ref.pool}/{ref.node}/{call.services.ids.guid()}"
    number = await upload_logs(call.services, ref, wanted, directory, simulated=pool.simulated)
    shape = {
        "odata.metadata": f"{call.base}/$metadata#uploadbatchservicelogs/@Element",
        "virtualDirectoryName": directory,
        "numberOfFilesUploaded": number,
    }
    return answers.json(shape, media_type=answers.DATA_JSON)


async def list_node_extensions(call: Call) -> Response:
    wanted = odata.query(call, known=_EXTENSION_FIELDS)
    _, node, pool = find(call)
    extensions = sorted(_extensions(node, pool), key=lambda found: found["vmExtension"]["name"].lower())

    def read(after: str, limit: int) -> list[dict[str, Any]]:
        return [found for found in extensions if found["vmExtension"]["name"].lower() > after][:limit]

    def present(found: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return found["vmExtension"]["name"].lower(), found

    return await listed(call, "nodeextensions", read, present, wanted)


async def get_node_extension(call: Call) -> Response:
    wanted = odata.query(call, known=_EXTENSION_FIELDS)
    _, node, pool = find(call)
    for found in _extensions(node, pool):
        if found["vmExtension"]["name"].lower() == call.parameters["extensionName"].lower():
            return answers.json(dict(wanted.select(found)), media_type=answers.DATA_JSON)
    raise ServiceError("VMExtensionNotFound")


_EXTENSION_FIELDS = frozenset({"provisioningState", "vmExtension", "instanceView"})


def _extensions(node: NodeRecord, pool: PoolRecord) -> list[dict[str, Any]]:
    time = node.last_boot_time or iso(pool.metered) if pool.metered else node.last_boot_time
    status = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "time": time}
    return [
        {
            "provisioningState": "Succeeded",
            "vmExtension": {
                name: value for name, value in msgspec.to_builtins(extension).items() if name != "protectedSettings"
            },
            "instanceView": {"name": extension.name, "statuses": [answers.without_none(status)]},
        }
        for extension in pool.pool.virtual_machine_configuration.extensions or ()
    ]
