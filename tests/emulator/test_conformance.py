"""The README tells the truth."""

import json

import httpx

from emulator import conformance
from emulator.settings import parse
from emulator.testing import Emulator


def test_the_readme_lists_what_is_answered() -> None:
    readme = conformance.README.read_text()
    assert readme == conformance.written(readme), "run: python -m emulator.conformance"


def test_the_service_lists_it_too(emulator: Emulator) -> None:
    listed = {entry["name"]: entry for entry in emulator.control("GET", "conformance")["operations"]}
    assert listed["arm.application_package.create"]["state"] == "answered"
    assert listed["data.list_pools"]["path"] == "/pools"
    missing = next(entry for entry in listed.values() if entry["state"] == "not implemented")
    assert missing["method"] in {"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"}


def test_the_estate_of_the_readme_is_made(emulator: Emulator) -> None:
    example = conformance.README.read_text().partition("```json\n")[2].partition("```")[0]
    created = emulator.seed(json.loads(example))["created"]
    assert created == {"applications": 1, "packages": 1, "pools": 1, "jobs": 1, "tasks": 250}


def test_every_flag_is_in_the_readme() -> None:
    readme = conformance.README.read_text()
    flags = ("host", "port", "data", "memory", "storage-connection-string", "cert", "key", "require-issuer", "account")
    quotas = ("account-quota", "application-quota", "package-quota", "pool-quota", "dedicated-core-quota")
    nodes = ("nodes", "process-nodes", "resize-time", "boot-time", "simulated-task-time", "refuse-unusable")
    for flag in (*flags, *quotas, *nodes, "location", "account-endpoint"):
        assert f"`--{flag}" in readme
    assert parse([], {}).port == 10100


def test_the_first_request_of_the_readme_works(emulator: Emulator) -> None:
    response = httpx.get(
        f"{emulator.url}/subscriptions/{emulator.subscription}/providers/Microsoft.Batch/batchAccounts",
        params={"api-version": "2025-06-01"},
        headers={"Authorization": "Bearer anything"},
    )
    assert [account["name"] for account in response.json()["value"]] == ["local"]
