"""The Applications blade with 200 applications and 8,000 packages, beside asking each application for its packages.

`python -m tests.benchmarks.applications_blade [--applications 200] [--packages 40]`. Both ways run against the same
local Batch service in one run: on loopback, and with 40 ms added to each call, as a data centre in reach has.
"""

# ruff: noqa: PLC0415  # Django is set up here, for services that run by then

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from emulator.testing import Emulator, start_azurite, start_emulator
from tests.benchmarks.direct import make_rows, plain, prepare_django, redis, report, signed_in
from tests.benchmarks.summary import note

DISTANCE = 0.04
SEEDERS = 6
BLOB_HEADERS = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
ZIP = b"PK\x05\x06" + bytes(18)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=200)
    parser.add_argument("--packages", type=int, default=40)
    chosen = parser.parse_args(arguments)
    quotas = ("--application-quota", str(chosen.applications), "--package-quota", str(chosen.packages))
    with (
        tempfile.TemporaryDirectory(prefix="blade-") as folder,
        redis(Path(folder)),
        start_azurite() as azurite,
        start_emulator(storage=[azurite], arguments=quotas) as emulator,
    ):
        emulator.link_storage("devstoreaccount1")
        seed(emulator, chosen.applications, chosen.packages)
        prepare_django(Path(folder), emulator, azurite)
        compare(emulator, chosen.applications, chosen.packages)


def seed(emulator: Emulator, applications: int, packages: int) -> None:
    """Real packages: created, uploaded to blob storage, activated."""
    started = time.perf_counter()
    with ThreadPoolExecutor(SEEDERS) as pool:
        list(pool.map(lambda number: seed_application(emulator, number, packages), range(applications)))
    print(f"made {applications} applications with {applications * packages} packages "
          f"in {time.perf_counter() - started:.0f} s")  # fmt: skip


def seed_application(emulator: Emulator, number: int, packages: int) -> None:
    batch = http.client.HTTPConnection(emulator.netloc)
    store: http.client.HTTPConnection | None = None

    def arm(method: str, path: str, body: object) -> Any:
        path = f"{emulator.account_id()}/applications/app-{number:03}{path}?api-version=2025-06-01"
        batch.request(method, path, json.dumps(body), {"Authorization": "Bearer t", "Content-Type": "application/json"})
        answer = batch.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data!r}")
        return json.loads(data)

    arm("PUT", "", {"properties": {"displayName": f"Application {number}"}})
    for version in range(packages):
        made = arm("PUT", f"/versions/1.{version}", {})
        url = urlsplit(made["properties"]["storageUrl"])
        store = store or http.client.HTTPConnection(url.netloc)
        store.request(
            "PUT", f"{url.path}?{url.query}", ZIP, {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
        )
        if (stored := store.getresponse()).status != 201:
            raise RuntimeError(f"blob: {stored.status} {stored.read()!r}")
        stored.read()
        arm("POST", f"/versions/1.{version}/activate", {"format": "zip"})


def compare(emulator: Emulator, applications: int, packages: int) -> None:
    from apps.accounts.connections import connection_for
    from apps.applications.snapshot import snapshot_forget
    from apps.gateway import management

    account, user = make_rows(emulator)
    make_records(account, applications, packages)
    client = signed_in(user)

    def page() -> None:
        answer = client.get("/batch/local/applications/")
        if answer.status_code != 200 or f"of <strong>{applications}</strong>" not in plain(answer):
            raise SystemExit("The blade does not show all applications.")

    def cold() -> None:
        snapshot_forget(account)
        page()

    def naive() -> None:
        connection = connection_for(account)
        for one in management.application_list(connection):
            management.package_list(connection, one.id)

    page()  # imports, templates, tokens
    for title, latency in (("on loopback", 0.0), (f"with {DISTANCE * 1000:.0f} ms per call", DISTANCE)):
        emulator.clear_faults()
        if latency:
            emulator.fault(operation="*", latency=latency)
        print(f"\n{title}: {applications} applications, {applications * packages} packages")
        first = report("blade, asking Azure", cold, 5)
        second = report("blade, within 30 s of that", page, 5)
        third = report("a call per application", naive)
        asking, otherwise = third.median / first.median, third.median / second.median
        print(f"  ratio: {asking:.1f} times the blade's time when it asks, {otherwise:.0f} times otherwise")
        note(
            f"blade of {applications} applications {title}, beside a call for each",
            f"{asking:.1f} times faster, {first.queries:.0f} queries, {first.calls:.0f} calls",
        )
    emulator.clear_faults()


def make_records(account: Any, applications: int, packages: int) -> None:
    """A record of each package and an owner of each application."""
    from apps.applications.models import ApplicationOwner, PackageRecord
    from apps.people.models import Team

    team = Team.objects.create(name="Render", slug="render")
    names = [f"app-{number:03}" for number in range(applications)]
    ApplicationOwner.objects.bulk_create(
        ApplicationOwner(account=account, application_id=name, application_key=name, team=team) for name in names
    )
    PackageRecord.objects.bulk_create(
        PackageRecord(
            account=account, application_id=name, application_key=name, version=f"1.{version}",
            version_key=f"1.{version}", size=1000 + version, sha256="0" * 64, filename="a.zip", uploaded_by_name="a",
        )
        for name in names
        for version in range(packages)
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
