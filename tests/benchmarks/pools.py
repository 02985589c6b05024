"""Pools: the blade of 500, and the poller over many pools and over one very large one, beside listing by the SDK.

`python -m tests.benchmarks.pools [--pools 500] [--populated 100] [--nodes 100] [--large 50000]`. All ways run against
the same local Batch service in one run, with simulated nodes; reading many pools also with 50 ms added to each call.
"""

# ruff: noqa: PLC0415  # Django is set up here, for services that run by then

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from emulator.testing import Emulator, start_emulator
from tests.benchmarks.direct import (
    LATENCY,
    Measured,
    make_pool,
    make_rows,
    memory_grown,
    plain,
    prepare_django,
    redis,
    report,
    signed_in,
    wait_idle,
)
from tests.benchmarks.summary import note

QUOTAS = ("--pool-quota", "2000", "--dedicated-core-quota", "2000000", "--family-core-quota", "2000000")


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pools", type=int, default=500)
    parser.add_argument("--populated", type=int, default=100)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--large", type=int, default=50_000)
    chosen = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="pools-") as folder,
        redis(Path(folder)),
        start_emulator(arguments=QUOTAS) as emulator,
    ):
        prepare_django(Path(folder), emulator)
        account, user = make_rows(emulator)
        for number in range(chosen.pools):
            make_pool(account, f"pool-{number:04}", chosen.nodes if number < chosen.populated else 0)
        wait_idle(account, chosen.populated * chosen.nodes)
        many(emulator, account, chosen.populated, chosen.nodes)
        blade(account, user, chosen.pools)
        delete_pools(account)
        make_pool(account, "large", chosen.large)
        wait_idle(account, chosen.large)
        large(account, chosen.large)


def many(emulator: Emulator, account: Any, populated: int, nodes: int) -> None:
    print(f"\n{populated} pools of {nodes} nodes, and empty ones, on loopback")
    compare(account, populated * nodes)
    emulator.fault(operation="data.*", latency=LATENCY)
    print(f"\nthe same with {LATENCY * 1000:.0f} ms per call")
    ours, theirs = compare(account, populated * nodes)
    emulator.clear_faults()
    note(
        f"reading {populated} pools of {nodes} nodes, beside the SDK",
        f"{theirs.median / ours.median:.1f} times faster, {ours.queries:.0f} queries, {ours.calls:.0f} calls",
    )


def compare(account: Any, nodes: int) -> tuple[Measured, Measured]:
    from apps.nodes.models import NodeSnapshot

    if not NodeSnapshot.objects.exists():
        report("first reading, every row written", lambda: poll(account))
    ours = report("a reading in which nothing changed", lambda: poll(account), 3)
    theirs = report("listing by the SDK, nothing kept", lambda: listed(account, nodes))
    print(f"  ratio: {theirs.median / ours.median:.1f} times faster, {theirs.cpu / ours.cpu:.1f} times less CPU")
    return ours, theirs


def large(account: Any, count: int) -> None:
    from django.core.cache import cache

    from apps.pools import picture

    booted = time.monotonic()
    print(f"\none pool of {count} nodes on loopback")
    grown = memory_of("first reading, every row written", lambda: poll(account))
    cache.clear()
    whole = report("a whole reading, nothing changed", lambda: poll(account))
    theirs: list[Any] = []
    beside = memory_of("listing by the SDK, kept in a list", lambda: theirs.extend(nodes_by_sdk(account, "large")))
    if len(theirs) != count:
        raise SystemExit(f"{len(theirs)} nodes instead of {count}.")
    news = picture.OVERLAP.total_seconds() - (time.monotonic() - booted)
    time.sleep(max(0.0, news))  # until the boot of the nodes is no news any more
    poll(account)
    changes = report("reading what changed since", lambda: poll(account), 3)
    print(f"  calls: {whole.calls:.0f} for all, {changes.calls:.0f} for what changed")
    note(f"memory of reading {count:,} nodes, beside a list", f"{grown:.0f} MiB, {grown / beside:.2f} of the list's")
    note(
        f"reading changes of {count:,} nodes, beside reading all",
        f"{whole.median / changes.median:.0f} times faster, {changes.calls:.0f} calls, not {whole.calls:.0f}",
    )


def memory_of(title: str, work: Callable[[], None]) -> float:
    grown = memory_grown(lambda: report(title, work))
    print(f"    memory grows by {grown:.0f} MiB")
    return grown


def poll(account: Any) -> None:
    from apps.pools.polling import poll_account

    if not poll_account(account):
        raise SystemExit("The pools were not read.")


def listed(account: Any, nodes: int) -> None:
    """What a script does: the pools, then the nodes of each that has some."""
    from apps.accounts.connections import connection_for
    from apps.gateway import clients

    found = 0
    for pool in clients.batch(connection_for(account)).list_pools():
        if pool.current_dedicated_nodes or pool.current_low_priority_nodes:
            found += len(nodes_by_sdk(account, str(pool.id)))
    if found != nodes:
        raise SystemExit(f"{found} nodes instead of {nodes}.")


def nodes_by_sdk(account: Any, pool_id: str) -> list[Any]:
    from apps.accounts.connections import connection_for
    from apps.gateway import clients

    return list(clients.batch(connection_for(account)).list_nodes(pool_id))


def delete_pools(account: Any) -> None:
    from apps.accounts.connections import connection_for
    from apps.gateway import pools
    from apps.pools.models import PoolSnapshot

    for pool_id in PoolSnapshot.objects.values_list("pool_id", flat=True):
        pools.pool_delete(connection_for(account), pool_id)


def blade(account: Any, user: Any, count: int) -> None:
    from apps.accounts.connections import connection_for
    from apps.gateway import clients

    client = signed_in(user)
    sizes: list[int] = []

    def page(query: str = "") -> None:
        answer = client.get(f"/batch/local/pools/{query}")
        if answer.status_code != 200 or f"<strong>{count:,}</strong>" not in plain(answer):
            raise SystemExit("The blade does not show all pools.")
        sizes.append(len(answer.content))

    def by_sdk() -> None:
        found = sum(1 for _pool in clients.batch(connection_for(account)).list_pools())
        if found != count:
            raise SystemExit(f"{found} pools instead of {count}.")

    page()  # imports, templates
    print(f"\nthe blade of {count} pools, on loopback")
    first = report("first page", page, 20)
    report("its last page, sorted by size", lambda: page(f"?sort=-size&page={-(-count // 50)}"), 10)
    second = report("listing them by the SDK", by_sdk, 3)
    print(f"  ratio: {second.median / first.median:.1f} times; {max(sizes) / 1024:.0f} KiB of compressed page")
    note(
        f"first page of {count} pools, beside listing them",
        f"{second.median / first.median:.1f} times, p95 {first.p95 * 1000:.0f} ms, {first.queries:.0f} queries, "
        f"{max(sizes) / 1024:.0f} KiB",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
