"""Files of nodes."""

from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError

from tests.emulator.estate import nodes_in, pool, start_task, text
from tests.emulator.helpers import code


@pytest.fixture
def node_id(batch: BatchClient) -> str:
    script = start_task(
        "printf 0123456789 > f.txt; mkdir -p d/e; touch d/e/x; ln -s /etc/passwd out; printf %s ä > ä.txt"
    )
    batch.create_pool(pool(target_dedicated_nodes=1, start_task=script))
    return nodes_in(batch, "idle", 1)[0].id


def done_with(error: HttpResponseError) -> None:
    """The SDK leaves the connection of a refused download open."""
    response: Any = error.response
    response.internal_response.close()


def names(batch: BatchClient, node_id: str, **options: Any) -> list[str | None]:
    return [found.name for found in batch.list_node_files("p", node_id, **options)]


def test_lists(batch: BatchClient, node_id: str) -> None:
    assert names(batch, node_id) == ["applications", "fsmounts", "shared", "startup", "volatile", "workitems"]
    everything = names(batch, node_id, recursive=True)
    assert "startup/wd/d/e/x" in everything
    assert everything == sorted(everything, key=lambda name: (name or "").split("/"))
    assert names(batch, node_id, recursive=True, max_results=2) == everything
    below = names(batch, node_id, recursive=True, filter="startswith(name,'startup/wd/d')")
    assert below == ["startup/wd/d", "startup/wd/d/e", "startup/wd/d/e/x"]


def test_reading_by_range(batch: BatchClient, node_id: str) -> None:
    assert text(batch, node_id, "startup/wd/f.txt") == "0123456789"
    assert text(batch, node_id, "startup/wd/ä.txt") == "ä"
    statuses: list[int] = []
    part = batch.download_node_file(
        "p",
        node_id,
        "startup/wd/f.txt",
        ocp_range="bytes=3-5",
        raw_response_hook=lambda response: statuses.append(response.http_response.status_code),
    )
    assert b"".join(part) == b"345"
    assert statuses == [200]
    assert b"".join(batch.download_node_file("p", node_id, "startup/wd/f.txt", ocp_range="bytes=8-100")) == b"89"
    with pytest.raises(HttpResponseError) as beyond:
        batch.download_node_file("p", node_id, "startup/wd/f.txt", ocp_range="bytes=10-")
    assert beyond.value.status_code == 416
    done_with(beyond.value)


def test_properties(batch: BatchClient, node_id: str) -> None:
    found = batch.get_node_file_properties("p", node_id, "startup/wd/f.txt")
    assert (found.content_length, found.is_directory) == (10, False)
    assert found.url is not None
    assert found.url.endswith(f"/nodes/{node_id}/files/startup/wd/f.txt")
    assert batch.get_node_file_properties("p", node_id, "startup/wd").is_directory


@pytest.mark.parametrize("path", ["startup/none", "../../var/log/agent.log", "startup/wd/out", "startup/../../../../x"])
def test_nothing_else_can_be_read(batch: BatchClient, node_id: str, path: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        b"".join(batch.download_node_file("p", node_id, path))
    assert refused.value.status_code == 404
    done_with(refused.value)


def test_deleting(batch: BatchClient, node_id: str) -> None:
    batch.delete_node_file("p", node_id, "startup/wd/f.txt")
    with pytest.raises(HttpResponseError) as full:
        batch.delete_node_file("p", node_id, "startup/wd/d")
    assert code(full.value) == (409, "DirectoryNotEmpty")
    batch.delete_node_file("p", node_id, "startup/wd/d", recursive=True)
    assert names(batch, node_id, recursive=True, filter="startswith(name,'startup/wd/d')") == []
