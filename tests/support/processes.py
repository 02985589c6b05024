"""Real processes of a local portal that a test can kill, freeze and start again."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import fields
from pathlib import Path

from scripts.install import ROOT
from scripts.parts import NotReady, Part, Ports, Site

# Ends the child with us, even when the test run itself is killed.
LEASH = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


# Below those that the system gives to outgoing connections: such a one could take the port of a part that restarts.
PORTS = range(20000, 32000)


def free_ports() -> Ports:
    """Ports on which nothing listens, all different."""
    with ExitStack() as held:
        found: list[int] = []
        while len(found) < len(fields(Ports)):
            probe = held.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind(("127.0.0.1", secrets.choice(PORTS)))
                found.append(probe.getsockname()[1])
        return Ports(*found)


class Processes:
    """Starts parts of one site by name and keeps their output in `<state>/logs/<name>.log`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.logs = site.state / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.frozen: set[str] = set()

    def part(self, name: str) -> Part:
        part: Part = getattr(self.site, name)()
        return part

    def start(self, *names: str, environment: Mapping[str, str] | None = None, wait: bool = True) -> None:
        """Start parts that do not run; `environment` comes on top of their own. Waits until all of them answer."""
        for name in names:
            if not self.is_running(name):
                self._spawn(self.part(name), environment or {})
        if wait:
            self.wait_ready(names)

    def _spawn(self, part: Part, environment: Mapping[str, str]) -> None:
        with self.log(part.name).open("ab") as output:
            self.running[part.name] = subprocess.Popen(
                [*LEASH, *part.command],
                cwd=ROOT,
                env={**clean_environment(), **part.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, names: Iterable[str], seconds: float = 60) -> None:
        """Wait until every part answers. Raises RuntimeError with the end of its log as soon as one cannot."""
        deadline = time.monotonic() + seconds
        waiting = {name: self.part(name) for name in names}
        while waiting:
            for name, part in list(waiting.items()):
                problem = self._problem(part)
                if problem is None:
                    del waiting[name]
                elif not self.is_running(name) or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not come up: {problem}\n{self.tail(name)}")
            time.sleep(0.05)

    def _problem(self, part: Part) -> str | None:
        try:
            part.check()
        except NotReady as error:
            return str(error)
        return None if self.is_running(part.name) else "the process ended"

    def is_running(self, name: str) -> bool:
        process = self.running.get(name)
        return process is not None and process.poll() is None

    def pid(self, name: str) -> int:
        return self.running[name].pid

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a part and all its children, as a power cut does with SIGKILL; wait for its end."""
        process = self.running.pop(name)
        self.frozen.discard(name)
        signal_group(process.pid, how)
        signal_group(process.pid, signal.SIGCONT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            signal_group(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
            raise
        finally:
            end_group(process.pid)

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Kill a part where it stands and start it again."""
        if self.is_running(name):
            self.kill(name)
        self.start(name, environment=environment)

    def freeze(self, name: str) -> None:
        """Stop a part in the middle of whatever it does: it keeps its connections and answers nothing."""
        signal_group(self.pid(name), signal.SIGSTOP)
        self.frozen.add(name)

    def thaw(self, name: str) -> None:
        signal_group(self.pid(name), signal.SIGCONT)
        self.frozen.discard(name)

    def stop(self) -> None:
        """End everything without waiting for anything to finish; the state is thrown away."""
        for name in [name for name in self.running if self.is_running(name)]:
            self.kill(name)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def log_sizes(self) -> dict[str, int]:
        return {file.stem: file.stat().st_size for file in self.logs.glob("*.log")}

    def tail(self, name: str, since: int = 0, limit: int = 6000) -> str:
        """The end of a part's output, at most `limit` bytes, nothing from before the offset `since`."""
        file = self.log(name)
        size = file.stat().st_size if file.exists() else 0
        if size <= since:
            return ""
        with file.open("rb") as output:
            output.seek(max(since, size - limit))
            return output.read().decode("utf-8", "replace")


def clean_environment() -> dict[str, str]:
    """Our environment without the leave that tests beside a running Playwright take for themselves."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}


def end_group(leader: int) -> None:
    """End children that outlived their parent, and wait until the system has buried them."""
    deadline = time.monotonic() + 5
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(leader, signal.SIGKILL)
            time.sleep(0.01)


def signal_group(leader: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, how)
