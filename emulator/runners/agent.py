"""The node agent of one process node: boots it, runs its start task and tasks, ends them."""

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from emulator.clock import iso
from emulator.domain.usage import Usage
from emulator.runners import downloads, mounts, outputs, spawn, variables, windows
from emulator.runners.children import Child
from emulator.runners.disk import Disk, prepare_task
from emulator.runners.downloads import Place
from emulator.runners.failures import PreparationError, as_node_error, exit_failure, no_container
from emulator.runners.identities import Identity
from emulator.runners.ssh import Door
from emulator.scheduler.ports import Phase, RunEnd, TaskStart
from emulator.wire import times
from emulator.wire.common import Command, FailureInfo, PackageReference, ResourceFile, UserIdentity
from emulator.wire.nodes import StartTaskInfo

if TYPE_CHECKING:
    from emulator.runners.base import Machine
    from emulator.runners.process import ProcessRunner


@dataclass(slots=True)
class _Running:
    """A run on the node. ``proceed`` opens when instance 0 of a multi-instance task may go on."""

    start: TaskStart
    task: "asyncio.Task[None] | None" = None
    process: Child | None = None
    used: Usage = field(default_factory=Usage)
    began: bool = False
    stopped: bool = False
    proceed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Where:
    """The directory of a command, its user, and the variables it has of its own."""

    folder: Path
    identity: Identity
    settings: Mapping[str, str]


class Agent:
    def __init__(self, runner: "ProcessRunner", machine: "Machine") -> None:
        self.machine = machine
        self.disk: Disk = runner.disk(machine.ref)
        self._runner = runner
        self._boot: asyncio.Task[None] | None = None
        self._processes: set[Child] = set()
        self._runs: dict[str, _Running] = {}
        self._package_variables: Mapping[str, str] = {}
        self._door: Door | None = None

    # Boot

    def boot(self, boot: str) -> None:
        self._boot = self._runner.do(self._do_boot(boot))

    async def _do_boot(self, boot: str) -> None:
        await self.listen()
        self.note("The node boots.")
        ref = self.machine.ref
        if not self._runner.identities.are_separate:
            self.note("Commands run as the user of this service, with and without elevation.")
        try:
            self._mount()
            self._package_variables = await self._install(list(self.machine.packages))
        except PreparationError as error:
            self.note(f"{error.info.code}: {error.info.message}")
            self._runner.tell.broken(ref, as_node_error(error.info))
            return
        self._runner.tell.installed(ref, dict(self._package_variables))
        if self.machine.start_task is None:
            self._runner.tell.ready([ref], boot)
        else:
            await self._start_task(self.machine.start_task, boot)

    async def listen(self) -> None:
        """Make the disk's directories and answer SSH. Again: nothing."""
        self.disk.make(self._runner.identities.group(self.machine.ref))
        if self._door is None:
            self._door = Door(
                self._runner.host_key, self._runner.users, self.machine.ref, self.disk, self._runner.settings.host
            )
            port = await self._door.open(self.machine.ssh_port, self.machine.ssh_ports)
            self._runner.tell.listens(self.machine.ref, port)

    async def _start_task(self, task: Command, boot: str) -> None:
        most = getattr(task, "max_task_retry_count", None) or 0
        info = StartTaskInfo(state="running", start_time=self._now(), retry_count=0)
        self._runner.tell.start_task([self.machine.ref], info, boot)
        while True:
            code, failure = await self._run_start_task(task)
            if failure is None or code is None or (most != -1 and info.retry_count >= most):
                break
            info = _retried(info, self._now())
            self._runner.tell.start_task([self.machine.ref], info, boot)
        ended = StartTaskInfo(
            state="completed",
            start_time=info.start_time,
            end_time=self._now(),
            retry_count=info.retry_count,
            last_retry_time=info.last_retry_time,
            exit_code=code,
            failure_info=failure,
            result="success" if failure is None else "failure",
        )
        self.note(f"The start task ended with {failure.code if failure else 'success'}.")
        self._runner.tell.start_task([self.machine.ref], ended, boot)

    async def _run_start_task(self, task: Command) -> tuple[int | None, FailureInfo | None]:
        folder = self.disk.startup
        settings = {setting.name: setting.value or "" for setting in task.environment_settings or ()}
        try:
            identity = self._identity(folder, task.user_identity)
            prepare_task(folder, identity)
            await self._fetch(task, Place(folder / "wd", identity))
            where = _Where(folder, identity, {**self._package_variables, **settings})
            code = await self._execute(task.command_line, where)
        except PreparationError as error:
            return None, error.info
        return code, exit_failure(code)

    # Tasks

    def start(self, start: TaskStart) -> None:
        running = self._runs[start.run] = _Running(start)
        running.task = self._runner.do(self._run(running))

    def proceed(self, run: str) -> None:
        if (running := self._runs.get(run)) is not None:
            running.proceed.set()

    def stop(self, run: str) -> None:
        running = self._runs.get(run)
        if running is None or running.stopped:
            return
        running.stopped = True
        if running.task is not None:
            running.task.cancel()
        if not running.began:  # a task that is cancelled before its first step never takes one
            self._runs.pop(run)
            self._runner.tell.run_ended(RunEnd(run=run, at=self._runner.clock.now(), phase=Phase.PREPARING))

    async def _run(self, running: _Running) -> None:
        """Everything from packages to uploads. Ends with exactly one report, also when it is stopped."""
        start = running.start
        running.began = True
        end = RunEnd(run=start.run, at=self._runner.clock.now())
        try:
            end = await self._attempt(running)
        except asyncio.CancelledError:
            if not running.stopped:
                raise  # the node is halted: nobody waits for a report
        if running.process is not None:
            await spawn.end(running.process)
        self.note(f"{start.kind} {start.job}/{start.task}: {_ended(end, stopped=running.stopped)}")
        if running.stopped:
            await asyncio.to_thread(spawn.kill_below, self.disk.root / start.folder, also_by_place=False)
        self._runs.pop(start.run, None)
        self._expire(start)
        self._runner.tell.run_ended(replace(end, at=self._runner.clock.now(), usage=running.used))

    async def _attempt(self, running: _Running) -> RunEnd:
        start, now = running.start, self._runner.clock.now
        folder = self.disk.root / start.folder
        try:
            identity = self._identity(folder, start.command.user_identity)
            prepare_task(folder, identity)
            settings = {**await self._install(list(start.packages)), **start.environment, **self._shared(start)}
            await self._fetch(start.command, Place(folder / "wd", identity))
            if start.instance is not None:
                shared = folder.parent if start.instance else folder
                identity.own(shared)
                await self._download(list(start.common_files), Place(shared, identity))
            self._runner.tell.run_started(start.run, now())
            code = await self._command(running, _Where(folder, identity, settings))
        except PreparationError as error:
            return RunEnd(run=start.run, at=now(), failure=error.info, phase=Phase.PREPARING)
        try:
            wd, root = folder / "wd", self.disk.root
            await outputs.upload(start.outputs, wd, root, self._runner.blobs, succeeded=code == 0)
        except PreparationError as error:
            return RunEnd(run=start.run, at=now(), exit_code=code, failure=error.info, phase=Phase.UPLOAD)
        return RunEnd(run=start.run, at=now(), exit_code=code)

    async def _command(self, running: _Running, where: _Where) -> int:
        start = running.start
        if start.coordination is not None:
            code = await self._execute(start.coordination, where, running)
            if code != 0:
                return code
            self._runner.tell.run_coordinated(start.run)
            await running.proceed.wait()  # only instance 0 is ever told to; the others wait until they are stopped
        return await self._execute(start.command.command_line, where, running)

    def _shared(self, start: TaskStart) -> dict[str, str]:
        preparation = self.disk.root / start.preparation_folder if start.preparation_folder else None
        found = dict(variables.of_preparation(preparation))
        if start.instance is not None:
            folder = self.disk.root / start.folder
            found["AZ_BATCH_TASK_SHARED_DIR"] = str(folder.parent if start.instance else folder)
        return found

    # What tasks and start tasks have in common

    async def _install(self, packages: list[PackageReference]) -> dict[str, str]:
        return await self._runner.packages.install(
            self.machine.ref.account, packages, self.disk.applications, is_windows=self.machine.is_windows
        )

    def _identity(self, folder: Path, wanted: UserIdentity | None) -> Identity:
        return self._runner.identities.of(self.machine.ref, folder, wanted, self.machine.accounts)

    def _mount(self) -> None:
        """Raises PreparationError for a mount that cannot be made."""
        for wanted in self.machine.mounts:
            mounts.mount(wanted, self.disk.root / "fsmounts", self._runner.shares)

    async def _fetch(self, command: Command, place: Place) -> None:
        if command.container_settings is not None:
            raise no_container(command.container_settings, pool_has_containers=self.machine.has_containers)
        await self._download(list(command.resource_files or ()), place)

    async def _download(self, files: list[ResourceFile], place: Place) -> None:
        storage = self._runner.storage_of(self.machine.ref.account)
        await downloads.fetch_all(files, place, self._runner.blobs, storage)

    async def _execute(self, command_line: str, where: _Where, running: _Running | None = None) -> int:
        """Run a command to its end. Raises PreparationError when it cannot be started."""
        environment = self._environment(where)
        argv = self._words(command_line, where.folder)
        argv = spawn.locate(argv, where.folder / "wd", environment["PATH"])
        try:
            process = spawn.spawn(argv, folder=where.folder, environment=environment, identity=where.identity)
        except OSError as error:
            raise PreparationError("CommandLaunchFailed", "Failed to launch the command", Reason=str(error)) from None
        self._processes.add(process)
        if running is not None:
            running.process = process
        try:
            code = await process.wait()
        finally:
            if process.returncode is not None:
                self._processes.discard(process)
        if running is not None:
            running.process = None
            if process.usage is not None:
                running.used.add(process.usage, self._runner.clock.now())
        return code if code >= 0 else 128 - code

    def _words(self, command_line: str, folder: Path) -> list[str]:
        if not self.machine.is_windows:
            return spawn.split(command_line)
        with (folder / "stderr.txt").open("a") as notice:
            notice.write(windows.NOTICE)
        return windows.translate(command_line) or spawn.split(command_line.replace("\\", "/"))

    def _environment(self, where: _Where) -> dict[str, str]:
        ref = self.machine.ref
        url = f"{self._runner.base_url}/{ref.account}/"
        base = variables.of_node(ref, self.disk.root, account_url=url, is_dedicated=self.machine.is_dedicated)
        home = {"HOME": str(self.disk.make_home(where.identity)), "USER": where.identity.name}
        found = {**base, **home, **variables.of_task(where.folder), **self._package_variables, **where.settings}
        return windows.environment(found) if self.machine.is_windows else found

    # Retention

    def _expire(self, start: TaskStart) -> None:
        """Remember in a file when the task's directory goes: a restart must not make it stay for ever."""
        at = times.later(self._runner.clock.now(), start.retention)
        if at is None:
            return
        with suppress(OSError):
            (self.disk.expiries / quote(start.folder, safe="")).write_text(iso(at))
        self._runner.agenda.at(at, partial(self._expired, start.folder))

    def expire_again(self) -> None:
        for mark in self.disk.expiries.glob("*") if self.disk.expiries.exists() else ():
            self._runner.agenda.at(times.moment(mark.read_text()), partial(self._expired, unquote(mark.name)))

    def _expired(self, folder: str) -> None:
        """The directory goes unless the task ran again meanwhile."""
        mark = self.disk.expiries / quote(folder, safe="")
        if any(running.start.folder == folder for running in self._runs.values()) or not mark.exists():
            return
        if times.moment(mark.read_text()) <= self._runner.clock.now():
            mark.unlink()
            shutil.rmtree(self.disk.root / folder, ignore_errors=True)

    # Ends

    async def halt(self) -> None:
        """End everything on the node."""
        tasks = [self._boot, *(running.task for running in self._runs.values())]
        for task in tasks:
            if task is not None:
                task.cancel()
        self._runs.clear()
        await asyncio.gather(*(spawn.end(process) for process in self._processes), return_exceptions=True)
        self._processes.clear()
        if self._door is not None:
            await self._door.close()
            self._door = None
        await asyncio.to_thread(spawn.kill_below, self.disk.folder)
        self.note("The node was halted.")

    def note(self, text: str) -> None:
        with suppress(OSError):
            self.disk.log.parent.mkdir(parents=True, exist_ok=True)
            with self.disk.log.open("a") as log:
                log.write(f"{self._now()} {text}\n")

    def _now(self) -> str:
        return iso(self._runner.clock.now())


def _ended(end: RunEnd, *, stopped: bool) -> str:
    if stopped:
        return "was stopped"
    if end.failure is not None:
        return f"{end.failure.code}: {end.failure.message}"
    return f"ended with {end.exit_code}"


def _retried(info: StartTaskInfo, now: str) -> StartTaskInfo:
    return StartTaskInfo(state="running", start_time=now, retry_count=info.retry_count + 1, last_retry_time=now)
