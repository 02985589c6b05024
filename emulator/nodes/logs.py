"""Upload of a node's service logs."""

import asyncio
import tempfile
from pathlib import Path

from emulator.clock import iso
from emulator.errors import ServiceError
from emulator.scheduler.ports import NodeRef
from emulator.services import Services
from emulator.wire.nodes import LogUpload


async def upload_logs(services: Services, ref: NodeRef, wanted: LogUpload, directory: str, *, simulated: bool) -> int:
    """Put the lines of the agent's log between the two times into the container. How many files that were.

    Raises InvalidPropertyValue when the container does not take them.
    """
    end = wanted.end_time or iso(services.clock.now())
    if end < wanted.start_time:
        raise ServiceError("InvalidPropertyValue", values={"PropertyName": "endTime"})
    log = services.fleet.processes.disk(ref).log
    text = "" if simulated or not log.exists() else log.read_text(errors="replace")
    lines = [line for line in text.splitlines() if wanted.start_time <= line[:28] <= end]
    await asyncio.to_thread(_upload, services, wanted.container_url, f"{directory}/agent.log", "\n".join(lines) + "\n")
    return 1


def _upload(services: Services, url: str, name: str, text: str) -> None:
    from emulator.blob_client import AzureError  # noqa: PLC0415 - only the first upload pays for it

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "agent.log"
        file.write_text(text)
        try:
            services.blobs.upload(url, name, file)
        except (AzureError, LookupError, ValueError) as error:
            reason = str(getattr(error, "error_code", None) or type(error).__name__)
            values = {"PropertyName": "containerUrl", "Reason": f"The container does not take the logs: {reason}"}
            raise ServiceError("InvalidPropertyValue", values=values) from None
