"""Nodes without processes: what they do takes time by the service's clock and ends as the command line says."""

import re
from collections.abc import Callable
from functools import partial

from emulator.agenda import Branch
from emulator.clock import Clock, iso
from emulator.runners.base import Machine, Reports
from emulator.runners.failures import exit_failure
from emulator.runners.variables import package_names
from emulator.scheduler.ports import NodeRef, RunEnd, TaskStart
from emulator.settings import Settings
from emulator.wire.nodes import StartTaskInfo

_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)\b")
_EXIT = re.compile(r"\bexit\s+(\d{1,3})\b")


class SimulatedRunner:
    """A command takes as long as its ``sleep`` says, else the usual time, and ends with the code of its ``exit``."""

    def __init__(self, agenda: Branch, clock: Clock, settings: Settings) -> None:
        self._agenda = agenda
        self._clock = clock
        self._settings = settings
        self._runs: dict[str, NodeRef] = {}
        self._runs_on: dict[NodeRef, set[str]] = {}
        self.reports: Reports | None = None

    def clear(self) -> None:
        self._runs.clear()
        self._runs_on.clear()

    def boot(self, machines: list[Machine], boot: str) -> None:
        refs, first = [machine.ref for machine in machines], machines[0]
        if first.packages:
            for ref in refs:
                self._tell.installed(ref, package_names(first.packages))
        if first.start_task is None:
            self._tell.ready(refs, boot)
            return
        began = StartTaskInfo(state="running", start_time=iso(self._clock.now()), retry_count=0)
        self._tell.start_task(refs, began, boot)
        seconds = self._seconds(first.start_task.command_line)
        self._agenda.after(seconds, partial(self._started, refs, began, first, boot))

    def _started(self, refs: list[NodeRef], began: StartTaskInfo, machine: Machine, boot: str) -> None:
        code = _exit_code(machine.start_task.command_line if machine.start_task else "")
        ended = StartTaskInfo(
            state="completed",
            start_time=began.start_time,
            end_time=iso(self._clock.now()),
            retry_count=max(0, (machine.start_task.max_task_retry_count or 0) if machine.start_task and code else 0),
            exit_code=code,
            failure_info=exit_failure(code),
            result="failure" if code else "success",
        )
        self._tell.start_task(refs, ended, boot)

    def resume(self, machine: Machine) -> None:
        return

    def start(self, start: TaskStart) -> None:
        self._runs[start.run] = start.node
        self._runs_on.setdefault(start.node, set()).add(start.run)
        if start.instance is not None:
            self._agenda.after(0, partial(self._tell.run_coordinated, start.run))
            if start.instance:
                return
        self._tell.run_started(start.run, self._clock.now())
        self._agenda.after(
            self._seconds(start.command.command_line), partial(self._end, start.run, start.command.command_line)
        )

    def proceed(self, ref: NodeRef, run: str) -> None:
        return

    def stop(self, ref: NodeRef, run: str) -> None:
        if self._forget_run(run):
            self._tell.run_ended(RunEnd(run=run, at=self._clock.now(), exit_code=None))

    def forget(self, ref: NodeRef, folder: str) -> None:
        return

    def halt(self, ref: NodeRef, then: Callable[[], None]) -> None:
        for run in self._runs_on.pop(ref, set()):
            self._runs.pop(run, None)
        then()

    def wipe(self, ref: NodeRef) -> None:
        return

    def remove(self, ref: NodeRef) -> None:
        return

    def _end(self, run: str, command: str) -> None:
        if self._forget_run(run):
            self._tell.run_ended(RunEnd(run=run, at=self._clock.now(), exit_code=_exit_code(command)))

    def _forget_run(self, run: str) -> bool:
        ref = self._runs.pop(run, None)
        if ref is None:
            return False
        here = self._runs_on.get(ref, set())
        here.discard(run)
        if not here:
            self._runs_on.pop(ref, None)
        return True

    def _seconds(self, command: str) -> float:
        match = _SLEEP.search(command)
        return float(match[1]) if match else self._settings.simulated_task_time

    @property
    def _tell(self) -> Reports:
        if self.reports is None:
            raise RuntimeError("the runner is not connected")
        return self.reports


def _exit_code(command: str) -> int:
    match = _EXIT.search(command)
    return int(match[1]) & 255 if match else 0
