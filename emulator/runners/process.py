"""Nodes whose commands are real processes on this machine, each node with a directory tree of its own."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.agenda import Branch
from emulator.clock import Clock
from emulator.runners.agent import Agent
from emulator.runners.base import Machine, Reports
from emulator.runners.disk import Disk, disk_of
from emulator.runners.identities import Identities
from emulator.runners.packages import Packages
from emulator.runners.spawn import kill_below
from emulator.runners.ssh import HostKey, Users
from emulator.scheduler.ports import NodeRef, TaskStart
from emulator.settings import Settings

if TYPE_CHECKING:
    from emulator.blobs import BlobStore
    from emulator.repositories import Repositories


class ProcessRunner:
    """Keeps an agent per node. ``base_url`` is the address of this service, for the variables of tasks."""

    def __init__(
        self,
        *,
        agenda: Branch,
        clock: Clock,
        settings: Settings,
        blobs: "BlobStore",
        repositories: "Repositories",
    ) -> None:
        self.agenda = agenda
        self.clock = clock
        self.settings = settings
        self.blobs = blobs
        self.repositories = repositories
        self.base_url = ""
        self.reports: Reports | None = None
        self.packages = Packages(repositories, blobs)
        self.users = Users(repositories, clock)
        self.host_key = HostKey(None if settings.data is None else settings.data / "ssh_host_key")
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._agents: dict[NodeRef, Agent] = {}
        self._work: set[asyncio.Task[None]] = set()

    @property
    def tell(self) -> Reports:
        if self.reports is None:
            raise RuntimeError("the runner is not connected")
        return self.reports

    @property
    def base(self) -> Path:
        if self.settings.data is not None:
            return (self.settings.data / "nodes").resolve()
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="batch-nodes-", ignore_cleanup_errors=True)
            Path(self._temporary.name).chmod(0o711)
        return Path(self._temporary.name).resolve()

    def disk(self, ref: NodeRef) -> Disk:
        return disk_of(self.base, ref)

    @property
    def shares(self) -> Path | None:
        """Where directories stand in for file systems to mount, None when nothing does."""
        return self.base / ".shares" if self.settings.mounts == "directories" else None

    @cached_property
    def identities(self) -> Identities:
        return Identities(self.base)

    def storage_of(self, account: str) -> str | None:
        """The storage account linked to a Batch account."""
        found = self.repositories.accounts.get("", account)
        return found.auto_storage.storage_account if found is not None and found.auto_storage is not None else None

    def do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let something go on by itself."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    # Runner

    def boot(self, machines: list[Machine], boot: str) -> None:
        for machine in machines:
            agent = self._agent(machine)
            agent.machine = machine
            agent.boot(boot)

    def resume(self, machine: Machine) -> None:
        agent = self._agent(machine)
        self.do(agent.listen())
        agent.expire_again()

    def start(self, start: TaskStart) -> None:
        self._agents[start.node].start(start)

    def proceed(self, ref: NodeRef, run: str) -> None:
        if (agent := self._agents.get(ref)) is not None:
            agent.proceed(run)

    def stop(self, ref: NodeRef, run: str) -> None:
        if (agent := self._agents.get(ref)) is not None:
            agent.stop(run)

    def forget(self, ref: NodeRef, folder: str) -> None:
        shutil.rmtree(self.disk(ref).root / folder, ignore_errors=True)

    def halt(self, ref: NodeRef, then: Callable[[], None]) -> None:
        agent = self._agents.get(ref)
        if agent is None:
            then()
        else:
            self.do(_then(agent.halt(), then))

    def wipe(self, ref: NodeRef) -> None:
        self.disk(ref).wipe()

    def remove(self, ref: NodeRef) -> None:
        self._agents.pop(ref, None)
        self.disk(ref).wipe()

    # Beginnings and ends

    def recover(self, refs: Iterable[NodeRef]) -> None:
        """End what a killed service left running, and remove what is left of nodes that are gone."""
        if self.settings.data is None or not self.base.exists():
            return
        kill_below(self.base)
        known = {self.disk(ref).folder for ref in refs}
        for folder in self.base.glob("[!.]*/*/*"):
            if folder not in known:
                shutil.rmtree(folder, ignore_errors=True)

    async def stop_all(self) -> list[Agent]:
        """End everything; the disks stay. Returns the agents that there were."""
        agents = list(self._agents.values())
        self._agents.clear()
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*(agent.halt() for agent in agents), return_exceptions=True)
        if agents:
            await asyncio.to_thread(kill_below, self.base)
        return agents

    async def forget_all(self) -> None:
        """End everything; the nodes are gone."""
        for agent in await self.stop_all():
            agent.disk.wipe()

    async def close(self) -> None:
        """End everything: the service stops."""
        await self.stop_all()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None
            vars(self).pop("identities", None)

    def _agent(self, machine: Machine) -> Agent:
        if machine.ref not in self._agents:
            self._agents[machine.ref] = Agent(self, machine)
        return self._agents[machine.ref]


async def _then(work: Coroutine[Any, Any, None], then: Callable[[], None]) -> None:
    await work
    then()
