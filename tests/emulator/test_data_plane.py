"""The data plane as the SDKs see it: addresses, versions, headers, lists, errors."""

import ast
import inspect
import json
import re
import socket
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from azure.batch import BatchClient, _operations
from azure.batch.aio import BatchClient as AsyncBatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import AsyncioRequestsTransport

from emulator.data.operations import OPERATIONS
from emulator.testing import Emulator
from tests.emulator.conftest import batch_client
from tests.emulator.helpers import new_account

VERSION = "api-version=2025-06-01"
BEARER = {"Authorization": "Bearer test"}


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=emulator.url, headers=BEARER) as client:
        yield client


@cache
def sdk_operations() -> dict[str, tuple[str, str, frozenset[str]]]:
    """Name → method, path and query parameters of every request that azure-batch can build."""
    source = inspect.getsource(_operations._operations)
    lines = source.splitlines(keepends=True)
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("build_batch_"):
            text = "".join(lines[node.lineno - 1 : node.end_lineno])
            (path,), (method,) = re.findall(r'_url = "([^"]+)"', text), re.findall(r'method="(\w+)"', text)
            query = frozenset(name.lower() for name in re.findall(r'_params\["([^"]+)"\]', text))
            name = node.name.removeprefix("build_batch_").removesuffix("_request").removesuffix("_internal")
            found[name] = (method, path, query - {"api-version", "timeout"})
    return found


def test_every_operation_of_the_sdk_is_in_the_table() -> None:
    ours = {
        operation.name.removeprefix("data."): (
            operation.method,
            operation.path.replace("*}", "}"),
            operation.query,
        )
        for operation in OPERATIONS
    }
    theirs = sdk_operations()
    assert len(theirs) > 70
    assert ours == theirs


@pytest.mark.parametrize("name", sorted(sdk_operations()))
def test_every_operation_of_the_sdk_is_answered_or_named(http: httpx.Client, name: str) -> None:
    method, path, _ = sdk_operations()[name]
    response = http.request(method, "/local" + re.sub(r"\{\w+\}", "x", path) + f"?{VERSION}")
    assert response.headers["request-id"]
    if response.status_code == 501 and method != "HEAD":
        body = response.json()
        assert body["code"] == "NotImplemented"
        assert body["values"] == [{"key": "Operation", "value": f"data.{name}"}]
    else:
        assert response.status_code in {200, 400, 404, 501}


def test_pools_jobs_schedules_and_counts_are_empty(batch: BatchClient) -> None:
    assert list(batch.list_pools(max_results=10)) == []
    assert list(batch.list_jobs()) == []
    assert list(batch.list_job_schedules()) == []
    assert list(batch.list_pool_node_counts()) == []


async def test_the_asynchronous_sdk(emulator: Emulator) -> None:
    credential = AzureNamedKeyCredential("local", emulator.account_key())
    async with AsyncBatchClient(emulator.account_url(), credential, transport=AsyncioRequestsTransport()) as client:
        assert [pool async for pool in client.list_pools()] == []
        assert len([image async for image in client.list_supported_images(max_results=5)]) > 20


def test_images_carry_what_a_choice_needs(batch: BatchClient) -> None:
    images = {
        f"{image.image_reference.offer}/{image.image_reference.sku}": image for image in batch.list_supported_images()
    }
    noble = images["ubuntu-24_04-lts/server"]
    assert (noble.node_agent_sku_id, noble.os_type, noble.verification_type) == (
        "batch.node.ubuntu 24.04",
        "linux",
        "verified",
    )
    assert images["ubuntu-hpc/2204"].batch_support_end_of_life is not None
    assert "DockerCompatible" in (images["ubuntu-hpc/2204"].capabilities or [])
    assert images["windowsserver/2022-datacenter"].os_type == "windows"


def test_pages_are_followed_to_the_end(emulator: Emulator, batch: BatchClient) -> None:
    whole = [image.image_reference.sku for image in batch.list_supported_images()]
    paged = [image.image_reference.sku for image in batch.list_supported_images(max_results=4)]
    assert paged == whole
    assert len(emulator.requests("data.list_supported_images")) == 1 + -(-len(whole) // 4)


def test_links_are_absolute_and_keep_the_prefix(emulator: Emulator, http: httpx.Client) -> None:
    body = http.get(f"/local/supportedimages?{VERSION}&maxresults=1").json()
    assert body["odata.nextLink"].startswith(f"{emulator.url}/local/supportedimages?")
    assert body["odata.metadata"] == f"{emulator.url}/local/$metadata#supportedimages"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "MissingRequiredQueryParameter"),
        ("api-version=2015-01-01.1.0", "UnsupportedRequestVersion"),
        (f"{VERSION}&colour=red", "UnsupportedQueryParameter"),
        (f"{VERSION}&maxresults=x", "InvalidQueryParameterValue"),
        (f"{VERSION}&maxresults=0", "OutOfRangeQueryParameterValue"),
        (f"{VERSION}&maxresults=1001", "OutOfRangeQueryParameterValue"),
        (f"{VERSION}&$skiptoken=%21", "InvalidQueryParameterValue"),
    ],
)
def test_a_query_the_service_does_not_know_is_refused(http: httpx.Client, query: str, expected: str) -> None:
    response = http.get(f"/local/applications?{query}")
    assert (response.status_code, response.json()["code"]) == (400, expected)


def test_the_error_body(http: httpx.Client) -> None:
    response = http.get(f"/local/pools?{VERSION}&colour=red")
    body = response.json()
    assert response.headers["content-type"] == "application/json;odata=minimalmetadata"
    assert body["odata.metadata"].endswith("errors/@Element")
    assert body["message"]["lang"] == "en-US"
    assert f"\nRequestId:{response.headers['request-id']}\nTime:" in body["message"]["value"]
    assert {"key": "QueryParameterName", "value": "colour"} in body["values"]


def test_unknown_paths_and_verbs(http: httpx.Client) -> None:
    unknown = http.get(f"/local/colours?{VERSION}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "InvalidUri")
    verb = http.put(f"/local/pools?{VERSION}")
    assert (verb.status_code, verb.json()["code"]) == (405, "UnsupportedHttpVerb")
    assert verb.headers["allow"] == "GET, POST"


def test_the_clients_request_id_is_echoed_when_asked_for(http: httpx.Client) -> None:
    asked = http.get(
        f"/local/pools?{VERSION}", headers={"client-request-id": "mine", "return-client-request-id": "true"}
    )
    assert asked.headers["client-request-id"] == "mine"
    assert "client-request-id" not in http.get(f"/local/pools?{VERSION}", headers={"client-request-id": "x"}).headers


def test_the_only_account_needs_no_naming(emulator: Emulator, http: httpx.Client) -> None:
    assert http.get(f"/pools?{VERSION}").json()["odata.metadata"] == f"{emulator.url}/$metadata#pools"


def test_the_account_is_found_by_host_path_and_signature(emulator: Emulator, http: httpx.Client) -> None:
    emulator.arm("PUT", emulator.account_id("second"), new_account().as_dict())
    assert http.get(f"/pools?{VERSION}").status_code == 404
    by_host = http.get(f"/pools?{VERSION}", headers={"Host": "second.westeurope.batch.localhost"})
    assert by_host.status_code == 200
    http.get(f"/second/pools?{VERSION}")
    credential = AzureNamedKeyCredential("second", emulator.account_key("second"))
    with BatchClient(emulator.url, credential) as client:
        assert list(client.list_pools()) == []
    named = [entry["account"] for entry in emulator.requests("data.list_pools")]
    assert named == [None, "second", "second", "second"]


def test_keys_of_one_account_do_not_open_another(emulator: Emulator) -> None:
    emulator.arm("PUT", emulator.account_id("second"), new_account().as_dict())
    with (
        batch_client(emulator, "second", key=emulator.account_key("local")) as client,
        pytest.raises(HttpResponseError) as caught,
    ):
        list(client.list_pools())
    assert caught.value.status_code == 403


def test_a_body_over_a_megabyte_is_refused_on_the_management_plane_only_over_four(http: httpx.Client) -> None:
    path = "/subscriptions/s/resourceGroups/g?api-version=2022-12-01"
    huge = json.dumps({"location": "westeurope", "tags": {"a": "x" * (5 << 20)}})
    response = http.put(path, content=huge)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "RequestBodyTooLarge")


@pytest.mark.parametrize("body", ["{", "[1]", '"text"', "\xff"])
def test_a_body_that_is_no_object_is_refused(http: httpx.Client, emulator: Emulator, body: str) -> None:
    response = http.patch(f"{emulator.account_id()}?api-version=2025-06-01", content=body.encode("latin-1"))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_bytes_that_are_no_http_do_not_harm(emulator: Emulator, http: httpx.Client) -> None:
    host, _, port = emulator.netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        raw.recv(1000)
    assert http.get("/_emulator/health").status_code == 200


def test_errors_are_the_sdks_own(batch: BatchClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        batch.get_pool("nosuch")
    error: Any = caught.value
    assert error.status_code == 404
    assert error.error.code == "PoolNotFound"
