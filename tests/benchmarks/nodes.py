"""Nodes: a user on 1,000 of them beside the sequential loop, the blade of 10,000 beside listing by the SDK, an action.

`python -m tests.benchmarks.nodes [--users 1000] [--blade 10000]`. All ways run against the same local Batch service in
one run, with simulated nodes; users and actions with 50 ms added to each call.
"""

# ruff: noqa: PLC0415  # Django is set up here, for services that run by then

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.testing import Emulator, start_emulator
from scripts.parts import Site
from tests.support.processes import Processes, free_ports

LATENCY = 0.05
IMAGE = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest"}
QUOTAS = ("--dedicated-core-quota", "200000", "--family-core-quota", "200000")
PASSWORD = "Tr0ub4dor-Three-Horses"  # of users on simulated nodes


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--blade", type=int, default=10_000)
    chosen = parser.parse_args([] if arguments is None else arguments)
    with tempfile.TemporaryDirectory(prefix="nodes-") as folder, services(Path(folder)) as emulator:
        prepare_django(Path(folder), emulator)
        account, user = make_rows(emulator)
        make_pool(account, "crowd", chosen.users)
        users(emulator, account, user, chosen.users)
        action(emulator, account, user, chosen.users)
        make_pool(account, "large", chosen.blade)
        blade(account, user, chosen.blade)


@contextmanager
def services(folder: Path) -> Iterator[Emulator]:
    redis = Processes(Site(state=folder / "site", ports=free_ports()))
    redis.start("redis")
    os.environ["REDIS_URL"] = redis.site.broker_url
    try:
        with start_emulator(arguments=QUOTAS) as emulator:
            yield emulator
    finally:
        redis.stop()


def prepare_django(folder: Path, emulator: Emulator) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "batchportal.settings.test",
        "DATABASE_URL": f"sqlite:///{folder / 'nodes.sqlite3'}",
        "GATEWAY_ARM_ENDPOINT": emulator.url,
        "GATEWAY_PRIVATE_HOSTS": emulator.netloc,
        "IDENTITY_ENDPOINT": f"{emulator.url}/_emulator/identity/token",
        "IDENTITY_HEADER": "bench",
        "LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def make_rows(emulator: Emulator) -> tuple[Any, Any]:
    from apps.accounts.models import AuthMethod, BatchAccount
    from apps.people.models import Grant, User
    from apps.people.roles import Role

    account = BatchAccount.objects.create(
        slug="local", name="local", subscription_id=emulator.subscription, resource_group=emulator.resource_group,
        batch_endpoint=emulator.account_url(), auth_method=AuthMethod.MANAGED_IDENTITY,
    )  # fmt: skip
    user = User.objects.create_user("operator", "operator@example.org", "x" * 14)
    Grant.objects.create(account=account, user=user, role=Role.OPERATOR)
    return account, user


def make_pool(account: Any, pool_id: str, nodes: int) -> None:
    """A pool of simulated nodes with SSH, and the portal's picture of it."""
    from apps.accounts.connections import connection_for
    from apps.gateway import pools
    from apps.nodes.models import NodeSnapshot
    from apps.pools.polling import poll_account

    ssh = {"name": "ssh", "protocol": "tcp", "backendPort": 22, "frontendPortRangeStart": 1000}
    document = {
        "id": pool_id,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {"imageReference": IMAGE, "nodeAgentSKUId": "batch.node.ubuntu 22.04"},
        "targetDedicatedNodes": nodes,
        "networkConfiguration": {
            "endpointConfiguration": {"inboundNATPools": [{**ssh, "frontendPortRangeEnd": 45000}]}
        },
        "metadata": [{"name": "emulator:nodes", "value": "simulated"}],
    }
    pools.pool_create(connection_for(account), document)
    for _ in range(300):
        poll_account(account)
        if NodeSnapshot.objects.filter(pool__pool_id=pool_id, state="idle").count() == nodes:
            return
        time.sleep(0.5)
    raise SystemExit(f"The nodes of {pool_id} did not boot.")


def users(emulator: Emulator, account: Any, user: Any, count: int) -> None:
    from apps.accounts.connections import connection_for
    from apps.gateway import nodes as gateway
    from apps.gateway.types_nodes import NodeUser
    from apps.nodes.services.users import WantedUser, pool_user_add
    from apps.people.actors import Actor

    connection = connection_for(account)
    emulator.fault(operation="data.*", latency=LATENCY)
    print(f"\na user on {count} nodes, {LATENCY * 1000:.0f} ms per call")

    def loop() -> None:
        wanted = NodeUser("loop", password=PASSWORD)
        for page in gateway.node_pages(connection, "crowd"):
            for node in page:
                gateway.user_add(connection, "crowd", node.id, wanted)
                gateway.remote_login(connection, "crowd", node.id)

    names = iter(("one", "two", "three"))

    def ours() -> None:
        wanted = WantedUser(next(names), password=PASSWORD)
        run_to_end(pool_user_add(actor=Actor(user=user), account=account, pool_id="crowd", wanted=wanted))

    first = report("the portal", ours, 3)
    second = report("one node after the other", loop)
    print(f"  ratio: {second / first:.1f} times faster")
    emulator.clear_faults()


def action(emulator: Emulator, account: Any, user: Any, count: int) -> None:
    from apps.gateway.calls import counted
    from apps.nodes.models import NodeSnapshot
    from apps.nodes.services.acting import nodes_act
    from apps.people.actors import Actor

    emulator.fault(operation="data.*", latency=LATENCY)
    nodes = NodeSnapshot.objects.filter(pool__pool_id="crowd").values_list("pool__pool_id", "node_id")
    print(f"\ndisabling scheduling on {count} nodes, {LATENCY * 1000:.0f} ms per call")
    begun = nodes_act(actor=Actor(user=user), account=account, action="disable-scheduling", targets=list(nodes))
    with counted() as log:
        report("the portal", lambda: run_to_end(begun))
    print(f"  {len(log)} calls; the least is {count}, one for each node")
    emulator.clear_faults()


def run_to_end(operation: Any) -> None:
    from apps.operations.execution import execute

    execute(operation.pk)
    operation.refresh_from_db()
    if operation.status != "succeeded":
        raise SystemExit(f"{operation}: {operation.status} {operation.message_code} {operation.message_values}")


def blade(account: Any, user: Any, count: int) -> None:
    from django.test import Client

    from apps.accounts.connections import connection_for
    from apps.gateway import nodes as gateway

    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    sizes: list[int] = []

    def page(query: str = "?pool=large") -> None:
        answer = client.get(f"/batch/local/nodes/{query}")
        if answer.status_code != 200 or f"{count:,}" not in answer.content.decode():
            raise SystemExit("The blade does not show all nodes.")
        sizes.append(len(answer.content))

    def listed() -> None:
        found = sum(len(nodes) for nodes in gateway.node_pages(connection_for(account), "large"))
        if found != count:
            raise SystemExit(f"{found} nodes instead of {count}.")

    page()  # imports, templates
    print(f"\n{count} nodes on loopback")
    first = report("first page of the blade", page, 20)
    report("its last page, sorted by boot", lambda: page(f"?pool=large&sort=-boot&page={count // 50}"), 10)
    second = report("listing them by the SDK", listed, 3)
    print(
        f"  ratio: {second / first:.1f} times the blade's time; {max(sizes) / 1024:.0f} KiB of page before compression"
    )


def report(title: str, work: Callable[[], None], times: int = 1) -> float:
    """Run it and print median and 95th percentile, queries and calls to Azure of one run; returns the median."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from apps.gateway.calls import counted

    seconds: list[float] = []
    with counted() as log, CaptureQueriesContext(connection) as queries:
        for _ in range(times):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds)
    worst = statistics.quantiles(seconds, n=20)[-1] if times > 1 else median
    print(
        f"  {title:30} {median * 1000:8.0f} ms  p95 {worst * 1000:8.0f} ms  {len(queries) / times:5.0f} queries  "
        f"{len(log) / times:5.0f} calls"
    )
    return median


if __name__ == "__main__":
    main(sys.argv[1:])
