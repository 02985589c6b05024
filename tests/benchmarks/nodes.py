"""Nodes: a user on 1,000 of them beside the plain loop, actions, and the blade of 10,000 beside listing by the SDK.

`python -m tests.benchmarks.nodes [--users 1000] [--blade 10000]`. All ways run against the same local Batch service in
one run, with simulated nodes; users and actions with 50 ms added to each call.
"""

# ruff: noqa: PLC0415  # Django is set up here, for services that run by then

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulator.testing import Emulator, start_emulator
from tests.benchmarks.direct import (
    LATENCY,
    make_pool,
    make_rows,
    plain,
    prepare_django,
    redis,
    report,
    signed_in,
    wait_idle,
)
from tests.benchmarks.summary import note

QUOTAS = ("--dedicated-core-quota", "200000", "--family-core-quota", "200000")
PASSWORD = "Tr0ub4dor-Three-Horses"  # of users on simulated nodes


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--blade", type=int, default=10_000)
    chosen = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="nodes-") as folder,
        redis(Path(folder)),
        start_emulator(arguments=QUOTAS) as emulator,
    ):
        prepare_django(Path(folder), emulator)
        account, user = make_rows(emulator)
        booted(account, "crowd", chosen.users)
        users(emulator, account, user, chosen.users)
        throttled(emulator, account, user, chosen.users)
        for action in ("disable-scheduling", "reboot"):
            act(emulator, account, user, action, chosen.users)
        booted(account, "large", chosen.blade)
        blade(account, user, chosen.blade)


def booted(account: Any, pool_id: str, nodes: int) -> None:
    """A pool whose nodes are idle, and the portal's picture of it."""
    from apps.pools.polling import poll_account

    make_pool(account, pool_id, nodes)
    wait_idle(account, nodes, pool_id=pool_id)
    poll_account(account)


def users(emulator: Emulator, account: Any, user: Any, count: int) -> None:
    """The plain way is what a script does with the SDK: for each node a call that adds, and one for its address."""
    from apps.accounts.connections import connection_for
    from apps.gateway import clients

    client = clients.batch(connection_for(account))
    emulator.fault(operation="data.*", latency=LATENCY)
    print(f"\na user on {count} nodes, {LATENCY * 1000:.0f} ms per call")

    def loop() -> None:
        wanted: Any = {"name": "loop", "password": PASSWORD}
        for node in client.list_nodes("crowd"):
            client.create_node_user("crowd", str(node.id), wanted)
            client.get_node_remote_login_settings("crowd", str(node.id))

    names = iter(("one", "two", "three"))
    ours = report("the portal", lambda: add_user(account, user, next(names)), 3)
    plainly = report("one node after the other", loop)
    ratio = plainly.median / ours.median
    print(f"  ratio: {ratio:.1f} times faster; {ours.cpu / count * 1000:.2f} ms of CPU for each node")
    note(f"user on {count:,} nodes, beside a plain loop", f"{ratio:.1f} times faster", "20 times")
    emulator.clear_faults()


def throttled(emulator: Emulator, account: Any, user: Any, count: int) -> None:
    """The service refuses some calls and asks for a second: nobody is lost, and few calls are made in vain."""
    from apps.gateway.calls import counted

    refusals = 10
    refused = {"operation": "data.create_node_user", "status": 429, "code": "TooManyRequests", "retry_after": 1}
    emulator.fault(**refused, latency=LATENCY, count=refusals, probability=0.02)
    emulator.fault(operation="data.*", latency=LATENCY)
    print(f"\nthe same while the service throttles {refusals} calls with Retry-After 1")
    with counted() as log:
        report("the portal", lambda: add_user(account, user, "throttled"))
    struck = sum(call.status == 429 for call in log.calls)
    print(f"  {len(log)} calls, of which {struck} were throttled; the least is {count + 1 + struck}")
    emulator.clear_faults()


def add_user(account: Any, user: Any, name: str) -> None:
    from apps.nodes.services.users import WantedUser, pool_user_add
    from apps.people.actors import Actor

    wanted = WantedUser(name, password=PASSWORD)
    run_to_end(pool_user_add(actor=Actor(user=user), account=account, pool_id="crowd", wanted=wanted))


def act(emulator: Emulator, account: Any, user: Any, action: str, count: int) -> None:
    from apps.nodes.models import NodeSnapshot
    from apps.nodes.services.acting import nodes_act
    from apps.people.actors import Actor

    emulator.fault(operation="data.*", latency=LATENCY)
    nodes = NodeSnapshot.objects.filter(pool__pool_id="crowd").values_list("pool__pool_id", "node_id")
    print(f"\n{action} on {count} nodes, {LATENCY * 1000:.0f} ms per call")
    begun = nodes_act(actor=Actor(user=user), account=account, action=action, targets=list(nodes))
    found = report("the portal", lambda: run_to_end(begun))
    ratio = found.calls / count
    print(f"  {found.calls:.0f} calls, {ratio:.3f} times the least: one for each node")
    note(f"{action} on {count:,} nodes: calls", f"{ratio:.3f} times the least", "1.0")
    emulator.clear_faults()


def run_to_end(operation: Any) -> None:
    from django.utils import timezone

    from apps.operations.execution import execute
    from apps.operations.models import Operation

    while operation.is_active:
        Operation.objects.filter(pk=operation.pk).update(not_before=timezone.now())
        execute(operation.pk)
        operation.refresh_from_db()
    if operation.status != "succeeded":
        raise SystemExit(f"{operation}: {operation.status} {operation.message_code} {operation.message_values}")


def blade(account: Any, user: Any, count: int) -> None:
    from apps.accounts.connections import connection_for
    from apps.gateway import clients

    client = signed_in(user)
    sizes: list[int] = []

    def page(query: str = "?pool=large") -> None:
        answer = client.get(f"/batch/local/nodes/{query}")
        if answer.status_code != 200 or f"{count:,}" not in plain(answer):
            raise SystemExit("The blade does not show all nodes.")
        sizes.append(len(answer.content))

    def listed() -> None:
        found = sum(1 for _node in clients.batch(connection_for(account)).list_nodes("large"))
        if found != count:
            raise SystemExit(f"{found} nodes instead of {count}.")

    page()  # imports, templates
    print(f"\n{count} nodes on loopback")
    first = report("first page of the blade", page, 20)
    report("its last page, sorted by boot", lambda: page(f"?pool=large&sort=-boot&page={count // 50}"), 10)
    second = report("listing them by the SDK", listed, 3)
    ratio = second.median / first.median
    print(f"  ratio: {ratio:.1f} times the blade's time; {max(sizes) / 1024:.0f} KiB of compressed page")
    note(
        f"first page of {count:,} nodes, beside listing them",
        f"{ratio:.0f} times faster, p95 {first.p95 * 1000:.0f} ms, {first.queries:.0f} queries, "
        f"{max(sizes) / 1024:.0f} KiB",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
