"""Pools of a running local Batch service, made and asked straight at its data plane."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError

from emulator.testing import Emulator

VERSION = "2025-06-01"
IMAGE = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
AGENT = "batch.node.ubuntu 24.04"
SIMULATED = {"name": "emulator:nodes", "value": "simulated"}


class Refused(AssertionError):
    """The service's answer to a call of ours."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


def call(batch: Emulator, method: str, path: str, body: object = None) -> Any:
    """`call(batch, "GET", "pools/linux")`. Raises `Refused`."""
    mark = "&" if "?" in path else "?"
    named = {"Authorization": "Bearer test"}
    try:
        return batch._request(method, f"/local/{path}{mark}api-version={VERSION}", body, named)
    except HTTPError as error:
        with error:
            raise Refused(error.code, error.read().decode()) from error


def document(pool_id: str, nodes: int = 0, *, simulated: bool = False, **more: Any) -> dict[str, Any]:
    """The least that makes a pool."""
    return {
        "id": pool_id,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {"imageReference": IMAGE, "nodeAgentSKUId": AGENT},
        "targetDedicatedNodes": nodes,
        "metadata": [SIMULATED] if simulated else [],
        **more,
    }


def ssh_ports(first: int, last: int) -> dict[str, Any]:
    """The network of a pool whose nodes open SSH on these ports."""
    rule = {"name": "ssh", "protocol": "tcp", "backendPort": 22}
    pool = {**rule, "frontendPortRangeStart": first, "frontendPortRangeEnd": last}
    return {"endpointConfiguration": {"inboundNATPools": [pool]}}


def make_pool(batch: Emulator, pool_id: str, nodes: int = 0, *, simulated: bool = False, **more: Any) -> None:
    call(batch, "POST", "pools", document(pool_id, nodes, simulated=simulated, **more))


def states(batch: Emulator, pool_id: str) -> list[str]:
    """The state of each of the pool's nodes, at most a thousand."""
    found = call(batch, "GET", f"pools/{pool_id}/nodes?$select=id,state")
    return [str(node["state"]) for node in found["value"]]


def is_steady(batch: Emulator, pool_id: str) -> bool:
    return bool(call(batch, "GET", f"pools/{pool_id}")["allocationState"] == "steady")


def delete_pool(batch: Emulator, pool_id: str) -> None:
    """Have the pool deleted, if there is one."""
    try:
        call(batch, "DELETE", f"pools/{pool_id}")
    except Refused as refused:
        if refused.status not in {404, 409}:
            raise
