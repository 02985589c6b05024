"""2018-12-01.8.0: images are listed by node agent; 2019-06-01.9.0 lists them one by one."""

from typing import Any

from starlette.responses import Response

from emulator import odata
from emulator.call import Call
from emulator.catalogue.images import IMAGES
from emulator.data.pages import page, sliced
from emulator.errors import Plane
from emulator.odata.fields import NODE_AGENT
from emulator.operations import Operation

LAST = "2018-12-01.8.0"


async def list_node_agent_skus(call: Call) -> Response:
    wanted = odata.query(call, NODE_AGENT)
    value, last = sliced([body for body in _agents() if wanted.matches(body)], call, lambda body: str(body["id"]))
    return page(call, "nodeagentskus", value, last)


def _agents() -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for image in IMAGES:
        if image.verified:
            agent = {"id": image.node_agent, "verifiedImageReferences": [], "osType": image.os_type}
            found.setdefault(image.node_agent, agent)["verifiedImageReferences"].append(
                {"publisher": image.publisher, "offer": image.offer, "sku": image.sku, "version": "latest"}
            )
    return list(found.values())


OPERATIONS = (
    Operation(
        "data.list_node_agent_skus",
        Plane.DATA,
        "GET",
        "/nodeagentskus",
        list_node_agent_skus,
        frozenset({"maxresults", "$filter"}),
        last=LAST,
    ),
    # Of pools of cloud services alone, which are virtual machines here.
    Operation("data.upgrade_pool_os", Plane.DATA, "POST", "/pools/{poolId}/upgradeos", last=LAST),
)
