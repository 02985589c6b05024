"""Flags and their ``BATCH_EMULATOR_*`` variables. A flag wins over its variable."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.domain.names import account_problem
from emulator.storage import StorageConnection, parse_connections

PREFIX = "BATCH_EMULATOR_"
DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
DEFAULT_TENANT = "11111111-1111-1111-1111-111111111111"
DEFAULT_GROUP = "local"


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds. ``data`` is None when everything is kept in memory."""

    host: str = "127.0.0.1"
    port: int = 10100
    data: Path | None = None
    storage: tuple[StorageConnection, ...] = ()
    cert: Path | None = None
    key: Path | None = None
    require_issuer: str | None = None
    accounts: tuple[str, ...] = ("local",)
    location: str = "westeurope"
    tenant: str = DEFAULT_TENANT
    account_endpoint: str = "{host}/{account}"
    account_quota: int = 50
    application_quota: int = 20
    package_quota: int = 40
    package_url_lifetime: float = 4 * 3600
    provisioning_time: float = 0
    seed: int | None = None
    resize_time: float = 0.2
    boot_time: float = 0.2
    simulated_task_time: float = 1.0
    nodes: str = "process"
    process_nodes: int = 32
    mounts: str = "refuse"
    pool_quota: int = 100
    dedicated_core_quota: int = 700
    low_priority_core_quota: int = 500
    family_core_quota: int = 100
    refuse_unusable: bool = False
    require_nat_pools: bool = False

    @property
    def scheme(self) -> str:
        return "https" if self.cert else "http"


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of a command line. Exits with status 2 and a message when something is wrong."""
    parser = _parser(environment)
    found = parser.parse_args(arguments)
    if bool(found.cert) != bool(found.key):
        parser.error("--cert and --key belong together")
    try:
        storage = parse_connections(found.storage_connection_string)
    except ValueError as error:
        parser.error(f"--storage-connection-string: {error}")
    if found.nodes not in {"process", "simulated"}:
        parser.error("--nodes must be process or simulated")
    if found.mounts not in {"refuse", "directories"}:
        parser.error("--mounts must be refuse or directories")
    accounts = tuple(dict.fromkeys(" ".join(found.account).split()))
    for account in accounts:
        if problem := account_problem(account):
            parser.error(f"--account {account}: {problem}")
    return Settings(
        host=found.host,
        port=found.port,
        data=None if found.memory else found.data,
        storage=storage,
        cert=found.cert,
        key=found.key,
        require_issuer=found.require_issuer,
        accounts=accounts,
        location=found.location,
        account_endpoint=found.account_endpoint,
        account_quota=found.account_quota,
        application_quota=found.application_quota,
        package_quota=found.package_quota,
        package_url_lifetime=found.package_url_lifetime,
        provisioning_time=found.provisioning_time,
        seed=found.seed,
        resize_time=found.resize_time,
        boot_time=found.boot_time,
        simulated_task_time=found.simulated_task_time,
        nodes=found.nodes,
        process_nodes=found.process_nodes,
        mounts=found.mounts,
        pool_quota=found.pool_quota,
        dedicated_core_quota=found.dedicated_core_quota,
        low_priority_core_quota=found.low_priority_core_quota,
        family_core_quota=found.family_core_quota,
        refuse_unusable=found.refuse_unusable,
        require_nat_pools=found.require_nat_pools,
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="A local Azure Batch service: management plane and data plane on one address.",
        epilog=f"Every flag is also a variable: --storage-connection-string is {PREFIX}STORAGE_CONNECTION_STRING.",
    )
    flags = _Flags(parser, environment)
    flags.add("host", "127.0.0.1", "address to bind; other than loopback lets others run commands here")
    flags.add("port", 10100, "port to bind, 0 picks a free one", kind=int)
    flags.add("data", Path(".local/emulator"), "folder of the state, created when missing", kind=Path)
    flags.switch("memory", "keep everything in memory, write nothing")
    flags.many("storage-connection-string", "blob store of the packages; several by repeating or separated by blanks")
    flags.add("cert", None, "certificate file (PEM): serve TLS", kind=Path)
    flags.add("key", None, "private key file (PEM) of --cert", kind=Path)
    flags.add("require-issuer", None, "accept only tokens whose issuer starts with this")
    flags.many("account", "Batch account to create at the first start (default: local)", default="local")
    flags.add("location", "westeurope", "region of the accounts created at the first start")
    flags.add(
        "account-endpoint", "{host}/{account}", "accountEndpoint of ARM; {host} is the Host header of the request"
    )
    flags.add("account-quota", 50, "Batch accounts per subscription and region", kind=int)
    flags.add("application-quota", 20, "applications per Batch account", kind=int)
    flags.add("package-quota", 40, "packages per application", kind=int)
    flags.add("package-url-lifetime", 4 * 3600.0, "seconds a package's storage URL is valid", kind=float)
    flags.add("provisioning-time", 0.0, "seconds that creating or deleting an account takes", kind=float)
    flags.add("resize-time", 0.2, "seconds until new nodes of a pool are allocated", kind=float)
    flags.add("boot-time", 0.2, "seconds that each step of a node's boot, reboot, reimage or end takes", kind=float)
    flags.add("simulated-task-time", 1.0, "seconds that start tasks and tasks of simulated nodes take", kind=float)
    flags.add("nodes", "process", "what nodes are unless their pool says otherwise: process or simulated")
    flags.add("process-nodes", 32, "nodes that may run as real processes at a time", kind=int)
    flags.add("mounts", "refuse", "file systems of pools: refuse, or directories of this machine in their place")
    flags.add("pool-quota", 100, "pools per Batch account", kind=int)
    flags.add("dedicated-core-quota", 700, "cores of dedicated nodes per Batch account", kind=int)
    flags.add("low-priority-core-quota", 500, "cores of Spot nodes per Batch account", kind=int)
    flags.add("family-core-quota", 100, "cores of dedicated nodes per Batch account and VM family", kind=int)
    flags.switch("refuse-unusable", "let unusable nodes be neither rebooted nor reimaged")
    flags.switch("require-nat-pools", "open SSH only on pools with an inbound NAT pool for port 22")
    flags.add("seed", None, "make identifiers and keys repeatable", kind=int)
    return parser


class _Flags:
    """Adds each option under its flag and its variable."""

    def __init__(self, parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
        self._parser = parser
        self._environment = environment

    def _variable(self, name: str) -> str | None:
        return self._environment.get(PREFIX + name.upper().replace("-", "_")) or None

    def add(self, name: str, default: object, text: str, kind: type = str) -> None:
        # argparse converts and checks string defaults as it does arguments, so a bad variable is a clear error too.
        value = self._variable(name)
        shown = f" (default: {default})".replace("%", "%%") if default is not None else ""
        self._parser.add_argument(
            f"--{name}", type=kind, default=default if value is None else value, help=text + shown
        )

    def switch(self, name: str, text: str) -> None:
        value = (self._variable(name) or "false").lower()
        if value not in {"true", "false", "1", "0"}:
            self._parser.error(f"{PREFIX}{name.upper()} must be true or false, not {value!r}")
        self._parser.add_argument(f"--{name}", action="store_true", default=value in {"true", "1"}, help=text)

    def many(self, name: str, text: str, default: str = "") -> None:
        # Not argparse's append: its default would be added to instead of replaced.
        value = self._variable(name) or default
        self._parser.add_argument(f"--{name}", action=_Collect, default=[value], help=text, metavar=name.upper())


class _Collect(argparse.Action):
    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        _option: str | None = None,
    ) -> None:
        collected = getattr(namespace, self.dest)
        if collected is self.default:
            collected = []
        setattr(namespace, self.dest, [*collected, str(values)])
