"""What benchmarks share that call the portal's code in their own process, beside a running local Batch service."""

# ruff: noqa: PLC0415  # Django is set up here, for services that run by then

from __future__ import annotations

import gzip
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.testing import Azurite, Emulator
from scripts.parts import Site
from tests.support.processes import Processes, free_ports

LATENCY = 0.05  # seconds added to each call where a distance is simulated
IMAGE = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest"}
MIB = 1024 * 1024


@contextmanager
def redis(folder: Path) -> Iterator[None]:
    processes = Processes(Site(state=folder / "site", ports=free_ports()))
    processes.start("redis")
    os.environ["REDIS_URL"] = processes.site.broker_url
    try:
        yield
    finally:
        processes.stop()


def prepare_django(folder: Path, emulator: Emulator, azurite: Azurite | None = None) -> None:
    hosts = [emulator.netloc, *([azurite.url.partition("://")[2]] if azurite else [])]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "batchportal.settings.test",
        "DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}",
        "GATEWAY_ARM_ENDPOINT": emulator.url,
        "GATEWAY_PRIVATE_HOSTS": ",".join(hosts),
        "IDENTITY_ENDPOINT": f"{emulator.url}/_emulator/identity/token",
        "IDENTITY_HEADER": "bench",
        "LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def make_rows(emulator: Emulator) -> tuple[Any, Any]:
    """The connected account and an administrator of it."""
    from apps.accounts.models import AuthMethod, BatchAccount
    from apps.people.models import Grant, User
    from apps.people.roles import Role

    account = BatchAccount.objects.create(
        slug="local", name="local", subscription_id=emulator.subscription, resource_group=emulator.resource_group,
        batch_endpoint=emulator.account_url(), auth_method=AuthMethod.MANAGED_IDENTITY,
    )  # fmt: skip
    user = User.objects.create_user("administrator", "administrator@example.org", "x" * 14)
    Grant.objects.create(account=account, user=user, role=Role.ADMINISTRATOR)
    return account, user


def pool_document(pool_id: str, nodes: int) -> dict[str, Any]:
    """A pool of simulated nodes that SSH reaches."""
    ssh = {"name": "ssh", "protocol": "tcp", "backendPort": 22, "frontendPortRangeStart": 1000}
    opened = [{**ssh, "frontendPortRangeEnd": 49000}] if nodes <= 40_000 else []
    return {
        "id": pool_id,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {"imageReference": IMAGE, "nodeAgentSKUId": "batch.node.ubuntu 22.04"},
        "targetDedicatedNodes": nodes,
        "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": opened}} if opened else {},
        "metadata": [{"name": "emulator:nodes", "value": "simulated"}],
    }


def make_pool(account: Any, pool_id: str, nodes: int) -> None:
    from apps.accounts.connections import connection_for
    from apps.gateway import pools

    pools.pool_create(connection_for(account), pool_document(pool_id, nodes))


def wait_idle(account: Any, nodes: int, *, pool_id: str = "") -> None:
    """Until that many nodes of the account, or of one pool, are idle. Raises `SystemExit` after ten minutes."""
    from apps.accounts.connections import connection_for
    from apps.gateway import pools

    for _ in range(600):
        counted = pools.pool_node_counts(connection_for(account), pool_id)
        if sum(found.dedicated.get("idle", 0) for found in counted) == nodes:
            return
        time.sleep(1)
    raise SystemExit(f"The nodes of {pool_id or 'the pools'} did not boot.")


def signed_in(user: Any) -> Any:
    """A browser that takes compressed pages."""
    from django.test import Client

    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def plain(answer: Any) -> str:
    """The text of an answer that may be compressed."""
    body = answer.content
    return str((gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body).decode())


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, and queries and calls to Azure of one run."""

    median: float
    p95: float
    cpu: float
    queries: float
    calls: float


def report(title: str, work: Callable[[], None], times: int = 1) -> Measured:
    """Run it some times and print what one run takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from apps.gateway.calls import counted

    seconds: list[float] = []
    cpu = time.process_time()
    with counted() as log, CaptureQueriesContext(connection) as queries:
        for _ in range(times):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    cpu = (time.process_time() - cpu) / times
    median = statistics.median(seconds)
    worst = statistics.quantiles(seconds, n=20, method="inclusive")[-1] if times > 1 else median
    found = Measured(median, worst, cpu, len(queries) / times, len(log) / times)
    print(
        f"  {title:34} {median * 1000:8.0f} ms  p95 {worst * 1000:8.0f} ms  CPU {cpu * 1000:7.0f} ms"
        f"  {found.queries:6.0f} queries  {found.calls:5.0f} calls",
        flush=True,
    )
    return found


def memory_grown(work: Callable[[], object]) -> float:
    """MiB by which the peak of this process exceeds what it held before."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _status("VmRSS")
    work()
    return _status("VmHWM") - before


def _status(name: str) -> float:
    return int(Path("/proc/self/status").read_text().partition(f"{name}:")[2].split()[0]) / 1024
