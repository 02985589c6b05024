"""2024-07-01.20.0: the last with certificates, licences, cloud services, tokens for tasks and statistics in numbers.

The service of 2025-06-01 has none of the first four: what asks for them is taken without them, and a pool of cloud
services gets virtual machines with the Windows Server that its family of guest systems was.
"""

from typing import Any

from emulator.compat.change import Change

_RETIRED = (
    "applicationLicenses",
    "authenticationTokenSettings",
    "certificateReferences",
    "resourceTags",
    "targetNodeCommunicationMode",
)
# Families 2 to 4 were older than every image that is left.
_SERVERS = {"5": "2016-datacenter", "6": "2019-datacenter", "7": "2022-datacenter"}

_NUMBERS = frozenset(
    {
        "readIOps",
        "writeIOps",
        "diskReadIOps",
        "diskWriteIOps",
        "numSucceededTasks",
        "numFailedTasks",
        "numTaskRetries",
    }
)


def _request(body: dict[str, Any]) -> None:
    for name in _RETIRED:
        body.pop(name, None)
    service = body.pop("cloudServiceConfiguration", None)
    if isinstance(service, dict):
        body["virtualMachineConfiguration"] = _machine(str(service.get("osFamily")))


def _machine(family: str) -> dict[str, Any]:
    server = _SERVERS.get(family, "2016-datacenter")
    image = {"publisher": "microsoftwindowsserver", "offer": "windowsserver", "sku": server, "version": "latest"}
    return {"imageReference": image, "nodeAgentSKUId": "batch.node.windows amd64"}


def _answer(body: dict[str, Any]) -> None:
    """Large numbers of statistics are text in newer versions."""
    for name in _NUMBERS & body.keys():
        body[name] = int(body[name])


CHANGE = Change(last="2024-07-01.20.0", request=_request, answer=_answer)
