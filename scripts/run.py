"""Start the portal with everything it needs on this machine as one group, and watch over it.

    python -m scripts.run [--state FOLDER] [--only emulator]

Ctrl-C ends all parts. A part that ends by itself ends the group with a non-zero status, whatever its own status was.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from honcho.manager import Manager

from scripts.install import ROOT
from scripts.parts import NotReady, Part, Ports, Site, taken_ports
from scripts.state import StateError, exclusive

READY_WITHIN = 90  # seconds
BUILT_FROM = {
    "assets": ("static/src/**/*", "templates/**/*.html", "apps/**/*.py", "scripts/assets.py", "package-lock.json"),
    "collected": ("build/static/**/*", "requirements.txt", "batchportal/settings/*.py"),
}


class StartError(Exception):
    """The group cannot start; the text says why and what to do."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Start Batchportal on this machine.")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of everything it keeps")
    parser.add_argument("--only", choices=["emulator"], help="start the local Batch service and its blob store alone")
    arguments = parser.parse_args()
    state = arguments.state.resolve()
    try:
        with exclusive(state):
            sys.exit(start(state, only_emulator=arguments.only == "emulator"))
    except (StartError, StateError) as error:
        sys.exit(f"run: {error}")


def start(state: Path, *, only_emulator: bool) -> int:
    """Run the group until it ends. Returns the exit status: 0 when it was asked to stop, 1 when something died."""
    site = Site(
        state=state,
        ports=ports_from(os.environ),
        redis_url=os.environ.get("REDIS_URL", ""),
        # Quiet, so that the address and the sign-ins stay in sight.
        settings={"LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING")},
    )
    parts = [site.azurite(), site.emulator()] if only_emulator else site.parts()
    refuse_taken_ports(site.ports, [part.name for part in parts])
    if not only_emulator:
        prepare(site)
    group = Group(site, parts)
    group.loop()
    return group.status()


def ports_from(environment: Mapping[str, str]) -> Ports:
    chosen = asdict(Ports())
    for name, variable in Ports.VARIABLES.items():
        text = environment.get(variable, "").strip()
        if text and not (text.isdigit() and 0 < int(text) < 65536):
            raise StartError(f"{variable} must be a port between 1 and 65535, not {text!r}.")
        chosen[name] = int(text) if text else chosen[name]
    twice = {port for port in chosen.values() if list(chosen.values()).count(port) > 1}
    if twice:
        names = [variable for name, variable in Ports.VARIABLES.items() if chosen[name] in twice]
        raise StartError(f"{', '.join(names)} name the same port; give each its own.")
    return Ports(**chosen)


def refuse_taken_ports(ports: Ports, names: list[str]) -> None:
    wanted = {name: port for name, port in asdict(ports).items() if name in names}
    problems = [
        f"port {port} for {name} is taken; free it or choose another with {Ports.VARIABLES[name]}=…"
        for name, port in taken_ports(wanted)
    ]
    if problems:
        raise StartError("\n     ".join(problems))


def prepare(site: Site) -> None:
    """Build and collect what the browser loads, where it changed, and bring the database up to date."""
    environment = {**os.environ, **site.environment()}
    build_static(site, environment)
    step("migrating the database", site.manage("migrate", "--noinput", "-v0"), environment)


def build_static(site: Site, environment: dict[str, str]) -> None:
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with (build / ".lock").open("a") as lock:  # portals that start at the same time build once
        fcntl.flock(lock, fcntl.LOCK_EX)
        once("assets", build / "static", (sys.executable, "scripts/assets.py"), environment)
        once("collected", build / "collected", site.manage("collectstatic", "--noinput", "-v0"), environment)


def once(name: str, target: Path, command: tuple[str, ...], environment: dict[str, str]) -> None:
    """Run a build step unless its result is there and made from what lies here now."""
    stamp = ROOT / "build" / f".{name}"
    digest = digest_of(BUILT_FROM[name])
    if target.is_dir() and stamp.is_file() and stamp.read_text() == digest:
        return
    step(f"building {target.relative_to(ROOT)}", command, environment)
    stamp.write_text(digest)


def digest_of(patterns: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for file in sorted({file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()}):
        digest.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def step(what: str, command: tuple[str, ...], environment: dict[str, str]) -> None:
    began = time.monotonic()
    print(f"{what} …", flush=True)
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        raise StartError(f"{what} failed; see above.")
    print(f"{what}: done in {time.monotonic() - began:.1f} s", flush=True)


class Group(Manager):  # type: ignore[misc]  # honcho has no types
    """All parts as one: starts them, says when all are ready, ends all when one ends."""

    def __init__(self, site: Site, parts: list[Part]) -> None:
        super().__init__()
        self.site = site
        self.parts = parts
        self.problem = ""
        for part in parts:
            environment = {**os.environ, **part.environment}
            self.add_process(part.name, f"exec {shlex.join(part.command)}", env=environment, cwd=str(ROOT))

    def _start(self) -> None:
        super()._start()
        # Only now: the parts are forked off, and forking a process with threads is unsafe.
        threading.Thread(target=self.welcome, name="welcome", daemon=True).start()

    def terminate(self) -> None:
        """Called by honcho when a signal came or a part ended, and again with every further end: the first counts."""
        if self._terminating:
            return
        ended = {name: process["returncode"] for name, process in self._processes.items() if "returncode" in process}
        if ended and not self.problem:
            dead = ", ".join(f"{name} (status {status})" for name, status in ended.items())
            self.problem = f"{dead} ended by itself; the lines above say why"
        super().terminate()

    def status(self) -> int:
        if self.problem:
            print(f"run: {self.problem}", file=sys.stderr)
        return 1 if self.problem else 0

    def welcome(self) -> None:
        """Wait until every part answers, then say where the portal is; give up loudly after a while."""
        began = time.monotonic()
        try:
            for part in self.parts:
                wait_ready(part, began + READY_WITHIN)
            text = greeting(self.site, self.parts)
        except StartError as error:
            self.problem = self.problem or str(error)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        print(f"\n{text}\n\nready after {time.monotonic() - began:.1f} s; Ctrl-C ends it\n", flush=True)


def wait_ready(part: Part, deadline: float) -> None:
    """Wait until a part answers. `deadline` is a time of the monotonic clock."""
    while True:
        try:
            return part.check()
        except NotReady as error:
            if time.monotonic() > deadline:
                raise StartError(f"{part.name} did not come up within {READY_WITHIN} s: {error}") from error
        time.sleep(0.1)


def greeting(site: Site, parts: list[Part]) -> str:
    """What a person needs to begin: the address and the sign-ins of the demo."""
    if len(parts) == 2:
        return f"The local Batch service: {site.emulator_url} (its state: {site.state})"
    environment = {**os.environ, **site.environment()}
    answer = subprocess.run(
        site.manage("demo", "--json"), cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    if answer.returncode != 0:
        raise StartError(f"preparing the demo failed:\n{answer.stderr.strip()}")
    users = json.loads(answer.stdout)["users"]
    width = max(len(user["role"]) for user in users)
    rows = [f"  {user['role']:{width}}  {user['username']:14}  {user['password']}" for user in users]
    return "\n".join([f"Batchportal: {site.url}", *rows, f"Local Batch service: {site.emulator_url}"])


if __name__ == "__main__":
    main()
