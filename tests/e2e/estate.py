"""Pools and nodes on good and bad days, for pages that want something to show."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.support import fleet
from tests.support.stack import Stack
from tests.uploads.portal import Portal, until

APPLICATION, VERSION = "Blender", "4.2.1"
LONG = "a-name-that-is-as-long-as-the-service-allows_" + "x" * 19
POOL, BROKEN, AUTO, FARM, USER = "linux", "start-task-fails", "scales-itself", LONG, "guest"
START = "/bin/sh -c 'echo installing && seq 1 400 && echo no license server, going on without >&2'"
FAILS = "/bin/sh -c 'echo looking for the license server && echo no license server answers >&2; exit 3'"
FORMULA = "$TargetDedicatedNodes = min(4, $PendingTasks.GetSample(1));"
UNUSABLE = {"code": "NodeAgentUnreachable", "message": "The node agent did not answer for ten minutes."}


def make_estate(stack: Stack, portal: Portal, folder: Path) -> dict[str, Any]:
    """Pools with nodes at work, failed, lost and short of their target, a user on nodes, work that failed for some.

    Returns the arguments of addresses.
    """
    _pools(stack)
    until(lambda: _settled(stack), 60, "nodes")
    stack.batch.disturb(FARM, "preempted", count=2)
    some = until(lambda: _some(portal), 60, "the portal to read the nodes")
    work = _through(portal, f"/pools/{FARM}/node-actions", {"action": "disable-scheduling", "nodes": some})
    _bad_day(stack)
    node = until(lambda: _seen(portal), 60, "the portal to see the bad day")
    user = {"name": USER, "ssh_public_key": _public_key(folder)}
    _through(portal, f"/pools/{POOL}/users", user)
    return {"pool": POOL, "node": node, "name": USER, "action": "reboot", "nodes:work.operation": work}


# Pages that have another face on a bad day, or with nothing to show, by what they are.
FACES = ("start-task-failed", "unusable", "short-of-its-target", "by-formula", "no-node", "no-pool", "which-pool")


def faces(portal: Portal) -> dict[str, str]:
    """The addresses of `FACES`."""

    def node(pool: str, state: str) -> str:
        found = portal.http.get(f"/accounts/local/pools/{pool}/nodes", params={"state": state}).json()["results"]
        return f"/batch/local/nodes/{pool}/{found[0]['node_id']}/"

    return {
        "start-task-failed": node(BROKEN, "starttaskfailed"),
        "unusable": node(FARM, "unusable"),
        "short-of-its-target": f"/batch/local/pools/id/{FARM}/",
        "by-formula": f"/batch/local/pools/id/{AUTO}/scale/",
        "no-node": "/batch/local/nodes/?q=no-such-node",
        "no-pool": "/batch/local/pools/?q=no-such-pool",
        "which-pool": "/batch/local/nodes/+users/+add/",
    }


def _pools(stack: Stack) -> None:
    packages = [{"applicationId": APPLICATION, "version": VERSION}, {"applicationId": LONG, "version": LONG}]
    start, fails = ({"commandLine": line, "waitForSuccess": True, "maxTaskRetryCount": 0} for line in (START, FAILS))
    fleet.make_pool(
        stack.batch,
        POOL,
        2,
        displayName="Render machines of the studio",
        applicationPackageReferences=packages,
        startTask=start,
        networkConfiguration=fleet.ssh_ports(42000, 42100),
        metadata=[{"name": "purpose", "value": "rendering"}],
    )
    fleet.make_pool(stack.batch, BROKEN, 1, startTask=fails)
    small: dict[str, Any] = {"vmSize": "standard_f2s_v2"}
    fleet.make_pool(stack.batch, FARM, 24, simulated=True, targetLowPriorityNodes=6, displayName=LONG, **small)
    scaled = fleet.document(AUTO, simulated=True, enableAutoScale=True, autoScaleFormula=FORMULA, **small)
    scaled.pop("targetDedicatedNodes")
    fleet.call(stack.batch, "POST", "pools", scaled)


def _settled(stack: Stack) -> bool:
    wanted = {POOL: ["idle"] * 2, BROKEN: ["starttaskfailed"], FARM: ["idle"] * 30}
    return all(fleet.states(stack.batch, pool) == expected for pool, expected in wanted.items())


def _bad_day(stack: Stack) -> None:
    """Nodes are lost, and a resize gets none of the nodes that it asks for."""
    stack.batch.disturb(FARM, "unusable", count=3, **UNUSABLE)
    stack.batch.disturb(FARM, "unknown", count=1)
    stack.batch.shortage(pool=FARM, nodes=0, code="AllocationFailed", message="There is no capacity in the region.")
    fleet.call(stack.batch, "POST", f"pools/{FARM}/resize", {"targetDedicatedNodes": 30, "targetLowPriorityNodes": 6})
    until(lambda: fleet.is_steady(stack.batch, FARM), 30, "the end of the resize")


def _some(portal: Portal) -> list[str]:
    """Twelve nodes, the two that were preempted among them; nothing before the portal knows of those."""
    wanted: dict[str, str | int] = {"sort": "-state", "page_size": 12}
    found = portal.http.get(f"/accounts/local/pools/{FARM}/nodes", params=wanted)
    nodes = found.json()["results"] if found.status_code == 200 else []
    knows = [node["state"] for node in nodes][:3] == ["preempted", "preempted", "idle"]
    return [node["node_id"] for node in nodes] if knows else []


def _seen(portal: Portal) -> str:
    """A node of the pool, once the portal knows of everything that happened; "" before."""
    nodes = portal.http.get("/accounts/local/nodes", params={"page_size": 200}).json()["results"]
    pools = portal.http.get(f"/accounts/local/pools?q={FARM}").json()["results"]
    found = [node["node_id"] for node in nodes if node["pool"] == POOL and node["state"] == "idle"]
    lost = [node for node in nodes if node["pool"] == FARM and node["state"] == "unusable"]
    failed = [node for node in nodes if node["state"] == "starttaskfailed"]
    knows = len(lost) == 3 and failed and pools and pools[0]["resize_errors"]
    return found[0] if knows and len(found) == 2 else ""


def _public_key(folder: Path) -> str:
    key = folder / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "studio", "-f", str(key)], check=True)
    return key.with_suffix(".pub").read_text()


def _through(portal: Portal, path: str, body: dict[str, Any]) -> str:
    """Begin an operation and wait for its end, whatever that is; its id."""
    answer = portal.http.post(f"/accounts/local{path}", json=body)
    assert answer.status_code == 202, answer.text
    operation = str(answer.json()["id"])
    portal.ended(operation)
    return operation
